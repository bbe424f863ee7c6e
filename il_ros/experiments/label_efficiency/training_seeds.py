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
Intervals over training seeds, and methods compared seed by seed.

A claim about a way of training is about all of its training seeds, of which a study has run a
few. Its interval resamples them, as Agarwal et al. do (Deep reinforcement learning at the edge of
the statistical precipice, NeurIPS 2021, section 4), and at a second level the held-out episodes.
These are the same for all seeds and all methods, so that both levels are crossed: a sample draws
the episodes once for all seeds that it draws (Owen, The pigeonhole bootstrap, Annals of Applied
Statistics 2007). Methods share the draws: their differences are resampled in pairs.
"""

from collections.abc import Callable, Mapping, Sequence
import math
from statistics import NormalDist
from typing import NamedTuple

from il_ros.evaluation.interval import Z_95
from il_ros.experiments.error_growth.analysis import Estimate
from il_ros.experiments.label_efficiency.points import nearest, Point
import numpy as np

FEWEST_SEEDS = 3
"""With fewer training seeds there is no interval over them."""

ENOUGH_SEEDS = 6
"""With fewer, not even the range of all seeds has the median of the procedure in 95 of 100."""

_DRAWS = 1
"""Seed of the draws of training seeds: the same for all methods."""


def tail(seeds: int) -> float:
    """
    Return the share of the samples on either side of a 95 % interval.

    It is below 2.5 %, because the bootstrap of a few makes intervals that are too narrow: the
    expanded percentile interval (Hesterberg, What teachers should know about the bootstrap, The
    American Statistician 2015, section 5.3).

    :param seeds: training seeds that were resampled, at least 2
    """
    z, free = Z_95, seeds - 1
    # The quantile of Student's t (Abramowitz and Stegun, 26.7.5).
    student = z + (z ** 3 + z) / (4 * free) + (5 * z ** 5 + 16 * z ** 3 + 3 * z) / (
        96 * free ** 2) + (3 * z ** 7 + 19 * z ** 5 + 17 * z ** 3 - 15 * z) / (384 * free ** 3)
    return NormalDist().cdf(-student * math.sqrt(seeds / free))


def over_seeds(by_seed: Mapping[int, np.ndarray], statistic: Callable = np.median) -> Estimate:
    """
    Return a statistic over training seeds with its 95 % interval, if there are enough of them.

    :param by_seed: by training seed, its value in every sample of the held-out episodes, shape
        ``(B,)``; sample 0 is the measurement
    :param statistic: ``np.median`` or ``np.mean``
    """
    rows = np.array([by_seed[seed] for seed in sorted(by_seed)])
    drawn = np.random.default_rng(_DRAWS).integers(len(rows), size=rows.shape)
    drawn[:, 0] = np.arange(len(rows))
    with np.errstate(invalid='ignore'):  # of two curves neither of which reaches the target
        samples = statistic(np.take_along_axis(rows, drawn, axis=0), axis=0)
    if len(rows) < FEWEST_SEEDS:
        return Estimate.of(samples[:1])
    return Estimate.of(samples, tail(len(rows)))


class Paired(NamedTuple):
    """Difference of two policies' success, by training seed."""

    estimate: Estimate
    """Mean over the seeds that both have."""
    by_seed: dict[int, float]
    labels: tuple[float, float]
    """Of both, median over seeds."""

    @property
    def favours(self) -> tuple[int, int]:
        """Return how many seeds favour the first, and how many the second."""
        values = self.by_seed.values()
        return sum(one > 0.0 for one in values), sum(one < 0.0 for one in values)


def paired(ours: Mapping[int, Point], theirs: Mapping[int, Point],
           weight: np.ndarray) -> Paired | None:
    """
    Compare two methods' policies seed by seed; None: they have no seed in common.

    :param weight: of the episodes, shape ``(B, E)``
    """
    both = sorted(ours.keys() & theirs.keys())
    if not both:
        return None
    samples = {seed: success(ours[seed], weight) - success(theirs[seed], weight) for seed in both}
    labels = [float(np.median([points[seed].labels for seed in both]))
              for points in (ours, theirs)]
    return Paired(over_seeds(samples, np.mean), {seed: float(samples[seed][0]) for seed in both},
                  (labels[0], labels[1]))


def success(point: Point, weight: np.ndarray) -> np.ndarray:
    """Return the success rate in every sample of the episodes, shape ``(B,)``."""
    return weight @ point.won / weight.sum(axis=1)


def at_labels(curve: Sequence[Point], labels: int) -> Point:
    """Return the point of a curve of BC that comes nearest to a number of labels."""
    return curve[nearest(np.array([point.labels for point in curve]), labels) - 1]
