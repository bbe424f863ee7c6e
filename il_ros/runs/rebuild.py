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


"""Rebuild a run's aggregated data set, with its filter keys."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
import re
from typing import NamedTuple

from il_ros.contract.episode_spec import DEMONSTRATION, ROLLOUT, VALIDATION
from il_ros.dataset.aggregation import Aggregate, aggregate, source_of
from il_ros.dataset.dataset import DATASET, HELD_OUT, index_of, opened, round_sets
from il_ros.episodes.receipts import read_receipt, Receipt, receipt_path
from il_ros.errors import DatasetBusyError, DatasetError
from il_ros.runs.inventory import episodes_of

Keys = Mapping[str, Sequence[str]]
"""Filter keys by episode id."""

Check = Callable[[], None]
"""Raises what ends the work."""

_BY_RULE = re.compile(rf'round_\d+|{HELD_OUT}|baseline')
"""Filter keys that a run's plan, or purpose and round, make again; the others were drawn."""


class Behind(NamedTuple):
    """Episodes by which a data set is older than its run."""

    newer: tuple[str, ...]
    """Ids of those that it lacks."""
    changed: tuple[str, ...]
    """Ids of those whose labels or discards changed since, or that are gone."""


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


def behind(folder: Path, planned: Keys | None = None) -> Behind:
    """
    Return by which episodes the data set of a run is older than the run.

    :param planned: only these ones it needs to have; None: all that may be learnt from
    :raises DatasetError: if there is no data set that can be read
    :raises EpisodeFileError: naming the file that cannot be read
    """
    with opened(Path(folder) / DATASET) as file:
        made_of = {file['data'][demo['name']].attrs['episode_id']: demo['source']
                   for demo in index_of(file)}
    present = {receipt.spec.episode_id: source_of(path, receipt)
               for path, receipt in trainable(folder)
               if not receipt.flags and not receipt.error_code}
    return Behind(
        tuple(name for name in present
              if name not in made_of and (planned is None or name in planned)),
        tuple(name for name, source in made_of.items() if present.get(name) != source))


def keys_of(folder: Path, planned: Keys | None = None) -> dict[str, tuple[str, ...]]:
    """
    Return the filter keys of a run's episodes.

    They are those of the plan where there is one and what was drawn beside it, else those of its
    data set, else what purpose and round make. Their order is that of the demos; a run's is
    held-out demonstrations first, then round by round.

    :raises EpisodeFileError: naming a receipt that cannot be read
    :raises DatasetBusyError: if the data set may be whole, but cannot be opened now
    """
    try:
        found = keys_in(Path(folder) / DATASET)
    except DatasetBusyError:
        raise
    except DatasetError:
        return _by_rule(folder) if planned is None else _together(planned)
    return found if planned is None else _together(planned, _drawn(found))


def fresh_keys(folder: Path, planned: Keys | None = None) -> tuple[
        dict[str, tuple[str, ...]], tuple[str, ...]]:
    """
    Return the filter keys of a run's episodes as of now, and the names of those left out.

    A key that was drawn before an episode was recorded does not know it, and is left out.

    :raises EpisodeFileError: naming a receipt that cannot be read
    """
    keys = keys_of(folder, planned)
    try:
        newer = behind(folder).newer
    except DatasetBusyError:
        raise
    except DatasetError:
        newer = ()
    if not newer:
        return keys, ()
    drawn = sorted({key for found in _drawn(keys).values() for key in found})
    kept = {name: [key for key in found if key not in drawn] for name, found in keys.items()}
    by_rule = _by_rule(folder) if planned is None else planned
    return _together(kept, dict.fromkeys(newer, ()), by_rule), tuple(drawn)


def _by_rule(folder: Path) -> dict[str, tuple[str, ...]]:
    """Return what purpose and round make: D grows, an episode stays in all later rounds."""
    specs = sorted((receipt.spec for _, receipt in trainable(folder)),
                   key=lambda spec: (spec.purpose != VALIDATION, spec.round))
    last = max((spec.round for spec in specs), default=0)
    return {spec.episode_id: (HELD_OUT,) if spec.purpose == VALIDATION
            else round_sets(spec.round, last) for spec in specs}


def _drawn(keys: Keys) -> dict[str, tuple[str, ...]]:
    return {name: tuple(key for key in found if not _BY_RULE.fullmatch(key))
            for name, found in keys.items()}


def _together(*several: Keys) -> dict[str, tuple[str, ...]]:
    """Return each episode with all its keys, in the order in which they are first named."""
    names = dict.fromkeys(name for keys in several for name in keys)
    return {name: tuple(dict.fromkeys(key for keys in several for key in keys.get(name, ())))
            for name in names}


def refresh(folder: Path, planned: Keys, check: Check = lambda: None) -> Aggregate | None:
    """
    Rebuild the data set of a run if it is missing, damaged, or older than its plan.

    :param planned: filter keys by episode id; what was drawn beside them stays
    :param check: as in ``aggregate``
    :returns: None: it is as it has to be
    :raises DatasetBusyError: if it may be whole, but cannot be opened now
    :raises EpisodeFileError: naming the file that is missing or damaged
    """
    try:
        newer, changed = behind(folder, planned)
        if not newer and not changed:
            return None
    except DatasetBusyError:
        raise
    except DatasetError:
        pass  # it is made of the episodes alone
    return rebuild(folder, keys_of(folder, planned), check=check)


def rebuild(folder: Path, keys: Keys, output: str = DATASET,
            check: Check = lambda: None) -> Aggregate:
    """
    Rebuild the data set of a run from its episodes.

    :param keys: filter keys by episode id, in the order of the demos, which decides what batches
        a seed draws; episodes without one are left out
    :param check: as in ``aggregate``
    :raises DatasetError: if no episode is left, or two have different contracts
    :raises EpisodeFileError: naming the file that is missing or damaged
    """
    order = {name: place for place, name in enumerate(keys) if keys[name]}
    wanted = [(order[receipt.spec.episode_id], path, tuple(keys[receipt.spec.episode_id]))
              for path, receipt in trainable(folder) if receipt.spec.episode_id in order]
    return aggregate(Path(folder) / output, [(path, sets) for _, path, sets in sorted(wanted)],
                     check=check)
