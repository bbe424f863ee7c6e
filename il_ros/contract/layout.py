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

AXES = {'x': 'linear_x', 'y': 'linear_y', 'z': 'linear_z'}


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
class ToolVelocity:
    """Velocity of the tool along some axes of the base frame, and the opening of the gripper."""

    axes: str = 'xyz'
    gripper: bool = False
    speed_m_s: float = 0.5
    """Bound of each axis, in both directions."""

    space = 'tool_velocity'

    def entries(self, open_width_m: float) -> list[dict[str, Any]]:
        """Return the actions as a contract file has them."""
        found = [{'name': AXES[axis], 'unit': 'm/s', 'lower': -self.speed_m_s,
                  'upper': self.speed_m_s} for axis in self.axes]
        if self.gripper:
            found.append({'name': 'gripper_opening', 'unit': 'm', 'lower': 0.0,
                          'upper': open_width_m})
        return found
