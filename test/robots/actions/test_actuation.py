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

import dataclasses

from il_ros.contract import episode_spec as spec
from il_ros.contract.contract import ActionElement
from il_ros.contract.episode_spec import CLAMPED_ACCELERATION
from il_ros.errors import RobotError
from il_ros.robots.actions.actuator import Actuator, TRACKING_LIMIT_RAD
from il_ros.tasks.contracts import find_contract
import numpy as np
import pytest
from shipped_arms import PANDA

PERIOD_S = 0.05


def _contract(task: str):
    return find_contract(task)[0]


@pytest.fixture
def start(kinematics):
    """Return joints of an open hand over the middle of the table."""
    return kinematics.settled(np.array([0.5, 0.0, 0.1]), PANDA.tool_down).q


@pytest.fixture
def actuator(kinematics, start):
    """Return the actuator of pick_place, started."""
    made = Actuator(PANDA, _contract('pick_place'), PERIOD_S, kinematics)
    made.start(start)
    return made


def _action(*values) -> np.ndarray:
    return np.array(values, np.float32)


def test_a_velocity_moves_the_tool_by_velocity_times_period(actuator, start, kinematics):
    sent = actuator.step(_action(0.1, -0.1, 0.1, 0.08), start)
    moved = kinematics.forward(sent.positions)[0] - kinematics.forward(start)[0]
    np.testing.assert_allclose(moved, [0.005, -0.005, 0.005], atol=5e-5)
    np.testing.assert_array_equal(sent.values, _action(0.1, -0.1, 0.1, 0.08))
    assert sent.limits == 0


def test_axes_without_an_action_stay_where_the_episode_began(kinematics, start):
    actuator = Actuator(PANDA, _contract('push'), PERIOD_S, kinematics)
    actuator.start(start)
    measured = start
    for step in range(40):
        measured = actuator.step(_action(0.3 * np.cos(step / 6), 0.3), measured).positions
    position, quaternion = kinematics.forward(measured)
    assert position[2] == pytest.approx(0.1, abs=1e-4)
    assert abs(quaternion @ PANDA.tool_down) == pytest.approx(1.0, abs=1e-6)


def test_an_action_beyond_the_contract_is_clipped_and_said(actuator, start):
    measured = start
    for _ in range(4):
        sent = actuator.step(_action(3.0, 0.0, 0.0, 0.08), measured)
        measured = sent.positions
    assert sent.values[0] == pytest.approx(0.5, abs=1e-4)
    assert sent.limits == spec.CLAMPED_VELOCITY


def test_the_tool_stops_at_the_workspace_and_the_values_say_so(actuator, start, kinematics):
    measured = start
    for _ in range(40):
        sent = actuator.step(_action(0.0, 0.5, 0.0, 0.08), measured)
        measured = sent.positions
    position, _ = kinematics.forward(measured)
    assert position[1] == pytest.approx(PANDA.workspace_upper[1], abs=1e-3)
    assert sent.limits & spec.CLAMPED_WORKSPACE
    assert abs(sent.values[1]) < 1e-3


def test_the_target_does_not_wind_up_against_a_contact(actuator, start, kinematics):
    for _ in range(50):
        pressing = actuator.step(_action(0.0, 0.0, -0.5, 0.08), start)
    depth = kinematics.forward(start)[0][2] - kinematics.forward(pressing.positions)[0][2]
    assert 0.025 < depth < 0.04
    assert pressing.limits & spec.CLAMPED_POSITION
    for _ in range(6):
        leaving = actuator.step(_action(0.0, 0.0, 0.5, 0.08), start)
    assert kinematics.forward(leaving.positions)[0][2] > kinematics.forward(start)[0][2]


def test_fingers_close_on_an_object_without_winding_up(actuator, start):
    measured = start.copy()
    measured[PANDA.fingers] = 0.025
    for _ in range(20):
        sent = actuator.step(_action(0.0, 0.0, 0.0, 0.0), measured)
    assert (sent.positions[PANDA.fingers] < 0.02).all()
    sent = actuator.step(_action(0.0, 0.0, 0.0, 0.08), measured)
    assert (sent.positions[PANDA.fingers] >= 0.025 - 1e-9).all()


def test_a_hold_repeats_what_was_sent(actuator, start):
    sent = actuator.step(_action(0.1, 0.1, 0.0, 0.0), start)
    held = actuator.hold(start)
    np.testing.assert_array_equal(held.positions, sent.positions)
    np.testing.assert_array_equal(held.values, _action(0.0, 0.0, 0.0, 0.0))


@pytest.mark.parametrize('action, bit', [
    (_action(0.1, np.nan, 0.0, 0.0), spec.REFUSED_NOT_FINITE),
    (_action(np.inf, 0.0, 0.0, 0.0), spec.REFUSED_NOT_FINITE),
    (_action(), spec.REFUSED_MISSING),
    (_action(0.1, 0.1, 0.1), spec.REFUSED_MISSING),
])
def test_an_unusable_action_holds_the_arm_and_says_why(actuator, start, action, bit):
    before = actuator.step(_action(0.1, 0.1, 0.0, 0.08), start)
    sent = actuator.step(action, start)
    np.testing.assert_array_equal(sent.positions, before.positions)
    assert sent.limits == bit


def test_a_measured_position_that_is_not_finite_holds_the_arm(actuator, start):
    broken = start.copy()
    broken[3] = np.nan
    sent = actuator.step(_action(0.2, 0.0, 0.0, 0.08), broken)
    assert sent.limits == spec.REFUSED_NOT_FINITE
    np.testing.assert_array_equal(sent.positions, start)


def test_an_actuator_that_was_not_started_says_so(kinematics, start):
    with pytest.raises(RobotError, match='not been started'):
        Actuator(PANDA, _contract('reach'), PERIOD_S, kinematics).step(_action(0, 0, 0), start)


def test_an_actuator_starts_from_finite_joints_only(actuator):
    with pytest.raises(RobotError, match='not 9 finite numbers'):
        actuator.start(np.full(9, np.nan))


def test_two_actuators_send_the_same_bits(kinematics, start):
    rng = np.random.default_rng(0)
    actions = rng.uniform(-0.6, 0.6, (50, 4)).astype(np.float32)

    def run():
        made = Actuator(PANDA, _contract('pick_place'), PERIOD_S)
        made.start(start)
        measured, sent = start, []
        for action in actions:
            sent.append(made.step(action, measured).positions)
            measured = 0.9 * sent[-1] + 0.1 * measured
        return np.array(sent).tobytes()

    assert run() == run()


def test_targets_stay_near_the_measured_joints_whatever_is_asked_for(actuator, start):
    for step in range(20):
        sent = actuator.step(_action(*(3 * [0.5 if step % 2 else -0.5]), 0.08), start)
        ahead = np.abs(sent.positions - start)[PANDA.arm]
        assert (ahead <= 1.5 * (PANDA.velocity * PERIOD_S)[PANDA.arm] + 1e-9).all()


def test_how_far_the_arm_is_from_where_it_was_sent_names_the_joint_and_no_finger(actuator, start):
    measured = start.copy()
    measured[3] += 0.4
    measured[PANDA.fingers] = 0.0
    error_rad, joint = actuator.tracking_error(measured)
    assert (error_rad, joint) == (pytest.approx(0.4), 'panda_joint4')


def test_an_arm_that_holds_where_it_is_goes_on_from_there(actuator, start, kinematics):
    actuator.step(_action(0.5, 0.5, 0.0, 0.08), start)
    pushed = start.copy()
    pushed[0] += 0.2
    for _ in range(15):
        held = actuator.hold_at(pushed)
    np.testing.assert_allclose(held.positions, pushed, atol=1e-6)
    sent = actuator.step(_action(0.0, 0.0, 0.0, 0.08), pushed)
    np.testing.assert_allclose(kinematics.forward(sent.positions)[0],
                               kinematics.forward(pushed)[0], atol=1e-3)


@pytest.mark.parametrize('joint, bound, beyond, name', [
    (0, PANDA.upper, 0.05, 'panda_joint1'), (1, PANDA.lower, -0.05, 'panda_joint2'),
    (7, PANDA.lower, -0.01, 'panda_finger_joint1'), (8, PANDA.upper, 0.01, 'panda_finger_joint2')])
def test_an_arm_that_stands_outside_its_limits_begins_no_episode(
        actuator, start, joint, bound, beyond, name):
    place = start.copy()
    place[joint] = bound[joint] + 1.1 * beyond
    with pytest.raises(RobotError, match=f'{name} is at .*; an episode begins between'):
        actuator.start(place)
    place[joint] = bound[joint] + 0.9 * beyond
    if joint >= 7:
        actuator.start(place)
        assert actuator.hold(place).positions[joint] == bound[joint]
    else:
        with pytest.raises(RobotError, match='the tool is'):
            actuator.start(place)


@pytest.mark.parametrize('axis', range(3))
def test_a_tool_a_centimetre_outside_the_workspace_begins_an_episode_and_no_farther(
        actuator, kinematics, axis):
    number = r'-?\d\.\d{1,3}'
    said = rf'outside the workspace, at \[{number}, {number}, {number}\]; expected '
    for bound, out in ((PANDA.workspace_lower, -1), (PANDA.workspace_upper, 1)):
        for far_m, taken in ((0.009, True), (0.011, False)):
            place = np.array([0.5, 0.0, 0.2])
            place[axis] = bound[axis] + out * far_m
            joints = kinematics.settled(place, PANDA.tool_down).q
            if taken:
                actuator.start(joints)
            else:
                with pytest.raises(RobotError, match=rf'the tool is 0.011 m {said}'):
                    actuator.start(joints)


def test_an_arm_out_of_reach_holds_and_says_that_there_is_no_solution(kinematics, start):
    far = dataclasses.replace(PANDA, workspace_upper=np.array([2.0, 2.0, 2.0]))
    actuator = Actuator(far, _contract('reach'), PERIOD_S, kinematics)
    actuator.start(start)
    measured, limits = start, 0
    for _ in range(60):
        sent = actuator.step(_action(0.5, 0.0, 0.0), measured)
        measured, limits = sent.positions, limits | sent.limits
    assert limits & spec.NO_SOLUTION and not sent.values.any()
    position, quaternion = kinematics.forward(measured)
    assert position[1:] == pytest.approx([0.0, 0.1], abs=0.05)
    assert abs(quaternion @ PANDA.tool_down) == pytest.approx(1.0, abs=5e-4)


def test_slow_joints_limit_the_velocity_and_the_values_say_what_remained(kinematics, start):
    slow = dataclasses.replace(PANDA, velocity=0.05 * PANDA.velocity)
    actuator = Actuator(slow, _contract('reach'), PERIOD_S, kinematics)
    actuator.start(start)
    sent = actuator.step(_action(0.4, 0.0, 0.0), start)
    moved = kinematics.forward(sent.positions)[0] - kinematics.forward(start)[0]
    assert sent.limits == spec.CLAMPED_VELOCITY
    assert 0.0 < sent.values[0] < 0.2
    assert sent.values[0] == pytest.approx(moved[0] / PERIOD_S, rel=1e-4)
    share = np.abs(sent.positions - start) / (slow.velocity * PERIOD_S)
    assert share.max() == pytest.approx(1.0, abs=1e-6)


def test_a_hand_opened_beyond_its_width_is_clipped_as_a_position(actuator, start):
    sent = actuator.step(_action(0.0, 0.0, 0.0, 1.0), start)
    assert (sent.limits, sent.values[3]) == (spec.CLAMPED_POSITION, np.float32(0.08))


def test_before_its_first_step_an_arm_rests_with_the_hand_as_it_is(actuator, start):
    half = start.copy()
    half[PANDA.fingers] = 0.01
    actuator.start(half)
    held = actuator.hold(half, 3)
    np.testing.assert_array_equal(held.positions, half)
    np.testing.assert_allclose(held.values, [0, 0, 0, 0.02])
    assert (held.limits, actuator.hold(half).limits, actuator.hold_at(half, 5).limits) == (3, 0, 5)


def test_the_fingers_move_at_their_own_speed(actuator, start):
    sent = actuator.step(_action(0.0, 0.0, 0.0, 0.0), start)
    np.testing.assert_allclose(sent.positions[PANDA.fingers], 0.04 - 0.2 * PERIOD_S)
    assert sent.limits == 0


def test_before_the_start_the_arm_is_nowhere_else(kinematics, start):
    made = Actuator(PANDA, _contract('reach'), PERIOD_S, kinematics)
    assert made.tracking_error(start) == (0.0, '')
    assert TRACKING_LIMIT_RAD == 0.35


@pytest.mark.parametrize('fields, sentence', [
    ({'action_space': 1}, 'no way to execute linear_x; known are panda_joint1, .*gripper_opening'),
    ({'action_space': 9}, 'no way to execute linear_x'),
    ({'action_space': 4}, 'no way to execute linear_x; known are delta_x, .*delta_rz'),
    ({'action_frame_id': 'world'}, 'are in frame world; expected panda_link0'),
    ({'actions': (ActionElement('panda_joint1', 'rad/s', -1, 1),)},
     'no way to execute panda_joint1; known are linear_x, .*angular_z, gripper_opening')])
def test_a_contract_of_other_actions_is_refused(kinematics, fields, sentence):
    contract = dataclasses.replace(_contract('reach'), **fields)
    with pytest.raises(RobotError, match=sentence):
        Actuator(PANDA, contract, PERIOD_S, kinematics)


@pytest.mark.parametrize('speed', [-0.5, 0.5])
def test_the_largest_velocity_is_no_limit(actuator, start, speed):
    measured = start
    for _ in range(4):
        sent = actuator.step(_action(speed, 0.0, 0.0, 0.08), measured)
        measured = sent.positions
    assert sent.limits == 0


def test_an_arm_whose_elbow_is_pushed_aside_is_followed_at_its_speed(actuator, start, kinematics):
    aside = start.copy()
    aside[2] += 0.6
    pushed = kinematics.inverse(*kinematics.forward(start), aside).q
    sent = actuator.step(_action(0.0, 0.0, 0.0, 0.08), pushed)
    longest = (PANDA.velocity * PERIOD_S)[PANDA.arm]
    before, after = (np.abs(q - pushed)[PANDA.arm] for q in (start, sent.positions))
    assert sent.limits & spec.CLAMPED_VELOCITY
    assert (before > 1.5 * longest).any() and after.sum() < before.sum() - 0.05
    assert (np.abs(sent.positions - start)[PANDA.arm] <= longest).all()


def test_a_speed_scale_scales_the_tool_and_leaves_the_hand_alone(actuator, start, kinematics):
    measured = start
    actuator.speed_scale = 0.4
    for _ in range(4):
        sent = actuator.step(_action(0.5, 0.0, 0.0, 0.02), measured)
        measured = sent.positions
    np.testing.assert_allclose(sent.values, [0.2, 0.0, 0.0, 0.02], atol=1e-4)
    assert sent.limits == spec.CLAMPED_VELOCITY
    actuator.speed_scale = 0.0
    for _ in range(4):
        sent = actuator.step(_action(0.5, 0.0, 0.0, 0.02), sent.positions)
    assert sent.values[0] == 0.0 and sent.values[3] == np.float32(0.02)


def test_a_tool_in_a_keep_out_box_begins_no_episode(kinematics, start):
    box = np.array([0.45, -0.05, 0.0]), np.array([0.55, 0.05, 0.2])
    guarded = dataclasses.replace(PANDA, keep_out=(box,))
    with pytest.raises(RobotError, match=r'in a keep-out box, at \[0.5, .*move the arm out first'):
        Actuator(guarded, _contract('reach'), PERIOD_S, kinematics).start(start)


def test_a_hold_brakes_and_the_values_say_what_was_sent(actuator, start, kinematics):
    measured = start
    for _ in range(5):
        measured = actuator.step(_action(0.5, 0.0, 0.0, 0.08), measured).positions
    held = actuator.hold(measured, 128)
    moved = kinematics.forward(held.positions)[0] - kinematics.forward(measured)[0]
    assert 0.1 < held.values[0] < 0.5
    np.testing.assert_allclose(held.values[:3], moved / PERIOD_S, atol=1e-6)
    assert held.limits == 128 | CLAMPED_ACCELERATION
    for _ in range(8):
        held = actuator.hold(measured, 128)
    assert held.limits == 128 and not held.values[:3].any()
