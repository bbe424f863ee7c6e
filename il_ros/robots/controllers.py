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

"""The controllers that an arm may have: their names, and the joints that they move."""

from collections.abc import Sequence

from il_ros.errors import RobotError
from il_ros.robots.model import RobotModel

CONTROLLERS = ('joint_trajectory', 'forward_position', 'forward_velocity', 'twist', 'pose')
TOOL_CONTROLLERS = ('twist', 'pose')
"""These are told where the tool goes: they move the arm's joints, and no fingers."""

SERVO_TIMEOUT_S = 0.1
"""MoveIt Servo's ``incoming_command_timeout``: how long it remembers a command."""


def places_of(robot: RobotModel, joints: Sequence[str]) -> tuple[int, ...]:
    """
    Return where a controller's joints stand in the robot's joint vector, in their order.

    :raises RobotError: if the robot has no such joint, or one is named twice
    """
    if len(set(joints)) != len(joints) or not set(joints) <= set(robot.joint_names):
        raise RobotError(f"a controller's joints are {list(joints)}; expected joints of "
                         f'{robot.name}, each once: {list(robot.joint_names)}')
    return tuple(robot.joint_names.index(joint) for joint in joints)
