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
from typing import Annotated

from il_ros.contract.episode_spec import LARGEST_SEED, Name
from il_ros.contract.options import read_options
from il_ros.errors import ImitationError
from il_ros.settings import one_of, Settings
from msgspec import Meta

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


FIXED, SEQUENTIAL = 'fixed', 'sequential'
"""Evaluations between rounds: of so many episodes, or as few as it takes to compare."""


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
class Goal(Settings, refusal=GoalError):
    """A whole run; see ``RunDagger.action`` for the fields."""

    run: Name
    task: Annotated[str, Meta(
        min_length=1, max_length=64, description='a name of 1 to 64 characters')]
    strategy: str
    config: str = ''
    demonstrations: Annotated[int, Meta(ge=1, le=DEMONSTRATION_SEEDS)] = 10
    rounds: Annotated[int, Meta(ge=0, le=99)] = 6
    episodes_per_round: int = 10
    horizon: Annotated[int, Meta(ge=0)] = 0
    continuing: bool = False
    options: str = ''
    evaluation_episodes: Annotated[int, Meta(ge=0)] = 100
    """Of the rounds between; 0: they are not evaluated."""
    final_evaluation_episodes: Annotated[int, Meta(ge=0)] = 200
    """Of expert, BC, last round and baseline; 0: they are not evaluated."""
    evaluation_first_seed: Annotated[int, Meta(
        ge=EVALUATION_SEEDS,
        description=f'at least {EVALUATION_SEEDS}, above every seed of training'
    )] = EVALUATION_SEEDS
    baseline: bool = True
    seed: Annotated[int, Meta(ge=0, le=LARGEST_SEED)] = 0
    evaluate: Annotated[str, one_of(FIXED, SEQUENTIAL)] = FIXED
    """How the rounds between are evaluated; sequential: beside the round before, until sure."""
    keep_better: bool = False
    """Collect with the policy loaded before where a new one succeeds less."""

    def __post_init__(self):
        super().__post_init__()
        self.refuse_unless(self.episodes_per_round >= 1 or not self.rounds, 'episodes_per_round',
                           'at least 1')
        rollouts, room = self.rounds * self.episodes_per_round, BLOCK - DEMONSTRATION_SEEDS
        if rollouts > room:
            raise GoalError(f'rounds x episodes_per_round is {rollouts}; expected at most {room}')
        episodes = max(self.evaluation_episodes, self.final_evaluation_episodes)
        self.refuse_unless(
            self.evaluation_first_seed + episodes - 1 <= LARGEST_SEED, 'evaluation_first_seed',
            f'at most {LARGEST_SEED} with the {episodes} episodes from it on')
        self.refuse_unless(
            not self.keep_better or all(map(self.round_seeds, range(self.rounds + 1))),
            'keep_better', 'False where evaluation_episodes or final_evaluation_episodes is 0')
        self.refuse_unless(
            not self.keep_better or self.evaluate == FIXED,
            'keep_better', f'False with evaluate {SEQUENTIAL}, which stops before it is measured')
        read_options(self.options, GoalError)

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

    def round_seeds(self, round_: int) -> range:
        """Return the seeds of the held-out episodes of a round's policy."""
        return self.evaluation_seeds(final=round_ in (0, self.rounds))
