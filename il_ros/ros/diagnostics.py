# Copyright 2026 il_ros contributors
#
# Licensed under the Apache License, Version 2.0 (the "License");
# you may not use this file except in compliance with the License.
# You may obtain a copy of the License at
#
#     http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS,
# WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied.
# See the License for the specific language governing permissions and
# limitations under the License.

"""``/diagnostics`` of a node, once a second, with what the node has refused."""

from collections.abc import Callable

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from il_ros.ros.listening import every
from il_ros.ros.qos import STREAM
from il_ros.ros.refusals import refusals_of
from rclpy.node import Node

OK, WARN, ERROR, STALE = (
    DiagnosticStatus.OK, DiagnosticStatus.WARN, DiagnosticStatus.ERROR, DiagnosticStatus.STALE)

PERIOD_S = 1.0


class Diagnostics:
    """
    Publishes what ``report`` returns: level, message and values; and the node's refusals.

    The level is at least WARN for a period in which a message was refused.
    """

    def __init__(self, node: Node, report: Callable[[], tuple[bytes, str, dict]]):
        self._node = node
        self._report = report
        self._refusals = refusals_of(node)
        self._refused = 0
        self._publisher = node.create_publisher(DiagnosticArray, '/diagnostics', STREAM)
        every(node, PERIOD_S, self.publish)

    def publish(self):
        """Publish now."""
        level, message, values = self._with_refusals(*self._report())
        status = DiagnosticStatus(
            level=level, name=f'il_ros: {self._node.get_name()}', message=message,
            hardware_id=self._node.get_namespace(),
            values=[KeyValue(key=key, value=str(value)) for key, value in values.items()])
        array = DiagnosticArray(status=[status])
        array.header.stamp = self._node.get_clock().now().to_msg()
        self._publisher.publish(array)

    def _with_refusals(self, level: bytes, message: str, values: dict) -> tuple[bytes, str, dict]:
        refusals, before = self._refusals, self._refused
        self._refused = refusals.count
        # A node may count what it refused by its own means, beside this.
        count = values.get('refused_messages', 0) + self._refused
        values = {**values, 'refused_messages': count, **refusals.values()}
        if level == OK and self._refused > before:
            return WARN, f'refused {self._refused - before} messages', values
        return level, message, values
