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

"""Reach: bring the tool to a goal in the air."""

import math

from il_ros.contract.layout import GoalPosition
from il_ros.tasks.base import near, Scene, Task, TaskResult, uniform
import numpy as np

_LOWER_M = (0.38, -0.22, 0.08)
_UPPER_M = (0.62, 0.22, 0.32)


class Reach(Task):
    """Bring the tool to a goal in the air, 10 to 30 cm away; success within 2 cm."""

    name = 'reach'
    features = (GoalPosition(),)
    horizon = 60
    goal_radius_m = 0.02

    def sample(self, rng):
        tool = uniform(rng, _LOWER_M, _UPPER_M)
        goal = near(rng, tool, 0.1, 0.3, _LOWER_M, _UPPER_M)
        return Scene(tool, 0.0, np.empty((0, 3)), np.empty((0, 4)), goal)

    def resample(self, rng, reading):
        goal = near(rng, reading.tool_position, 0.1, 0.3, _LOWER_M, _UPPER_M)
        return Scene(reading.tool_position, 0.0, reading.object_positions,
                     reading.object_orientations, goal)

    def evaluate(self, reading, goal):
        distance = math.dist(reading.tool_position.tolist(), goal.tolist())
        return TaskResult(success=distance < self.goal_radius_m)
