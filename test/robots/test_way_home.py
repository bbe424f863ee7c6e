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

"""The way home: it ends there, inside every limit, and says when something is in the way."""

import dataclasses

from il_ros.robots.joint_motion import JointMotion
from il_ros.robots.way_home import farthest, is_home, NEAR_RAD, WayHome
import numpy as np
import pytest
from shipped_arms import PANDA

PERIOD_S = 0.05


@pytest.fixture
def away() -> np.ndarray:
    """Return a place beside the home, at its height, with the hand closed."""
    q = PANDA.home.copy()
    q[0] += 0.6
    q[3] += 0.2
    q[PANDA.fingers] = 0.0
    return q


def way(kinematics, robot, measured) -> WayHome:
    """Return the way of a robot from where it is measured."""
    motion = JointMotion(robot, PERIOD_S, kinematics.tool_position)
    motion.start(measured[robot.arm])
    return WayHome(robot, PERIOD_S, motion, measured)


def targets(one: WayHome, speed_scale: float, most: int = 400) -> np.ndarray:
    """Return the targets until the way is over or stuck, the first one included."""
    path = [one.q]
    while not (one.is_over or one.is_stuck) and len(path) < most:
        path.append(one.advance(speed_scale))
    return np.array(path)


@pytest.mark.parametrize('speed_scale', [0.25, 1.0])
def test_it_ends_at_home_inside_speeds_and_accelerations(kinematics, away, speed_scale):
    one = way(kinematics, PANDA, away)
    path = targets(one, speed_scale)
    assert one.is_over and not one.is_stuck
    np.testing.assert_array_equal(path[-1], PANDA.home)
    np.testing.assert_array_equal(one.advance(speed_scale), PANDA.home)
    assert not one.is_moving
    steps = np.diff(path, axis=0)
    assert (np.abs(steps) <= PANDA.velocity * PERIOD_S + 1e-12).all()
    arm = steps[:, PANDA.arm]
    assert (np.abs(arm) <= speed_scale * PANDA.velocity[PANDA.arm] * PERIOD_S + 1e-9).all()
    changes = np.diff(np.vstack((np.zeros(len(arm[0])), arm)), axis=0)
    assert (np.abs(changes) <= PANDA.acceleration[PANDA.arm] * PERIOD_S ** 2 + 1e-9).all()


def test_the_fingers_open_where_the_home_is_and_not_before(kinematics, away):
    path = targets(way(kinematics, PANDA, away), 1.0)
    opening = (path[:, PANDA.fingers] > 0.0).any(axis=1)
    there = (path[:, PANDA.arm] == PANDA.home[PANDA.arm]).all(axis=1)
    assert (there | ~opening).all() and opening[-1]


def test_it_brakes_when_it_is_told_to_and_goes_nowhere_at_speed_zero(kinematics, away):
    one = way(kinematics, PANDA, away)
    for _ in range(4):
        one.advance(0.5)
    assert one.is_moving
    for _ in range(10):
        one.brake()
    stopped = one.q
    assert not one.is_moving
    for _ in range(40):
        np.testing.assert_array_equal(one.advance(0.0), stopped)
    assert not one.is_stuck and not one.is_over


def test_a_box_in_the_way_stops_it_short_of_the_home(kinematics, away):
    tool = np.array(kinematics.tool_position(PANDA.home[PANDA.arm]))
    walled = dataclasses.replace(PANDA, keep_out=((tool - 0.05, tool + 0.05),))
    one = way(kinematics, walled, away)
    targets(one, 1.0)
    assert one.is_stuck and not one.is_over


def test_an_arm_is_home_by_its_joints_whatever_the_fingers_hold(away):
    near = PANDA.home.copy()
    near[1] += 0.9 * NEAR_RAD
    near[PANDA.fingers] = 0.0
    assert is_home(PANDA, near) and not is_home(PANDA, away)
    assert farthest(PANDA, away, PANDA.home) == (pytest.approx(0.6), PANDA.joint_names[0])
