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

"""How the gripper is commanded, where the arm's message does not move the fingers."""

import dataclasses
from typing import Any

from il_ros.errors import ControllerError
from il_ros.ros.commands.forward_position import ForwardPositionAdapter
from sensor_msgs.msg import JointState

SAME, COMMANDS, ACTION, NONE = 'same', 'commands', 'action', 'none'
GRIPPERS = (SAME, COMMANDS, ACTION, NONE)

WIDTH_TOPIC = 'gripper_width'
"""The width that is asked for, m: said when it changes, for the node that calls the action."""

LEAST_CHANGE_M = 1e-3
"""A width that differs by less is the same: an action is no stream of set points."""


class GripperCommandsAdapter(ForwardPositionAdapter):
    """Positions of the fingers, for a controller of their own."""

    topic = 'gripper_controller/commands'


@dataclasses.dataclass(frozen=True)
class GripperJoint:
    """The joint that a gripper's action moves, and where it is open and closed."""

    name: str
    open_width_m: float
    open_position: float
    """rad or m: where the joint is with the gripper open."""
    closed_position: float
    max_effort: float

    def position(self, width_m: float) -> float:
        """Return where the joint is at a width, which is kept between closed and open."""
        share = min(max(width_m / self.open_width_m, 0.0), 1.0)
        return self.closed_position + share * (self.open_position - self.closed_position)


def gripper_actions() -> dict[str, type]:
    """
    Return the two actions that a gripper may have under one name, by their type on air.

    :raises ControllerError: if control_msgs is not installed
    """
    try:
        from control_msgs.action import GripperCommand, ParallelGripperCommand
    except ImportError as error:
        raise ControllerError("the gripper's action needs the package control_msgs, which is not "
                              f'installed ({error})') from error
    return {'control_msgs/action/GripperCommand': GripperCommand,
            'control_msgs/action/ParallelGripperCommand': ParallelGripperCommand}


def gripper_goal(kind: Any, joint: GripperJoint, width_m: float) -> Any:
    """
    Return the goal of either action for a width.

    :param kind: the action
    """
    goal, position = kind.Goal(), joint.position(width_m)
    if hasattr(goal.command, 'max_effort'):
        goal.command.position, goal.command.max_effort = position, joint.max_effort
    else:
        goal.command = JointState(
            name=[joint.name], position=[position], effort=[joint.max_effort])
    return goal
