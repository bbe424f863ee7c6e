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

"""What the law of the task lay does, on states alone (no simulator)."""

import math

from il_ros.robots.rotations import rotated
from il_ros.tasks.contracts import find_contract
from il_ros.tasks.expert_registry import make_expert
from il_ros.tasks.yaw import about_z
import numpy as np
import pytest


def lay(opening: float, tool, bar, goal) -> np.ndarray:
    """Return what the expert says to a tool, a bar and a goal: each x, y, z and yaw in degrees."""
    contract, _ = find_contract('lay')
    values = np.zeros(contract.width, np.float32)
    for name, numbers in {
            'gripper_opening': opening, 'tool_position': tool[:3],
            'tool_orientation': pointing_down(tool[3]), 'object_position': bar[:3],
            'object_orientation': about_z(math.radians(bar[3])), 'goal_position': goal[:3],
            'goal_orientation': about_z(math.radians(goal[3]))}.items():
        contract.values(values, name)[:] = numbers
    return make_expert('lay', contract).act(values)


def pointing_down(yaw_deg: float) -> np.ndarray:
    """Return the orientation of a tool that points down, turned by a yaw."""
    return rotated(np.array([1.0, 0.0, 0.0, 0.0]), np.array([0.0, 0.0, math.radians(yaw_deg)]))


BAR, LAID = (0.5, 0.0, 0.025), (0.45, 0.1, 0.025)
"""Where a bar lies, and where it is to lie."""


@pytest.mark.parametrize('yaw_deg, turn', [(50.0, 1), (-50.0, -1), (130.0, -1), (-130.0, 1)])
def test_lay_turns_the_hand_the_shorter_way_across_the_bar(yaw_deg, turn):
    action = lay(0.08, (0.45, 0.0, 0.2, 0.0), (*BAR, yaw_deg), (*LAID, 0.0))
    assert turn * action[3] > 0.9


def test_lay_turns_a_hand_back_that_has_come_far_from_its_middle():
    assert lay(0.08, (0.45, 0.0, 0.2, 80.0), (*BAR, 130.0), (*LAID, 0.0))[3] < -0.9
    assert lay(0.05, (*BAR, 80.0), (*BAR, 80.0), (*LAID, 130.0))[3] < -0.9


def test_lay_stays_above_a_bar_until_the_hand_is_turned():
    assert lay(0.08, (0.5, 0.0, 0.1, 0.0), (*BAR, 30.0), (*LAID, 0.0))[2] > 0.1
    assert lay(0.08, (0.5, 0.0, 0.1, 28.0), (*BAR, 30.0), (*LAID, 0.0))[2] < -0.1
    assert lay(0.08, (*BAR, 30.0), (*BAR, 0.0), (*LAID, 0.0))[4] == np.float32(0.08)


def test_lay_turns_what_it_holds_as_the_goal_is_while_it_carries_it():
    x, y, z, turn, gripper = lay(0.05, (*BAR, 20.0), (*BAR, 20.0), (*LAID, 70.0))
    assert gripper == 0.0 and x < 0.0 < y and z > 0.1 and turn > 0.9


def test_lay_keeps_a_bar_above_the_table_until_it_is_turned():
    above = (0.45, 0.1, 0.08)
    assert lay(0.05, (*above, 20.0), (*above, 20.0), (*LAID, 50.0))[2] > 0.1
    assert lay(0.05, (*above, 20.0), (*above, 20.0), (*LAID, 21.0))[2] < -0.1


@pytest.mark.parametrize('yaw_deg', [30.0, -150.0])
def test_lay_lets_go_of_a_bar_that_lies_as_it_should(yaw_deg):
    *_, turn, gripper = lay(0.05, (*LAID, 30.0), (*LAID, 30.0), (*LAID, yaw_deg))
    assert gripper == np.float32(0.08) and abs(turn) < 0.05
