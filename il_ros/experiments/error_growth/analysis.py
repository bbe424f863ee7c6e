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
Growth of mistakes with the length of an episode: ``J(T)`` and its local exponents.

``J(T)`` is the expected number of mistakes in the first T steps on the policy's own states. Theory
bounds it by ``epsilon T^2`` for behavioural cloning and by ``epsilon T`` for DAgger, where
epsilon is the mistakes a step on the expert's states (Ross and Bagnell, AISTATS 2010, theorem
2.1; Ross, Gordon, Bagnell, AISTATS 2011, theorem 3.2). Both are bounds: what a policy does shows
in the exponent ``d log J / d log T``, and what it shows only in its interval.
"""

import dataclasses
import math
from typing import Sequence

import numpy as np

FEWEST_EVENTS = 10
"""With fewer separate runs of mistakes an exponent is undefined."""

RESAMPLES = 1000
"""Bootstrap samples; an episode is drawn whole."""

CONFIDENCE = 0.95

_LEAST_GRID = 32
"""Down to here the grid halves the horizon; below it has the powers of two."""


@dataclasses.dataclass(frozen=True, eq=False)
class Episodes:
    """Episodes of one policy over a common horizon H; those that ended early are shorter."""

    mistaken: np.ndarray
    """Shape ``(E, H)``, bool; after an episode's end it says nothing."""
    steps: np.ndarray
    """Shape ``(E,)``, int: steps that each one ran; fewer than H: lost, or ended otherwise."""
    reached: np.ndarray
    """Shape ``(E, H)``, bool: a goal was reached by this step."""

    def __post_init__(self):
        if self.mistaken.ndim != 2 or self.reached.shape != self.mistaken.shape \
                or self.steps.shape != self.mistaken.shape[:1]:
            raise ValueError(f'mistakes {self.mistaken.shape}, goals {self.reached.shape} and '
                             f'steps {self.steps.shape}; expected (E, H), (E, H) and (E,)')
        if len(self.steps) and not 0 < self.steps.min() <= self.steps.max() <= self.horizon:
            raise ValueError(f'steps lie from {self.steps.min()} to {self.steps.max()}; expected '
                             f'1 to {self.horizon}')

    def __len__(self) -> int:
        return len(self.steps)

    @property
    def horizon(self) -> int:
        """Return H."""
        return self.mistaken.shape[1]

    @property
    def running(self) -> np.ndarray:
        """Return where an episode still ran, shape ``(E, H)``, bool."""
        return np.arange(self.horizon) < self.steps[:, None]

    @property
    def counted(self) -> np.ndarray:
        """Return the mistakes with every step after an early end as one: the headline."""
        return np.where(self.running, self.mistaken, True)


def grid(horizon: int) -> tuple[int, ...]:
    """
    Return values of T from 1 to ``horizon``: doublings, and one in between.

    >>> grid(400)
    (1, 2, 3, 4, 6, 8, 12, 16, 25, 37, 50, 75, 100, 150, 200, 300, 400)
    """
    if horizon < 1:
        raise ValueError(f'horizon is {horizon}; expected at least 1')
    values, at = {horizon}, horizon
    while at > _LEAST_GRID:
        values |= {3 * at // 4, at // 2}
        at //= 2
    power = 1
    while power < at:
        values |= {power} | ({3 * power // 2} if 1 < power <= at // 2 else set())
        power *= 2
    return tuple(sorted(values))


def weights(episodes: int, rng: np.random.Generator, resamples: int = RESAMPLES) -> np.ndarray:
    """
    Return how often each episode counts: row 0 as they are, then the bootstrap samples.

    Policies that ran on the same seeds share them, so that their ratio is resampled in pairs.

    :returns: shape ``(1 + resamples, episodes)``, float64
    """
    drawn = rng.multinomial(episodes, np.full(episodes, 1.0 / episodes), size=resamples)
    return np.concatenate([np.ones((1, episodes)), drawn])


def growth(episodes: Episodes, horizons: Sequence[int], weight: np.ndarray,
           burn_in: int = 0) -> np.ndarray:
    """
    Return ``J(T)``, an early end counted as a mistake in every remaining step.

    :param horizons: values of T, at most ``H - burn_in``
    :param weight: of the episodes, shape ``(B, E)``; need not be whole numbers
    :param burn_in: steps at the start that are left out; T counts from there
    :returns: shape ``(B, len(horizons))``
    """
    return mean_counts(counts_at(episodes.counted[:, burn_in:], horizons), weight)


def censored_growth(episodes: Episodes, horizons: Sequence[int], weight: np.ndarray,
                    burn_in: int = 0) -> np.ndarray:
    """
    Return ``J(T)`` without the steps after an early end: the mean cumulative function.

    In each step the mistakes count over the episodes that still run (Nelson, Journal of Quality
    Technology, 1988). NaN from where none runs any more; other arguments as in ``growth``.
    """
    running = episodes.running[:, burn_in:]
    made = weight @ (episodes.mistaken[:, burn_in:] & running)
    at_risk = weight @ running.astype(float)
    with np.errstate(invalid='ignore', divide='ignore'):
        return np.cumsum(made / at_risk, axis=1)[:, _columns(horizons, running.shape[1])]


def counts_at(flags: np.ndarray, horizons: Sequence[int]) -> np.ndarray:
    """Return how many of the first T are set, shape ``(E, len(horizons))``, int."""
    return np.cumsum(flags, axis=1)[:, _columns(horizons, flags.shape[1])]


def mean_counts(counts: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Return the weighted mean over episodes of ``(E, G)`` counts, shape ``(B, G)``."""
    return weight @ counts / weight.sum(axis=1, keepdims=True)


def _columns(horizons: Sequence[int], longest: int) -> np.ndarray:
    columns = np.asarray(horizons, int) - 1
    if len(columns) and not 0 <= columns.min() <= columns.max() < longest:
        raise ValueError(f'T is {columns.min() + 1} to {columns.max() + 1}; expected 1 to '
                         f'{longest}')
    return columns


@dataclasses.dataclass(frozen=True)
class Estimate:
    """A number and its 95 % bootstrap interval; None: undefined."""

    value: float | None
    low: float | None
    high: float | None

    @classmethod
    def of(cls, samples: np.ndarray, tail: float = (1.0 - CONFIDENCE) / 2.0) -> 'Estimate':
        """
        Take the first sample as the estimate and the others as the bootstrap's.

        A sample that is not a number might be anything: it widens the interval on both sides.

        :param tail: share of the samples on either side of the interval
        """
        value, drawn = samples[0], samples[1:]
        if not len(drawn):
            return cls(_finite(value), None, None)
        low = np.quantile(np.where(np.isnan(drawn), -np.inf, drawn), tail, method='lower')
        high = np.quantile(np.where(np.isnan(drawn), np.inf, drawn), 1.0 - tail, method='higher')
        return cls(*(_finite(number) for number in (value, low, high)))

    def as_dict(self) -> dict:
        """Return the numbers by name, rounded to six digits."""
        return {name: None if number is None else round(number, 6)
                for name, number in dataclasses.asdict(self).items()}


def _finite(number: float) -> float | None:
    return float(number) if math.isfinite(number) else None


@dataclasses.dataclass(frozen=True)
class Exponent:
    """``d log J / d log T`` over [first, last]; undefined below ``FEWEST_EVENTS``."""

    first: int
    last: int
    events: int
    """Separate runs of mistakes in the first ``first`` steps, over all episodes."""
    estimate: Estimate

    @property
    def superlinear(self) -> bool:
        """Whether the lower bound exceeds 1: the only thing that shows growth faster than T."""
        return self.estimate.low is not None and self.estimate.low > 1.0

    def as_dict(self) -> dict:
        """Return the fields, plain."""
        return {'first': self.first, 'last': self.last, 'events': self.events,
                **self.estimate.as_dict(), 'superlinear': self.superlinear}


def windows(horizon: int, burn_in: int = 0) -> tuple[tuple[int, int], ...]:
    """Return the windows [T, 2T] in what is left of the horizon, the longest one included."""
    left = horizon - burn_in
    if left < 2:
        return ()
    firsts = {first for first in grid(horizon) if 2 * first <= left} | {left // 2}
    return tuple((first, 2 * first) for first in sorted(firsts))


def slope(low: np.ndarray, high: np.ndarray, first: int, last: int) -> np.ndarray:
    """Return the exponent between ``J(first)`` and ``J(last)``; NaN or inf where J is 0."""
    with np.errstate(divide='ignore', invalid='ignore'):
        return np.log(np.asarray(high) / np.asarray(low)) / math.log(last / first)


def exponents(episodes: Episodes, weight: np.ndarray, burn_in: int = 0,
              censored: bool = False) -> tuple[Exponent, ...]:
    """
    Return the local exponents of ``J`` over all ``windows``.

    :param weight: as from ``weights``, row 0 the estimate
    :param burn_in: as in ``growth``
    :param censored: of the censored ``J`` instead of the headline
    """
    spans = windows(episodes.horizon, burn_in)
    measure = censored_growth if censored else growth
    flags = (episodes.mistaken & episodes.running if censored else episodes.counted)[:, burn_in:]
    begins = flags.copy()
    begins[:, 1:] &= ~flags[:, :-1]
    found = []
    for first, last in spans:
        events = int(begins[:, :first].sum())
        estimate = Estimate(None, None, None)
        if events >= FEWEST_EVENTS:
            low, high = measure(episodes, (first, last), weight, burn_in).T
            estimate = Estimate.of(slope(low, high, first, last))
        found.append(Exponent(first, last, events, estimate))
    return tuple(found)


def lines(epsilon: float, horizons: Sequence[int] | np.ndarray) -> dict[str, np.ndarray]:
    """
    Return the theoretical bounds at each T, at most T mistakes.

    ``quadratic`` is epsilon T^2 (cloning's bound), ``linear`` epsilon T (DAgger's), ``leading``
    epsilon T^2 / 2, the leading term of the absorbing chain. At T = 1 the bounds are equal.
    """
    steps = np.asarray(horizons, float)
    return {name: np.minimum(values, steps) for name, values in (
        ('quadratic', epsilon * steps ** 2), ('linear', epsilon * steps),
        ('leading', epsilon * steps ** 2 / 2.0))}
