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

"""The goal of a run: what is refused, and that no two purposes share a seed."""

import itertools

from hypothesis import given, strategies as st
from il_ros.interactive.goal import BLOCK, DEMONSTRATION_SEEDS, Goal, GoalError
from il_ros.interactive.goal import refuse_other_seeds
import pytest


def _goal(**fields) -> Goal:
    return Goal(**{'run': 'r', 'task': 'push', 'strategy': 'dagger', **fields})


@pytest.mark.parametrize('fields, words', [
    ({'run': 'No Such Name'}, 'run is'),
    ({'task': ''}, "task is ''; expected a name"),
    ({'demonstrations': 0}, 'demonstrations is 0'),
    ({'demonstrations': 5000}, 'demonstrations is 5000; expected a whole number in 1..4000'),
    ({'rounds': -1}, 'rounds is -1'),
    ({'rounds': 100}, 'rounds is 100; expected a whole number in 0..99'),
    ({'episodes_per_round': 0}, 'episodes_per_round is 0'),
    ({'rounds': 60, 'episodes_per_round': 101}, 'at most 6000'),
    ({'horizon': -5}, 'horizon is -5'),
    ({'evaluation_episodes': -1}, 'evaluation_episodes is -1'),
    ({'evaluate': 'often'}, "evaluate is 'often'; expected one of fixed, sequential"),
    ({'evaluation_first_seed': 999_999}, 'evaluation_first_seed is 999999'),
    ({'evaluation_first_seed': 2 ** 32 - 1}, 'at most 4294967295 with the 200 episodes'),
    ({'evaluation_first_seed': 2 ** 32 - 199}, 'at most 4294967295 with the 200 episodes'),
    ({'seed': 2 ** 32}, r'seed is 4294967296; expected a whole number in 0\.\.4294967295'),
    ({'seed': -1}, 'seed is -1'),
    ({'keep_better': True, 'evaluation_episodes': 0},
     'keep_better is True; expected False where evaluation_episodes'),
    ({'options': '{'}, 'options are not JSON'),
    ({'options': '[1]'}, 'expected a JSON object')])
def test_a_goal_that_cannot_be_run_is_refused_by_its_field(fields, words):
    with pytest.raises(GoalError, match=words) as refusal:
        _goal(**fields)
    assert refusal.value.code == 801


@given(st.integers(0, 2 ** 32 - 1), st.integers(1, 50), st.integers(0, 20), st.integers(1, 100))
def test_no_seed_is_used_for_two_purposes(seed, demonstrations, rounds, episodes):
    goal = _goal(seed=seed, demonstrations=demonstrations, rounds=rounds,
                 episodes_per_round=episodes)
    ranges = [goal.demonstration_seeds(0, DEMONSTRATION_SEEDS), goal.held_out_seeds(),
              goal.evaluation_seeds(final=True),
              *(goal.rollout_seeds(round_) for round_ in range(1, rounds + 1))]
    for one, other in itertools.combinations(ranges, 2):
        assert one.stop <= other.start or other.stop <= one.start
    for training in (ranges[0], *ranges[3:]):
        assert 0 <= training.start and training.stop <= 500_000
    assert 500_000 <= ranges[1].start and ranges[1].stop <= 1_000_000


def test_neighbouring_seeds_share_no_episode():
    assert _goal(seed=1).demonstration_seeds(0, 1).start == BLOCK
    assert _goal(seed=0, rounds=60, episodes_per_round=100).rollout_seeds(60).stop == BLOCK


def test_fewer_evaluation_episodes_are_the_first_of_the_final_ones():
    goal = _goal(evaluation_episodes=5, final_evaluation_episodes=9)
    assert list(goal.evaluation_seeds(final=False)) == list(goal.evaluation_seeds(final=True))[:5]


@pytest.mark.parametrize('fields', [
    {'demonstrations': 1}, {'demonstrations': 4000}, {'rounds': 0}, {'rounds': 99},
    {'rounds': 0, 'episodes_per_round': 0}, {'rounds': 60, 'episodes_per_round': 100},
    {'evaluation_episodes': 0, 'final_evaluation_episodes': 0}, {'task': 'x' * 64},
    {'evaluation_first_seed': 2 ** 32 - 200}, {'seed': 2 ** 32 - 1},
    {'evaluation_first_seed': 2 ** 32 - 300, 'evaluation_episodes': 300}])
def test_a_goal_at_the_ends_of_its_bounds_is_taken(fields):
    assert _goal(**fields).run == 'r'


def test_what_a_goal_does_not_say_is_the_usual():
    assert _goal() == Goal('r', 'push', 'dagger', '', 10, 6, 10, 0, False, '', 100, 200,
                           1_000_000, True, 0, 'fixed')


def test_the_seeds_of_a_run_are_laid_out_as_documented():
    goal = _goal(seed=49, episodes_per_round=10)
    assert goal.demonstration_seeds(3, 5) == range(490_003, 490_008)
    assert goal.demonstration_seeds(3995, 9) == range(493_995, 494_000)
    assert goal.rollout_seeds(1) == range(494_000, 494_010)
    assert goal.rollout_seeds(3) == range(494_020, 494_030)
    assert goal.held_out_seeds() == range(990_000, 990_010)
    assert goal.evaluation_seeds(final=True) == range(1_000_000, 1_000_200)
    assert goal.evaluation_seeds(final=False) == range(1_000_000, 1_000_100)
    assert _goal(seed=50).demonstration_seeds(0, 1).start == 0, 'fifty runs share no episode'


def test_seeds_of_others_or_twice_or_none_are_refused():
    refuse_other_seeds([5, 9, 7], 5, 9, 'it')
    for seeds, words in (([4], 'seed 4 is out of range; it uses seeds from 5 to 9'),
                         ([10], 'seed 10 is out'), ([5.0], 'seed 5.0 is out'),
                         ([6, 7, 6], 'seed 6 comes twice'), ([], 'there is no seed; it needs')):
        with pytest.raises(GoalError, match=words):
            refuse_other_seeds(seeds, 5, 9, 'it')
