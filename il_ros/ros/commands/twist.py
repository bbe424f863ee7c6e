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

"""``geometry_msgs/TwistStamped`` for MoveIt Servo with ``command_in_type: speed_units``."""

from geometry_msgs.msg import TwistStamped
from il_ros.errors import ControllerError
from il_ros.robots.controllers import SERVO_TIMEOUT_S
from il_ros.robots.motion import Motion
from il_ros.ros.commands.adapter import CommandAdapter, Wiring
from il_ros.ros.conversion.messages import to_stamp


class TwistAdapter(CommandAdapter):
    """
    The tool's velocity in the base frame, stamped when it is sent.

    :raises ControllerError: if a control step is longer than Servo remembers a command
    """

    kind = TwistStamped
    topic = 'servo_node/delta_twist_cmds'

    def __init__(self, wiring: Wiring):
        super().__init__(wiring)
        refuse_slow(wiring)

    def message(self, motion: Motion, now_ns: int) -> TwistStamped:
        """Return the twist."""
        message = self.rest(now_ns)
        for vector, values in ((message.twist.linear, motion.twist[:3]),
                               (message.twist.angular, motion.twist[3:])):
            vector.x, vector.y, vector.z = values.tolist()
        return message

    def rest(self, now_ns: int) -> TwistStamped:
        """Return a twist of zeros."""
        message = TwistStamped()
        message.header.frame_id = self.wiring.frame_id
        message.header.stamp = to_stamp(now_ns)
        return message


def refuse_slow(wiring: Wiring):
    """
    Refuse a control step that is longer than Servo remembers a command.

    :raises ControllerError: naming both times
    """
    if wiring.period_ns * 1e-9 >= SERVO_TIMEOUT_S:
        raise ControllerError(
            f'a control step takes {wiring.period_ns * 1e-9:g} s, and Servo forgets a command '
            f'after {SERVO_TIMEOUT_S:g} s; expected a rate above '
            f'{1.0 / SERVO_TIMEOUT_S:g} Hz')
