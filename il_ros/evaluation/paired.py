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

"""
Sequential comparison of two policies by paired successes, valid after every episode.

Both policies run an episode with the same seed; the difference is 1, 0 or -1. Someone bets that
the mean difference lies above m: of a stake s he keeps 1 - s and puts s on (1 + difference) /
(1 + m), whose mean is at most 1 if the mean difference is at most m. Then his capital reaches c
with a probability of at most 1/c, however often one looks (Ville's inequality), and the values of
m against which it has reached 2/0.05 bound the mean difference from below with 97.5 % confidence.
The same bet on the other side bounds it from above: together a 95 % confidence sequence.

This is hedged betting of Waudby-Smith and Ramdas, "Estimating means of bounded random variables by
betting", JRSS-B 86(1), 2024, section 4. The capital is divided evenly among fixed stakes as in the
universal portfolio of Orabona and Jun, "Tight concentrations and confidence sequences from the
regret of universal portfolio", IEEE Trans. Inf. Theory 70(1), 2024. It depends on the counts of
the differences alone, and against m = 0 on those of the episodes that only one policy solved, as
in McNemar's test.
"""

import dataclasses
from typing import Any

from il_ros.evaluation.interval import Interval, wilson
import numpy as np

CONFIDENCE = 0.95

NOT_DECIDED, A, B, NO_DIFFERENCE = range(4)
"""Answers of a comparison."""

WORDS = ('not decided', 'A', 'B', 'no difference')
"""The answers in words."""

SMALLEST_DIFFERENCE = 0.05
"""Of two success rates, by default: a smaller one does not matter."""

_NEEDED = np.log(2.0 / (1.0 - CONFIDENCE))
"""Logarithm of the capital that decides one of the two sides."""

_STAKES = (np.arange(20) + 0.5) / 20

_BISECTIONS = 40


def log_capital(more: np.ndarray | int, same: np.ndarray | int, less: np.ndarray | int,
                margin: float) -> np.ndarray:
    """
    Return the logarithm of the capital that was won by betting on a mean difference above m.

    :param more: number of episodes with the difference 1; any shape
    :param same: with 0, same shape
    :param less: with -1, same shape
    :param margin: m, in (-1, 1]
    :returns: same shape
    """
    kept, won = 1.0 - _STAKES, _STAKES / (1.0 + margin)
    logs = (np.multiply.outer(more, np.log(kept + 2.0 * won))
            + np.multiply.outer(same, np.log(kept + won)) + np.multiply.outer(less, np.log(kept)))
    most = logs.max(axis=-1)
    return most + np.log(np.exp(logs - most[..., None]).mean(axis=-1))


def answers(only_a: np.ndarray | int, same: np.ndarray | int, only_b: np.ndarray | int,
            smallest_difference: float = SMALLEST_DIFFERENCE) -> np.ndarray:
    """
    Return what counts of paired episodes show, each an index into ``WORDS``.

    A: the confidence sequence lies above 0; B: below 0; no difference: inside plus and minus
    ``smallest_difference``. Whatever the truth is, a comparison that stops at its first answer is
    wrong with a probability of at most 5 %.

    :param only_a: number of episodes in which A alone succeeded; any shape
    :param same: in which both did or neither, same shape
    :param only_b: in which B alone did, same shape
    """
    def surely(more, less, margin):
        return log_capital(more, same, less, margin) >= _NEEDED
    inside = (surely(only_a, only_b, -smallest_difference)
              & surely(only_b, only_a, -smallest_difference))
    return np.select([surely(only_a, only_b, 0.0), surely(only_b, only_a, 0.0), inside],
                     [A, B, NO_DIFFERENCE], NOT_DECIDED)


@dataclasses.dataclass(frozen=True)
class Pairs:
    """Paired episodes of two policies A and B, counted by who succeeded."""

    both: int = 0
    only_a: int = 0
    only_b: int = 0
    neither: int = 0
    smallest_difference: float = SMALLEST_DIFFERENCE

    def __post_init__(self):
        if not 0.0 < self.smallest_difference < 1.0:
            raise ValueError(f'smallest_difference is {self.smallest_difference}; expected a '
                             'number between 0 and 1, e.g. 0.05 for 5 %')

    def after(self, a: bool, b: bool) -> 'Pairs':
        """Return the counts with one more pair, by the success of A and of B."""
        name = ('both' if b else 'only_a') if a else ('only_b' if b else 'neither')
        return dataclasses.replace(self, **{name: getattr(self, name) + 1})

    @property
    def episodes(self) -> int:
        """Return the number of pairs."""
        return self.both + self.only_a + self.only_b + self.neither

    @property
    def answer(self) -> int:
        """Return ``A``, ``B``, ``NO_DIFFERENCE`` or ``NOT_DECIDED``."""
        return int(answers(self.only_a, self.both + self.neither, self.only_b,
                           self.smallest_difference))

    @property
    def rates(self) -> tuple[Interval, Interval]:
        """Return the success of A and of B; their intervals know nothing of the early stop."""
        return (wilson(self.both + self.only_a, self.episodes),
                wilson(self.both + self.only_b, self.episodes))

    @property
    def difference(self) -> float:
        """Return the success rate of A less that of B, as observed; 0 without episodes."""
        return (self.only_a - self.only_b) / max(self.episodes, 1)

    @property
    def interval(self) -> tuple[float, float]:
        """Return where the true difference lies with 95 % confidence, early stop or not."""
        return (self._lowest(self.only_a, self.only_b), -self._lowest(self.only_b, self.only_a))

    def _lowest(self, more: int, less: int) -> float:
        """Return the largest mean difference against which the capital suffices; -1: none."""
        low, high = -1.0, 1.0
        for _ in range(_BISECTIONS):
            middle = 0.5 * (low + high)
            enough = log_capital(more, self.both + self.neither, less, middle) >= _NEEDED
            low, high = (middle, high) if enough else (low, middle)
        return low

    def as_dict(self) -> dict[str, Any]:
        """Return answer, counts and difference by name, rounded to six digits."""
        low, high = self.interval
        return {'answer': WORDS[self.answer], 'episodes': self.episodes,
                **dataclasses.asdict(self), 'difference': round(self.difference, 6),
                'low': round(low, 6), 'high': round(high, 6)}

    def sentence(self, a: str = 'A', b: str = 'B') -> str:
        """Return the answer in words, with the difference and its 95 % interval."""
        if self.answer == B:
            return self._mirrored().sentence(b, a)
        low, high = (100 * bound for bound in self.interval)
        after = f'after {self.episodes} episodes'
        if self.answer == A:
            return (f'{a} is better than {b} {after}, by {100 * self.difference:.1f} % (95 % '
                    f'interval {low:.1f} to {high:.1f})')
        found = 'not decided' if self.answer == NOT_DECIDED else (
            f'no difference above {100 * self.smallest_difference:g} %')
        return (f'{found} {after}: {a} minus {b} is {100 * self.difference:+.1f} % (95 % interval '
                f'{low:+.1f} to {high:+.1f})')

    def _mirrored(self) -> 'Pairs':
        return dataclasses.replace(self, only_a=self.only_b, only_b=self.only_a)
