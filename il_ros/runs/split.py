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


"""A run in parts: by round, driver, outcome or purpose, or by chance in a given ratio."""

from collections.abc import Callable, Mapping
import math
from pathlib import Path
import re

from il_ros.contract.episode_spec import DEMONSTRATION, ROLLOUT
from il_ros.dataset.aggregation import Aggregate
from il_ros.episodes.reader import read_episode
from il_ros.episodes.receipts import Receipt, verify
from il_ros.errors import SplitError
from il_ros.files.folders import new_folder
from il_ros.runs.inventory import driver_of, EPISODES, episodes_of, outcome_of, Progress
from il_ros.runs.kept_contract import keep_contracts_of
from il_ros.runs.merge import copy_episode
from il_ros.runs.rebuild import fresh_keys, Keys, rebuild
import numpy as np

PARTS: dict[str, Callable[[Path, Receipt], str]] = {
    'round': lambda path, receipt: str(receipt.spec.round),
    'driver': lambda path, receipt: driver_of(read_episode(path)),
    'outcome': lambda path, receipt: outcome_of(receipt),
    'purpose': lambda path, receipt: receipt.spec.purpose}
"""What an episode is sorted by, and the name of its part."""

KEYS = {'round': 'of_round'}
"""
What the name of a part begins with, where it is not what is sorted by.

``round_k`` is the key of all that rounds 0 to k brought, ``of_round_k`` of round k alone.
"""

TRAIN, VALID = 'train', 'valid'
"""Parts by chance, named as robomimic names its filter keys."""

Groups = Mapping[str, list[tuple[Path, Receipt]]]
"""Episodes by the name of their part."""


def sort_episodes(folder: Path, by: str, progress: Progress = iter,
                  to_train: bool = False) -> Groups:
    """
    Sort the episodes of a run.

    :param by: one of ``PARTS``
    :param to_train: leave out held-out demonstrations and evaluations, as filter keys need it
    :returns: episodes by ``<by>_<part>``, e.g. ``driver_expert``; by round ``of_round_<k>``
    :raises SplitError: if there is no such way to sort, or no episode
    :raises EpisodeFileError: naming the file that is missing, damaged or exchanged
    """
    if by not in PARTS:
        raise SplitError(f'--by is {by!r}; expected one of {", ".join(PARTS)}')
    groups: dict[str, list] = {}
    for path, receipt in _episodes(folder, progress, to_train):
        part = f'{KEYS.get(by, by)}_{PARTS[by](path, receipt)}'
        groups.setdefault(part, []).append((path, receipt))
    if not groups:
        raise SplitError(f'{folder} has no episode to sort')
    return dict(sorted(groups.items()))


def _episodes(folder: Path, progress: Progress, to_train: bool) -> list[tuple[Path, Receipt]]:
    found = [(path, verify(path)) for path in progress(episodes_of(folder))]
    return [(path, receipt) for path, receipt in found
            if not to_train or receipt.spec.purpose in (DEMONSTRATION, ROLLOUT)]


def draw_episodes(folder: Path, ratio: float, seed: int, progress: Progress = iter,
                  to_train: bool = False) -> Groups:
    """
    Draw a share of the episodes; the same seed draws the same ones.

    :param ratio: share of ``train``, in (0, 1), rounded to the nearest episode; the rest is
        ``valid``, and neither is empty
    :param to_train: leave out held-out demonstrations and evaluations, as filter keys need it
    :raises SplitError: if the ratio is no share, or there are fewer than two episodes
    :raises EpisodeFileError: naming the file that is missing, damaged or exchanged
    """
    if not (math.isfinite(ratio) and 0.0 < ratio < 1.0):
        raise SplitError(f'--ratio is {ratio}; expected a share between 0 and 1')
    episodes = _episodes(folder, progress, to_train)
    if len(episodes) < 2:
        raise SplitError(f'{folder} has {len(episodes)} episodes; two parts need at least 2')
    order = np.random.default_rng(seed).permutation(len(episodes))
    count = min(max(round(ratio * len(episodes)), 1), len(episodes) - 1)
    chosen = set(order[:count].tolist())
    return {TRAIN: [one for index, one in enumerate(episodes) if index in chosen],
            VALID: [one for index, one in enumerate(episodes) if index not in chosen]}


def split_into_keys(folder: Path, groups: Groups, present: Keys | None = None) -> Aggregate:
    """
    Make each part a filter key of the run's data set, beside the keys that are there.

    :param groups: of episodes that may be learnt from; the others keep the keys that they have
    :param present: the keys that stay; None: as ``fresh_keys`` has them
    :raises DatasetError: if no episode may be aggregated, or two contracts meet
    :raises EpisodeFileError: naming the file that is missing or damaged
    """
    keys = {name: [key for key in found if key not in groups]
            for name, found in (fresh_keys(folder)[0] if present is None else present).items()}
    for part, episodes in groups.items():
        for _, receipt in episodes:
            keys.setdefault(receipt.spec.episode_id, []).append(part)
    return rebuild(folder, keys)


def split_into_runs(groups: Groups, output: Path) -> dict[str, int]:
    """
    Copy each part into a new run ``<output>-<part>``.

    :returns: how many episodes each new run has, by its name
    :raises SplitError: if one of them exists
    """
    output, counts = Path(output), {}
    places = {part: output.with_name(f'{output.name}-{re.sub("[^a-z0-9-]", "-", part)}')
              for part in groups}
    for place in places.values():
        if place.exists():
            raise SplitError(f'{place} exists already; nothing is overwritten: give another name')
    for part, episodes in groups.items():
        with new_folder(places[part], SplitError) as folder:
            for path, receipt in episodes:
                copy_episode(path, folder / EPISODES / path.parent.name, receipt)
            keep_contracts_of({path.parents[2]: None for path, _ in episodes}, folder)
        counts[places[part].name] = len(episodes)
    return counts
