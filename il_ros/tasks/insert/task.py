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

"""Insert: bring a square peg, which the hand holds from the start, into a square hole."""

import math

from il_ros.contract.layout import GoalPosition, ObjectPose
from il_ros.tasks.base import near, Scene, Task, TaskResult, uniform, UPRIGHT
from il_ros.tasks.scene import Shape
import numpy as np

PEG_M = 0.022
LENGTH_M = 0.12
"""Of the peg; it stands on the table when it is all the way in."""

PLAY_M = 0.003
"""How much wider the hole is than the peg."""

DEPTH_M = 0.04
"""Of the hole: a block of this height stands on the table."""

_BLOCK_M = 0.08
_GRIP_M = 0.04
"""The hand holds the peg this far above its middle."""

_SQUEEZE_M = 0.001
"""The fingers are told to close by so much more than the peg lets them."""

_TOOL_LOWER_M = (0.40, -0.20, 0.20)
_TOOL_UPPER_M = (0.60, 0.20, 0.30)
_BLOCK_LOWER_M = (0.40, -0.20)
_BLOCK_UPPER_M = (0.60, 0.20)
_NEAREST_M, _FARTHEST_M = 0.08, 0.25

_SLIPPED_M = 0.012
_TILTED_RAD = 0.2
"""A peg that has moved or turned more than this in the hand is as good as dropped."""


class Insert(Task):
    """
    Insert a held peg into a hole, 3 cm deep or more.

    Success is the peg's middle within 1 cm of where it is when the peg stands in the hole on the
    table. The peg is lost when it has slipped 12 mm or turned 0.2 rad in the hand, which does not
    open in this task. An episode that continues goes on with the block elsewhere.
    """

    name = 'insert'
    features = (ObjectPose('object'), GoalPosition())
    horizon = 100
    goal_radius_m = 0.01
    grasped_at_reset = True
    shapes = (
        Shape('box', (PEG_M / 2, PEG_M / 2, LENGTH_M / 2), mass_kg=0.05, friction=1.0,
              colour=(0.9, 0.3, 0.1, 1.0)),
        Shape('socket', ((PEG_M + PLAY_M) / 2, _BLOCK_M / 2, DEPTH_M / 2), mass_kg=0.0,
              friction=0.3, colour=(0.2, 0.35, 0.8, 1.0)))

    def sample(self, rng):
        tool = uniform(rng, _TOOL_LOWER_M, _TOOL_UPPER_M)
        return _scene(rng, tool, tool - [0.0, 0.0, _GRIP_M])

    def resample(self, rng, reading):
        return _scene(rng, reading.tool_position, reading.object_positions[0])

    def evaluate(self, reading, goal):
        peg, tool = reading.object_positions[0].tolist(), reading.tool_position.tolist()
        slipped_m = math.dist(peg, (tool[0], tool[1], tool[2] - _GRIP_M))
        x, y, _, _ = reading.object_orientations[0].tolist()
        tilted_rad = 2.0 * math.asin(min(math.hypot(x, y), 1.0))
        lost = slipped_m > _SLIPPED_M or tilted_rad > _TILTED_RAD
        there = math.dist(peg, goal.tolist()) < self.goal_radius_m
        return TaskResult(success=there and not lost, lost=lost)


def _scene(rng, tool, peg) -> Scene:
    block = near(rng, peg[:2], _NEAREST_M, _FARTHEST_M, _BLOCK_LOWER_M, _BLOCK_UPPER_M)
    return Scene(tool, PEG_M - _SQUEEZE_M, np.array([peg, [*block, DEPTH_M / 2]]),
                 np.array([UPRIGHT, UPRIGHT]), np.array([*block, LENGTH_M / 2]))
