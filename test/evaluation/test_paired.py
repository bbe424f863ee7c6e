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

"""Sequential comparisons: how often they are wrong, how many episodes they take."""

import math

from hypothesis import given, settings, strategies as st
from il_ros.evaluation.paired import A, answers, B, log_capital, NO_DIFFERENCE, NOT_DECIDED, Pairs
import numpy as np
import pytest

COMPARISONS = 2000
COUNT = st.integers(0, 400)


def answered(only_a: float, only_b: float, x: float, most: int, comparisons: int = COMPARISONS):
    """
    Simulate comparisons that look after every episode and stop at their first answer.

    :param only_a: probability that A alone succeeds
    :param most: episodes of a comparison, at most
    :returns: the answers and the numbers of episodes, shape ``(comparisons,)``
    """
    differences = np.random.default_rng(7).choice(
        [1, -1, 0], p=[only_a, only_b, 1.0 - only_a - only_b], size=(comparisons, most))
    found, episodes = np.zeros(comparisons, int), np.full(comparisons, most)
    left, ahead, behind = np.arange(comparisons), 0, 0
    for done in range(1, most + 1):
        ahead = ahead + (differences[left, done - 1] > 0)
        behind = behind + (differences[left, done - 1] < 0)
        kinds, which = np.unique(ahead * (most + 1) + behind, return_inverse=True)
        a, b = np.divmod(kinds, most + 1)
        said = answers(a, done - a - b, b, x)[which]
        found[left[said != NOT_DECIDED]] = said[said != NOT_DECIDED]
        episodes[left[said != NOT_DECIDED]] = done
        left, ahead, behind = (one[said == NOT_DECIDED] for one in (left, ahead, behind))
    return found, episodes


def mcnemar_size(only_a: float, only_b: float, z_power: float) -> float:
    """Return the pairs of a two-sided 5 % McNemar test (Connor, Biometrics 43, 1987)."""
    q, d = only_a + only_b, only_a - only_b
    return (1.959964 * math.sqrt(q) + z_power * math.sqrt(q - d * d)) ** 2 / (d * d)


@pytest.mark.parametrize('rate, correlation', [
    (0.5, 0.0), (0.5, 0.8), (0.9, 0.0), (0.97, 0.5)])
def test_equal_policies_are_told_apart_in_at_most_5_of_100_comparisons(rate, correlation):
    alone = rate * (1.0 - rate) * (1.0 - correlation)
    found, _ = answered(alone, alone, 0.05, 150)
    assert np.mean((found == A) | (found == B)) <= 0.05


@pytest.mark.parametrize('only_a, only_b', [(0.12, 0.02), (0.3, 0.1)])
def test_a_difference_is_found_with_fewer_episodes_than_by_a_test_of_fixed_size(only_a, only_b):
    found, episodes = answered(only_a, only_b, 0.05, 600, 300)
    assert np.mean(found == A) >= 0.99
    assert episodes.mean() <= 0.65 * mcnemar_size(only_a, only_b, 2.326348)  # power 99 %
    assert np.mean(episodes) < mcnemar_size(only_a, only_b, 1.281552)  # 90 %


@pytest.mark.parametrize('only_a, only_b', [(0.09, 0.03), (0.07, 0.01)])
def test_no_difference_is_said_of_a_larger_one_in_at_most_5_of_100_comparisons(only_a, only_b):
    found, _ = answered(only_a, only_b, 0.05, 300, 1000)
    assert np.mean((found == NO_DIFFERENCE) | (found == B)) <= 0.05


def test_equal_policies_that_rarely_differ_are_found_equal():
    found, episodes = answered(0.01, 0.01, 0.05, 400, 300)
    assert np.mean(found == NO_DIFFERENCE) >= 0.98 and np.median(episodes) < 200


@settings(max_examples=20, deadline=None)
@given(COUNT, COUNT, COUNT, COUNT)
def test_the_answer_is_what_the_interval_says(both, only_a, only_b, neither):
    pairs = Pairs(both, only_a, only_b, neither)
    low, high = pairs.interval
    assert -1.0 <= low <= pairs.difference <= high <= 1.0
    x = pairs.smallest_difference
    expected = A if low > 0.0 else B if high < 0.0 else (
        NO_DIFFERENCE if -x < low and high < x else NOT_DECIDED)
    assert pairs.answer == expected


@settings(max_examples=20, deadline=None)
@given(COUNT, COUNT, COUNT)
def test_a_and_b_mirror_each_other(only_a, same, only_b):
    one, other = Pairs(same, only_a, only_b), Pairs(same, only_b, only_a)
    assert other.interval == tuple(-bound for bound in reversed(one.interval))
    assert {A: B, B: A}.get(one.answer, one.answer) == other.answer


@pytest.mark.parametrize('margin', [-0.05, 0.0, 0.3])
def test_a_bet_at_the_margin_is_fair(margin):
    # Of one episode: the mean capital is 1 where the mean difference is the margin.
    more = (1.0 + margin) / 2.0
    capital = np.exp(log_capital(np.array([1, 0]), 0, np.array([0, 1]), margin))
    assert more * capital[0] + (1.0 - more) * capital[1] == pytest.approx(1.0)
    assert np.exp(log_capital(0, 0, 0, margin)) == pytest.approx(1.0)


def test_pairs_are_counted_by_who_succeeded():
    pairs = Pairs()
    for a, b in ((True, True), (True, False), (True, False), (False, True), (False, False)):
        pairs = pairs.after(a, b)
    assert pairs == Pairs(1, 2, 1, 1) and pairs.episodes == 5
    assert [rate.k for rate in pairs.rates] == [3, 2] and pairs.difference == 0.2
    assert Pairs().interval == (-1.0, 1.0) and Pairs().answer == NOT_DECIDED


@pytest.mark.parametrize('pairs, sentence', [
    (Pairs(40, 30, 2, 8), 'new is better than old after 80 episodes, by 35.0 % (95 % interval '
                          '17.1 to 53.8)'),
    (Pairs(40, 2, 30, 8), 'old is better than new after 80 episodes, by 35.0 % (95 % interval '
                          '17.1 to 53.8)'),
    (Pairs(150), 'no difference above 5 % after 150 episodes: new minus old is +0.0 % (95 % '
                 'interval -3.5 to +3.5)'),
    (Pairs(3, 1), 'not decided after 4 episodes: new minus old is +25.0 % (95 % interval -65.5 '
                  'to +88.3)')])
def test_the_answer_is_a_sentence(pairs, sentence):
    assert pairs.sentence('new', 'old') == sentence


@pytest.mark.parametrize('x', [0.0, 1.0, float('nan'), -0.1])
def test_an_impossible_smallest_difference_is_refused(x):
    with pytest.raises(ValueError, match='expected a number between 0 and 1'):
        Pairs(smallest_difference=x)
