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

"""Parts of a contract: what a task is told and what it is commanded, without naming a robot."""

import dataclasses
from typing import Any

from il_ros.contract.contract import ContractError, GRIPPER

LINEAR = ('linear_x', 'linear_y', 'linear_z')
ANGULAR = ('angular_x', 'angular_y', 'angular_z')
DELTA = ('delta_x', 'delta_y', 'delta_z', 'delta_rx', 'delta_ry', 'delta_rz')
"""Names of the entries of actions: tool velocities, and the tool's changes in a control step."""

_AXES = 'xyz'


@dataclasses.dataclass(frozen=True)
class ObjectPose:
    """Position and orientation of an object; the first one of a task is ``object_poses[0]``."""

    name: str

    def entries(self, index: int) -> list[dict[str, Any]]:
        """Return the features as a contract file has them."""
        source = {'topic': 'object_poses', 'index': index}
        return [{'name': f'{self.name}_position', **source, 'field': 'position', 'unit': 'm'},
                {'name': f'{self.name}_orientation', **source, 'field': 'orientation'}]


@dataclasses.dataclass(frozen=True)
class GoalPosition:
    """Where the object or the tool is to go."""

    def entries(self, index: int) -> list[dict[str, Any]]:
        """Return the feature as a contract file has it."""
        return [{'name': 'goal_position', 'topic': 'goal_pose', 'field': 'position',
                 'unit': 'm'}]


@dataclasses.dataclass(frozen=True)
class GoalOrientation:
    """How the object or the tool is to be turned there."""

    def entries(self, index: int) -> list[dict[str, Any]]:
        """Return the feature as a contract file has it."""
        return [{'name': 'goal_orientation', 'topic': 'goal_pose', 'field': 'orientation'}]


@dataclasses.dataclass(frozen=True)
class ToolVelocity:
    """Velocity of the tool along and about axes of the base frame, and the gripper's opening."""

    axes: str = 'xyz'
    gripper: bool = False
    speed_m_s: float = 0.5
    """Bound of each axis, in both directions."""
    turns: str = ''
    """Axes about which the tool turns."""
    turn_rad_s: float = 1.5
    """Bound of each turn, in both directions."""

    def __post_init__(self):
        for name in ('axes', 'turns'):
            if not set(getattr(self, name)) <= set(_AXES):
                raise ContractError(f'{name} is {getattr(self, name)!r}; expected letters of xyz')

    def entries(self, open_width_m: float) -> list[dict[str, Any]]:
        """Return the actions as a contract file has them."""
        found = [_entry(LINEAR[_AXES.index(axis)], 'm/s', self.speed_m_s) for axis in self.axes]
        found += [_entry(ANGULAR[_AXES.index(axis)], 'rad/s', self.turn_rad_s)
                  for axis in self.turns]
        return found + self._hand(open_width_m)

    def in_space(self, space: str, robot: Any, rate_hz: float) -> list[dict[str, Any]]:
        """
        Return the actions that do the same in another action space.

        :param space: name, as a contract file has it
        :param robot: a ``RobotModel``, whose limits are the bounds of its joints
        """
        if space == 'tool_velocity':
            return self.entries(robot.open_width)
        hand = self._hand(robot.open_width)
        if space == 'tool_delta':
            return [*(_entry(DELTA[_AXES.index(axis)], 'm', self.speed_m_s / rate_hz)
                      for axis in self.axes),
                    *(_entry(DELTA[3 + _AXES.index(axis)], 'rad', self.turn_rad_s / rate_hz)
                      for axis in self.turns), *hand]
        joints = robot.joint_names[robot.arm]
        if space == 'joint_position':
            return [*({'name': name, 'unit': 'rad', 'lower': float(low), 'upper': float(high)}
                      for name, low, high in zip(joints, robot.lower, robot.upper)), *hand]
        unit, step = ('rad/s', 1.0) if space == 'joint_velocity' else ('rad', 1.0 / rate_hz)
        return [*(_entry(name, unit, float(speed) * step)
                  for name, speed in zip(joints, robot.velocity)), *hand]

    def _hand(self, open_width_m: float) -> list[dict[str, Any]]:
        return [{'name': GRIPPER, 'unit': 'm', 'lower': 0.0, 'upper': open_width_m}
                ] if self.gripper else []


def _entry(name: str, unit: str, bound: float) -> dict[str, Any]:
    return {'name': name, 'unit': unit, 'lower': -bound, 'upper': bound}
