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

"""The estimator of growth, held against the chain by enumeration, and its intervals."""

import itertools
import math

from chain import Chain
from il_ros.experiments.error_growth import analysis
from il_ros.experiments.error_growth.analysis import Episodes, Estimate
import numpy as np
import pytest


def episodes(mistaken, steps=None) -> Episodes:
    """Return episodes without goals."""
    mistaken = np.asarray(mistaken, bool)
    count, horizon = mistaken.shape
    steps = np.full(count, horizon) if steps is None else np.asarray(steps)
    return Episodes(mistaken, steps, np.zeros_like(mistaken))


def first_mistakes(horizon: int, epsilon: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the step of the first mistake, horizon + 1: none, and its probability."""
    first = np.arange(1, horizon + 2)
    chance = epsilon * (1.0 - epsilon) ** (first - 1.0)
    chance[-1] = (1.0 - epsilon) ** horizon
    return first, chance[None]


def drawn(chain: Chain, count: int, horizon: int, seed: int) -> Episodes:
    """Return episodes of the chain, step by step."""
    cumulative = chain.simulate(np.random.default_rng(seed), count, range(1, horizon + 1))
    return episodes(np.diff(cumulative, axis=1, prepend=0))


def uniform(found: Episodes, resamples: int = 300) -> np.ndarray:
    """Return bootstrap weights."""
    return analysis.weights(len(found), np.random.default_rng(3), resamples)


def test_all_cases_of_the_absorbing_chain_by_their_probability_give_its_closed_form():
    first, chance = first_mistakes(200, 0.01)
    found = episodes(np.arange(1, 201) >= first[:, None])
    grid = analysis.grid(200)
    np.testing.assert_allclose(analysis.growth(found, grid, chance)[0],
                               Chain(0.01).expected(grid), rtol=1e-10)


def test_an_episode_that_ended_at_its_first_mistake_counts_like_one_that_never_recovered():
    first, chance = first_mistakes(200, 0.01)
    steps = np.minimum(first, 200)
    found = episodes(np.arange(1, 201) == first[:, None], steps)
    grid = analysis.grid(200)
    np.testing.assert_allclose(analysis.growth(found, grid, chance)[0],
                               Chain(0.01).expected(grid), rtol=1e-10)
    # Censored, each of those that still run errs with probability epsilon: a straight line.
    np.testing.assert_allclose(analysis.censored_growth(found, grid, chance)[0],
                               0.01 * np.array(grid), rtol=1e-10)


@pytest.mark.parametrize('chain', [Chain(0.1), Chain.recoverable_at_once(0.1), Chain(0.1, 0.3)],
                         ids=str)
def test_all_episodes_of_ten_steps_by_their_probability_give_the_closed_form(chain):
    cases = np.array(list(itertools.product((False, True), repeat=10)))
    before = np.concatenate([np.zeros((len(cases), 1), bool), cases[:, :-1]], axis=1)
    to_wrong = np.where(before, 1.0 - chain.recovery, chain.epsilon)
    chance = np.where(cases, to_wrong, 1.0 - to_wrong).prod(axis=1)[None]
    found = episodes(cases)
    for measure in (analysis.growth, analysis.censored_growth):
        np.testing.assert_allclose(measure(found, range(1, 11), chance)[0],
                                   chain.expected(range(1, 11)), rtol=1e-10)


def test_growth_that_is_faster_than_linear_is_found_by_its_lower_bound():
    found = drawn(Chain(2e-4), 600, 800, seed=0)
    longest = analysis.exponents(found, uniform(found))[-1]
    assert (longest.first, longest.last) == (400, 800)
    assert longest.superlinear and longest.estimate.low > 1.3
    assert longest.estimate.low < Chain(2e-4).exponent(400, 800) < longest.estimate.high


def test_linear_growth_is_seldom_called_superlinear():
    called = values = 0.0
    for seed in range(40):
        found = drawn(Chain.recoverable_at_once(0.01), 100, 200, seed)
        longest = analysis.exponents(found, uniform(found))[-1]
        called += longest.superlinear / 40
        values += longest.estimate.value / 40
    assert values == pytest.approx(1.0, abs=0.06)
    assert called <= 0.1, 'one window in forty, by chance'


def test_an_exponent_above_one_whose_interval_reaches_below_is_not_superlinear():
    one = analysis.Exponent(10, 20, 50, Estimate(1.6, 0.9, 2.3))
    assert not one.superlinear
    assert analysis.Exponent(10, 20, 50, Estimate(1.2, 1.01, 1.4)).superlinear


def test_fewer_than_ten_separate_mistakes_leave_the_exponent_undefined():
    runs = np.zeros((20, 40), bool)
    runs[:9, 2:40] = True  # nine long runs: 342 mistakes, nine events
    shown = analysis.exponents(episodes(runs), uniform(episodes(runs)))
    assert {one.events for one in shown if one.first > 2} == {9}
    assert all(one.estimate.value is None and not one.superlinear for one in shown)
    runs[9, 2] = True
    shown = analysis.exponents(episodes(runs), uniform(episodes(runs)))
    assert shown[-1].events == 10 and shown[-1].estimate.value is not None


def test_the_interval_comes_from_whole_episodes():
    alike = episodes(np.tile([False, True], (24, 50)))
    same = analysis.exponents(alike, uniform(alike))[-1].estimate
    assert same.low == same.value == same.high
    one_stuck = np.tile([True, False, False, False, False], (24, 20))
    one_stuck[0] = True
    wide = analysis.growth(episodes(one_stuck), (100,), uniform(alike))
    assert Estimate.of(wide[:, 0]).high > 1.2 * Estimate.of(wide[:, 0]).low


def test_the_burn_in_is_left_out_and_t_counts_from_there():
    flags = np.zeros((3, 30), bool)
    flags[:, :10] = True
    flags[:, 19] = True
    found = episodes(flags)
    once = np.ones((1, 3))
    assert analysis.growth(found, (9, 10, 20), once, burn_in=10).tolist() == [[0, 1, 1]]
    assert analysis.windows(30, burn_in=10)[-1] == (10, 20)
    with pytest.raises(ValueError, match='expected 1 to 20'):
        analysis.growth(found, (21,), once, burn_in=10)


def test_the_censored_mean_is_undefined_where_nobody_runs_any_more():
    found = episodes(np.ones((2, 6)), steps=[2, 4])
    curve = analysis.censored_growth(found, range(1, 7), np.ones((1, 2)))[0]
    assert curve[:4].tolist() == [1.0, 2.0, 3.0, 4.0] and np.isnan(curve[4:]).all()


def test_a_sample_without_a_number_widens_the_interval_on_both_sides():
    samples = np.array([1.0, *np.linspace(0.9, 1.1, 90), *[math.nan] * 10])
    assert Estimate.of(samples) == Estimate(1.0, None, None)
    assert Estimate.of(samples[:91]).low == pytest.approx(0.904, abs=0.005)


@pytest.mark.parametrize('horizon', [1, 2, 7, 64, 100, 400, 1600])
def test_the_grid_goes_from_one_step_to_the_horizon(horizon):
    grid = analysis.grid(horizon)
    assert grid[0] == 1 and grid[-1] == horizon
    assert list(grid) == sorted(set(grid))
    assert all(later <= 2.05 * earlier for earlier, later in itertools.pairwise(grid))
    assert all(last == 2 * first <= horizon for first, last in analysis.windows(horizon))


def test_the_documented_grid_is_the_grid():
    assert analysis.grid(400) == (
        1, 2, 3, 4, 6, 8, 12, 16, 25, 37, 50, 75, 100, 150, 200, 300, 400)


@pytest.mark.parametrize('mistaken, steps, reached', [
    (np.zeros((2, 5)), [5, 6], np.zeros((2, 5))), (np.zeros((2, 5)), [0, 5], np.zeros((2, 5))),
    (np.zeros((2, 5)), [5], np.zeros((2, 5))), (np.zeros((2, 5)), [5, 5], np.zeros((2, 4)))])
def test_episodes_that_do_not_fit_together_are_refused(mistaken, steps, reached):
    with pytest.raises(ValueError, match='expected'):
        Episodes(mistaken.astype(bool), np.array(steps), reached.astype(bool))
