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

"""The chain: its closed forms against the recursion, the lesson's numbers, and its simulation."""

from chain import Chain
from il_ros.experiments.error_growth.analysis import lines, slope
import numpy as np
import pytest

CHAINS = [Chain(0.01), Chain.recoverable_at_once(0.01), Chain(0.01, 0.05), Chain(0.3, 0.7),
          Chain(1.0)]


def recursion(chain: Chain, steps: int) -> np.ndarray:
    """Return J(1 .. steps), one step after the other."""
    wrong, total, curve = 0.0, 0.0, []
    for _ in range(steps):
        wrong = wrong * (1.0 - chain.recovery) + (1.0 - wrong) * chain.epsilon
        total += wrong
        curve.append(total)
    return np.array(curve)


@pytest.mark.parametrize('chain', CHAINS, ids=str)
def test_the_closed_form_is_what_the_steps_add_up_to(chain):
    np.testing.assert_allclose(chain.expected(range(1, 301)), recursion(chain, 300), rtol=1e-10)


@pytest.mark.parametrize('steps, bound, absorbing, recoverable', [
    (200, 400.0, 114.3, 2.0), (1000, 10_000.0, 901.0, 10.0)])
def test_the_numbers_of_the_lesson(steps, bound, absorbing, recoverable):
    assert 0.01 * steps ** 2 == pytest.approx(bound)
    assert Chain(0.01).expected([steps])[0] == pytest.approx(absorbing, abs=0.05)
    assert Chain.recoverable_at_once(0.01).expected([steps])[0] == pytest.approx(recoverable)
    drawn = lines(0.01, [steps])
    assert drawn['quadratic'][0] == drawn['leading'][0] == steps, 'the bound is empty: capped'
    assert drawn['linear'][0] == pytest.approx(recoverable)


def test_at_one_step_the_bounds_are_equal_and_exact():
    drawn = lines(0.01, [1])
    assert drawn['quadratic'][0] == drawn['linear'][0] == 0.01
    assert all(chain.expected([1])[0] == pytest.approx(chain.epsilon) for chain in CHAINS)


@pytest.mark.parametrize('first, expected', [(400, 1.98), (800, 1.96)])
def test_the_local_exponent_of_the_absorbing_chain_is_below_two(first, expected):
    assert Chain(1e-4).exponent(first, 2 * first) == pytest.approx(expected, abs=0.005)
    assert Chain.recoverable_at_once(1e-4).exponent(first, 2 * first) == pytest.approx(1.0)


def test_slow_recovery_looks_quadratic_until_the_episode_is_much_longer():
    slow = Chain(1e-5, recovery=0.001)
    assert slow.exponent(50, 100) > 1.9
    assert slow.exponent(100_000, 200_000) < 1.02


@pytest.mark.parametrize('chain', CHAINS, ids=str)
def test_the_simulation_draws_from_the_chain(chain):
    ends = (1, 2, 10, 100, 400)
    counts = chain.simulate(np.random.default_rng(0), 20_000, ends)
    error = counts.std(axis=0) / np.sqrt(len(counts))
    assert (np.abs(counts.mean(axis=0) - chain.expected(ends)) <= 4.0 * error + 1e-12).all()
    assert (np.diff(counts, axis=1) <= np.diff(ends)).all()


@pytest.mark.parametrize('first', [100, 200, 400])
def test_a_hundred_thousand_episodes_show_the_exponent_within_a_twentieth(first):
    chain = Chain(1e-4)
    assert 2 * chain.epsilon * first <= 0.1, 'the regime in which 2 is the answer'
    low, high = chain.simulate(np.random.default_rng(1), 100_000, (first, 2 * first)).mean(axis=0)
    found = slope(low, high, first, 2 * first)
    assert found == pytest.approx(chain.exponent(first, 2 * first), abs=0.05)
    assert found == pytest.approx(2.0, abs=0.05)


@pytest.mark.parametrize('epsilon, recovery', [(0.0, 0.0), (1.5, 0.0), (0.1, -0.1), (0.1, 1.1)])
def test_what_is_no_probability_is_refused(epsilon, recovery):
    with pytest.raises(ValueError, match='expected'):
        Chain(epsilon, recovery)
