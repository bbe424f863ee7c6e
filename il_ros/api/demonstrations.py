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

"""Demonstrations: the expert drives episodes in this process."""

from collections.abc import Iterable, Sequence

from il_ros.api.demonstration_set import Demonstration, DemonstrationSet
from il_ros.api.environments import MismatchError, refuse_other_environment, refuse_other_expert
from il_ros.contract.observation import parts_of
from il_ros.dataset.steps import Steps
from il_ros.interactive.goal import GoalError, refuse_other_seeds, VALIDATION_SEEDS
from il_ros.sim.environment import Environment
from il_ros.sim.episode_loop import Observation, run_episode
from il_ros.tasks.expert import Expert
import numpy as np


def demonstrate(env: Environment, expert: Expert, seeds: Iterable[int], *,
                horizon: int = 0) -> DemonstrationSet:
    """
    Let the expert drive one episode a seed, and keep every step.

    The same seeds give the same data, bit for bit, in any order. Episodes without success are
    kept: their labels are the expert's all the same.

    >>> import il_ros
    >>> env = il_ros.make_env('reach')
    >>> data = il_ros.demonstrate(env, il_ros.make_expert('reach', env.contract), range(2))
    >>> [episode.success for episode in data.episodes]
    [True, True]
    >>> data.observations.shape == (len(data), env.contract.width)
    True

    :param seeds: of the episodes, each once, from 0 to 499999: the others are for validation
        and evaluation
    :param horizon: steps after which an episode is truncated; 0: the task's own
    :raises GoalError: if a seed or the horizon is out of range
    :raises MismatchError: if the environment is none of this package, the expert was
        made for another one, or it has no answer
    """
    refuse_other_environment(env)
    refuse_other_expert(env, expert)
    seeds = list(seeds)
    refuse_other_seeds(seeds, 0, VALIDATION_SEEDS - 1, 'demonstrate')
    if horizon < 0:
        raise GoalError(f'horizon is {horizon}; expected at least 0')
    return _joined(env, [_episode(env, expert, int(seed), horizon) for seed in seeds])


def _episode(env: Environment, expert: Expert, seed: int, horizon: int) -> Demonstration:
    seen, actions = [], []

    def act(step: int, observation: Observation) -> np.ndarray:
        action = expert.act(parts_of(observation)[0])
        if action is None:
            raise MismatchError(f'the {expert.name} has no answer in step {step} of the episode '
                                f'with seed {seed}')
        seen.append(observation)
        actions.append(action)
        return action

    ending = run_episode(env, act, seed, {'horizon': horizon})
    values, images = zip(*map(parts_of, [*seen, ending.observation]))
    labels = np.array(actions)
    return Demonstration(
        seed, ending.success, ending.cause, np.array(values), labels, labels,
        {name: np.array([one[name] for one in images]) for name in images[0]})


def _joined(env: Environment, episodes: Sequence[Demonstration]) -> DemonstrationSet:
    observations = np.concatenate([one.observations[:-1] for one in episodes])
    labels = np.concatenate([one.labels for one in episodes])
    starts = np.cumsum([0, *(one.steps for one in episodes[:-1])], dtype=np.int64)
    steps = Steps(observations, labels, np.ones(len(labels), bool), starts)
    images = {name: np.concatenate([one.images[name][:-1] for one in episodes])
              for name in episodes[0].images}
    return DemonstrationSet(observations, labels, env.contract, steps, images,
                            env.simulation.task.name, tuple(episodes))
