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

"""``geometry_msgs/PoseStamped`` for Cartesian impedance controllers (CRISP) and Servo's poses."""

from geometry_msgs.msg import PoseStamped
from il_ros.robots.motion import Motion
from il_ros.ros.commands.adapter import CommandAdapter
from il_ros.ros.conversion.messages import to_stamp


class PoseAdapter(CommandAdapter):
    """The tool's pose of the joint targets, in the base frame, stamped when it is sent."""

    kind = PoseStamped
    topic = 'target_pose'

    def message(self, motion: Motion, now_ns: int) -> PoseStamped:
        """Return the pose."""
        message = PoseStamped()
        message.header.frame_id = self.wiring.frame_id
        message.header.stamp = to_stamp(now_ns)
        point, turn = message.pose.position, message.pose.orientation
        point.x, point.y, point.z = motion.tool_position.tolist()
        turn.x, turn.y, turn.z, turn.w = motion.tool_orientation.tolist()
        return message
