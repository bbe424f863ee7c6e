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
Insert: over the hole, and down as far as the sideways error allows.

The law steers the peg and not the hand, so that a slip in the hand does not matter. The height
that it aims at is a sigmoid of the sideways error: off by more than the play the peg stays above
the block, or rises again; low beside the hole it rises before it goes on.
"""

import math

from il_ros.contract.contract import Contract
from il_ros.tasks.expert import Expert
from il_ros.tasks.smooth import capped_gain, rising

GAIN_PER_S = 10.0
SPEED_M_S = 0.4
DOWN_M_S = 0.3

HOVER_M = 0.06
"""Height over the goal at which the peg is clear of the block, which is 4 cm high."""

DIP_M = 0.01
"""Aim below the goal, so as not to slow down before it."""

OVER_M = 0.0025
FUNNEL_M = 0.0005
"""Sideways error at which half of the hover height is left, and the width of that sigmoid."""

BESIDE_M = 0.005
CLEAR_M = 0.045
"""Lower than this over the goal and further off than the other: the peg is beside the hole."""


class InsertExpert(Expert):
    """Brings the held peg over the hole and into it."""

    task = 'insert'
    action_names = ('linear_x', 'linear_y', 'linear_z')

    def __init__(self, contract: Contract):
        super().__init__(contract)
        self._peg = self.index_of('object_position', 3)
        self._goal = self.index_of('goal_position', 3)

    def control(self, values: list[float]) -> tuple[float, ...]:
        x, y, z = (values[self._goal + i] - values[self._peg + i] for i in range(3))
        aside = math.hypot(x, y)
        beside = rising(aside, BESIDE_M, 0.0007) * rising(CLEAR_M + z, 0.0, 0.002)
        gain = capped_gain(aside, GAIN_PER_S, SPEED_M_S) * (1.0 - 0.9 * beside)
        z += (HOVER_M + DIP_M) * rising(aside, OVER_M, FUNNEL_M) - DIP_M
        return gain * x, gain * y, capped_gain(abs(z), GAIN_PER_S, DOWN_M_S) * z
