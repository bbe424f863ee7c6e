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


"""By how much the rate of observations may differ from the contract's."""

from il_ros.driving.rate_watch import RateWatch, TOLERANCE_DRIVING
import numpy as np
import pytest

NS = 1_000_000_000


def watched(intervals_s) -> RateWatch:
    """Return a watch of 20 Hz that has heard stamps at these intervals."""
    watch, stamp_ns = RateWatch(20.0), NS
    watch.hear(stamp_ns)
    for interval_s in intervals_s:
        stamp_ns += round(interval_s * NS)
        watch.hear(stamp_ns)
    return watch


@pytest.mark.parametrize('rate_hz', [10.0, 17.9, 22.1, 50.0])
def test_a_rate_that_is_off_is_named(rate_hz):
    problem = watched([1.0 / rate_hz] * 20).problem()
    assert problem.startswith(f'observations come at {rate_hz:.1f} Hz, the contract says 20 Hz')


@pytest.mark.parametrize('rate_hz', [18.2, 20.0, 21.8])
def test_a_rate_within_a_tenth_is_right(rate_hz):
    assert watched([1.0 / rate_hz] * 20).problem() == ''


def test_jitter_and_single_pauses_do_not_count():
    jitter = np.random.default_rng(0).uniform(-0.02, 0.02, 40)
    intervals = 0.05 + np.diff(jitter, prepend=0.0)
    intervals[::7] += 0.3
    assert watched(intervals).problem() == ''


def test_nothing_is_said_before_it_is_known_and_a_pause_begins_anew():
    assert watched([0.1] * 9).problem() == ''
    assert watched([0.1] * 20 + [5.0] + [0.05] * 9).problem() == ''


def test_a_repeated_stamp_is_no_interval():
    assert watched([0.05, 0.0] * 15).problem() == ''


def test_more_is_accepted_in_the_midst_of_an_episode():
    watch = watched([1.0 / 17.0] * 20)
    assert watch.problem()
    assert watch.problem(TOLERANCE_DRIVING) == ''


def test_the_rate_is_known_after_ten_intervals():
    assert watched([0.1] * 10).problem()


def test_a_second_between_stamps_is_slow_and_more_is_a_pause():
    assert watched([1.0] * 10).problem()
    assert watched([1.001] * 10).problem() == ''


def test_the_last_twenty_intervals_decide():
    assert watched([0.05] * 30 + [0.1] * 9).problem() == ''
    assert watched([0.05] * 30 + [0.1] * 11).problem()


def test_a_clock_that_went_back_begins_anew():
    assert watched([0.1] * 20 + [-0.5] + [0.1] * 9).problem() == ''


def test_a_rate_exactly_at_the_tolerance_is_right():
    assert watched([1 / 16] * 20).problem(tolerance=0.2 + 1e-9) == ''
    assert watched([1 / 25] * 20).problem(tolerance=0.25) == ''
