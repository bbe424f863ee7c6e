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

"""The tool's turns: at the asked speed, on the spot, level, and inside every limit."""

from il_ros.contract import episode_spec as spec
from il_ros.robots.actions.actuator import Actuator
from il_ros.robots.rotations import rotated, rotation_between
from il_ros.tasks.contracts import find_contract
import numpy as np
import pytest
from shipped_arms import PANDA

PERIOD_S = 0.05
PLACE = np.array([0.5, 0.1, 0.15])


@pytest.fixture(params=['lay', 'lay+tool_delta'])
def turning(request, kinematics):
    """Yield an actuator that turns the tool, its start, and an action of full scale in rad/s."""
    contract, _ = find_contract(request.param)
    made = Actuator(PANDA, contract, PERIOD_S, kinematics)
    start = kinematics.settled(PLACE, PANDA.tool_down).q
    made.start(start)
    unit = np.zeros(len(contract.actions), np.float32)
    unit[3] = contract.upper[3] / 1.5
    unit[contract.gripper_index] = PANDA.open_width
    return made, start, unit


def _drive(turning, speed: float, steps: int):
    """Return the last joints sent, and what was said of each step."""
    actuator, joints, unit = turning
    action = unit * np.where(np.arange(len(unit)) == 3, np.float32(speed), np.float32(1.0))
    said = []
    for _ in range(steps):
        sent = actuator.step(action, joints)
        joints = sent.positions
        said.append((float(sent.values[3] / unit[3]), sent.limits))
    return joints, said


def _yaw(kinematics, joints: np.ndarray) -> float:
    """Return how far the tool is turned about z; it must be level and where it was."""
    place, quaternion = kinematics.forward(joints)
    np.testing.assert_allclose(place, PLACE, atol=2e-4)
    turn = rotation_between(PANDA.tool_down, quaternion)
    assert np.abs(turn[:2]).max() < 1e-3
    return float(turn[2])


@pytest.mark.parametrize('speed', [0.5, -0.8, 1.5])
def test_the_tool_turns_at_the_asked_speed_and_stays_level_in_its_place(
        turning, kinematics, speed):
    before, _ = _drive(turning, speed, 8)
    last = _yaw(kinematics, before)
    joints, said = _drive((turning[0], before, turning[2]), speed, 4)
    assert _yaw(kinematics, joints) - last == pytest.approx(speed * 4 * PERIOD_S, abs=2e-3)
    assert said[-1] == (pytest.approx(speed, abs=0.02), 0)


def test_a_tool_that_is_told_to_turn_no_more_comes_to_rest_where_it_was_sent(turning, kinematics):
    turned, _ = _drive(turning, 1.0, 10)
    joints, said = _drive((turning[0], turned, turning[2]), 0.0, 10)
    assert said[-1] == (pytest.approx(0.0, abs=1e-3), 0)
    assert _yaw(kinematics, joints) == pytest.approx(0.5, abs=0.01)


def test_a_turn_runs_no_farther_ahead_of_a_tool_that_does_not_follow(turning, kinematics):
    actuator, start, unit = turning
    for _ in range(20):
        sent = actuator.step(unit * np.float32(1.5), start)
    assert sent.limits & spec.CLAMPED_POSITION
    assert 0.05 < _yaw(kinematics, sent.positions) < 1.5 * 1.5 * PERIOD_S + 1e-3


@pytest.mark.parametrize('speed', [1.5, -1.5])
def test_a_tool_that_turns_on_and_on_stops_inside_the_joints_limits(turning, kinematics, speed):
    joints, said = _drive(turning, speed, 120)
    arm = PANDA.arm
    assert (joints[arm] > PANDA.lower[arm]).all() and (joints[arm] < PANDA.upper[arm]).all()
    assert abs(said[-1][0]) < 0.01 and said[-1][1] != 0
    assert abs(_yaw(kinematics, joints)) > 1.9
    back, said = _drive((turning[0], joints, turning[2]), -speed, 20)
    assert said[-1] == (pytest.approx(-speed, abs=0.02), 0)


def test_an_episode_may_begin_with_a_turned_tool(turning, kinematics):
    actuator, _, unit = turning
    start = kinematics.settled(PLACE, rotated(PANDA.tool_down, np.array([0.0, 0.0, 0.7]))).q
    actuator.start(start)
    joints, _ = _drive((actuator, start, unit), -0.5, 20)
    assert _yaw(kinematics, joints) == pytest.approx(0.2, abs=0.03)
