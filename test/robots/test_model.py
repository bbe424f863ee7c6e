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

"""What is known of an arm: the Panda's data sheet, and what cannot be measured of it."""

import dataclasses

from il_ros.errors import RobotError
from il_ros.robots.model import find_robot
import numpy as np
import pytest
from shipped_arms import PANDA

# Franka Emika: Panda's joint limits (rad), speeds (rad/s) and torques (Nm), joint by joint.
SHEET = np.array([
    (-2.8973, 2.8973, 2.1750, 87.0), (-1.7628, 1.7628, 2.1750, 87.0),
    (-2.8973, 2.8973, 2.1750, 87.0), (-3.0718, -0.0698, 2.1750, 87.0),
    (-2.8973, 2.8973, 2.6100, 12.0), (-0.0175, 3.7525, 2.6100, 12.0),
    (-2.8973, 2.8973, 2.6100, 12.0)]).T


def test_the_pandas_limits_are_the_makers_with_a_margin():
    lower, upper, velocity, effort = SHEET
    np.testing.assert_allclose(PANDA.lower[PANDA.arm], lower + 0.02)
    np.testing.assert_allclose(PANDA.upper[PANDA.arm], upper - 0.02)
    np.testing.assert_allclose(PANDA.velocity[PANDA.arm], velocity)
    np.testing.assert_allclose(PANDA.effort[PANDA.arm], effort)


def test_the_pandas_hand_opens_8_cm_and_holds_with_60_newton():
    assert [getattr(PANDA, name)[PANDA.fingers].tolist() for name in (
        'lower', 'upper', 'velocity', 'effort', 'home')] == [
            [0.0] * 2, [0.04] * 2, [0.2] * 2, [60.0] * 2, [0.04] * 2]
    assert PANDA.open_width == 0.08
    assert PANDA.joint_names == (
        'panda_joint1', 'panda_joint2', 'panda_joint3', 'panda_joint4', 'panda_joint5',
        'panda_joint6', 'panda_joint7', 'panda_finger_joint1', 'panda_finger_joint2')


def test_the_panda_rests_elbow_up_and_its_workspace_lies_before_it():
    np.testing.assert_allclose(PANDA.home[PANDA.arm], [0, 0.1, 0, -2.3, 0, 2.4, np.pi / 4])
    assert PANDA.workspace_lower.tolist() == [0.32, -0.3, 0.01]
    assert PANDA.workspace_upper.tolist() == [0.68, 0.3, 0.4]
    assert PANDA.tool_down.tolist() == [1.0, 0.0, 0.0, 0.0]
    assert find_robot('panda').name == find_robot('').name == PANDA.name


@pytest.mark.parametrize('beyond, refused', [(0.49, False), (0.51, True)])
@pytest.mark.parametrize('bound, out', [('lower', -1), ('upper', 1)])
def test_a_joint_far_outside_its_limits_is_a_wrong_message(bound, out, beyond, refused):
    positions = PANDA.home.copy()
    positions[2] = getattr(PANDA, bound)[2] + out * beyond
    if refused:
        with pytest.raises(RobotError, match='panda_joint3 is at .*; expected -2.877 to 2.877'):
            PANDA.refuse_implausible(positions)
    else:
        PANDA.refuse_implausible(positions)


@pytest.mark.parametrize('value', [np.nan, np.inf])
def test_a_joint_that_is_not_finite_is_named(value):
    positions = PANDA.home.copy()
    positions[4] = value
    with pytest.raises(RobotError, match='panda_joint5 is not finite'):
        PANDA.refuse_implausible(positions)


def test_a_robot_rests_inside_its_limits():
    assert dataclasses.replace(PANDA, home=PANDA.lower).home is PANDA.lower
    assert dataclasses.replace(PANDA, home=PANDA.upper).home is PANDA.upper
    for beyond in (PANDA.lower - 1e-3, PANDA.upper + 1e-3):
        with pytest.raises(RobotError, match='robot panda: home lies outside the joint limits'):
            dataclasses.replace(PANDA, home=beyond)


def test_what_is_no_robot_is_refused(monkeypatch):
    monkeypatch.setenv('IL_ROS_PLUGINS', 'il_ros.robots.model:IMPLAUSIBLE_RAD')
    with pytest.raises(RobotError, match='panda'):
        find_robot('moon')
    with pytest.raises(RobotError, match='expected an instance of il_ros.robots.model.RobotModel'):
        find_robot('il_ros.robots.model:IMPLAUSIBLE_RAD')
