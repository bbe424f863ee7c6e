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
Analysis of a study's curves: labels needed, ratios, rates of intervention, correlations.

A curve reaches the target, ``SHARE`` of the expert's success, at its first point that has it and
after which no point's whole 95 % interval lies below it: one lucky round is not enough. Intervals
of everything else resample the training seeds and the evaluation episodes
(``training_seeds.py``); all curves of all training seeds, and the expert, share the samples of
the episodes. A method is known only at its budgets: it needs more labels than the last budget
that is too small, and at most those of the first that reaches the target.
"""

import math
from typing import Mapping, NamedTuple, Sequence

from il_ros.evaluation.interval import wilson
from il_ros.experiments.error_growth.analysis import Estimate, RESAMPLES, weights
from il_ros.experiments.label_efficiency.points import in_rounds, nearest, numbers_above, Point
from il_ros.experiments.label_efficiency.training_seeds import over_seeds
import numpy as np

SHARE = 0.95
"""Share of the expert's success that is the target."""

COSTS = ('labels', 'expert_driven_steps', 'queries', 'watched', 'policy_driven_steps',
         'takeovers', 'expert_seconds')

FIRST_POOLED = 2
"""The realised rate of intervention counts from this round on: the first one adapts."""

FEWEST_STEPS = 3000
"""With fewer steps a realised rate is uncertain."""


class Sampled(NamedTuple):
    """Samples of the episodes, the same for all training seeds; row 0 is the measurement."""

    weight: np.ndarray
    """Weight of each episode, shape ``(B, E)``, whole numbers."""
    target: np.ndarray
    """Target success, shape ``(B,)``."""


def sample(expert_wins: str, rng: np.random.Generator, resamples: int = RESAMPLES) -> Sampled:
    """Draw episodes, and compute the target for each sample."""
    won = np.array([one == '1' for one in expert_wins], float)
    weight = weights(len(won), rng, resamples)
    return Sampled(weight, SHARE * (weight @ won) / len(won))


def compared(cloned: Sequence[Point], ours: Sequence[Point],
             group: Sequence[Sequence[Point]]) -> tuple[Point, ...]:
    """
    Return the points of BC that a curve is compared with.

    They are those nearest to the curve's own budgets and, above these, the steps of
    ``numbers_above``. With more points the curve of BC would fall below the target more often.

    :param group: curves of the same seed, this one among them, with the same BC
    """
    labels = np.array([point.labels for point in cloned])
    own = {nearest(labels, point.labels) - 1 for point in ours}
    least = min(max(point.labels for point in curve) for curve in group)
    steps = numbers_above(cloned[nearest(labels, least) - 1].number, cloned[-1].number)
    return tuple(point for at, point in enumerate(cloned)
                 if at in own or (at > max(own) and point.number in steps))


def reached(rates: np.ndarray, highs: np.ndarray, target: np.ndarray) -> np.ndarray:
    """
    Return the first point that reaches the target and after which no interval lies below it.

    :param rates: success, shape ``(B, P)``, points in order
    :param highs: upper ends of its 95 % intervals, same shape
    :param target: shape ``(B,)``
    :returns: index of the point, shape ``(B,)``, int; -1: there is none
    """
    below = highs < target[:, None]
    below_after = np.zeros_like(below)
    below_after[:, :-1] = np.logical_or.accumulate(below[:, :0:-1], axis=1)[:, ::-1]
    holds = (rates >= target[:, None]) & ~below_after
    return np.where(holds.any(axis=1), holds.argmax(axis=1), -1)


def reached_at(curve: Sequence[Point], sampled: Sampled) -> np.ndarray:
    """Return ``reached`` of a curve in every sample, shape ``(B,)``, int."""
    counts = sampled.weight @ np.array([point.won for point in curve]).T
    episodes = len(curve[0].wins)
    highs = np.array([wilson(k, episodes).high for k in range(episodes + 1)])
    return reached(counts / episodes, highs[counts.astype(int)], sampled.target)


def cost_at(curve: Sequence[Point], index: np.ndarray, key: str) -> np.ndarray:
    """Return a cost at these points, shape ``(B,)``; infinite where there is none (-1)."""
    values = np.array([getattr(point, key) for point in curve] + [np.inf], float)
    return values[index]


class Needed(NamedTuple):
    """Costs of reaching the target with one method, over its training seeds."""

    seeds: int
    reached_seeds: int
    costs: dict[str, float | None]
    """Median over seeds of each of ``COSTS``; None: half of the seeds do not reach it."""
    labels: Estimate
    too_few: dict[int, int]
    """Labels of the budget before, by seed; the largest if it is not reached, 0 at the first."""
    samples: dict[int, np.ndarray]
    """Labels by seed, shape ``(B,)``, infinite where it is not reached."""


def needed(curves: Mapping[int, Sequence[Point]], sampled: Sampled) -> Needed:
    """Return the costs of a method at the first budget that reaches the target."""
    index = {seed: reached_at(curve, sampled) for seed, curve in curves.items()}
    samples = {seed: cost_at(curve, index[seed], 'labels') for seed, curve in curves.items()}
    costs = {}
    for key in COSTS:
        value = np.median([cost_at(curve, index[seed][:1], key)[0]
                           for seed, curve in curves.items()])
        costs[key] = float(value) if np.isfinite(value) else None
    too_few = {seed: (0, *(point.labels for point in curve))[index[seed][0]]
               for seed, curve in curves.items()}
    return Needed(len(curves), sum(int(one[0] >= 0) for one in index.values()), costs,
                  over_seeds(samples), too_few, samples)


class Ratio(NamedTuple):
    """Labels of a method relative to those of BC, median over training seeds."""

    estimate: Estimate
    at_most: bool
    """BC does not reach the target with one of the seeds; its largest budget is used."""
    least: float | None
    """Smallest ratio that the gaps between budgets allow; None: unknown."""
    most: float | None
    """Largest ratio that the gaps between budgets allow; None: unknown."""
    favours: tuple[int, int] = (0, 0)
    """Training seeds that need fewer labels with the method, and with BC."""


def ratio(ours: Needed, theirs: Needed, largest: Mapping[int, int]) -> Ratio:
    """
    Compare two methods' labels, seed by seed.

    :param largest: of each seed, the most labels that the other method was given
    """
    rows, ends, at_most = {}, [], False
    both = sorted(ours.samples.keys() & theirs.samples.keys())
    for seed in both:
        other = theirs.samples[seed]
        at_most |= bool(np.isinf(other[0]))
        rows[seed] = ours.samples[seed] / np.minimum(other, largest[seed])
        ends.append((ours.too_few[seed] / other[0],
                     ours.samples[seed][0] / (theirs.too_few[seed] or math.nan)))
    if not rows:
        return Ratio(Estimate(None, None, None), False, None, None)
    least, most = (float(end) if math.isfinite(end) else None for end in np.median(ends, axis=0))
    pairs = [(ours.samples[seed][0], theirs.samples[seed][0]) for seed in both]
    return Ratio(over_seeds(rows), at_most, least, most,
                 (sum(bool(a < b) for a, b in pairs), sum(bool(a > b) for a, b in pairs)))


def realised_rate(curves: Mapping[int, Sequence[Point]], target: float) -> dict:
    """Return the share of steps that the expert drove in the later rounds, all seeds pooled."""
    expert, policy, takeovers = (
        sum(in_rounds(curve, key, FIRST_POOLED) for curve in curves.values()
            if curve[-1].number >= FIRST_POOLED)
        for key in ('expert_driven_steps', 'policy_driven_steps', 'takeovers'))
    steps = expert + policy
    realised = expert / steps if steps else None
    within = realised is not None and target / 1.5 <= realised <= 1.5 * target
    return {'target': target, 'realised': realised, 'steps': steps, 'takeovers': takeovers,
            'within_1.5': within, 'enough_steps': steps >= FEWEST_STEPS}


def rank_correlation(one: Sequence[float], other: Sequence[float]) -> float | None:
    """
    Return Spearman's rank correlation, ties at their mean rank; None where it is undefined.

    Spearman, American Journal of Psychology, 1904.
    """
    ranks = np.array([_ranks(np.asarray(values, float)) for values in (one, other)])
    if ranks.shape[1] < 3 or (np.ptp(ranks, axis=1) == 0.0).any():
        return None
    return float(np.corrcoef(ranks)[0, 1])


def _ranks(values: np.ndarray) -> np.ndarray:
    _, place, count = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(count) - (count - 1) / 2.0)[place]


def median_line(curves: Mapping[int, Sequence[Point]], key: str) -> tuple[list, list]:
    """
    Return the median curve over seeds: costs, and success in per cent.

    By rounds, where all seeds have them; cloned curves, whose budgets differ from seed to seed,
    are interpolated at the costs of all of them that lie in their common range.
    """
    found = list(curves.values())
    cost = [[getattr(point, key) for point in curve] for curve in found]
    rate = [[100.0 * point.success.rate for point in curve] for curve in found]
    if not found[0][0].cloned:
        length = min(map(len, cost))
        return ([float(np.median([one[at] for one in cost])) for at in range(length)],
                [float(np.median([one[at] for one in rate])) for at in range(length)])
    low, high = max(one[0] for one in cost), min(one[-1] for one in cost)
    at = sorted({value for one in cost for value in one if low <= value <= high})
    lines = [np.interp(at, x, y) for x, y in zip(cost, rate)]
    return at, np.median(lines, axis=0).tolist()
