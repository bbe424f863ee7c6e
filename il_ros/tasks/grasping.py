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
The grasp of a cube from above, which every task with cubes begins with.

"Held" is read off the finger opening *and* the distance, "over it" from the sideways error. The
hover height grows with the sideways error, so that the hand comes down as it comes near and rises
when it is off.
"""

from collections.abc import Callable, Sequence
import math

from il_ros.contract.contract import Contract
from il_ros.robots.model import find_robot
from il_ros.tasks.cubes import EDGE_M
from il_ros.tasks.smooth import capped_gain, rising

OPEN_M = 0.08
CLOSED_M = 0.0

HELD_M = 0.075
"""An opening below this, around the cube, is a grasp: a hand over a turned cube stays wide."""

FAST_M_S = 0.4
"""A hand that closes so fast is shut within a step and a quarter of ``HELD_M``."""

FULLY_OPEN_M = 0.0775
HALF_CLOSED_M = 0.076
START_M, KEEP_M = 0.014, 0.022
"""How far off its middle a cube is grasped by an open hand, and kept by a closed one."""

GAIN_PER_S = 10.0
SPEED_M_S = 0.5
DIP_M = 0.025
"""
Aim below the cube's middle.

The hand is then still on its way when it has to close: whoever imitates a law that comes to rest
at such a border comes to rest in front of it, for good.
"""

HOVER_M = 0.12
OVER_M = 0.025
"""Sideways error at which half of the hover height is left."""

FUNNEL_M = 0.006
DOWN_GAIN_PER_S = 8.0
DOWN_M_S = 0.3
LEAVE_M_S = 0.1

Velocity = tuple[float, ...]


def _as_it_is(velocity: Velocity) -> Velocity:
    return velocity


def held_below(contract: Contract) -> float:
    """Return the opening below which a robot's hand holds a cube, m: a slow one closes longer."""
    speed = find_robot(contract.robot).closing_speed
    return EDGE_M + (HELD_M - EDGE_M) * min(1.0, speed / FAST_M_S)


def grasp_and_carry(to_cube: Sequence[float], opening: float, placed: float, carry: Velocity,
                    amend: Callable[[Velocity], Velocity] = _as_it_is,
                    held_m: float = HELD_M, askew: float = 0.0) -> Velocity:
    """
    Return the action that fetches a cube, carries it, and lets go where it is placed.

    :param to_cube: from the tool to the cube's middle, m
    :param opening: of the fingers, m
    :param placed: how far the cube is where it belongs, 0 to 1
    :param carry: velocity of a hand that holds the cube, m/s; where the tool turns, also rad/s
    :param amend: what to make of the velocity of a hand that fetches, m/s, such as to add a turn
    :param held_m: opening below which the hand holds the cube, m
    :param askew: how far the hand is turned out of the grasp, 0 to 1
    :returns: velocity along x, y and z in m/s, what turns it, and the opening in m
    """
    around = around_of(to_cube, opening) * (1.0 - askew)
    held = around * rising(held_m - opening, 0.0, 0.001) * (1.0 - placed)
    fetching = amend(fetch(to_cube, opening, around, placed, askew))
    motion = (held * c + (1.0 - held) * f for c, f in zip(carry, fetching))
    return *motion, CLOSED_M if around > 0.5 and placed < 0.5 else OPEN_M


def difference(start: Sequence[float], end: Sequence[float]) -> list[float]:
    """Return the vector from one point to another."""
    return [b - a for a, b in zip(start, end)]


def around_of(to_cube: Sequence[float], opening: float) -> float:
    """
    Return how far the fingertips are around the cube's middle, 0 to 1.

    An open hand must be well centred before it closes; one that has closed may hold the cube
    further off, or a slip of some millimetres would open it again.
    """
    reach = START_M + (KEEP_M - START_M) * rising(HALF_CLOSED_M - opening, 0.0, 0.002)
    aside = math.hypot(to_cube[0], to_cube[1])
    return rising(reach - aside, 0.0, 0.0015) * rising(reach - abs(to_cube[2]), 0.0, 0.0015)


def fetch(to_cube: Sequence[float], opening: float, around: float,
          placed: float, askew: float = 0.0) -> Velocity:
    """Return the velocity that brings an open hand around the cube, or off a placed one, m/s."""
    x, y, z = to_cube
    aside = math.hypot(x, y)
    shut = (1.0 - around) * rising(0.065 - opening, 0.0, 0.002)
    z += HOVER_M * max(rising(aside, OVER_M, FUNNEL_M), shut, askew) - DIP_M
    low = rising(aside, 0.015, 0.002) * rising(to_cube[2], -0.06, 0.006)
    gain = capped_gain(aside, GAIN_PER_S, SPEED_M_S) * (1.0 - 0.9 * low) * (1.0 - placed)
    down = capped_gain(abs(z), DOWN_GAIN_PER_S, DOWN_M_S) * z
    up = LEAVE_M_S * rising(opening, FULLY_OPEN_M, 0.0005)
    return gain * x, gain * y, (1.0 - placed) * down + placed * up
