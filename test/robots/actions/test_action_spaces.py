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

"""Every action space: what an action does, what is recorded of it, and that limits hold."""

import dataclasses

from il_ros.contract.contract import SPACES
from il_ros.contract.episode_spec import CLAMPED_ACCELERATION, CLAMPED_POSITION, CLAMPED_VELOCITY
from il_ros.contract.layout import ToolVelocity
from il_ros.robots.actions.actuator import Actuator
from il_ros.robots.rotations import rotation_between
from il_ros.tasks.contracts import find_contract
import numpy as np
import pytest
from shipped_arms import PANDA
from test_hostile_actions import drive

PERIOD_S = 0.05
CONTRACTS = ('pick_place+tool_delta', 'pick_place+joint_velocity', 'pick_place+joint_delta',
             'pick_place+joint_position', 'reach+joint_position')
ARM = PANDA.arm


@pytest.fixture
def home(kinematics):
    """Return joints at which the tool is in the middle of the workspace."""
    return kinematics.settled(np.array([0.5, 0.0, 0.2]), PANDA.tool_down).q


def _actuator(kinematics, contract: str, home) -> Actuator:
    actuator = Actuator(PANDA, find_contract(contract)[0], PERIOD_S, kinematics)
    actuator.start(home)
    return actuator


def _drive(actuator: Actuator, action, measured, steps: int = 8):
    """Return the last command and the targets before it, with a plant that follows at once."""
    for _ in range(steps):
        before, sent = measured, actuator.step(np.array(action, np.float32), measured)
        measured = sent.positions
    return sent, before


@pytest.mark.parametrize('space, value, step', [
    ('joint_velocity', 0.4, 0.4 * PERIOD_S), ('joint_delta', 0.02, 0.02)])
def test_joints_move_as_they_are_asked(kinematics, home, space, value, step):
    actuator = _actuator(kinematics, f'pick_place+{space}', home)
    sent, before = _drive(actuator, [0.0, 0.0, value, 0.0, -value, 0.0, 0.0, 0.08], home)
    assert sent.limits == 0
    np.testing.assert_allclose(
        (sent.positions - before)[ARM], [0.0, 0.0, step, 0.0, -step, 0.0, 0.0], atol=1e-7)
    np.testing.assert_allclose(sent.values, [0, 0, value, 0, -value, 0, 0, 0.08], rtol=1e-6)


def test_joints_go_to_the_positions_that_are_given(kinematics, home):
    actuator = _actuator(kinematics, 'pick_place+joint_position', home)
    goal = home[ARM] + [0.1, 0.05, 0.0, 0.1, 0.0, -0.05, 0.2]
    sent, _ = _drive(actuator, [*goal, 0.0], home, steps=1)
    assert sent.limits & CLAMPED_ACCELERATION
    np.testing.assert_allclose(sent.values[:7], sent.positions[ARM], rtol=1e-6)
    sent, _ = _drive(actuator, [*goal, 0.0], sent.positions, steps=20)
    assert sent.limits == 0
    np.testing.assert_allclose(sent.positions[ARM], goal, atol=1e-6)
    held = actuator.hold(sent.positions)
    np.testing.assert_allclose(held.values, [*goal, 0.0], atol=1e-6)


@pytest.mark.parametrize('space, resting', [
    ('joint_velocity', 0.0), ('joint_delta', 0.0), ('tool_delta', 0.0)])
def test_who_rests_does_not_move(kinematics, home, space, resting):
    actuator = _actuator(kinematics, f'pick_place+{space}', home)
    held = actuator.hold(home)
    assert held.values[:-1].tolist() == [resting] * (len(held.values) - 1)
    assert held.values[-1] == pytest.approx(0.08)


@pytest.mark.parametrize('space', ['tool_velocity', 'tool_delta'])
def test_the_tool_turns_about_an_axis_and_stays_where_it_is(kinematics, home, space):
    actions = ToolVelocity('xyz', turns='z').in_space(space, PANDA, 1.0 / PERIOD_S)
    contract, _ = find_contract('reach' if space == 'tool_velocity' else f'reach+{space}')
    contract = dataclasses.replace(contract, actions=tuple(
        type(contract.actions[0])(**one) for one in actions))
    actuator = Actuator(PANDA, contract, PERIOD_S, kinematics)
    actuator.start(home)
    speed = 0.8 if space == 'tool_velocity' else 0.8 * PERIOD_S
    start, level = kinematics.forward(home)
    sent, before = _drive(actuator, [0.0, 0.0, 0.0, speed], home, steps=10)
    assert sent.limits == 0 and sent.values[3] == pytest.approx(speed)
    (_, last), (place, now) = kinematics.forward(before), kinematics.forward(sent.positions)
    np.testing.assert_allclose(place, start, atol=2e-4)
    np.testing.assert_allclose(rotation_between(last, now), [0, 0, 0.8 * PERIOD_S], atol=2e-3)
    turned = rotation_between(level, now)
    assert abs(turned[0]) < 2e-3 and abs(turned[1]) < 2e-3 and turned[2] > 0.25
    held = [actuator.hold(sent.positions) for _ in range(20)][-1]
    assert held.limits == 0 and held.values.tolist() == [0.0] * 4


def test_what_is_beyond_the_bounds_is_clipped_and_said(kinematics, home):
    actuator = _actuator(kinematics, 'reach+joint_velocity', home)
    assert actuator.step(np.full(7, 99.0, np.float32), home).limits & CLAMPED_VELOCITY
    actuator = _actuator(kinematics, 'reach+joint_position', home)
    sent = actuator.step(np.full(7, 99.0, np.float32), home)
    assert sent.limits & CLAMPED_POSITION and (sent.positions <= PANDA.upper).all()


def test_the_speed_scale_slows_joints_down(kinematics, home):
    actuator = _actuator(kinematics, 'reach+joint_velocity', home)
    actuator.speed_scale = 0.25
    sent, before = _drive(actuator, [0.4, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0], home)
    assert (sent.positions - before)[0] == pytest.approx(0.1 * PERIOD_S)
    assert sent.values[0] == pytest.approx(0.1) and sent.limits & CLAMPED_VELOCITY


@pytest.mark.parametrize('contract', CONTRACTS)
def test_no_hostile_action_of_any_space_breaks_a_limit(contract):
    assert drive(PANDA, contract, 2, 250)['acceleration'] > 0.3, 'the limits were tried'


@pytest.mark.drill
@pytest.mark.parametrize('contract', CONTRACTS)
def test_ten_thousand_hostile_actions_of_each_space_break_no_limit(contract):
    drive(PANDA, contract, 3, 10_000)


def test_the_names_of_the_spaces_are_those_of_contracts():
    for name, number in SPACES.items():
        contract, _ = find_contract('reach' if name == 'tool_velocity' else f'reach+{name}')
        assert contract.action_space == number
