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

"""
The emergency stop: latched from a topic or a service, released by a service alone.

A press is kept in a file, so that it outlives the node that heard it.
"""

from collections.abc import Callable
import time

from il_ros.ros import qos
from il_ros.ros.supervision.latch import kept_at, Latch
from rclpy.node import Node
from std_msgs.msg import Bool
from std_srvs.srv import Trigger


class EmergencyStop:
    """
    ``estop`` (topic and service), ``estop_reset``, and the latched ``estopped``.

    :param on_stop: called at once when it is pressed
    :param file: as of ``kept_at``: it exists while the stop is pressed
    :param heartbeat_s: silence on the topic for so long is a press; 0: it is not
    """

    def __init__(self, node: Node, on_stop: Callable[[], None], file: str = '',
                 heartbeat_s: float = 0.0):
        self._node, self._on_stop = node, on_stop
        self._latch = Latch(node, kept_at(node, file))
        self._heartbeat_s, self._heard_at = heartbeat_s, time.monotonic()
        self._state = node.create_publisher(Bool, 'estopped', qos.LATCHED)
        self._topic_pressed = False
        # Twice: the first hears any publisher, the second also a press from before this node.
        self._topic = node.create_subscription(Bool, 'estop', self._on_topic, qos.STREAM)
        node.create_subscription(Bool, 'estop', self._on_topic, qos.LATCHED)
        node.create_service(Trigger, 'estop', self._on_press)
        node.create_service(Trigger, 'estop_reset', self._on_reset)
        self._state.publish(Bool(data=self.pressed))
        if self.pressed:
            node.get_logger().error('emergency stop: pressed before this start; holding until '
                                    'estop_reset')

    @property
    def pressed(self) -> bool:
        """Tell whether the arm is to hold."""
        return bool(self._latch.reason)

    def check(self):
        """Press when the heartbeat is lost; called several times a second."""
        if self._is_silent() and not self.pressed:
            self._node.get_logger().error(
                f'no message on estop for {self._heartbeat_s:g} s')
            self._press()

    def _is_silent(self) -> bool:
        return 0.0 < self._heartbeat_s < time.monotonic() - self._heard_at

    def _on_topic(self, message: Bool):
        self._heard_at = time.monotonic()
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
        self._latch.reason = 'pressed'
        self._state.publish(Bool(data=True))
        self._node.get_logger().error('emergency stop: holding until estop_reset')
        self._on_stop()
        self._latch.keep('pressed')

    def _on_reset(self, _request, response):
        response.message = self._pressed_by() or self._latch.release()
        response.success = not response.message
        if response.success:
            self._topic_pressed = False
            self._state.publish(Bool(data=False))
            response.message = 'released'
        return response

    def _pressed_by(self) -> str:
        """Return who still presses, as a sentence; empty: nobody does."""
        if self._topic_pressed and self._topic.get_publisher_count():
            infos = self._node.get_publishers_info_by_topic(self._topic.topic_name)
            names = ', '.join(sorted({info.node_name for info in infos}))
            return f'not released: {names} still says true on estop'
        if self._is_silent():
            return f'not released: no message on estop for {self._heartbeat_s:g} s'
        return ''
