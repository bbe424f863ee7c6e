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

"""Who writes ``joint_command``: exactly one may, and its liveliness says whether it lives."""

from collections.abc import Callable

from il_ros.errors import ImitationError
from il_ros.nodes import qos
from il_ros.nodes.listening import listen
from rclpy.event_handler import SubscriptionEventCallbacks
from rclpy.node import Node
from sensor_msgs.msg import JointState


class TwoWritersError(ImitationError):
    """More than one node writes commands to the arm."""


class CommandInput:
    """
    The subscription to ``joint_command``, deaf while two nodes write there.

    The fault is latched: a dip of the count is never read as recovery, but ``check`` (at the
    next reset) clears it when only one is left.
    """

    def __init__(self, node: Node, on_command: Callable[[JointState], None]):
        self._node = node
        self._on_command = on_command
        self._writers = 0
        self.two_writers = False
        events = SubscriptionEventCallbacks(
            liveliness=self._on_liveliness, incompatible_qos=self._on_plain_writer)
        listen(node, JointState, 'joint_command', self._receive, qos.COMMAND,
               event_callbacks=events)

    def check(self):
        """
        Clear the fault if it can be cleared.

        :raises TwoWritersError: if more than one node still writes
        """
        self.two_writers = self._writers > 1
        if self.two_writers:
            raise TwoWritersError(
                f'{self._writers} nodes write joint_command; stop all but the supervisor')

    def _receive(self, message: JointState):
        if not self.two_writers:
            self._on_command(message)

    def _on_liveliness(self, event):
        self._writers = event.alive_count
        if event.alive_count > 1:
            self.two_writers = True
            self._node.get_logger().error(
                f'{event.alive_count} nodes write joint_command; holding the arm')

    def _on_plain_writer(self, _event):
        self._node.get_logger().warning(
            "somebody writes joint_command without the supervisor's liveliness lease; not heard")
