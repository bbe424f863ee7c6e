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
Stack: grasp the upper cube, carry it over the lower one, put it down there and let go.

The grasp is that of pick and place. "Placed" is read off the two cubes: one stands over the
other's middle, an edge length above it. On the way the carried cube stays higher than the lower
one until it is over it; low beside it, it goes up before it goes on.
"""

import math

from il_ros.contract.contract import Contract
from il_ros.tasks.expert import Expert
from il_ros.tasks.grasping import difference, GAIN_PER_S, grasp_and_carry, held_below
from il_ros.tasks.grasping import SPEED_M_S
from il_ros.tasks.smooth import capped_gain, rising

EDGE_M = 0.05
"""Of the cubes; also the height of one centre over the other where one stands on the other."""

PLACED_M = 0.012
"""Sideways error at which a cube that stands is let go."""

FLUSH_M = 0.004
"""Height over the other cube, beyond an edge length, below which it stands."""

DIP_M = 0.02
"""Aim below the top of the lower cube: a hand that is still on its way lets go at once."""

LIFT_M = 0.06
OVER_M = 0.02
FUNNEL_M = 0.005
"""Sideways error at which half of the lift is left, and the width of that sigmoid."""

BESIDE_M = 0.09
LOW_M = 0.015
"""A carried cube that is nearer and lower than this would push the other one."""


class StackExpert(Expert):
    """Grasps the one cube from above and puts it onto the other."""

    task = 'stack'
    action_names = ('linear_x', 'linear_y', 'linear_z', 'gripper_opening')

    def __init__(self, contract: Contract):
        super().__init__(contract)
        self._held_m = held_below(contract)
        self._opening = self.index_of('gripper_opening', 1)
        self._tool = self.index_of('tool_position', 3)
        self._cube = self.index_of('object_position', 3)
        self._base = self.index_of('base_position', 3)

    def control(self, values: list[float]) -> tuple[float, ...]:
        tool, cube, base = (values[at:at + 3] for at in (self._tool, self._cube, self._base))
        to_base = difference(cube, base)
        return grasp_and_carry(
            difference(tool, cube), values[self._opening], stands(to_base), carry(to_base),
            held_m=self._held_m)


def stands(to_base: list[float]) -> float:
    """Return how far a cube stands on the one that ``to_base`` (m) leads to, 0 to 1."""
    x, y, z = to_base
    return (rising(PLACED_M - math.hypot(x, y), 0.0, 0.001)
            * rising(EDGE_M + FLUSH_M + z, 0.0, 0.0005) * rising(-z, EDGE_M - 0.01, 0.002))


def carry(to_base: list[float], lift_m: float = LIFT_M,
          beside_m: float = BESIDE_M) -> tuple[float, ...]:
    """
    Return the velocity that carries a held cube onto the one ``to_base`` leads to, m/s.

    :param lift_m: how much higher than where it belongs the cube is carried
    :param beside_m: nearer than this the cube rises before it goes on
    """
    x, y, z = to_base
    z += EDGE_M
    aside = math.hypot(x, y)
    away = rising(aside, OVER_M, FUNNEL_M)
    low = away * rising(beside_m - aside, 0.0, 0.008) * rising(z, -LOW_M, 0.005)
    z += lift_m * away - DIP_M * (1.0 - away)
    gain = capped_gain(math.sqrt(x * x + y * y + z * z), GAIN_PER_S, SPEED_M_S)
    up = low * capped_gain(abs(z), GAIN_PER_S, SPEED_M_S) + (1.0 - low) * gain
    return gain * (1.0 - 0.9 * low) * x, gain * (1.0 - 0.9 * low) * y, up * z
