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

"""``trajectory_msgs/JointTrajectory`` for joint_trajectory_controller and its relatives."""

from builtin_interfaces.msg import Duration
from il_ros.episodes.wire.cdr import NS
from il_ros.robots.motion import Motion
from il_ros.ros.commands.adapter import CommandAdapter
import numpy as np
from trajectory_msgs.msg import JointTrajectory, JointTrajectoryPoint


class JointTrajectoryAdapter(CommandAdapter):
    """
    A trajectory a step: through the target in one period, at rest there after two.

    The velocity at the target keeps the stream from stopping at each point. The second point ends
    the motion where no other message follows, and is what Jazzy's controller asks for: it refuses
    a trajectory that ends in motion (``allow_nonzero_velocity_at_trajectory_end``).
    """

    kind = JointTrajectory
    topic = 'joint_trajectory_controller/joint_trajectory'

    def message(self, motion: Motion, now_ns: int) -> JointTrajectory:
        """Return the trajectory; its stamp of zero means that it starts when it comes."""
        moving = bool(motion.velocities[list(self.wiring.places)].any())
        points = [self._point(1, motion, motion.velocities)] if moving else []
        points.append(self._point(1 + moving, motion, np.zeros_like(motion.velocities)))
        return JointTrajectory(joint_names=list(self.wiring.joint_names), points=points)

    def _point(self, periods: int, motion: Motion,
               velocities: np.ndarray) -> JointTrajectoryPoint:
        sec, nanosec = divmod(periods * self.wiring.period_ns, NS)
        return JointTrajectoryPoint(
            positions=self.wiring.pick(motion.positions),
            velocities=self.wiring.pick(velocities),
            time_from_start=Duration(sec=sec, nanosec=nanosec))
