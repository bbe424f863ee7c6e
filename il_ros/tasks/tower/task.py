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

"""Tower: three cubes onto one another at a marked place, a long task."""

import math

from il_ros.contract.layout import GoalPosition, ObjectPose, ToolVelocity
from il_ros.tasks import cubes
from il_ros.tasks.base import Scene, Task, TaskResult
import numpy as np


class Tower(Task):
    """
    Build a tower of three cubes in order, within 3 cm of the goal, released and at rest.

    All three start anywhere on the table, with their sides along x and y. A tower that falls can
    be built anew; a cube out of the hand's reach is lost. An episode that continues scatters all
    of them and marks another place.
    """

    name = 'tower'
    features = (ObjectPose('object'), ObjectPose('second'), ObjectPose('third'),
                GoalPosition())
    actions = ToolVelocity(gripper=True)
    horizon = 300
    goal_radius_m = 0.03
    goal_on_table = True
    shapes = (cubes.cube(0.9, 0.3, 0.1), cubes.cube(0.2, 0.35, 0.8), cubes.cube(0.95, 0.75, 0.1))

    def __init__(self):
        self._rest = cubes.Rest()

    def sample(self, rng):
        tool = cubes.tool_start(rng)
        return self._scene(tool, cubes.scattered(rng, 4))

    def resample(self, rng, reading):
        tool = reading.tool_position
        return self._scene(tool, cubes.scattered(rng, 4, (tool,)))

    def evaluate(self, reading, goal):
        first, second, third = reading.object_positions.tolist()
        if any(map(cubes.is_lost, (first, second, third))):
            return TaskResult(lost=True)
        there = (math.dist(first, goal.tolist()) < self.goal_radius_m
                 and cubes.stands_on(second, first) and cubes.stands_on(third, second))
        return TaskResult(success=self._rest.lasts(reading, there))

    def _scene(self, tool, places) -> Scene:
        self._rest = cubes.Rest()
        return cubes.lying(tool, places[:3], np.array([*places[3], cubes.RESTING_M]))
