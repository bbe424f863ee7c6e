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

"""``std_msgs/Float64MultiArray`` with one velocity a joint, for forward command controllers."""

from il_ros.robots.motion import Motion
from il_ros.ros.commands.adapter import CommandAdapter
from std_msgs.msg import Float64MultiArray


class ForwardVelocityAdapter(CommandAdapter):
    """
    Joint velocities that also close the position error; zeros are sent when nothing else is.

    The message has no names: the order must be the controller's. The controller has no timeout.
    """

    kind = Float64MultiArray
    topic = 'forward_velocity_controller/commands'

    def message(self, motion: Motion, now_ns: int) -> Float64MultiArray:
        """Return the velocities."""
        return Float64MultiArray(data=self.wiring.pick(motion.corrected))

    def rest(self, now_ns: int) -> Float64MultiArray:
        """Return zeros."""
        return Float64MultiArray(data=[0.0] * len(self.wiring.places))
