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

The grasp is that of ``grasping.py``; "placed" is read off the cube and the goal.
"""

import math

from il_ros.contract.contract import Contract
from il_ros.tasks.expert import Expert
from il_ros.tasks.grasping import difference, DIP_M, GAIN_PER_S, grasp_and_carry
from il_ros.tasks.grasping import held_below, SPEED_M_S
from il_ros.tasks.smooth import capped_gain, rising

RESTING_M = 0.035
"""A cube lower than this lies on the table, on whatever side."""

TABLE_GOAL_M = 0.035
"""A goal whose height is below this is on the table (a resting cube's centre is at 0.025)."""

LIFT_M = 0.08


class PickPlaceExpert(Expert):
    """Grasps the cube from above and carries it to the goal."""

    task = 'pick_place'
    action_names = ('linear_x', 'linear_y', 'linear_z', 'gripper_opening')

    def __init__(self, contract: Contract):
        super().__init__(contract)
        self._held_m = held_below(contract)
        self._opening = self.index_of('gripper_opening', 1)
        self._tool = self.index_of('tool_position', 3)
        self._cube = self.index_of('object_position', 3)
        self._goal = self.index_of('goal_position', 3)

    def control(self, values: list[float]) -> tuple[float, ...]:
        tool, cube, goal = (values[at:at + 3] for at in (self._tool, self._cube, self._goal))
        to_goal = difference(cube, goal)
        return grasp_and_carry(difference(tool, cube), values[self._opening],
                               _placed(to_goal, goal[2], cube[2]), _carry(to_goal, goal[2]),
                               held_m=self._held_m)


def _placed(to_goal: list[float], goal_z: float, cube_z: float) -> float:
    """Return how far the cube lies where a goal on the table wants it, 0 to 1."""
    aside = math.hypot(to_goal[0], to_goal[1])
    return (rising(0.018 - aside, 0.0, 0.001) * _on_table(goal_z)
            * rising(RESTING_M - cube_z, 0.0, 0.0005))


def _on_table(goal_z: float) -> float:
    return rising(TABLE_GOAL_M - goal_z, 0.0, 0.001)


def _carry(to_goal: list[float], goal_z: float) -> tuple[float, ...]:
    """Return the velocity that carries a held cube to the goal, over the table, m/s."""
    x, y, z = to_goal
    aside = math.hypot(x, y)
    away = rising(aside, 0.03, 0.008)
    z += LIFT_M * away - DIP_M * (1.0 - away) * _on_table(goal_z)
    gain = capped_gain(math.sqrt(x * x + y * y + z * z), GAIN_PER_S, SPEED_M_S)
    return gain * x, gain * y, gain * z
