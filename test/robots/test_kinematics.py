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

from il_ros.errors import RobotError
from il_ros.robots.kinematics import Kinematics
import numpy as np
import pytest
from shipped_arms import PANDA


def _places(count: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.uniform(PANDA.workspace_lower, PANDA.workspace_upper, (count, 3))


def test_the_rest_position_points_straight_down(kinematics):
    _, quaternion = kinematics.forward(PANDA.home)
    assert abs(quaternion @ PANDA.tool_down) == pytest.approx(1.0, abs=1e-9)


def test_inverse_undoes_forward_all_over_the_workspace(kinematics):
    for place in _places(40):
        solution = kinematics.settled(place, PANDA.tool_down)
        position, quaternion = kinematics.forward(solution.q)
        assert np.abs(position - place).max() < 1e-4
        assert abs(quaternion @ PANDA.tool_down) == pytest.approx(1.0, abs=1e-6)
        assert (solution.q >= PANDA.lower).all() and (solution.q <= PANDA.upper).all()


@pytest.mark.parametrize('corner', range(8))
def test_the_tool_reaches_each_corner_of_the_workspace_pointing_down(kinematics, corner):
    choice = [corner >> axis & 1 for axis in range(3)]
    place = np.where(choice, PANDA.workspace_upper, PANDA.workspace_lower)
    solution = kinematics.settled(place, PANDA.tool_down)
    assert solution.error_m < 1e-4 and solution.error_rad < 1e-3


def test_a_question_is_answered_alike_whatever_was_asked_before(kinematics):
    start = kinematics.settled(np.array([0.5, 0.1, 0.1]), PANDA.tool_down).q
    question = (np.array([0.51, 0.11, 0.1]), PANDA.tool_down, start)
    answer = kinematics.inverse(*question)
    for place in _places(10, seed=1):
        kinematics.inverse(place, PANDA.tool_down, start)
    np.testing.assert_array_equal(kinematics.inverse(*question).q, answer.q)
    other = Kinematics(PANDA)
    np.testing.assert_array_equal(other.inverse(*question).q, answer.q)
    other.close()


def test_inverse_leaves_its_arguments_and_the_fingers_alone(kinematics):
    start = PANDA.home.copy()
    start[PANDA.fingers] = 0.013, 0.014
    before = start.copy()
    solution = kinematics.inverse(np.array([0.5, 0.0, 0.2]), PANDA.tool_down, start)
    np.testing.assert_array_equal(start, before)
    np.testing.assert_array_equal(solution.q[PANDA.fingers], start[PANDA.fingers])


def test_the_elbow_comes_back_after_a_long_way_round(kinematics):
    home = kinematics.settled(np.array([0.5, 0.0, 0.2]), PANDA.tool_down).q
    q = home
    for angle in np.linspace(0.0, 20 * np.pi, 600):
        place = np.array([0.5 + 0.1 * (1 - np.cos(angle)), 0.2 * np.sin(angle), 0.2])
        q = kinematics.inverse(place, PANDA.tool_down, q).q
    for _ in range(40):
        q = kinematics.inverse(np.array([0.5, 0.0, 0.2]), PANDA.tool_down, q).q
    assert np.abs(q - home).max() < 0.02


def test_a_pose_out_of_reach_is_answered_with_its_error(kinematics):
    solution = kinematics.inverse(np.array([2.0, 0.0, 0.2]), PANDA.tool_down, PANDA.home)
    assert solution.error_m > 1.0
    assert np.isfinite(solution.q).all()


def test_a_joint_that_the_model_names_wrongly_is_named():
    wrong = dataclasses.replace(PANDA, joint_names=('elbow', *PANDA.joint_names[1:]))
    with pytest.raises(RobotError, match='no joint elbow'):
        Kinematics(wrong)


def test_a_limit_of_the_wrong_length_is_refused():
    with pytest.raises(RobotError, match=r'velocity has shape \(7,\)'):
        dataclasses.replace(PANDA, velocity=np.ones(7))


def test_a_settled_arm_stays_as_it_is_when_asked_for_the_same_again(kinematics):
    for place in _places(5, seed=2):
        settled = kinematics.settled(place, PANDA.tool_down)
        again = kinematics.inverse(place, PANDA.tool_down, settled.q)
        assert np.abs(again.q - settled.q).max() < 1e-5


def test_a_step_away_the_tool_is_met_within_hundredths_of_a_millimetre(kinematics):
    for place in _places(10, seed=3):
        start = kinematics.settled(place, PANDA.tool_down).q
        found = kinematics.inverse(place + 0.015, PANDA.tool_down, start)
        assert found.error_m < 2e-5 and found.error_rad < 1e-4
        position, _ = kinematics.forward(found.q)
        assert np.linalg.norm(position - place - 0.015) == pytest.approx(found.error_m, abs=1e-7)


def test_the_same_turn_is_met_by_either_quaternion(kinematics):
    place = np.array([0.5, 0.1, 0.1])
    start = kinematics.settled(place, PANDA.tool_down).q
    one, other = (kinematics.inverse(place, sign * PANDA.tool_down, start) for sign in (1.0, -1.0))
    np.testing.assert_array_equal(one.q, other.q)
    turned = kinematics.inverse(place, -PANDA.tool_down, kinematics.robot.home)
    assert turned.error_rad < 1e-4


@pytest.mark.parametrize('axis', range(3))
@pytest.mark.parametrize('angle', [0.2, -0.2, 0.8])
def test_the_tool_turns_about_each_axis(kinematics, axis, angle):
    place = np.array([0.5, 0.0, 0.2])
    start = kinematics.settled(place, PANDA.tool_down).q
    turn = np.zeros(4)
    turn[axis], turn[3] = np.sin(angle / 2), np.cos(angle / 2)
    x, y, z, w = turn
    wanted = np.array([w, z, -y, -x])  # the turn times the tool pointing down, (1, 0, 0, 0)
    found = kinematics.inverse(place, wanted, start)
    _, reached = kinematics.forward(found.q)
    assert abs(reached @ wanted) == pytest.approx(1.0, abs=1e-7)
    assert found.error_rad < 1e-4


def test_a_link_that_the_model_names_wrongly_is_named():
    with pytest.raises(RobotError, match='has no link hook'):
        Kinematics(dataclasses.replace(PANDA, tool_link='hook'))


def test_from_any_tilt_the_tool_turns_to_any_other_near_it(kinematics):
    rng, place = np.random.default_rng(4), np.array([0.5, 0.05, 0.2])
    q = kinematics.settled(place, PANDA.tool_down).q
    for _ in range(8):
        tilted = PANDA.tool_down + rng.uniform(-0.1, 0.1, 4)
        tilted /= np.linalg.norm(tilted)
        found = kinematics.inverse(place, tilted, q)
        position, reached = kinematics.forward(found.q)
        assert abs(reached @ tilted) == pytest.approx(1.0, abs=1e-7)
        assert np.abs(position - place).max() < 1e-4
        q = found.q
