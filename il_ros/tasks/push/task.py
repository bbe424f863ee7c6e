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

"""Push: slide a puck to a goal on the table with the closed hand."""

import math

from il_ros.contract.layout import GoalPosition, ObjectPose, ToolVelocity
from il_ros.tasks.base import near, Scene, Task, TaskResult, uniform, UPRIGHT
from il_ros.tasks.scene import Shape
import numpy as np

RADIUS_M = 0.035
HEIGHT_M = 0.03

_TOOL_HEIGHT_M = 0.02
"""Of the tool above the table; the fingertips end 7 mm below it."""

_PUCK_LOWER_M = (0.42, -0.18)
_PUCK_UPPER_M = (0.58, 0.18)
_TOOL_LOWER_M = (0.34, -0.28)
_TOOL_UPPER_M = (0.66, 0.28)

_LOST_LOWER_M = (0.36, -0.26)
_LOST_UPPER_M = (0.64, 0.26)
"""Beyond it there is no room left in the workspace for the hand behind the puck."""


class Push(Task):
    """Slide a puck to a goal on the table, 10 to 25 cm away; success within 2.5 cm."""

    name = 'push'
    features = (ObjectPose('object'), GoalPosition())
    actions = ToolVelocity('xy')
    horizon = 80
    goal_radius_m = 0.025
    goal_on_table = True
    shapes = (Shape('cylinder', (RADIUS_M, HEIGHT_M), mass_kg=0.2, friction=0.2,
                    colour=(0.85, 0.25, 0.2, 1.0), linear_damping=0.9, angular_damping=0.5),)

    def sample(self, rng):
        puck = uniform(rng, _PUCK_LOWER_M, _PUCK_UPPER_M)
        goal = near(rng, puck, 0.1, 0.25, _PUCK_LOWER_M, _PUCK_UPPER_M)
        tool = near(rng, puck, 0.09, 0.2, _TOOL_LOWER_M, _TOOL_UPPER_M)
        return Scene(np.array([*tool, _TOOL_HEIGHT_M]), 0.0,
                     np.array([[*puck, HEIGHT_M / 2]]), UPRIGHT[None], _on_table(goal))

    def resample(self, rng, reading):
        puck = reading.object_positions[0, :2]
        goal = near(rng, puck, 0.1, 0.25, _PUCK_LOWER_M, _PUCK_UPPER_M)
        return Scene(reading.tool_position, 0.0, reading.object_positions,
                     reading.object_orientations, _on_table(goal))

    def evaluate(self, reading, goal):
        x, y, z = reading.object_positions[0].tolist()
        lost = not (_LOST_LOWER_M[0] <= x <= _LOST_UPPER_M[0]
                    and _LOST_LOWER_M[1] <= y <= _LOST_UPPER_M[1]
                    and 0.0 < z < HEIGHT_M)
        distance = math.hypot(x - float(goal[0]), y - float(goal[1]))
        return TaskResult(success=not lost and distance < self.goal_radius_m, lost=lost)


def _on_table(goal) -> np.ndarray:
    return np.array([goal[0], goal[1], HEIGHT_M / 2])
