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

"""Recorded episodes as what learning takes: pairs of observation and label."""

from collections.abc import Iterator, Mapping
import contextlib
import dataclasses
import json
from pathlib import Path

import h5py
from il_ros.contract.contract import Contract, ContractError
from il_ros.dataset.frames import Frames
from il_ros.dataset.hdf5_file import unreadable
from il_ros.dataset.steps import Steps
from il_ros.episodes.discards import discarded
from il_ros.episodes.episode import Episode
from il_ros.episodes.label_file import read_labels
from il_ros.episodes.labels import Labels, labels_of
from il_ros.episodes.reader import read_episode
from il_ros.errors import DatasetError
from il_ros.files.regular import require_regular
import numpy as np

DATASET = 'dataset.hdf5'
"""Name of a run's aggregated data set, in its folder."""

ALL_RECORDINGS = 'all.hdf5'
"""Name of the data set of these, in the run's folder."""

HELD_OUT = 'held_out'
"""Filter key of demonstrations that are recorded for the loss alone; nothing trains on them."""

SCHEMA_VERSION = 1


@dataclasses.dataclass(frozen=True)
class Demonstrations:
    """Pairs to learn from; every row has a valid label."""

    observations: np.ndarray
    """Shape ``(N, obs_dim)``, float32."""

    actions: np.ndarray
    """Shape ``(N, act_dim)``, float32: the labels, inside the contract's bounds."""

    contract: Contract
    steps: Steps | None = None
    """The whole episodes, whose labelled steps these pairs are; None: not asked for."""

    images: Mapping[str, np.ndarray | Frames] = dataclasses.field(default_factory=dict)
    """
    By the names of the contract's image features, a row a pair.

    Shape ``(N, height, width, channels)``, uint8. Out of an aggregated file they are read when
    they are indexed; ``[:]`` takes ``nbytes`` bytes of memory, 12 KiB a 64x64 colour image.
    """

    def __post_init__(self):
        if len(self.observations) != len(self.actions):
            raise ValueError(f'{len(self.observations)} observations have {len(self.actions)} '
                             'labels; expected as many')
        for name, frames in self.images.items():
            if len(frames) != len(self.observations):
                raise ValueError(f'{len(self.observations)} observations have {len(frames)} '
                                 f'images {name}; expected as many')

    def __len__(self) -> int:
        return len(self.observations)


def round_sets(round_: int, last_round: int) -> tuple[str, ...]:
    """
    Return the filter keys of what ``round_`` brought: D grows, so it is in all later rounds.

    :param round_: 0: the demonstrations
    :param last_round: up to which there are keys
    """
    return tuple(f'round_{k}' for k in range(round_, last_round + 1))


def training_episode(path: Path) -> tuple[Episode, Labels]:
    """
    Read an episode with all its labels, those that came later and those taken back.

    :raises EpisodeFileError: naming the file that is missing or damaged
    """
    episode = read_episode(path)
    later = read_labels(path, episode)
    if later is None:
        return episode, labels_of(episode, None, discarded(path))
    return episode, labels_of(episode, later.answers, discarded(path), later.used)


def same_contract(contract: Contract | None, other: Contract, path: Path) -> Contract:
    """
    Return the contract of the first episode, which all others have to share.

    :raises DatasetError: naming the file that has another
    """
    if contract is not None and contract.id != other.id:
        raise DatasetError(f'{path} was recorded with the contract {other.name} ({other.id:016x});'
                           f' the others have {contract.name} ({contract.id:016x})')
    return other if contract is None else contract


def labelled(steps: Steps, contract: Contract) -> Demonstrations:
    """Return the pairs of whole episodes, and the episodes beside them."""
    return Demonstrations(steps.observations[steps.valid], steps.actions[steps.valid], contract,
                          steps)


def load(path: Path, filter_key: str, with_steps: bool = False) -> Demonstrations:
    """
    Return the labelled states of the demos that a filter key names.

    :param with_steps: also the whole episodes, which a history or a chunk of actions needs
    :raises DatasetError: naming the file, if it is none, is damaged, or has no such key
    """
    with opened(path) as file:
        keys = tuple(file['mask'])
        if filter_key not in keys:
            raise DatasetError(f'{path} has no filter key {filter_key!r}; it has '
                               f'{", ".join(keys)}')
        data = labelled(_steps(file, filter_key), contract_of(file)) if with_steps else (
            _labelled(file, filter_key))
        return dataclasses.replace(data, images=_frames(path, file, filter_key, data.contract))


def _frames(path: Path, file: h5py.File, filter_key: str,
            contract: Contract) -> dict[str, Frames]:
    if not contract.images:
        return {}
    demos = _demos(file, filter_key)
    valid = file['il_ros/label_valid'][()].astype(bool)
    rows = np.flatnonzero(np.concatenate([valid[d['start']:d['stop']] for d in demos]))
    lengths = [(demo['name'], demo['stop'] - demo['start']) for demo in demos]
    return {feature.name: Frames(path, feature.name, lengths, rows, feature.shape)
            for feature in contract.images}


def _demos(file: h5py.File, filter_key: str) -> list[dict]:
    names = {name.decode() for name in file['mask'][filter_key][()]}
    return [demo for demo in index_of(file) if demo['name'] in names]


def _steps(file: h5py.File, filter_key: str) -> Steps:
    demos = _demos(file, filter_key)
    lengths = [demo['stop'] - demo['start'] for demo in demos]
    chosen = np.zeros(file['il_ros/label_valid'].shape, bool)
    for demo in demos:
        chosen[demo['start']:demo['stop']] = True
    observations, actions, valid = (file['il_ros'][name][()][chosen] for name in (
        'observations', 'actions', 'label_valid'))
    return Steps(observations, actions, valid.astype(bool),
                 np.cumsum([0, *lengths[:-1]], dtype=np.int64))


def _labelled(file: h5py.File, filter_key: str) -> Demonstrations:
    names = {name.decode() for name in file['mask'][filter_key][()]}
    flat = file['il_ros']
    chosen = flat['label_valid'][()].astype(bool)
    for demo in index_of(file):
        if demo['name'] not in names:
            chosen[demo['start']:demo['stop']] = False
    return Demonstrations(flat['observations'][()][chosen], flat['actions'][()][chosen],
                          contract_of(file))


def filter_keys(path: Path) -> tuple[str, ...]:
    """
    Return the filter keys of an aggregated file.

    :raises DatasetError: naming the file, if it is none
    """
    with opened(path) as file:
        return tuple(file['mask'])


@contextlib.contextmanager
def opened(path: Path) -> Iterator[h5py.File]:
    """
    Open an aggregated file for reading.

    :raises DatasetError: naming the file, if it is none, or turns out to be damaged
    :raises DatasetBusyError: if it may be whole, but another program has it open
    """
    try:
        require_regular(path)
        with h5py.File(path, 'r') as file:
            flat = file.get('il_ros')
            if flat is None or flat.attrs.get('schema_version') != SCHEMA_VERSION:
                raise DatasetError(f'{path} is no data set of il_ros, version {SCHEMA_VERSION}')
            yield file
    except (OSError, KeyError, ValueError, RuntimeError, ContractError) as error:
        raise unreadable(path, error) from error


def index_of(file: h5py.File) -> list[dict]:
    """Return name, source, rows and number of labels of each demo, in their order."""
    return json.loads(file['il_ros/index'][()].tobytes())


def contract_of(file: h5py.File) -> Contract:
    """
    Return the contract that all demos share.

    :raises ValueError: if its text is not the one that was written
    """
    attributes = file['il_ros'].attrs
    contract = Contract.from_json(attributes['contract'])
    if contract.id != int(attributes['contract_id']):
        raise ValueError(f'its contract has the id {contract.id:016x}; expected '
                         f'{int(attributes["contract_id"]):016x}')
    return contract
