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

"""
Tower: the first cube to the marked place, then each of the others onto the one before.

Which cube is next is read off the state: the one above the highest that stands where it belongs.
Each is grasped as in pick and place and put down as in stack; the place of the first is that of a
cube on an imagined one under the table. Beside the tower and lower than its top the hand, and the
cube in it, rise before they go on.
"""

import math

from il_ros.contract.contract import Contract
from il_ros.tasks.expert import Expert
from il_ros.tasks.grasping import CLOSED_M, difference, FULLY_OPEN_M, grasp_and_carry, OPEN_M
from il_ros.tasks.smooth import rising
from il_ros.tasks.stack.expert import carry, EDGE_M, stands

CUBES = ('object_position', 'second_position', 'third_position')

ON_GOAL_M = 0.027
"""Sideways error that a tower's first cube may have once the second stands on it."""

NEAR_M = 0.07
NEAR_WIDTH_M = 0.005
"""Distance from the tower within which the hand must not go sideways low, a sigmoid's width."""

CLEAR_M = 0.036
CLEAR_WIDTH_M = 0.003
"""Height of the tool over the middle of the tower's top cube at which the fingers are clear."""

OVER_M, OVER_WIDTH_M = 0.02, 0.003
"""Sideways error at which the hand is half over the cube that it is to fetch."""

RISE_M_S = 0.3
LIFT_M = 0.09
ANYWHERE_M = 2.0
"""A carried cube rises before it goes anywhere: the other cubes may lie in its way."""


class TowerExpert(Expert):
    """Builds the tower from the bottom up."""

    task = 'tower'
    action_names = ('linear_x', 'linear_y', 'linear_z', 'gripper_opening')

    def __init__(self, contract: Contract):
        super().__init__(contract)
        self._opening = self.index_of('gripper_opening', 1)
        self._tool = self.index_of('tool_position', 3)
        self._cubes = [self.index_of(name, 3) for name in CUBES]
        self._goal = self.index_of('goal_position', 3)

    def control(self, values: list[float]) -> tuple[float, ...]:
        tool, opening = values[self._tool:self._tool + 3], values[self._opening]
        x, y, z = values[self._goal:self._goal + 3]
        column = [[x, y, z - EDGE_M], *(values[at:at + 3] for at in self._cubes)]
        placed = [stands(difference(column[i + 1], column[i])) for i in range(3)]
        on_goal = _on_goal(difference(column[1], column[0]))
        first = placed[0] + (1.0 - placed[0]) * placed[1] * on_goal
        turns = (1.0 - first, first * (1.0 - placed[1]), first * placed[1])
        total = [0.0] * 4
        for index, turn in enumerate(turns):
            # What is over within this cube's own turn: only the last one has no next.
            over = placed[2] if index == 2 else 0.0
            action = _build(tool, opening, column[index + 1], column[index], over, index > 0)
            total = [t + turn * a for t, a in zip(total, action)]
        return *total[:3], CLOSED_M if total[3] < OPEN_M / 2.0 else OPEN_M


def _build(tool, opening: float, cube, below, placed: float, tower: bool) -> tuple[float, ...]:
    """
    Return the velocity that puts ``cube`` onto ``below``, m/s, and the opening, m.

    :param tower: what is below is a cube, which the hand keeps clear of
    """
    to_cube = difference(tool, cube)

    def clear(velocity):
        away = rising(math.hypot(to_cube[0], to_cube[1]), OVER_M, OVER_WIDTH_M)
        return _clear_of(difference(tool, below), opening, away, velocity) if tower else velocity
    onto = carry(difference(cube, below), LIFT_M, ANYWHERE_M)
    return grasp_and_carry(to_cube, opening, placed, onto, clear)


def _clear_of(to_top: list[float], opening: float, away: float, velocity) -> tuple[float, ...]:
    """
    Return a velocity that lets go of the tower's top cube and rises off it first, m/s.

    :param away: 0 where the hand is over the cube that it is to fetch, and may go down beside
        the tower, 1 elsewhere
    """
    x, y, z = velocity
    near = rising(NEAR_M - math.hypot(to_top[0], to_top[1]), 0.0, NEAR_WIDTH_M)
    blocked = away * near * rising(CLEAR_M + to_top[2], 0.0, CLEAR_WIDTH_M)
    free = rising(opening, FULLY_OPEN_M, 0.0005)
    return ((1.0 - blocked) * x, (1.0 - blocked) * y,
            (1.0 - blocked) * z + blocked * free * RISE_M_S)


def _on_goal(to_below: list[float]) -> float:
    """Return how far a first cube that carries another is still where it belongs, 0 to 1."""
    aside = math.hypot(to_below[0], to_below[1])
    return rising(ON_GOAL_M - aside, 0.0, 0.001) * rising(EDGE_M + 0.01 + to_below[2], 0.0, 0.001)
