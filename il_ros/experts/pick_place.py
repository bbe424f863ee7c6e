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
Pick and place: over the cube, down, close, lift and carry, and let go where the goal is placed.

What looks like phases is read off the state: "held" from the finger opening *and* the distance,
"over it" from the sideways error, "placed" from the cube and the goal. The hover height grows
with the sideways error, so that the hand comes down as it comes near and rises when it is off.
"""

import math

from il_ros.data.contract import Contract
from il_ros.experts.base import Expert
from il_ros.experts.smooth import capped_gain, rising

OPEN_M = 0.08
CLOSED_M = 0.0

HELD_M = 0.075
"""An opening below this, around the cube, is a grasp: a hand over a turned cube stays wide."""

FULLY_OPEN_M = 0.0775
RESTING_M = 0.035
"""A cube lower than this lies on the table, on whatever side."""

HALF_CLOSED_M = 0.076
START_M, KEEP_M = 0.014, 0.022
"""How far off its middle a cube is grasped by an open hand, and kept by a closed one."""

TABLE_GOAL_M = 0.035
"""A goal whose height is below this is on the table (a resting cube's centre is at 0.025)."""

GAIN_PER_S = 10.0
SPEED_M_S = 0.5
DIP_M = 0.025
"""
Aim below the cube's middle and below the table.

The hand is then still on its way when it has to close or to open: whoever imitates a law that
comes to rest at such a border comes to rest in front of it, for good.
"""

HOVER_M = 0.12
OVER_M = 0.025
"""Sideways error at which half of the hover height is left."""

FUNNEL_M = 0.006
DOWN_GAIN_PER_S = 8.0
DOWN_M_S = 0.3
LEAVE_M_S = 0.1
LIFT_M = 0.08


class PickPlaceExpert(Expert):
    """Grasps the cube from above and carries it to the goal."""

    task = 'pick_place'
    drives = ('linear_x', 'linear_y', 'linear_z', 'gripper_opening')

    def __init__(self, contract: Contract):
        super().__init__(contract)
        self._opening = self._start('gripper_opening', 1)
        self._tool = self._start('tool_position', 3)
        self._cube = self._start('object_position', 3)
        self._goal = self._start('goal_position', 3)

    def _law(self, values: list[float]) -> tuple[float, ...]:
        tool, cube, goal = self._tool, self._cube, self._goal
        to_cube = [values[cube + i] - values[tool + i] for i in range(3)]
        to_goal = [values[goal + i] - values[cube + i] for i in range(3)]
        opening = values[self._opening]
        around = _around(to_cube, opening)
        placed = _placed(to_goal, values[goal + 2], values[cube + 2])
        held = around * rising(HELD_M - opening, 0.0, 0.001) * (1.0 - placed)
        carry, fetch = _carry(to_goal, values[goal + 2]), _fetch(to_cube, opening, around, placed)
        x, y, z = (held * c + (1.0 - held) * f for c, f in zip(carry, fetch))
        return x, y, z, CLOSED_M if around > 0.5 and placed < 0.5 else OPEN_M


def _around(to_cube: list[float], opening: float) -> float:
    """
    Return how far the fingertips are around the cube's middle, 0 to 1.

    An open hand must be well centred before it closes; one that has closed may hold the cube
    further off, or a slip of some millimetres would open it again.
    """
    reach = START_M + (KEEP_M - START_M) * rising(HALF_CLOSED_M - opening, 0.0, 0.002)
    aside = math.hypot(to_cube[0], to_cube[1])
    return rising(reach - aside, 0.0, 0.0015) * rising(reach - abs(to_cube[2]), 0.0, 0.0015)


def _placed(to_goal: list[float], goal_z: float, cube_z: float) -> float:
    """Return how far the cube lies where a goal on the table wants it, 0 to 1."""
    aside = math.hypot(to_goal[0], to_goal[1])
    return (rising(0.018 - aside, 0.0, 0.001) * _on_table(goal_z)
            * rising(RESTING_M - cube_z, 0.0, 0.0005))


def _on_table(goal_z: float) -> float:
    return rising(TABLE_GOAL_M - goal_z, 0.0, 0.001)


def _fetch(to_cube: list[float], opening: float, around: float,
           placed: float) -> tuple[float, ...]:
    """Return the velocity that brings an open hand around the cube, or off a placed one, m/s."""
    x, y, z = to_cube
    aside = math.hypot(x, y)
    shut = (1.0 - around) * rising(0.065 - opening, 0.0, 0.002)
    z += HOVER_M * max(rising(aside, OVER_M, FUNNEL_M), shut) - DIP_M
    low = rising(aside, 0.015, 0.002) * rising(to_cube[2], -0.06, 0.006)
    gain = capped_gain(aside, GAIN_PER_S, SPEED_M_S) * (1.0 - 0.9 * low) * (1.0 - placed)
    down = capped_gain(abs(z), DOWN_GAIN_PER_S, DOWN_M_S) * z
    up = LEAVE_M_S * rising(opening, FULLY_OPEN_M, 0.0005)
    return gain * x, gain * y, (1.0 - placed) * down + placed * up


def _carry(to_goal: list[float], goal_z: float) -> tuple[float, ...]:
    """Return the velocity that carries a held cube to the goal, over the table, m/s."""
    x, y, z = to_goal
    aside = math.hypot(x, y)
    away = rising(aside, 0.03, 0.008)
    z += LIFT_M * away - DIP_M * (1.0 - away) * _on_table(goal_z)
    gain = capped_gain(math.sqrt(x * x + y * y + z * z), GAIN_PER_S, SPEED_M_S)
    return gain * x, gain * y, gain * z
