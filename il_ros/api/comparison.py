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

"""Comparison of two policies in this process: the same held-out episodes, until it is sure."""

from collections.abc import Callable, Iterator, Mapping
import contextlib
import dataclasses
import json
from pathlib import Path
from typing import Any

from il_ros.api.environments import MismatchError, refuse_other_environment
from il_ros.api.evaluation import act_of, held_out_seeds
from il_ros.api.runs import load_policy
from il_ros.evaluation.paired import NOT_DECIDED, Pairs, SMALLEST_DIFFERENCE, WORDS
from il_ros.interactive.goal import EVALUATION_SEEDS, GoalError
from il_ros.learning import checkpoint
from il_ros.learning.policy import Policy
from il_ros.sim.environment import Environment
from il_ros.sim.episode_loop import run_episode
from il_ros.tasks.contracts import ContractError, task_of


@dataclasses.dataclass(frozen=True)
class Comparison:
    """Outcomes of two policies A and B on the same episodes; ``print`` shows the answer."""

    task: str
    outcomes: dict[int, tuple[bool, bool]]
    """Success of A and of B by seed, in the order of the episodes."""

    pairs: Pairs
    """The outcomes, counted, with success rates, the difference and its confidence interval."""

    @property
    def answer(self) -> str:
        """Return ``'A'``, ``'B'``, ``'no difference'`` or ``'not decided'``."""
        return WORDS[self.pairs.answer]

    @property
    def episodes(self) -> int:
        """Return how many episodes each policy ran."""
        return self.pairs.episodes

    def __str__(self) -> str:
        return self.pairs.sentence()


def compare(a: Policy | Path | str, b: Policy | Path | str, *, env: Environment | None = None,
            episodes: int = 500, smallest_difference: float = SMALLEST_DIFFERENCE,
            first_seed: int = EVALUATION_SEEDS, horizon: int = 0,
            options: Mapping[str, Any] | None = None,
            progress: Callable[[Pairs], None] | None = None) -> Comparison:
    """
    Tell which of two policies succeeds more often, with as few held-out episodes as it takes.

    Both run the episode of one seed after the other, and after each the comparison stops if the
    answer is sure: a wrong one has a probability of at most 5 %, although one looks so often. See
    ``il_ros.evaluation.paired`` for the test.

    >>> import il_ros
    >>> found = il_ros.compare('runs/first/checkpoints/round_00', 'runs/first', horizon=5)
    >>> print(found)
    no difference above 5 % after 105 episodes: A minus B is +0.0 % (95 % interval -5.0 to +5.0)
    >>> found.answer, found.pairs.neither
    ('no difference', 105)

    :param a: a policy, or the folder of a checkpoint or run, as ``load_policy`` takes it
    :param b: the same
    :param env: of the episodes; None: of the contract of each policy, which has the same task
    :param episodes: after which it ends without an answer
    :param smallest_difference: of the success rates, above 0 and below 1; a smaller one is
        no difference
    :param first_seed: from 1000000 up; no training episode is seeded so high
    :param horizon: steps after which an episode is truncated; 0: the task's own
    :param options: of the task's episodes
    :param progress: called after each pair of episodes
    :raises GoalError: if a number is out of range
    :raises MismatchError: if the policies have different tasks, or their contract no environment
    :raises ContractMismatchError: if a policy was made for another contract than that of ``env``
    :raises LearningError: if there is no such checkpoint, or it is damaged
    """
    seeds = held_out_seeds(first_seed, episodes, 'compare')
    if not 0.0 < smallest_difference < 1.0:
        raise GoalError(f'smallest_difference is {smallest_difference}; expected a number between '
                        '0 and 1, e.g. 0.05 for 5 %')
    if horizon < 0:
        raise GoalError(f'horizon is {horizon}; expected at least 0')
    policies = [one if isinstance(one, Policy) else load_policy(one) for one in (a, b)]
    how = {'horizon': horizon, 'options': json.dumps(
        options, sort_keys=True, separators=(',', ':')) if options else ''}
    with _environments(policies, env) as environments:
        def run(seed: int) -> tuple[bool, bool]:
            of_a, of_b = (run_episode(where, act_of(policy), seed, how).success
                          for where, policy in zip(environments, policies))
            return of_a, of_b
        return Comparison(environments[0].simulation.task.name, *_until_sure(
            run, seeds, Pairs(smallest_difference=smallest_difference), progress))


def _until_sure(run: Callable[[int], tuple[bool, bool]], seeds: range, pairs: Pairs,
                progress: Callable[[Pairs], None] | None
                ) -> tuple[dict[int, tuple[bool, bool]], Pairs]:
    """Run pairs of episodes until there is an answer, or no seed is left."""
    outcomes: dict[int, tuple[bool, bool]] = {}
    for seed in seeds:
        outcomes[seed] = run(seed)
        pairs = pairs.after(*outcomes[seed])
        if progress:
            progress(pairs)
        if pairs.answer != NOT_DECIDED:
            break
    return outcomes, pairs


@contextlib.contextmanager
def _environments(policies: list[Policy],
                  env: Environment | None) -> Iterator[list[Environment]]:
    """
    Yield the environment of each policy, one for both where their contract is the same.

    :raises MismatchError: if there is none, or they differ in their task
    :raises ContractMismatchError: if a policy was made for another one
    """
    if env is not None:
        refuse_other_environment(env)
        by_name = dict.fromkeys((policy.contract.name for policy in policies), env)
    else:
        tasks = [_task_of(name, policy) for name, policy in zip('AB', policies)]
        if tasks[0] != tasks[1]:
            raise MismatchError(f'policy A is of the task {tasks[0]!r}, policy B of {tasks[1]!r}; '
                                'expected two policies of one task')
        by_name = {name: Environment(tasks[0], contract=name)
                   for name in {policy.contract.name: None for policy in policies}}
    try:
        for policy in policies:
            checkpoint.check(policy, by_name[policy.contract.name].contract)
        yield [by_name[policy.contract.name] for policy in policies]
    finally:
        if env is None:
            for one in by_name.values():
                one.close()


def _task_of(name: str, policy: Policy) -> str:
    try:
        return task_of(policy.contract.name)
    except ContractError as error:
        raise MismatchError(
            f'policy {name} was made for the contract {policy.contract.name!r}, which is not '
            f'that of an installed task ({error}); give its environment: --task and --contract '
            'of il_ros compare, env of il_ros.compare') from error
