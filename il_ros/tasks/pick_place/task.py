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

"""Pick and place: grasp a cube and bring it to a goal in the air or on the table."""

import math

from il_ros.contract.layout import GoalPosition, ObjectPose, ToolVelocity
from il_ros.tasks import cubes
from il_ros.tasks.base import near, OPEN, Scene, Task, TaskResult, uniform, UPRIGHT
import numpy as np

_TOOL_LOWER_M = (0.40, -0.20, 0.12)
_TOOL_UPPER_M = (0.60, 0.20, 0.28)
_CUBE_LOWER_M = (0.42, -0.18)
_CUBE_UPPER_M = (0.58, 0.18)
_AIR_LOWER_M, _AIR_UPPER_M = 0.10, 0.28
_LEAST_WAY_M = 0.15
_FARTHEST_WAY_M = 0.4
_CLEAR_OF_HAND_M = 0.12


class PickPlace(Task):
    """
    Bring a cube to a goal, in the air or on the table; success within 3 cm.

    Half of the goals are in the air, half on the table. On the table the cube must also be
    released and at rest for 5 steps. The cube's sides stay along x and y, since the hand of this
    task does not turn. An episode that continues puts the cube somewhere new, so that it has to
    be grasped again.
    """

    name = 'pick_place'
    features = (ObjectPose('object'), GoalPosition())
    actions = ToolVelocity(gripper=True)
    horizon = 120
    goal_radius_m = 0.03
    shapes = (cubes.cube(0.9, 0.5, 0.1),)

    def __init__(self):
        self._rest = cubes.Rest()

    def sample(self, rng):
        cube = uniform(rng, _CUBE_LOWER_M, _CUBE_UPPER_M)
        tool = uniform(rng, _TOOL_LOWER_M, _TOOL_UPPER_M)
        return self._scene(rng, tool, cube)

    def resample(self, rng, reading):
        hand = reading.tool_position
        cube = near(rng, hand[:2], _CLEAR_OF_HAND_M, math.inf, _CUBE_LOWER_M, _CUBE_UPPER_M)
        return self._scene(rng, hand, cube)

    def evaluate(self, reading, goal):
        cube = reading.object_positions[0].tolist()
        lost = cubes.is_lost(cube)
        there = not lost and math.dist(cube, goal.tolist()) < self.goal_radius_m
        if float(goal[2]) > cubes.RESTING_M:
            return TaskResult(there, lost)
        return TaskResult(self._rest.lasts(reading, there), lost)

    def _scene(self, rng, tool, cube) -> Scene:
        self._rest = cubes.Rest()
        goal = near(rng, cube, _LEAST_WAY_M, _FARTHEST_WAY_M, _CUBE_LOWER_M, _CUBE_UPPER_M)
        in_the_air = rng.random() < 0.5
        height = _AIR_LOWER_M + rng.random() * (_AIR_UPPER_M - _AIR_LOWER_M)
        return Scene(tool, OPEN, np.array([[*cube, cubes.RESTING_M]]), UPRIGHT[None],
                     np.array([*goal, height if in_the_air else cubes.RESTING_M]))
