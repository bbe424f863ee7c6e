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

"""``control_msgs/JointJog`` for MoveIt Servo, where control_msgs is installed."""

from control_msgs.msg import JointJog
from il_ros.robots.motion import Motion
from il_ros.ros.commands.adapter import CommandAdapter, Wiring
from il_ros.ros.commands.twist import refuse_slow
from il_ros.ros.conversion.messages import to_stamp
import numpy as np


class JointJogAdapter(CommandAdapter):
    """
    Joint velocities by name that also close the position error, stamped when they are sent.

    :raises ControllerError: if a control step is longer than Servo remembers a command
    """

    kind = JointJog
    topic = 'servo_node/delta_joint_cmds'

    def __init__(self, wiring: Wiring):
        super().__init__(wiring)
        refuse_slow(wiring)

    def message(self, motion: Motion, now_ns: int) -> JointJog:
        """Return the velocities."""
        return self._jog(motion.corrected, now_ns)

    def rest(self, now_ns: int) -> JointJog:
        """Return zeros."""
        return self._jog(np.zeros(1 + max(self.wiring.places)), now_ns)

    def _jog(self, velocities: np.ndarray, now_ns: int) -> JointJog:
        message = JointJog(joint_names=list(self.wiring.joint_names),
                           velocities=self.wiring.pick(velocities))
        message.header.frame_id = self.wiring.frame_id
        message.header.stamp = to_stamp(now_ns)
        return message
