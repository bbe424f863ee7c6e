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

"""Reach: straight to the goal, slower as it comes near."""

import math

from il_ros.contract.contract import Contract
from il_ros.tasks.expert import Expert
from il_ros.tasks.smooth import capped_gain

GAIN_PER_S = 5.0
"""A quarter of the error each step at 20 Hz."""

SPEED_M_S = 0.4


class ReachExpert(Expert):
    """Drives the tool along the line to the goal."""

    task = 'reach'
    action_names = ('linear_x', 'linear_y', 'linear_z')

    def __init__(self, contract: Contract):
        super().__init__(contract)
        self._tool = self.index_of('tool_position', 3)
        self._goal = self.index_of('goal_position', 3)

    def control(self, values: list[float]) -> tuple[float, ...]:
        tool, goal = self._tool, self._goal
        dx = values[goal] - values[tool]
        dy = values[goal + 1] - values[tool + 1]
        dz = values[goal + 2] - values[tool + 2]
        gain = capped_gain(math.sqrt(dx * dx + dy * dy + dz * dz), GAIN_PER_S, SPEED_M_S)
        return gain * dx, gain * dy, gain * dz
