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

"""Demonstrations, training and evaluation in one process: what comes out, what is refused."""

import dataclasses

import gymnasium
import il_ros
import numpy as np
import pytest

FEW = il_ros.TrainConfig(inputs=('goal_position - tool_position',), hidden=(64,), steps=400)
OFF = np.zeros(3, np.float32)


@pytest.fixture(scope='module')
def env():
    """Yield the environment of reach."""
    made = il_ros.make_env('reach')
    yield made
    made.close()


@pytest.fixture(scope='module')
def expert(env):
    """Return the expert of reach."""
    return il_ros.make_expert('reach', env.contract)


@pytest.fixture(scope='module')
def data(env, expert):
    """Return five demonstrations."""
    return il_ros.demonstrate(env, expert, range(5))


@pytest.fixture(scope='module')
def policy(data):
    """Return a policy that was trained on them."""
    return il_ros.train(data, FEW)


def test_demonstrations_are_whole_episodes_and_their_pairs(env, data):
    assert [one.seed for one in data.episodes] == list(range(5))
    assert len(data) == sum(one.steps for one in data.episodes)
    assert data.task == 'reach' and data.contract == env.contract
    row = 0
    for one in data.episodes:
        assert one.success and one.observations.shape == (one.steps + 1, env.contract.width)
        assert one.actions.shape == one.labels.shape == (one.steps, 3)
        part = slice(row, row + one.steps)
        np.testing.assert_array_equal(data.observations[part], one.observations[:-1])
        np.testing.assert_array_equal(data.actions[part], one.labels)
        assert data.steps.starts[one.seed] == row
        row += one.steps


def test_the_same_seeds_give_the_same_data_in_any_order(data):
    other = il_ros.make_env('reach')
    expert = il_ros.make_expert('reach', other.contract)
    again = il_ros.demonstrate(other, expert, (4, np.int64(2)))
    other.close()
    for one, seed in zip(again.episodes, (4, 2)):
        for name in ('observations', 'actions', 'labels'):
            np.testing.assert_array_equal(getattr(one, name), getattr(data.episodes[seed], name))


def test_a_horizon_cuts_every_episode(env, expert):
    data = il_ros.demonstrate(env, expert, range(2), horizon=4)
    assert [one.steps for one in data.episodes] == [4, 4]
    assert not any(one.success for one in data.episodes)


def test_a_policy_of_few_demonstrations_reaches_most_held_out_goals(env, policy):
    found = il_ros.evaluate(env, policy, episodes=20)
    assert found.successes >= 15
    assert list(found.outcomes) == list(range(1_000_000, 1_000_020))
    assert found.rate == found.interval.rate == found.successes / 20
    assert il_ros.evaluate(env, policy, episodes=3, first_seed=1_000_002).outcomes == {
        seed: found.outcomes[seed] for seed in range(1_000_002, 1_000_005)}


def test_an_evaluation_is_printed_with_its_interval():
    found = il_ros.Evaluation('push', {seed: seed < 49 for seed in range(200)})
    assert str(found) == '49 of 200: 24.5 % (19 to 31)'


def test_any_function_is_evaluated_and_one_that_holds_still_fails(env):
    assert il_ros.evaluate(env, lambda observation: OFF, episodes=2).successes == 0


def test_the_same_seed_gives_the_same_weights_and_reports_its_progress(data, policy):
    reports = []
    again = il_ros.train(data, FEW, progress=reports.append)
    other = il_ros.train(data, FEW, seed=1)
    assert [report.step for report in reports] == list(range(50, 401, 50))
    answers = [one.act_batch(data.observations) for one in (policy, again, other)]
    np.testing.assert_array_equal(answers[0], answers[1])
    assert not np.array_equal(answers[0], answers[2])
    assert policy.info['labels'] == len(data)


def test_training_takes_the_settings_of_the_contract_or_else_of_the_task(data, monkeypatch):
    asked = []
    monkeypatch.setattr(il_ros.TrainConfig, 'of', lambda *words: asked.append(words) or FEW)
    il_ros.train(data)
    assert asked == [('reach', 'reach')]


def test_a_policy_with_history_and_chunks_learns_from_episodes_and_has_its_memory(env, data):
    memory = dataclasses.replace(FEW, history=2, chunk=4, execute=4)
    policy = il_ros.train(data, memory)
    assert policy(data.observations[0]).shape == (3,)
    assert il_ros.evaluate(env, policy, episodes=10).successes >= 5


def test_a_policy_is_saved_and_loaded(tmp_path, data, policy):
    sha256 = il_ros.save_policy(policy, tmp_path / 'new' / 'mine')
    loaded = il_ros.load_policy(str(tmp_path / 'new' / 'mine'))
    assert loaded.sha256 == sha256
    np.testing.assert_array_equal(loaded(data.observations[3]), policy(data.observations[3]))
    with pytest.raises(il_ros.ImitationError, match='nowhere is not there'):
        il_ros.load_policy(tmp_path / 'nowhere')


def test_images_are_demonstrated_and_seen():
    env = il_ros.make_env('reach', contract='reach_image')
    data = il_ros.demonstrate(env, il_ros.make_expert('reach', env.contract), [0], horizon=3)
    feature, = env.contract.images
    assert data.images[feature.name].shape == (3, *feature.shape)
    assert data.episodes[0].images[feature.name].shape == (4, *feature.shape)
    settings = dataclasses.replace(il_ros.TrainConfig.of('reach', 'reach_image'), steps=2,
                                   warmup_steps=1)
    policy = il_ros.train(data, settings)
    observation, _ = env.reset(seed=0)
    np.testing.assert_array_equal(
        policy(observation), policy.act(observation['values'], {
            feature.name: observation[feature.name]}))
    env.close()


@pytest.mark.parametrize('seeds, sentence', [
    ([0, 500_000], 'seed 500000 is out of range; demonstrate uses seeds from 0 to 499999'),
    ([-1], 'seed -1 is out of range'), ([0.5], r'seed 0\.5 is out of range'),
    ([3, 4, 3], 'seed 3 comes twice'), ([], 'there is no seed')])
def test_seeds_of_others_are_refused(env, expert, seeds, sentence):
    with pytest.raises(il_ros.ImitationError, match=sentence):
        il_ros.demonstrate(env, expert, seeds)


@pytest.mark.parametrize('asked, sentence', [
    ({'first_seed': 999_999}, 'seed 999999 is out of range; evaluate uses seeds from 1000000'),
    ({'first_seed': 2**32 - 3, 'episodes': 4}, 'seed 4294967296 is out of range'),
    ({'episodes': 0}, 'episodes is 0; expected at least 1')])
def test_evaluation_keeps_to_its_own_seeds(env, expert, asked, sentence):
    with pytest.raises(il_ros.ImitationError, match=sentence):
        il_ros.evaluate(env, expert, **asked)


def test_a_task_a_contract_and_settings_that_are_none_are_named(data):
    with pytest.raises(il_ros.ImitationError, match="there is no task 'pus'; there are reach, "):
        il_ros.make_env('pus')
    with pytest.raises(il_ros.ImitationError, match="there is no contract 'mine'"):
        il_ros.make_env('reach', contract='mine')
    with pytest.raises(il_ros.ImitationError, match="no training settings for the task 'fold'"):
        il_ros.TrainConfig.of('fold')
    with pytest.raises(il_ros.ImitationError, match='horizon is -1; expected at least 0'):
        il_ros.demonstrate(il_ros.make_env('reach'), il_ros.make_expert(
            'reach', data.contract), [0], horizon=-1)


def test_what_was_made_for_another_task_is_refused(env, expert, policy):
    push = il_ros.make_env('push')
    wrong = il_ros.make_expert('push', push.contract)
    for use in (lambda: il_ros.demonstrate(env, wrong, [0]), lambda: il_ros.evaluate(env, wrong)):
        with pytest.raises(il_ros.ImitationError, match="made for the task 'push', which is not"):
            use()
    with pytest.raises(il_ros.ImitationError, match='trained on another contract'):
        il_ros.evaluate(push, policy)
    with pytest.raises(il_ros.ImitationError, match='env is a CartPoleEnv; expected what il_ros'):
        il_ros.evaluate(gymnasium.make('CartPole-v1').unwrapped, policy)
    push.close()


def test_a_wrapped_environment_is_refused_and_its_inside_taken(expert):
    wrapped = gymnasium.make('il_ros/Reach-v0')
    with pytest.raises(il_ros.ImitationError, match=r'the \.unwrapped of what gymnasium\.make'):
        il_ros.evaluate(wrapped, expert)
    assert il_ros.evaluate(wrapped.unwrapped, expert, episodes=1).successes == 1
    wrapped.close()


def test_an_expert_of_another_contract_is_refused(env):
    first, *rest = env.contract.features
    features = (dataclasses.replace(first, name='other'), *rest)
    other = il_ros.make_expert('reach', dataclasses.replace(env.contract, features=features))
    with pytest.raises(il_ros.ImitationError, match="made for the contract 'reach', which is not"):
        il_ros.demonstrate(env, other, [0])


def test_shifted_states_are_learnt_from_and_counted_apart_from_the_labels(data, policy):
    shift = {'inputs': FEW.inputs, 'hidden': [64], 'steps': 100, 'shift': {'copies': 2}}
    shifted = il_ros.train(data, il_ros.TrainConfig.from_dict(shift))
    assert shifted.info['labels'] == len(data)
    assert shifted.info['synthetic'] == 2 * len(data)
    assert policy.info['synthetic'] == 0


@pytest.mark.parametrize('asked', [
    {'task': 'absent_module:Task'}, {'task': 'reach', 'strategy': 'absent_module:Strategy'}])
def test_what_a_call_names_as_module_and_object_may_be_imported(asked, tmp_path, monkeypatch):
    monkeypatch.setenv('IL_ROS_PLUGINS', '')
    with pytest.raises(il_ros.ImitationError, match='put its folder on PYTHONPATH'):
        il_ros.dagger(**asked, run=tmp_path / 'run')
