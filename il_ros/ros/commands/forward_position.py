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

"""``std_msgs/Float64MultiArray`` with one position a joint, for forward command controllers."""

from il_ros.robots.motion import Motion
from il_ros.ros.commands.adapter import CommandAdapter
from std_msgs.msg import Float64MultiArray


class ForwardPositionAdapter(CommandAdapter):
    """The joint targets. The message has no names: the order must be the controller's."""

    kind = Float64MultiArray
    topic = 'forward_position_controller/commands'

    def message(self, motion: Motion, now_ns: int) -> Float64MultiArray:
        """Return the targets."""
        return Float64MultiArray(data=self.wiring.pick(motion.positions))
