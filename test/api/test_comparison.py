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

"""Comparisons of two policies: who is better, after how many episodes; what is refused."""

import dataclasses

import il_ros
from il_ros.learning.policy import Policy
import pytest

FEW = il_ros.TrainConfig(inputs=('goal_position - tool_position',), hidden=(64,), steps=400)


@pytest.fixture(scope='module')
def env():
    """Yield the environment of reach."""
    made = il_ros.make_env('reach')
    yield made
    made.close()


@pytest.fixture(scope='module')
def policies(env):
    """Return a policy that reaches most goals, and one that reaches few."""
    data = il_ros.demonstrate(env, il_ros.make_expert('reach', env.contract), range(5))
    untrained = dataclasses.replace(FEW, steps=1, warmup_steps=1)
    return il_ros.train(data, FEW), il_ros.train(data, untrained)


def under_contract(policy: Policy, contract: il_ros.Contract) -> Policy:
    """Return the policy as if it had been trained under another contract."""
    return Policy(contract, policy.inputs, policy.normaliser, policy.action_normaliser,
                  policy.net, policy.info)


def test_the_better_one_is_named_on_the_seeds_of_an_evaluation(env, policies):
    told = []
    found = il_ros.compare(*policies, progress=told.append)
    assert found.answer == 'A' and found.task == 'reach' and found.episodes < 60
    assert list(found.outcomes) == list(range(1_000_000, 1_000_000 + found.episodes))
    assert [pairs.episodes for pairs in told] == list(range(1, found.episodes + 1))
    assert [pairs.answer for pairs in told[:-1]] == [0] * (found.episodes - 1)
    for column, policy in enumerate(policies):
        assert il_ros.evaluate(env, policy, episodes=5).outcomes == {
            seed: found.outcomes[seed][column] for seed in range(1_000_000, 1_000_005)}
    assert str(found).startswith(f'A is better than B after {found.episodes} episodes, by')


def test_it_ends_without_an_answer_at_the_last_episode(policies):
    found = il_ros.compare(policies[0], policies[0], episodes=3, horizon=2, first_seed=1_000_007,
                           options={'bumps': {'rate': 0.5, 'speed': 0.1}})
    assert (found.answer, found.episodes) == ('not decided', 3)
    assert list(found.outcomes.values()) == [(False, False)] * 3


def test_two_contracts_of_one_task_have_an_environment_each(policies):
    wider = under_contract(policies[0], il_ros.compose_contract('reach', images=True))
    found = il_ros.compare(policies[0], wider, episodes=2)
    assert found.pairs.only_a == found.pairs.only_b == 0


@pytest.mark.parametrize('asked, sentence', [
    ({'episodes': 0}, 'episodes is 0; expected at least 1'), ({'horizon': -1}, 'horizon is -1'),
    ({'first_seed': 7}, 'seed 7 is out of range; compare uses seeds from 1000000'),
    ({'smallest_difference': 5}, 'smallest_difference is 5; expected a number between 0 and 1'),
    ({'env': 'reach'}, 'env is a str'), ({'options': {'bump': {}}}, 'bump')])
def test_what_cannot_be_is_refused(policies, asked, sentence):
    with pytest.raises(il_ros.ImitationError, match=sentence):
        il_ros.compare(*policies, **asked)


def test_another_task_or_one_that_nobody_knows_is_refused(env, policies):
    renamed = [under_contract(policies[0], dataclasses.replace(env.contract, name=name))
               for name in ('push', 'mine')]
    with pytest.raises(il_ros.ImitationError, match="task 'reach', policy B of 'push'; expected"):
        il_ros.compare(policies[0], renamed[0])
    with pytest.raises(il_ros.ImitationError, match="B was made for the contract 'mine'.*--task"):
        il_ros.compare(policies[0], renamed[1])
    assert il_ros.compare(policies[0], renamed[1], env=env, episodes=1).episodes == 1
