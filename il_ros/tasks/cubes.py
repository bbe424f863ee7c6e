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

"""What tasks with cubes share: their shape and places, when they rest or are lost."""

import math

from il_ros.tasks.base import OPEN, Scene, uniform, UPRIGHT
from il_ros.tasks.scene import Reading, Shape
import numpy as np

EDGE_M = 0.05

RESTING_M = EDGE_M / 2
"""Height of the centre of a cube that lies on the table."""

CENTRED_M = 0.02
"""A cube whose centre is less than this beside the middle of the one below stays on it."""

_FLUSH_M = 0.005
"""How far the distance of two centres may be from an edge length where one stands on the other."""

_TOOL_LOWER_M = (0.40, -0.20, 0.16)
_TOOL_UPPER_M = (0.60, 0.20, 0.28)
_LOWER_M = (0.40, -0.18)
_UPPER_M = (0.60, 0.18)
_APART_M = 0.12
"""Room for the open hand between two cubes, and between a cube and a hand that is low."""

_LOST_LOWER_M = (0.33, -0.29)
_LOST_UPPER_M = (0.67, 0.29)
"""Beyond it the hand cannot come down round a cube inside its workspace."""

RELEASED_M = EDGE_M + 0.01
_STILL_M = 5e-4
"""A cube that moves less than this in a control step rests."""

_REST_STEPS = 5


def cube(red: float, green: float, blue: float) -> Shape:
    """Return the shape of a cube of this colour."""
    half_m = EDGE_M / 2
    return Shape('box', (half_m, half_m, half_m), mass_kg=0.1, friction=1.0,
                 colour=(red, green, blue, 1.0))


def tool_start(rng: np.random.Generator) -> np.ndarray:
    """Draw where the open hand starts, high enough to hit no cube, shape ``(3,)``, m."""
    return uniform(rng, _TOOL_LOWER_M, _TOOL_UPPER_M)


def scattered(rng: np.random.Generator, count: int, clear_of=()) -> np.ndarray:
    """
    Draw places on the table with room for the hand around each.

    :param clear_of: further places (x, y, m) to keep away from
    :returns: shape ``(count, 2)``, m
    """
    while True:
        places = [uniform(rng, _LOWER_M, _UPPER_M) for _ in range(count)]
        others = [*clear_of, *places]
        if all(math.dist(place[:2], other[:2]) >= _APART_M
               for place in places for other in others if other is not place):
            return np.array(places)


def lying(tool: np.ndarray, places: np.ndarray, goal: np.ndarray) -> Scene:
    """Return the scene of an open hand and cubes that lie on the table."""
    count = len(places)
    positions = np.column_stack((places, np.full(count, RESTING_M)))
    return Scene(tool, OPEN, positions, np.tile(UPRIGHT, (count, 1)), goal)


def is_lost(position) -> bool:
    """Tell whether a cube is where the hand cannot grasp it."""
    x, y, z = position
    return not (_LOST_LOWER_M[0] <= x <= _LOST_UPPER_M[0]
                and _LOST_LOWER_M[1] <= y <= _LOST_UPPER_M[1] and z > 0.0)


def stands_on(upper, lower) -> bool:
    """Tell whether a cube stands on another, well enough to stay."""
    return (math.dist(upper[:2], lower[:2]) < CENTRED_M
            and abs(upper[2] - lower[2] - EDGE_M) < _FLUSH_M)


class Rest:
    """Counts the steps in which all cubes stayed where they are and the hand was open."""

    def __init__(self):
        self._steps = 0
        self._last: list | None = None

    def lasts(self, reading: Reading, there: bool) -> bool:
        """
        Tell whether the cubes have been in place, released and at rest for five steps.

        :param there: they are in place now
        """
        positions, last = reading.object_positions.tolist(), self._last
        still = last is not None and all(map(_is_still, positions, last))
        released = reading.opening_m > RELEASED_M
        self._last = positions
        self._steps = self._steps + 1 if there and released and still else 0
        return self._steps >= _REST_STEPS


def _is_still(now, before) -> bool:
    return math.dist(now, before) < _STILL_M
