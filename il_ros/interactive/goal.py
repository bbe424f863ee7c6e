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

"""What a run is asked to do (the goal of ``RunDagger``), and which seeds its episodes take."""

from collections.abc import Iterable
import dataclasses
import numbers

from il_ros.contract.episode_spec import DEMONSTRATION, EpisodeSpec, LARGEST_SEED, SpecError
from il_ros.contract.options import OptionsError, read_options
from il_ros.errors import ImitationError

EVALUATION_SEEDS = 1_000_000
"""Evaluation starts here; nothing that is learnt from or chosen by is seeded so high."""

VALIDATION_SEEDS = 500_000
"""Validation (here: held-out demonstrations) starts here."""

BLOCK = 10_000
"""Seeds that belong to one run's seed: its demonstrations first, then its rollouts."""

BLOCKS = VALIDATION_SEEDS // BLOCK
"""Run seeds that differ by a multiple of this draw the same episodes."""

DEMONSTRATION_SEEDS = 4_000
"""Of a block: the first ones, for demonstrations and those that the baseline adds."""

HELD_OUT = 10
"""Demonstrations recorded extra, for the loss on expert states alone."""


class GoalError(ImitationError):
    """A goal that cannot be run as asked; the sentence names the field."""

    code = 801


def refuse_other_seeds(seeds: Iterable[int], first: int, last: int, what: str):
    """
    Keep training and evaluation apart: refuse repeated seeds and those of another purpose.

    :param what: the episodes, for the sentence
    :raises GoalError: naming the first seed that is wrong
    """
    seen: set[int] = set()
    for seed in seeds:
        if not isinstance(seed, numbers.Integral) or not first <= seed <= last:
            raise GoalError(f'seed {seed} is out of range; {what} uses seeds from {first} to '
                            f'{last}')
        if seed in seen:
            raise GoalError(f'seed {seed} comes twice; expected each episode once')
        seen.add(seed)
    if not seen:
        raise GoalError(f'there is no seed; {what} needs at least one')


@dataclasses.dataclass(frozen=True)
class Goal:
    """A whole run; see ``RunDagger.action`` for the fields."""

    run: str
    task: str
    strategy: str
    config: str = ''
    demonstrations: int = 10
    rounds: int = 6
    episodes_per_round: int = 10
    horizon: int = 0
    continuing: bool = False
    options: str = ''
    evaluation_episodes: int = 100
    """Of the rounds between; 0: they are not evaluated."""
    final_evaluation_episodes: int = 200
    """Of expert, BC, last round and baseline; 0: they are not evaluated."""
    evaluation_first_seed: int = EVALUATION_SEEDS
    baseline: bool = True
    seed: int = 0

    def __post_init__(self):
        try:
            EpisodeSpec(episode_id='check', run=self.run, task=self.task, purpose=DEMONSTRATION)
        except SpecError as error:
            raise GoalError(str(error)) from error
        if not self.task:
            raise GoalError('task is empty; expected the name of a task')
        self._check_counts()
        self._check_seeds()
        self._check_options()

    def _check_counts(self):
        if self.demonstrations < 1:
            raise GoalError(f'demonstrations is {self.demonstrations}; expected at least 1')
        for name in ('rounds', 'horizon', 'seed', 'evaluation_episodes',
                     'final_evaluation_episodes'):
            if getattr(self, name) < 0:
                raise GoalError(f'{name} is {getattr(self, name)}; expected at least 0')
        if self.rounds and self.episodes_per_round < 1:
            raise GoalError(f'episodes_per_round is {self.episodes_per_round}; '
                            'expected at least 1')
        if self.rounds > 99:
            raise GoalError(f'rounds is {self.rounds}; expected at most 99')

    def _check_seeds(self):
        if self.demonstrations > DEMONSTRATION_SEEDS:
            raise GoalError(f'demonstrations is {self.demonstrations}; '
                            f'expected at most {DEMONSTRATION_SEEDS}')
        rollouts, room = self.rounds * self.episodes_per_round, BLOCK - DEMONSTRATION_SEEDS
        if rollouts > room:
            raise GoalError(f'rounds x episodes_per_round is {rollouts}; expected at most {room}')
        if self.seed > LARGEST_SEED:
            raise GoalError(f'seed is {self.seed}; expected a uint32')
        if self.evaluation_first_seed < EVALUATION_SEEDS:
            raise GoalError(f'evaluation_first_seed is {self.evaluation_first_seed}; expected at '
                            f'least {EVALUATION_SEEDS}, above every seed of training')
        episodes = max(self.evaluation_episodes, self.final_evaluation_episodes)
        if self.evaluation_first_seed + episodes - 1 > LARGEST_SEED:
            raise GoalError(f'evaluation_first_seed is {self.evaluation_first_seed}; with '
                            f'{episodes} episodes it leaves the range of uint32')

    def _check_options(self):
        try:
            read_options(self.options)
        except OptionsError as error:
            raise GoalError(str(error)) from error

    @property
    def _block(self) -> int:
        return (self.seed % BLOCKS) * BLOCK

    def demonstration_seeds(self, first: int, count: int) -> range:
        """Return the seeds of demonstrations ``first`` .. ``first + count - 1`` of this run."""
        start = self._block + first
        return range(start, min(start + count, self._block + DEMONSTRATION_SEEDS))

    def rollout_seeds(self, round_: int) -> range:
        """Return the seeds of the rollouts of a round >= 1; rounds never share one."""
        start = self._block + DEMONSTRATION_SEEDS + (round_ - 1) * self.episodes_per_round
        return range(start, start + self.episodes_per_round)

    def held_out_seeds(self) -> range:
        """Return the seeds of the held-out demonstrations, among those of validation."""
        start = VALIDATION_SEEDS + self._block
        return range(start, start + HELD_OUT)

    def evaluation_seeds(self, final: bool) -> range:
        """Return the seeds of the held-out episodes; the first are the same for all policies."""
        count = self.final_evaluation_episodes if final else self.evaluation_episodes
        return range(self.evaluation_first_seed, self.evaluation_first_seed + count)
