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

"""What the driver of an arm refuses, and what it never touches."""

from il_ros.errors import RobotError
from il_ros.robots.command_limits import CommandLimits, MARGIN
import numpy as np
import pytest
from shipped_arms import PANDA

PERIOD_NS = 50_000_000
LONGEST = PANDA.velocity * 0.05


@pytest.fixture
def limits() -> CommandLimits:
    """Return the limits of an arm that stands at home at 0 ns."""
    made = CommandLimits(PANDA, PERIOD_NS)
    made.restart(PANDA.home, 0)
    return made


def moved(joint: int, by: float) -> np.ndarray:
    """Return the home position with one joint elsewhere."""
    targets = PANDA.home.copy()
    targets[joint] += by
    return targets


@pytest.mark.parametrize('joint', range(7))
def test_a_target_outside_the_joint_limits_is_refused_by_name(limits, joint):
    for bound in (PANDA.lower, PANDA.upper):
        limits.restart(bound, 0)
        limits.take(PERIOD_NS, bound.copy())
        outside = bound.copy()
        outside[joint] += np.sign(bound[joint] - PANDA.home[joint]) * 1e-3
        sentence = f'the target of panda_joint{joint + 1} is .*expected'
        with pytest.raises(RobotError, match=sentence):
            limits.take(2 * PERIOD_NS, outside)


@pytest.mark.parametrize('value', [1e308, -1e308, np.inf, np.nan, 20.0])
def test_a_number_that_no_joint_can_have_is_refused(limits, value):
    with pytest.raises(RobotError, match='the target of panda_joint1 is'):
        limits.take(PERIOD_NS, np.full(9, value))


@pytest.mark.parametrize('joint', range(8))
@pytest.mark.parametrize('sign', [1.0, -1.0])
def test_a_step_at_the_speed_limit_is_taken_and_one_beyond_the_margin_refused(
        limits, joint, sign):
    sign = -1.0 if joint == 7 else sign  # the fingers are wide open at home
    limits.take(PERIOD_NS, moved(joint, sign * LONGEST[joint]))
    limits.take(2 * PERIOD_NS, moved(joint, 0.0))
    with pytest.raises(RobotError, match='from the command before; expected at most'):
        limits.take(3 * PERIOD_NS, moved(joint, sign * (MARGIN * LONGEST[joint] + 1e-3)))


def test_what_was_refused_is_not_what_the_next_command_is_measured_against(limits):
    for number in range(1, 4):
        with pytest.raises(RobotError):
            limits.take(PERIOD_NS, moved(0, 0.1 + 0.1 * number))
    limits.take(PERIOD_NS, moved(0, 0.1))


def test_commands_that_were_lost_leave_room_for_the_next_but_no_silence_allows_a_throw(limits):
    limits.take(4 * PERIOD_NS, moved(0, 4 * LONGEST[0]))
    with pytest.raises(RobotError):
        limits.take(10**12, moved(0, -2.0))


def test_a_second_different_command_for_a_stamp_is_a_contradiction(limits):
    assert not limits.contradicts(0, moved(0, 0.1)), 'a reset is no command'
    limits.take(PERIOD_NS, moved(0, 0.1))
    assert limits.contradicts(PERIOD_NS, moved(0, -0.1))
    assert not limits.contradicts(PERIOD_NS, moved(0, 0.1))
    assert not limits.contradicts(2 * PERIOD_NS, moved(0, -0.1))


@pytest.mark.parametrize('sign', [1.0, -1.0])
def test_a_step_of_up_to_half_more_than_the_speed_limit_is_taken(limits, sign):
    limits.take(PERIOD_NS, moved(0, sign * 1.49 * LONGEST[0]))
    limits.take(2 * PERIOD_NS, PANDA.home)
    with pytest.raises(RobotError):
        limits.take(3 * PERIOD_NS, moved(0, sign * 1.51 * LONGEST[0]))


@pytest.mark.parametrize('bound, out', [(PANDA.lower, -1.0), (PANDA.upper, 1.0)])
def test_a_target_may_exceed_a_limit_by_its_rounding(limits, bound, out):
    limits.restart(bound, 0)
    limits.take(PERIOD_NS, bound + out * 5e-7)
    with pytest.raises(RobotError, match='panda_joint1 is .*; expected -2.877 to 2.877'):
        limits.take(2 * PERIOD_NS, bound + out * 2e-6)


def test_after_a_silence_of_half_a_second_or_more_no_more_is_allowed(limits):
    most = 1.5 * 0.5 * float(PANDA.velocity[0])
    for stamp_ns in (500_000_000, 10**12):
        limits.restart(PANDA.home, 0)
        limits.take(stamp_ns, moved(0, most - 1e-3))
        limits.restart(PANDA.home, 0)
        with pytest.raises(RobotError, match='expected at most 1.631, by its speed limit'):
            limits.take(stamp_ns, moved(0, most + 1e-3))


def test_a_period_longer_than_that_counts_whole():
    slow = CommandLimits(PANDA, 1_000_000_000)
    slow.restart(PANDA.home, 0)
    slow.take(1_000_000_000, moved(0, 1.4 * float(PANDA.velocity[0]) * 0.9))


def test_a_command_that_comes_early_may_go_as_far_as_in_a_period(limits):
    limits.take(0, moved(0, LONGEST[0]))
    limits.take(-PERIOD_NS, PANDA.home)


def test_the_arm_goes_as_far_as_it_may_in_a_step_and_no_farther(limits):
    far, near = PANDA.home + 1.0, PANDA.home - 1e-3
    np.testing.assert_allclose(limits.within_reach(far, PANDA.home), PANDA.home + 1.5 * LONGEST)
    np.testing.assert_allclose(limits.within_reach(PANDA.home - 1.0, PANDA.home),
                               PANDA.home - 1.5 * LONGEST)
    np.testing.assert_array_equal(limits.within_reach(near, PANDA.home), near)


def test_after_a_reset_nothing_contradicts(limits):
    limits.take(PERIOD_NS, moved(0, 0.1))
    limits.restart(PANDA.home, PERIOD_NS)
    assert limits.contradicts(PERIOD_NS, moved(0, 0.1)) is False
