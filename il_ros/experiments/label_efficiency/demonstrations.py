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

"""Demonstrations for behavioural cloning with the budgets of the other methods."""

from collections.abc import Iterable, Sequence
import math
from pathlib import Path
from typing import NamedTuple

from il_ros.contract.episode_spec import DEMONSTRATION, episode_id
from il_ros.dataset.aggregation import aggregate
from il_ros.dataset.dataset import DATASET
from il_ros.episodes.receipts import is_unfinished, Receipt
from il_ros.experiments.label_efficiency.points import nearest, numbers_above
from il_ros.interactive.goal import DEMONSTRATION_SEEDS, Goal
from il_ros.runs.shard import receipts_in
import numpy as np

_MARGIN = 1.05
"""Factor on the demonstrations recorded at first, so that few more are needed."""


class RecordedDemonstration(NamedTuple):
    """One demonstration on disk."""

    path: Path
    receipt: Receipt


def recorded_in(folder: Path, goal: Goal) -> list[RecordedDemonstration]:
    """
    Return the demonstrations of a run in the order of their seeds, up to the first missing one.

    :param folder: of the run
    :param goal: of a run with the same training seed, whose block of seeds is used
    """
    by_id = {receipt.spec.episode_id: RecordedDemonstration(path, receipt)
             for path, receipt in receipts_in(folder / 'episodes') if not is_unfinished(receipt)}
    found = []
    for seed in goal.demonstration_seeds(0, DEMONSTRATION_SEEDS):
        one = by_id.get(episode_id(DEMONSTRATION, 0, seed))
        if one is None:
            break
        found.append(one)
    return found


def labels_of(demonstrations: Sequence[RecordedDemonstration]) -> np.ndarray:
    """Return the labels of the first 1, 2, ... demonstrations; flagged ones give none."""
    return np.cumsum([0 if one.receipt.flags else one.receipt.labels for one in demonstrations])


def still_wanted(demonstrations: Sequence[RecordedDemonstration], target: int,
                 labels_each: float) -> int:
    """
    Return how many more demonstrations to record.

    :param target: labels that are needed
    :param labels_each: expected labels of a demonstration
    """
    labels = int(labels_of(demonstrations)[-1]) if demonstrations else 0
    if labels >= target:
        return 0
    room = DEMONSTRATION_SEEDS - len(demonstrations)
    return min(room, math.ceil(_MARGIN * (target - labels) / max(1.0, labels_each)))


def counts(labels: np.ndarray, budgets: Sequence[Sequence[int]], stretch: int) -> list[int]:
    """
    Return the numbers of demonstrations that BC is trained on, rising, none twice.

    Above the largest budget of the method with the fewest labels the numbers rise in small steps,
    so that the labels that BC needs are known as precisely there as below.

    :param labels: as in ``nearest``
    :param budgets: of each method that BC is compared with, the labels of its rounds
    :param stretch: the last number has up to this many times the labels of the largest budget
    """
    largest = [max(one) for one in budgets]
    most = nearest(labels, stretch * max(largest))
    found = {nearest(labels, budget) for one in budgets for budget in one}
    return sorted(found | {most} | set(numbers_above(nearest(labels, min(largest)), most)))


def key_of(count: int) -> str:
    """Return the filter key of the first ``count`` demonstrations."""
    return f'first_{count:04d}'


def prepare(folder: Path, demonstrations: Sequence[RecordedDemonstration],
            wanted: Iterable[int]) -> Path:
    """
    Aggregate demonstrations under a filter key for each number of them; return the file.

    :raises DatasetError: if they do not fit together
    """
    wanted = sorted(wanted)
    entries = [(one.path, [key_of(count) for count in wanted if count > at])
               for at, one in enumerate(demonstrations[:wanted[-1]])]
    aggregate(folder / DATASET, entries)
    return folder / DATASET
