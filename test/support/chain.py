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
A chain whose mistakes are known in closed form: what every estimate of growth is held against.

The policy makes a first mistake with probability ``epsilon`` a step. From then on each step is a
mistake until it recovers, with probability ``recovery`` a step. Without recovery this is the
worst case behind behavioural cloning's quadratic bound, with recovery at once the best case
behind DAgger's linear one (Ross and Bagnell, AISTATS 2010, section 2; Ross, Gordon, Bagnell,
AISTATS 2011, theorems 2.1 and 3.2).
"""

import dataclasses
from typing import Sequence

import numpy as np


@dataclasses.dataclass(frozen=True)
class Chain:
    """Two states, right and mistaken; an episode starts right."""

    epsilon: float
    """Probability of a mistake in a step that follows a right one."""
    recovery: float = 0.0
    """Probability of a right step after a mistaken one; 0: absorbing."""

    def __post_init__(self):
        if not 0.0 < self.epsilon <= 1.0:
            raise ValueError(f'epsilon is {self.epsilon}; expected more than 0, at most 1')
        if not 0.0 <= self.recovery <= 1.0:
            raise ValueError(f'recovery is {self.recovery}; expected 0 to 1')

    @classmethod
    def recoverable_at_once(cls, epsilon: float) -> 'Chain':
        """Return the chain whose steps know nothing of one another: ``J(T) = epsilon T``."""
        return cls(epsilon, 1.0 - epsilon)

    def expected(self, horizons: Sequence[int]) -> np.ndarray:
        """
        Return ``J(T)``, the expected mistakes in the first T steps.

        With l = epsilon + recovery it is ``epsilon / l (T - (1 - l) (1 - (1 - l)^T) / l)``.

        :param horizons: values of T
        :returns: one number for each, float64
        """
        steps = np.asarray(horizons, float)
        both = self.epsilon + self.recovery
        left = 1.0 - both
        return self.epsilon / both * (steps - left * (1.0 - left ** steps) / both)

    def exponent(self, first: int, last: int) -> float:
        """Return ``d log J / d log T`` over [first, last]."""
        low, high = self.expected((first, last))
        return float(np.log(high / low) / np.log(last / first))

    def simulate(self, rng: np.random.Generator, episodes: int,
                 horizons: Sequence[int]) -> np.ndarray:
        """
        Draw episodes, by the lengths of their runs and not step by step.

        :param horizons: values of T, in rising order
        :returns: mistakes in the first T steps, shape ``(episodes, len(horizons))``, int64
        """
        ends = np.asarray(horizons, np.int64)
        counts = np.zeros((episodes, len(ends)), np.int64)
        beyond = int(ends[-1]) + 1
        right = np.zeros(episodes, np.int64)  # the last right step before the next mistake
        alive = np.arange(episodes)
        while len(alive):
            begins = right[alive] + rng.geometric(self.epsilon, len(alive))
            lasts = (rng.geometric(self.recovery, len(alive)) if self.recovery
                     else np.full(len(alive), beyond))
            counts[alive] += np.clip(ends - begins[:, None] + 1, 0, lasts[:, None])
            right[alive] = begins + lasts
            alive = alive[right[alive] < beyond]
        return counts
