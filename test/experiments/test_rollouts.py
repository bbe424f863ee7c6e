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

"""Episodes in this process: what they report, in any order, in any process, and from a file."""

import dataclasses

from il_ros.contract.episode_spec import SUCCESS
from il_ros.errors import ImitationError
from il_ros.experiments.collection import CHUNK, Collection
from il_ros.experiments.rollouts import Conditions, from_npz, Rollout, RolloutError, RolloutRunner
from il_ros.experiments.rollouts import to_npz
from il_ros.sim.environment import Environment
from il_ros.tasks.expert_registry import make_expert
import numpy as np
import pytest

ENDLESS = Conditions('push', horizon=150, continuing=True)
SEEDS = (500_000, 500_001, 500_002, 500_003, 500_004, 500_005)


def same(one: Rollout, other: Rollout) -> bool:
    """Tell whether two episodes are equal, bit for bit."""
    return all(np.array_equal(getattr(one, field.name), getattr(other, field.name))
               for field in dataclasses.fields(Rollout))


@pytest.fixture(scope='module')
def expert_drives():
    """Return what runs endless episodes of the expert, observations kept."""
    rollouts = RolloutRunner(ENDLESS, keep_observations=True)
    yield rollouts
    rollouts.close()


@pytest.fixture(scope='module')
def shown(expert_drives) -> Rollout:
    """Return one endless episode of the expert."""
    return expert_drives.run(500_000)


def test_the_expert_makes_no_mistake_and_reaches_goal_after_goal(shown):
    assert shown.steps == 150 and shown.valid.all()
    np.testing.assert_array_equal(shown.actions, shown.expert)
    assert shown.reached.sum() == shown.goals_reached >= 3


def test_each_success_brings_another_goal_and_the_hand_has_to_go_round_the_puck(expert_drives):
    contract = Environment('push').contract
    angles = []
    for seed in (500_001, 500_002, 500_003, 500_004):
        seen = expert_drives.run(seed)
        after = np.flatnonzero(seen.reached[:-1]) + 1
        puck, tool, goal = (contract.values(seen.observations, f'{name}_position')[:, :2]
                            for name in ('object', 'tool', 'goal'))
        assert (np.linalg.norm(goal[after] - goal[after - 1], axis=1) > 0.05).all()
        pushed, wanted = (puck - tool)[after], (goal - puck)[after]
        angles += np.arccos((pushed * wanted).sum(axis=1) / np.linalg.norm(pushed, axis=1)
                            / np.linalg.norm(wanted, axis=1)).tolist()
    # Going on the way it went would be an angle of 0.
    assert np.median(angles) > np.radians(75) and np.mean(np.array(angles) > 0.4) > 0.75


def test_an_episode_is_that_of_the_gymnasium_environment(follower):
    runner = RolloutRunner(Conditions('push', 40), str(follower), keep_observations=True)
    rollout = runner.run(500_007)
    environment = Environment('push')
    expert = make_expert('push', environment.contract)
    observation, _ = environment.reset(seed=500_007, options={'horizon': 40})
    for step in range(rollout.steps):
        np.testing.assert_array_equal(observation, rollout.observations[step])
        np.testing.assert_array_equal(expert.act(observation), rollout.expert[step])
        observation, _, terminated, truncated, _ = environment.step(rollout.actions[step])
    assert terminated or truncated
    environment.close()


def test_without_going_on_an_episode_ends_with_its_success():
    rollout = RolloutRunner(Conditions('push')).run(500_000)
    assert rollout.success and rollout.cause == SUCCESS and rollout.goals_reached == 1
    assert rollout.reached.tolist() == [False] * (rollout.steps - 1) + [True]
    assert rollout.observations.shape == (rollout.steps, 0)


def test_two_processes_run_the_same_episodes_as_this_one_and_a_second_call_none(
        tmp_path, follower):
    collection = Collection(ENDLESS, str(follower), tmp_path)
    on_done = []
    found = collection.run(SEEDS, 2, lambda episodes, steps: on_done.append((episodes, steps)))
    assert [one.seed for one in found] == list(SEEDS)
    assert sorted(episodes for episodes, _ in on_done) == [1, CHUNK]
    here = RolloutRunner(ENDLESS, str(follower))
    for seed in (500_005, 500_001):
        assert same(here.run(seed), found[seed - 500_000])
    here.close()
    on_done.clear()
    again = collection.run(SEEDS, 1, lambda episodes, steps: on_done.append(episodes))
    assert not on_done and all(map(same, again, found))


def test_a_chunk_that_is_missing_or_damaged_is_run_again_and_no_other(tmp_path, follower):
    short = Conditions('push', 5)
    collection = Collection(short, str(follower), tmp_path)
    found = collection.run(SEEDS, 1)
    files = sorted(collection.folder.iterdir())
    files[1].write_bytes(files[1].read_bytes()[:-40])
    assert collection.missing(SEEDS) == 1
    on_done = []
    again = collection.run(SEEDS, 1, lambda episodes, steps: on_done.append(episodes))
    assert on_done == [1] and all(map(same, again, found))
    other = Collection(dataclasses.replace(short, horizon=6), str(follower), tmp_path)
    assert other.missing(SEEDS) == len(SEEDS)


def test_a_file_gives_back_what_was_written_and_only_to_who_asks_for_that(shown):
    content = to_npz([shown, shown], 'about this')
    found = from_npz(content, 'about this')
    assert len(found) == 2 and all(same(one, shown) for one in found)
    with pytest.raises(RolloutError, match='other conditions'):
        from_npz(content, 'about that')
    for damaged in (b'', content[:100], content[:-30], b'x' + content[1:]):
        with pytest.raises(RolloutError, match='cannot be read'):
            from_npz(damaged, 'about this')


@pytest.mark.parametrize('task, policy', [('pus', ''), ('push', 'nowhere')])
def test_what_is_not_there_is_named_before_any_process_is_started(tmp_path, task, policy):
    with pytest.raises(ImitationError, match=policy or task):
        Collection(Conditions(task), policy and str(tmp_path / policy), tmp_path)
