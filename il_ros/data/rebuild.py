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


"""Which episodes stand in a run's aggregated data set, and under which filter keys."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from il_ros.data.aggregation import Aggregate, aggregate
from il_ros.data.dataset import DATASET, HELD_OUT, index_of, opened, round_sets
from il_ros.data.errors import DatasetError
from il_ros.data.inventory import episodes_of
from il_ros.data.receipts import read_receipt, Receipt, receipt_path
from il_ros.data.spec import DEMONSTRATION, ROLLOUT, VALIDATION

Keys = Mapping[str, Sequence[str]]
"""Filter keys by episode id."""


def trainable(folder: Path) -> list[tuple[Path, Receipt]]:
    """
    Return the episodes of a run that a data set may hold: all but those of an evaluation.

    :raises EpisodeFileError: naming a receipt that cannot be read
    """
    receipts = [(path, read_receipt(receipt_path(path))) for path in episodes_of(folder)]
    return [(path, receipt) for path, receipt in receipts
            if receipt.spec.purpose in (DEMONSTRATION, ROLLOUT, VALIDATION)]


def keys_in(dataset: Path) -> dict[str, tuple[str, ...]]:
    """
    Return the filter keys of the episodes in an aggregated file, in the order of its demos.

    :raises DatasetError: naming the file, if they cannot be read
    """
    with opened(dataset) as file:
        keys: dict[str, list[str]] = {
            file['data'][demo['name']].attrs['episode_id']: [] for demo in index_of(file)}
        for key in file['mask']:
            for name in file['mask'][key][()]:
                keys[file['data'][name.decode()].attrs['episode_id']].append(key)
    return {name: tuple(found) for name, found in keys.items()}


def keys_of(folder: Path, planned: Keys | None = None) -> dict[str, tuple[str, ...]]:
    """
    Return the filter keys of a run's episodes.

    They are those of the plan where there is one, else those of its data set, else what purpose
    and round make: D grows, so that an episode is in the key of its own round and of all later.
    Their order is that of the demos; a run's is held-out demonstrations first, then round by
    round.

    :raises EpisodeFileError: naming a receipt that cannot be read
    """
    if planned is not None:
        return {name: tuple(keys) for name, keys in planned.items()}
    try:
        return keys_in(Path(folder) / DATASET)
    except DatasetError:
        specs = sorted((receipt.spec for _, receipt in trainable(folder)),
                       key=lambda spec: (spec.purpose != VALIDATION, spec.round))
    last = max((spec.round for spec in specs), default=0)
    return {spec.episode_id: (HELD_OUT,) if spec.purpose == VALIDATION
            else round_sets(spec.round, last) for spec in specs}


def rebuild(folder: Path, keys: Keys, output: str = DATASET) -> Aggregate:
    """
    Make the data set of a run anew from its episodes.

    :param keys: filter keys by episode id, in the order of the demos, which decides what batches
        a seed draws; episodes without one are left out
    :raises DatasetError: if no episode is left, or two have different contracts
    :raises EpisodeFileError: naming the file that is missing or damaged
    """
    order = {name: place for place, name in enumerate(keys) if keys[name]}
    wanted = [(order[receipt.spec.episode_id], path, tuple(keys[receipt.spec.episode_id]))
              for path, receipt in trainable(folder) if receipt.spec.episode_id in order]
    return aggregate(Path(folder) / output, [(path, sets) for _, path, sets in sorted(wanted)])
