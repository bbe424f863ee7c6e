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

"""The emergency stop: latched from a topic or a service, released by a service alone."""

from collections.abc import Callable

from il_ros.nodes import qos
from rclpy.node import Node
from std_msgs.msg import Bool
from std_srvs.srv import Trigger


class EmergencyStop:
    """
    ``estop`` (topic and service), ``estop_reset``, and the latched ``estopped``.

    :param on_stop: called at once when it is pressed
    """

    def __init__(self, node: Node, on_stop: Callable[[], None]):
        self._node = node
        self._on_stop = on_stop
        self.pressed = False
        self._state = node.create_publisher(Bool, 'estopped', qos.LATCHED)
        self._topic_pressed = False
        # Twice: the first hears any publisher, the second also a press from before this node.
        self._topic = node.create_subscription(Bool, 'estop', self._on_topic, qos.STREAM)
        node.create_subscription(Bool, 'estop', self._on_topic, qos.LATCHED)
        node.create_service(Trigger, 'estop', self._on_press)
        node.create_service(Trigger, 'estop_reset', self._on_reset)
        self._state.publish(Bool(data=False))

    def _on_topic(self, message: Bool):
        self._topic_pressed = message.data
        if message.data:
            self._press()

    def _on_press(self, _request, response):
        self._press()
        response.success, response.message = True, 'stopped; estop_reset releases it'
        return response

    def _press(self):
        if self.pressed:
            return
        self.pressed = True
        self._state.publish(Bool(data=True))
        self._node.get_logger().error('emergency stop: holding until estop_reset')
        self._on_stop()

    def _on_reset(self, _request, response):
        if self._topic_pressed and self._topic.get_publisher_count():
            response.success = False
            response.message = f'not released: {self._sources()} still says true on estop'
            return response
        self._topic_pressed = self.pressed = False
        self._state.publish(Bool(data=False))
        response.success, response.message = True, 'released'
        return response

    def _sources(self) -> str:
        """Return the nodes that publish the topic, by name."""
        infos = self._node.get_publishers_info_by_topic(self._topic.topic_name)
        return ', '.join(sorted({info.node_name for info in infos}))
