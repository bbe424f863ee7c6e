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

"""Wilson intervals against published values, and at the ends."""

from hypothesis import given, strategies as st
from il_ros.evaluation.interval import Interval, wilson
import pytest


@pytest.mark.parametrize('k, n, low, high', [
    # Newcombe, Statistics in Medicine 17 (1998), table I, method 3.
    (81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611),
    (1, 29, 0.0061, 0.1718)])
def test_the_interval_is_the_published_one(k, n, low, high):
    interval = wilson(k, n)
    assert (interval.low, interval.high) == pytest.approx((low, high), abs=5e-5)


@given(st.integers(1, 3000), st.data())
def test_the_rate_lies_in_its_interval_and_that_in_zero_to_one(n, data):
    interval = wilson(data.draw(st.integers(0, n)), n)
    assert 0.0 <= interval.low <= interval.rate <= interval.high <= 1.0


@given(st.integers(1, 500), st.data())
def test_success_and_failure_mirror_each_other(n, data):
    k = data.draw(st.integers(0, n))
    one, other = wilson(k, n), wilson(n - k, n)
    assert one.low == pytest.approx(1.0 - other.high, abs=1e-12)


def test_nothing_tried_says_nothing():
    assert wilson(0, 0) == Interval(0, 0, 0.0, 0.0, 1.0)


def test_one_interval_is_above_another_only_without_overlap():
    assert wilson(190, 200).above(wilson(150, 200))
    assert not wilson(160, 200).above(wilson(150, 200))


@pytest.mark.parametrize('k, n', [(-1, 5), (6, 5)])
def test_impossible_counts_are_refused(k, n):
    with pytest.raises(ValueError, match='expected 0 <= k <= n'):
        wilson(k, n)


def test_intervals_that_touch_are_not_above_each_other():
    upper, lower = Interval(9, 10, 0.9, 0.5, 1.0), Interval(1, 10, 0.1, 0.0, 0.5)
    assert not upper.above(lower) and not lower.above(upper)


def test_the_ends_are_exact():
    assert (wilson(0, 7).low, wilson(7, 7).high) == (0.0, 1.0)


def test_an_interval_is_written_with_six_digits():
    assert wilson(1, 3).as_dict() == {
        'k': 1, 'n': 3, 'rate': 0.333333, 'low': 0.061492, 'high': 0.79234}
    assert Interval(1, 3, 1 / 3, 1 / 7, 2 / 3).as_dict() == {
        'k': 1, 'n': 3, 'rate': 0.333333, 'low': 0.142857, 'high': 0.666667}
