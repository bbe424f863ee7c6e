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
Points and curves of a study: each point is a checkpoint with the costs of its labels.

A curve has the rounds of one method with one training seed, or behavioural cloning with more and
more demonstrations.
"""

import csv
import dataclasses
import io
from typing import Iterable, Sequence

from il_ros.evaluation.interval import Interval, wilson
import numpy as np

BC = 'BC'

STEP = 1.25
"""Factor between numbers of demonstrations, above the budgets of the other methods."""


@dataclasses.dataclass(frozen=True)
class Point:
    """One checkpoint; costs are cumulative and include the demonstrations."""

    task: str
    method: str
    """A method of collecting, or ``BC``, with the method whose learner it has."""
    cloned: bool
    """Behavioural cloning: demonstrations alone."""
    seed: int
    """Training seed."""
    number: int
    """The round; with behavioural cloning, the number of demonstrations."""
    labels: int
    queries: int
    watched: int
    expert_driven_steps: int
    policy_driven_steps: int
    takeovers: int
    objects_lost: int
    """Episodes whose object was lost while collecting."""
    synthetic: int
    """Synthetic pairs, made for this fit alone."""
    expert_seconds: float
    loss_held_out: float
    """On held-out demonstrations; -1: not computed."""
    epsilon_mistakes: int
    epsilon_states: int
    wins: str
    """``1`` or ``0`` for each evaluation episode, in the order of their seeds."""
    steps: int
    """Evaluation steps with an answer of the expert, in which mistakes are counted."""
    mistakes: int
    lost: int
    """Evaluation episodes whose object was lost."""
    sha256: str

    @property
    def success(self) -> Interval:
        """Return the success rate in the evaluation episodes."""
        return wilson(self.wins.count('1'), len(self.wins))

    @property
    def mistakes_per_step(self) -> float:
        """Return mistakes a step on the policy's own states; -1: no step was compared."""
        return self.mistakes / self.steps if self.steps else -1.0

    @property
    def won(self) -> np.ndarray:
        """Return which episodes succeeded, shape ``(E,)``, float64."""
        return np.array([one == '1' for one in self.wins], float)


Curves = dict[str, dict[int, tuple[Point, ...]]]
"""Points by method and seed, in order."""


def curves_of(points: Iterable[Point], task: str) -> Curves:
    """Return the curves of a task; within each, rounds or demonstrations rise."""
    found: dict[str, dict[int, list[Point]]] = {}
    for point in points:
        if point.task == task:
            found.setdefault(point.method, {}).setdefault(point.seed, []).append(point)
    return {method: {seed: tuple(sorted(curve, key=lambda point: point.number))
                     for seed, curve in sorted(by_seed.items())}
            for method, by_seed in found.items()}


def nearest(labels: np.ndarray, budget: int) -> int:
    """
    Return how many whole demonstrations come nearest to a budget of labels, at least one.

    :param labels: of the first 1, 2, ... demonstrations, rising; of two that are as near the
        larger counts
    """
    distance = np.abs(labels - budget)
    return len(labels) - int(distance[::-1].argmin())


def numbers_above(first: int, last: int) -> list[int]:
    """
    Return numbers of demonstrations above ``first`` up to ``last``, by a factor of ``STEP``.

    >>> numbers_above(1, 12)
    [2, 3, 4, 5, 6, 8, 10, 12]
    """
    found = []
    while first < last:
        first = min(last, max(first + 1, round(STEP * first)))
        found.append(first)
    return found


def in_rounds(curve: Sequence[Point], key: str, first: int = 1) -> int:
    """Return what a cumulative cost came to in the rounds from ``first`` (>= 1) to the last."""
    before = [point for point in curve if point.number < first]
    return getattr(curve[-1], key) - (getattr(before[-1], key) if before else 0)


def learner_labels(curve: Sequence[Point]) -> int:
    """Return the labels of the rounds on states visited by a policy; 0 for demonstrations."""
    if curve[0].cloned or not curve[-1].policy_driven_steps:
        return 0
    return in_rounds(curve, 'labels')


def points_csv(points: Sequence[Point]) -> str:
    """Return a row a checkpoint; the episodes themselves stand in ``study.json``."""
    names = [field.name for field in dataclasses.fields(Point) if field.name != 'wins']
    rates = ('successes', 'episodes', 'success', 'success_low', 'success_high')
    rows = []
    for point in points:
        one = point.success
        rows.append([getattr(point, name) for name in names]
                    + [one.k, one.n, *(round(rate, 6) for rate in (one.rate, one.low, one.high))])
    return to_csv([*names, *rates], rows)


def to_csv(headings: Sequence[str], rows: Iterable[Sequence]) -> str:
    """Return a table as CSV; None is an empty cell."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator='\n')
    writer.writerow(headings)
    writer.writerows(rows)
    return text.getvalue()
