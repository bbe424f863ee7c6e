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

from il_ros.contract.episode_spec import CLAMPED_ACCELERATION, CLAMPED_POSITION, CLAMPED_VELOCITY
from il_ros.contract.episode_spec import CLAMPED_WORKSPACE
from il_ros.errors import RobotError
from il_ros.robots.joint_motion import JointMotion, TOLERANCE_M
import numpy as np
import pytest
from shipped_arms import PANDA

PERIOD_S = 0.05
HOME = PANDA.home[PANDA.arm]
FAR = PANDA.upper[PANDA.arm]
NOWHERE = dataclasses.replace(
    PANDA, workspace_lower=np.full(3, -9.0), workspace_upper=np.full(3, 9.0))
"""Without a workspace in the way."""


def motion(robot=NOWHERE, forward=lambda q: (0.0, 0.0, 0.0)) -> JointMotion:
    """Return targets that stand still at home."""
    made = JointMotion(robot, PERIOD_S, forward)
    made.start(HOME)
    return made


def path(made: JointMotion, steps: int, go) -> tuple[np.ndarray, list[int]]:
    """Return targets, the start twice before them, and bits of as many steps."""
    targets, limits = [made.q, made.q], []
    for _ in range(steps):
        limits.append(go())
        targets.append(made.q)
    return np.array(targets), limits


def test_a_joint_speeds_up_and_brakes_inside_its_acceleration_and_stays_at_its_stop():
    made = motion()
    targets, limits = path(made, 80, lambda: made.advance(FAR))
    steps, changes = np.diff(targets, axis=0), np.diff(targets, 2, axis=0)
    arm = PANDA.arm
    assert (np.abs(changes) <= PANDA.acceleration[arm] * PERIOD_S ** 2).all()
    assert (np.abs(steps) <= PANDA.velocity[arm] * PERIOD_S).all() and (targets <= FAR).all()
    assert limits[0] & CLAMPED_ACCELERATION and CLAMPED_POSITION in limits
    worst = np.abs(steps / (PANDA.velocity[arm] * PERIOD_S)).max()
    assert worst == pytest.approx(1.0), 'the speed limit was reached'
    np.testing.assert_allclose(targets[-1], FAR, atol=1e-3)
    assert np.abs(steps[-1]).max() < 1e-3, 'it stands'


def test_a_brake_is_a_straight_line_in_joint_space_and_says_when_it_stands():
    made = motion()
    path(made, 6, lambda: made.advance(FAR))
    targets, limits = path(made, 12, made.brake)
    steps = np.diff(targets, axis=0)[1:]
    moving = np.abs(steps).max(axis=1) > 0.0
    assert 2 <= moving.sum() < 12 and not made.is_moving
    assert limits == [CLAMPED_ACCELERATION * bool(moves) for moves in moving]
    np.testing.assert_allclose(steps[1] / steps[1, 1], steps[0] / steps[0, 1])
    assert (np.diff(np.abs(steps[:, 1])) <= 0.0).all()


def test_an_approach_ends_at_rest_where_it_was_sent():
    made, place = motion(), HOME + np.array([0.5, -0.2, 0.3, 0.1, 0.0, -0.3, 0.01])
    targets, _ = path(made, 40, lambda: made.approach(place))
    np.testing.assert_allclose(targets[-1], place, atol=1e-9)
    assert not made.is_moving
    overshoot = ((targets - place) * np.sign(place - HOME)).max()
    assert overshoot < 6e-3


def test_a_tool_brakes_before_the_workspace_and_before_a_keep_out_box(kinematics):
    wall = float(kinematics.forward(PANDA.home)[0][1]) + 0.15
    box = np.array([-1.0, wall, -1.0]), np.array([1.0, wall + 0.01, 1.0])
    for robot in (dataclasses.replace(NOWHERE, workspace_upper=np.array([9.0, wall, 9.0])),
                  dataclasses.replace(NOWHERE, keep_out=(box,))):
        made = motion(robot, kinematics.tool_position)
        aim = HOME + np.array([1.5, 0, 0, 0, 0, 0, 0])
        limits, tools = [], []
        for _ in range(60):
            limits.append(made.advance(aim))
            tools.append(made.tool[1])
        allowed = TOLERANCE_M if robot.keep_out == () else -TOLERANCE_M
        assert wall - 0.02 < max(tools) <= wall + allowed, 'it comes near, and no farther'
        assert any(bits & CLAMPED_WORKSPACE for bits in limits)


def test_an_arm_that_is_held_outside_the_workspace_is_not_pulled_back(kinematics):
    place = HOME + np.array([0.4, 0, 0, 0, 0, 0, 0])
    aside, out = kinematics.tool_position(HOME), kinematics.tool_position(place)
    robot = dataclasses.replace(NOWHERE, workspace_upper=np.array([9.0, aside[1] + 0.05, 9.0]))
    made = motion(robot, kinematics.tool_position)
    for _ in range(30):
        made.advance(place)
    assert made.tool[1] < aside[1] + 0.05 + TOLERANCE_M < out[1], 'a driver does not get there'
    for _ in range(30):
        made.approach(place)
    np.testing.assert_allclose(made.q, place, atol=1e-6)


def test_a_thin_box_is_not_jumped_over(kinematics):
    y = float(kinematics.forward(PANDA.home)[0][1]) + 0.1
    thin = np.array([-1.0, y, -1.0]), np.array([1.0, y + 1e-4, 1.0])
    made = motion(dataclasses.replace(NOWHERE, keep_out=(thin,)), kinematics.tool_position)
    for _ in range(40):
        made.advance(HOME + np.array([2.0, 0, 0, 0, 0, 0, 0]))
        assert made.tool[1] < y


def test_a_speed_scale_of_half_halves_the_speeds_and_of_none_stops():
    made, turn = motion(), np.array([1.0, 0, 0, 0, 0, 0, 0])
    for scale, expected in ((1.0, 1.0), (0.5, 0.5), (0.0, 0.0)):
        targets, limits = path(made, 12, lambda: made.advance(made.q + turn, scale))
        made.start(HOME)
        share = np.abs(np.diff(targets, axis=0)[-1] / (PANDA.velocity[PANDA.arm] * PERIOD_S))
        assert share.max() == pytest.approx(expected, abs=1e-6)
        assert limits[-1] & CLAMPED_VELOCITY


def test_the_jerk_limit_lowers_the_acceleration_where_it_binds():
    for period_s, binds in ((0.05, False), (0.0042, False), (0.0038, True)):
        change = PANDA.change(PANDA.acceleration, period_s)[PANDA.arm]
        plain = PANDA.acceleration[PANDA.arm] * period_s ** 2
        assert (change < plain).all() == (change < plain).any() == binds


@pytest.mark.parametrize('fields, sentence', [
    ({'acceleration': np.zeros(9)}, 'acceleration is .*; expected numbers above 0'),
    ({'jerk': np.full(9, np.nan)}, 'jerk is .*; expected numbers above 0'),
    ({'deceleration': np.ones(7)}, r'deceleration has shape \(7,\); expected \(9,\)')])
def test_limits_that_are_none_are_refused(fields, sentence):
    with pytest.raises(RobotError, match=sentence):
        dataclasses.replace(PANDA, **fields)
