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

"""What messages say, as the stand-ins of the controllers take it."""

from collections.abc import Callable, Sequence
from typing import Any

from geometry_msgs.msg import PoseStamped, TwistStamped
from il_ros.ros.conversion.messages import to_ns
from il_ros.sim.controllers.crisp import Pose
from il_ros.sim.controllers.joint_trajectory import Point, Trajectory
from il_ros.sim.controllers.servo import Twist
import numpy as np
from std_msgs.msg import Float64MultiArray
from trajectory_msgs.msg import JointTrajectory, JointTrajectoryPoint


def numbers(message: Float64MultiArray) -> Sequence[float]:
    """Return the numbers of an array."""
    return message.data


def trajectory(message: JointTrajectory) -> Trajectory:
    """Return what a trajectory says."""
    return Trajectory(tuple(message.joint_names), tuple(
        Point(to_ns(point.time_from_start), _derivatives(point)) for point in message.points),
        to_ns(message.header.stamp))


def twist(message: TwistStamped) -> Twist:
    """Return what a twist says."""
    linear, angular = message.twist.linear, message.twist.angular
    return Twist(message.header.frame_id, to_ns(message.header.stamp), (
        linear.x, linear.y, linear.z, angular.x, angular.y, angular.z))


def pose(message: PoseStamped) -> Pose:
    """Return what a pose says."""
    point, turn = message.pose.position, message.pose.orientation
    return Pose((point.x, point.y, point.z), (turn.x, turn.y, turn.z, turn.w))


CONTENTS: dict[str, Callable[[Any], Any]] = {
    'joint_trajectory': trajectory, 'forward_position': numbers, 'forward_velocity': numbers,
    'twist': twist, 'pose': pose}
"""By the name of the controller."""


def _derivatives(point: JointTrajectoryPoint) -> tuple[np.ndarray, ...]:
    """Return positions and, as far as they are given, velocities and accelerations."""
    given = [np.array(point.positions)]
    for values in (point.velocities, point.accelerations):
        if not len(values):
            break
        given.append(np.array(values))
    return tuple(given)
