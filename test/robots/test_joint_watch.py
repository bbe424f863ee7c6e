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


"""Which measured joints are believed in real time."""

from il_ros.errors import RobotError
from il_ros.robots.joint_watch import JointWatch
import numpy as np
import pytest
from shipped_arms import PANDA

MS = 1_000_000
PERIOD_S = 0.05


def at(offset: float) -> np.ndarray:
    """Return the joints at home, the second one moved by an offset in rad."""
    joints = PANDA.home.copy()
    joints[1] += offset
    return joints


@pytest.fixture
def watch() -> JointWatch:
    """Return a watch that has heard an arm at home."""
    made = JointWatch(PANDA, PERIOD_S)
    made.take(0, at(0.0), moving=True)
    return made


def test_an_arm_at_full_speed_is_believed(watch):
    for step in range(1, 50):
        watch.take(10 * step * MS, at(0.01 * step * float(PANDA.velocity[1])), moving=True)


def test_a_jump_is_refused_once_by_its_joint_and_what_came_before_goes_on(watch):
    with pytest.raises(RobotError, match=r'panda_joint2 moved by 1.00 in 0.010 s; its speed'):
        watch.take(10 * MS, at(1.0), moving=True)
    watch.take(20 * MS, at(0.0), moving=True)


def test_who_says_so_twice_is_believed(watch):
    with pytest.raises(RobotError):
        watch.take(10 * MS, at(1.0), moving=True)
    watch.take(20 * MS, at(1.01), moving=True)
    watch.take(30 * MS, at(1.02), moving=True)


def test_jumps_to_and_fro_are_never_believed(watch):
    for step in range(1, 10):
        with pytest.raises(RobotError):
            watch.take(10 * step * MS, at(1.0 if step % 2 else -1.0), moving=True)


def test_an_episode_does_not_begin_from_a_jump_of_a_stream_that_soon_says_more(watch):
    watch.take(10 * MS, at(1.0), moving=False)
    assert not watch.agreed
    watch.take(20 * MS, at(0.0), moving=False)
    assert not watch.agreed
    watch.take(30 * MS, at(0.0), moving=False)
    assert watch.agreed


def test_a_stream_at_the_control_rate_is_believed_at_the_beginning(watch):
    watch.take(50 * MS, at(1.0), moving=False)
    assert watch.agreed


@pytest.mark.parametrize('milliseconds, most', [
    (10, 0.1435), (500, 2.275), (10_000, 2.275), (0, 0.1), (-10, 0.1)])
def test_a_joint_moves_by_twice_its_speed_limit_and_a_slack(milliseconds, most):
    for by, believed in ((most - 1e-3, True), (most + 1e-3, False)):
        watch = JointWatch(PANDA, PERIOD_S)
        watch.take(0, at(0.0), moving=True)
        if believed:
            watch.take(milliseconds * MS, at(by), moving=True)
        else:
            with pytest.raises(RobotError, match='its speed limit is 2.17 a second|2.18'):
                watch.take(milliseconds * MS, at(by), moving=True)


def test_a_doubt_does_not_outlive_a_message_that_agrees(watch):
    for stamp_ns in (10 * MS, 30 * MS):
        with pytest.raises(RobotError):
            watch.take(stamp_ns, at(1.0), moving=True)
        watch.take(stamp_ns + 10 * MS, at(0.0), moving=True)


@pytest.mark.parametrize('milliseconds, agreed', [(29, False), (31, True)])
def test_a_stream_is_fast_below_six_tenths_of_a_period(watch, milliseconds, agreed):
    assert watch.agreed is True
    watch.take(milliseconds * MS, at(1.0), moving=False)
    assert watch.agreed is agreed


def test_a_jump_of_exactly_what_is_allowed_is_none(watch):
    watch.take(0, at(0.1), moving=True)
    assert watch.agreed
