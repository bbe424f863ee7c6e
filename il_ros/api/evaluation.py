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

"""Evaluation in this process: the success rate on held-out episodes, with its interval."""

from collections.abc import Callable
import dataclasses

from il_ros.api.environments import MismatchError, refuse_other_environment, refuse_other_expert
from il_ros.contract.episode_spec import LARGEST_SEED
from il_ros.contract.observation import parts_of
from il_ros.evaluation.interval import Interval, wilson
from il_ros.interactive.goal import EVALUATION_SEEDS, GoalError, refuse_other_seeds
from il_ros.learning import checkpoint
from il_ros.learning.policy import Policy
from il_ros.learning.runner import Runner
from il_ros.sim.environment import Environment
from il_ros.sim.episode_loop import Act, Observation, run_episode
from il_ros.tasks.expert import Expert
import numpy as np


@dataclasses.dataclass(frozen=True)
class Evaluation:
    """Outcome of each held-out episode; ``print`` shows the rate with its 95 % interval."""

    task: str
    outcomes: dict[int, bool]
    """Success by seed, in the order of the episodes."""

    @property
    def successes(self) -> int:
        """Return how many episodes succeeded."""
        return sum(self.outcomes.values())

    @property
    def rate(self) -> float:
        """Return successes per episode, from 0 to 1."""
        return self.interval.rate

    @property
    def interval(self) -> Interval:
        """Return where the true rate lies with 95 % confidence (Wilson)."""
        return wilson(self.successes, len(self.outcomes))

    def __str__(self) -> str:
        found = self.interval
        return (f'{found.k} of {found.n}: {100 * found.rate:.1f} % '
                f'({100 * found.low:.0f} to {100 * found.high:.0f})')


def evaluate(env: Environment, driver: Policy | Expert | Callable[[Observation], np.ndarray], *,
             episodes: int = 100, first_seed: int = EVALUATION_SEEDS) -> Evaluation:
    """
    Measure the success of a policy or an expert on held-out episodes.

    The episodes are the same for whoever drives. A policy with a history or chunks has its memory
    here, which begins anew with each episode.

    >>> import il_ros
    >>> env = il_ros.make_env('reach')
    >>> print(il_ros.evaluate(env, il_ros.make_expert('reach', env.contract), episodes=3))
    3 of 3: 100.0 % (44 to 100)

    :param driver: a policy, an expert, or any function from an observation of ``env`` to an
        action, shape ``(act_dim,)``
    :param episodes: how many
    :param first_seed: from 1000000 up; no training episode is seeded so high
    :raises GoalError: if a seed is out of range, or there is no episode
    :raises MismatchError: if the environment is none of this package, or the expert was
        made for another one, or has no answer
    :raises ContractMismatchError: if the policy was made for another contract
    """
    refuse_other_environment(env)
    if isinstance(driver, Policy):
        checkpoint.check(driver, env.contract)
    elif isinstance(driver, Expert):
        refuse_other_expert(env, driver)
    seeds = held_out_seeds(first_seed, episodes, 'evaluate')
    outcomes = {seed: run_episode(env, act_of(driver), seed).success for seed in seeds}
    return Evaluation(env.simulation.task.name, outcomes)


def held_out_seeds(first_seed: int, episodes: int, what: str) -> range:
    """
    Return the seeds of held-out episodes.

    :param what: the function, for the sentence
    :raises GoalError: if a seed is out of range, or there is no episode
    """
    if episodes < 1:
        raise GoalError(f'episodes is {episodes}; expected at least 1')
    for seed in (first_seed, first_seed + episodes - 1):
        refuse_other_seeds([seed], EVALUATION_SEEDS, LARGEST_SEED, what)
    return range(first_seed, first_seed + episodes)


def act_of(driver: Policy | Expert | Callable[[Observation], np.ndarray]) -> Act:
    """Return who drives one episode."""
    if isinstance(driver, Policy):
        runner = Runner(driver)
        return lambda step, observation: runner.act(step, *parts_of(observation))
    if not isinstance(driver, Expert):
        return lambda _, observation: driver(observation)

    def answer(step: int, observation: Observation) -> np.ndarray:
        action = driver.act(parts_of(observation)[0])
        if action is None:
            raise MismatchError(f'the {driver.name} has no answer in step {step}')
        return action
    return answer
