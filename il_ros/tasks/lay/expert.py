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
Lay: over the bar, turned across it, down, close, carry and turn it, and let go where it belongs.

The grasp is that of ``grasping.py``; a hand that is askew stays above the bar until it is turned.
A bar is the same after half a turn, so that there are two ways to turn it: the law takes the
shorter one, but for a tool that has come far from its middle yaw, which is turned back to it.
"""

import math

from il_ros.contract.contract import Contract
from il_ros.tasks.cubes import EDGE_M
from il_ros.tasks.expert import Expert
from il_ros.tasks.grasping import difference, DIP_M, GAIN_PER_S, grasp_and_carry
from il_ros.tasks.grasping import HALF_CLOSED_M, held_below, SPEED_M_S
from il_ros.tasks.smooth import capped_gain, rising
from il_ros.tasks.yaw import within_half_turn, yaw_of

RESTING_M = 0.035
"""A bar lower than this lies on the table, on whatever side."""

LIFT_M = 0.08

TURN_GAIN_PER_S = 6.0
TURN_RAD_S = 1.4

BACK = 0.8
"""
Share of the tool's yaw by which the way back to its middle counts as shorter.

With 0 the tool would turn on and on, with 1 it would never leave the half turn around its middle:
a bar that lies at the end of it would be let go to turn the hand round. So it stays within 110
degrees, which arms with a last joint of 300 degrees can do.
"""

ASKEW_RAD, KEEP_RAD = 0.15, 0.4
"""How far off a bar is grasped by an open hand, and kept by a closed one."""

ALIGNED_RAD = 0.12
"""A bar that is turned less than this from its goal is put down."""


class LayExpert(Expert):
    """Grasps the bar from above, and lays it down turned as the goal is."""

    task = 'lay'
    action_names = ('linear_x', 'linear_y', 'linear_z', 'angular_z', 'gripper_opening')

    def __init__(self, contract: Contract):
        super().__init__(contract)
        # Half of it: a bar that is not gripped well slips along the hand, or is tipped on its end.
        self._held_m = (held_below(contract) + EDGE_M) / 2.0
        self._opening = self.index_of('gripper_opening', 1)
        self._places = [self.index_of(f'{name}_position', 3) for name in _NAMES]
        self._turns = [self.index_of(f'{name}_orientation', 4) for name in _NAMES]

    def control(self, values: list[float]) -> tuple[float, ...]:
        tool, bar, goal = (values[at:at + 3] for at in self._places)
        tool_yaw, bar_yaw, goal_yaw = (yaw_of(values[at:at + 4]) for at in self._turns)
        opening = values[self._opening]
        to_goal, to_bar = difference(bar, goal), difference(tool, bar)
        turn_to_bar = _shorter(bar_yaw - tool_yaw, tool_yaw)
        turn_to_goal = _shorter(goal_yaw - bar_yaw, tool_yaw)
        placed = _placed(to_goal, turn_to_goal, bar[2])
        return grasp_and_carry(
            to_bar, opening, placed, _carry(to_goal, turn_to_goal),
            lambda fetching: (*fetching, (1.0 - placed) * _turning(turn_to_bar)),
            self._held_m, _askew(turn_to_bar, opening))


_NAMES = ('tool', 'object', 'goal')


def _shorter(turn: float, tool_yaw: float) -> float:
    """Return the shorter one of the two ways to turn, rad."""
    return within_half_turn(turn + BACK * tool_yaw) - BACK * tool_yaw


def _turning(turn: float) -> float:
    return capped_gain(abs(turn), TURN_GAIN_PER_S, TURN_RAD_S) * turn


def _askew(turn_to_bar: float, opening: float) -> float:
    """Return how far the hand is turned out of the grasp, 0 to 1; half a turn is none."""
    most = ASKEW_RAD + (KEEP_RAD - ASKEW_RAD) * rising(HALF_CLOSED_M - opening, 0.0, 0.002)
    return rising(abs(within_half_turn(turn_to_bar)), most, 0.015)


def _placed(to_goal: list[float], turn_to_goal: float, bar_z: float) -> float:
    """Return how far the bar lies where and as it belongs, 0 to 1."""
    aside = math.hypot(to_goal[0], to_goal[1])
    return (rising(0.012 - aside, 0.0, 0.001)
            * rising(0.09 - abs(within_half_turn(turn_to_goal)), 0.0, 0.005)
            * rising(RESTING_M - bar_z, 0.0, 0.0005))


def _carry(to_goal: list[float], turn_to_goal: float) -> tuple[float, ...]:
    """Return what carries a held bar over the table to the goal and turns it, m/s and rad/s."""
    x, y, z = to_goal
    away = max(rising(math.hypot(x, y), 0.03, 0.008),
               rising(abs(turn_to_goal), ALIGNED_RAD, 0.02))
    z += LIFT_M * away - DIP_M * (1.0 - away)
    gain = capped_gain(math.sqrt(x * x + y * y + z * z), GAIN_PER_S, SPEED_M_S)
    return gain * x, gain * y, gain * z, _turning(turn_to_goal)
