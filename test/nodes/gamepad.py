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

"""A gamepad by script: ``sensor_msgs/Joy`` at a rate, as a driver of gamepads would send it."""

from collections.abc import Callable
import time

from il_ros.ros import qos
from rclpy.clock import Clock, ClockType
from sensor_msgs.msg import Joy

DEAD_MAN, START, SUCCESS, FAILURE, DISCARD, CORRECTION, REDO, GRIPPER = 5, 7, 3, 1, 6, 2, 4, 0


class Gamepad:
    """Publishes its state at 50 Hz until it is unplugged."""

    def __init__(self, node, rate_hz: float = 50.0):
        self.axes, self.buttons = [0.0] * 8, [0] * 11
        self.plugged = True
        self._publisher = node.create_publisher(Joy, 'joy', qos.STREAM)
        node.create_timer(1.0 / rate_hz, self.say, clock=Clock(clock_type=ClockType.STEADY_TIME))

    def say(self):
        """Publish the state now."""
        if self.plugged:
            self._publisher.publish(Joy(axes=self.axes, buttons=self.buttons))

    def push(self, x: float = 0.0, y: float = 0.0, z: float = 0.0):
        """Put the sticks there."""
        self.axes[1], self.axes[0], self.axes[4] = x, y, z

    def hold(self, button: int, down: bool = True):
        """Press or let go of a button; said at once."""
        self.buttons[button] = int(down)
        self.say()

    def press(self, button: int, until: Callable[[Callable[[], bool]], bool]):
        """Press a button, and let it go after a moment."""
        # After a pause of this process the gamepad counts as new: what it says first is not new.
        self.say()
        self.hold(button)
        started = time.monotonic()
        until(lambda: time.monotonic() - started > 0.05)
        self.hold(button, False)
