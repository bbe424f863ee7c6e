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

"""Motions between joint targets: velocities, the tool's twist, and what closes the error."""

from il_ros.robots.kinematics import Kinematics
from il_ros.robots.motion import GAIN_PER_S, MotionReckoner
from il_ros.robots.rotations import product, rotated, rotation_between
import numpy as np
import pytest
from shipped_arms import PANDA

PERIOD_S = 0.05
HOME = PANDA.home


@pytest.fixture(scope='module')
def kinematics():
    """Yield kinematics of the arm."""
    made = Kinematics(PANDA)
    yield made
    made.close()


@pytest.fixture
def reckoner(kinematics):
    """Return a reckoner at the beginning of an episode."""
    return MotionReckoner(kinematics, PERIOD_S)


def moved(by: float) -> np.ndarray:
    """Return home with the first joint moved."""
    return HOME + by * np.eye(9)[0]


def test_velocities_lead_from_target_to_target(reckoner):
    reckoner.reckon(HOME, HOME, False)
    motion = reckoner.reckon(moved(0.01), HOME, False)
    np.testing.assert_allclose(motion.velocities, moved(0.2) - HOME, atol=1e-12)
    np.testing.assert_allclose(motion.corrected, motion.velocities, atol=1e-12)


def test_the_first_step_begins_where_the_arm_is_measured(reckoner):
    motion = reckoner.reckon(moved(0.01), moved(0.005), False)
    assert motion.velocities[0] == pytest.approx(0.005 / PERIOD_S)


def test_an_arm_that_has_fallen_behind_is_sent_after_its_target(reckoner, kinematics):
    reckoner.reckon(HOME, HOME, False)
    motion = reckoner.reckon(HOME, moved(-0.01), False)
    assert not motion.velocities.any()
    assert motion.corrected[0] == pytest.approx(0.01 * GAIN_PER_S)
    far = kinematics.forward(HOME)[0] - kinematics.forward(moved(-0.01))[0]
    np.testing.assert_allclose(motion.twist[:3], far * GAIN_PER_S, atol=1e-9)
    np.testing.assert_allclose(motion.twist[3:], [0, 0, 0.01 * GAIN_PER_S], atol=1e-6)


def test_the_twist_is_that_of_the_targets(reckoner, kinematics):
    reckoner.reckon(HOME, HOME, False)
    motion = reckoner.reckon(moved(0.01), HOME, False)
    before, after = kinematics.forward(HOME)[0], kinematics.forward(moved(0.01))[0]
    np.testing.assert_allclose(motion.twist[:3], (after - before) / PERIOD_S, atol=1e-9)
    np.testing.assert_allclose(motion.twist[3:], [0, 0, 0.2], atol=1e-6)
    np.testing.assert_allclose(motion.tool_position, after, atol=1e-12)


def test_a_hold_brakes_with_its_targets_and_then_has_no_velocity_however_far_the_arm_is(reckoner):
    reckoner.reckon(HOME, HOME, False)
    braking = reckoner.reckon(moved(0.01), moved(-0.2), True)
    np.testing.assert_allclose(braking.velocities, (moved(0.01) - HOME) / PERIOD_S)
    np.testing.assert_array_equal(braking.corrected, braking.velocities)
    assert 0.0 < np.abs(braking.twist).max() < 0.5, 'the measured error is not closed'
    motion = reckoner.reckon(moved(0.01), moved(-0.2), True)
    for velocity in (motion.velocities, motion.corrected, motion.twist):
        assert not velocity.any()
    np.testing.assert_allclose(motion.positions, moved(0.01))


def test_corrected_velocities_keep_to_speeds_and_limits(reckoner):
    generator = np.random.default_rng(0)
    for _ in range(500):
        sent, measured = generator.uniform(PANDA.lower, PANDA.upper, (2, 9))
        velocities = reckoner.reckon(sent, measured, False).corrected
        assert (np.abs(velocities) <= PANDA.velocity).all()
        after = measured + velocities * PERIOD_S
        assert (after >= PANDA.lower - 1e-9).all() and (after <= PANDA.upper + 1e-9).all()


def test_rotations_add_up():
    generator = np.random.default_rng(1)
    for _ in range(100):
        start, vector = np.array([1.0, 0, 0, 0]), generator.uniform(-1.5, 1.5, 3)
        end = rotated(start, vector)
        np.testing.assert_allclose(rotation_between(start, end), vector, atol=1e-9)
        np.testing.assert_allclose(rotation_between(start, -end), vector, atol=1e-9)
        np.testing.assert_allclose(np.linalg.norm(end), 1.0)
    quarter = np.array([0, 0, np.sqrt(0.5), np.sqrt(0.5)])
    np.testing.assert_allclose(product(quarter, quarter), [0, 0, 1, 0], atol=1e-12)
    assert not rotation_between(quarter, quarter).any()
