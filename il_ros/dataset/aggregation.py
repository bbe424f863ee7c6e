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
The aggregated data set: D grows by a round at a time.

``dataset.hdf5`` is derived from the episodes and can be rebuilt from them at any time. It has
robomimic's layout (https://robomimic.github.io, v0.3): ``data/demo_k`` with ``obs``,
``actions``, ``rewards`` and ``dones``, and a filter key a round under ``mask``. Every step
stays in its demo; ``label_valid`` says which actions are labels. Images stand under ``obs``
alone, compressed, a chunk a frame. Beside it, under ``il_ros``, all demos stand in one row of
arrays, so that a training reads a few large ones instead of thousands of small ones.
"""

from collections.abc import Callable, Iterator, Sequence
import contextlib
import dataclasses
import hashlib
import json
import os
from pathlib import Path
import shutil

import h5py
from il_ros.contract.contract import VALUES
from il_ros.contract.episode_spec import DEMONSTRATION, ROLLOUT, TELEOP, VALIDATION
from il_ros.dataset.dataset import contract_of, HELD_OUT, index_of, opened, same_contract
from il_ros.dataset.dataset import SCHEMA_VERSION, training_episode
from il_ros.dataset.hdf5_file import require_room, written
from il_ros.episodes.discards import discards_path
from il_ros.episodes.episode import Episode
from il_ros.episodes.label_file import labels_path
from il_ros.episodes.labels import Labels
from il_ros.episodes.receipts import content_of, read_receipt, Receipt, receipt_path
from il_ros.errors import DatasetBusyError, DatasetError, EpisodeWriteError
from il_ros.files import lock
from il_ros.files.atomic import sync_file, sync_folder
import numpy as np

_GYMNASIUM = 2
"""``EnvType.GYM_TYPE`` of robomimic."""

_ROWS = 4096
"""Rows of a chunk of the arrays under ``il_ros``."""


@dataclasses.dataclass(frozen=True)
class Aggregate:
    """What became of an aggregation."""

    demos: int
    steps: int
    labels: dict[str, int]
    """Valid labels by filter key."""

    person_labels: dict[str, int]
    """Those of them that a person gave by hand."""

    skipped: tuple[tuple[Path, str], ...]
    """Episodes that were left out, each with the reason."""


@dataclasses.dataclass(frozen=True)
class _Entry:
    path: Path
    sets: tuple[str, ...]
    source: str
    """Hash of all that the demo is made of; another one means that it has to be made anew."""


def aggregate(output: Path, entries: Sequence[tuple[Path, Sequence[str]]],
              allowed_flags: int = 0, check: Callable[[], None] = lambda: None) -> Aggregate:
    """
    Make the aggregated file hold exactly these episodes; what it has already is kept.

    Readers see the old file or the new one. An episode whose receipt carries a flag
    (incomplete, drops, clock jump, discarded) is left out, and said so.

    :param entries: each episode's file and the filter keys that it belongs to
    :param allowed_flags: flags of receipts that do not matter
    :param check: called before each episode; what it raises ends the work, and the old file stays
    :raises DatasetError: for an evaluation episode, a validation episode elsewhere than in
        ``HELD_OUT``, an episode that is named twice, and where two contracts meet; also if
        another process writes the file, whose id the sentence has
    :raises EpisodeFileError: naming the file that is missing or damaged
    :raises EpisodeWriteError: if the disk takes no more; the old file is as it was
    """
    wanted, skipped = [], []
    if len({Path(path) for path, _ in entries}) < len(entries):
        raise DatasetError('an episode is named twice among those to aggregate')
    for path, sets in entries:
        check()
        receipt = read_receipt(receipt_path(path))
        _refuse(receipt, sets)
        if receipt.flags & ~allowed_flags or receipt.error_code:
            skipped.append((Path(path), reason_of(receipt, allowed_flags)))
        else:
            wanted.append(_Entry(Path(path), tuple(sets), source_of(Path(path), receipt)))
    try:
        with _owned(Path(output)) as temporary:
            _begin(Path(output), temporary, {entry.source for entry in wanted})
            with written(temporary, libver='latest') as (file, check_disk):
                result = _complete(file, wanted, tuple(skipped), (check, check_disk))
            _publish(temporary, Path(output))
    except OSError as error:
        reason = error.strerror or error
        raise EpisodeWriteError(f'{output} cannot be written: {reason}') from error
    return result


@contextlib.contextmanager
def _owned(output: Path) -> Iterator[Path]:
    """Yield the temporary file of ``output``, whose only writer this process is meanwhile."""
    descriptor = lock.take(output.with_name(f'.{output.name}.lock'), DatasetError,
                           f'{output} is being written elsewhere')
    temporary = output.with_name(f'.{output.name}.tmp')
    try:
        yield temporary
    finally:
        temporary.unlink(missing_ok=True)
        os.close(descriptor)


def _refuse(receipt: Receipt, sets: Sequence[str]):
    purpose = receipt.spec.purpose
    if purpose in (DEMONSTRATION, ROLLOUT) or (purpose == VALIDATION and set(sets) <= {HELD_OUT}):
        return
    raise DatasetError(f'{receipt.spec.episode_id} is a {purpose} episode; those never enter '
                       'the data that is trained on')


def reason_of(receipt: Receipt, allowed_flags: int = 0) -> str:
    """Return in words why an episode is left out of training; empty: it is not."""
    names = ('incomplete', 'messages missing', 'a jump of the clock', 'discarded')
    found = [name for bit, name in enumerate(names) if receipt.flags & ~allowed_flags & 1 << bit]
    return ', '.join(found) or receipt.error_msg


def source_of(path: Path, receipt: Receipt) -> str:
    """
    Return the hash of all that a demo is made of: the episode, its later labels, discards.

    :raises EpisodeFileError: naming the file that cannot be read
    """
    digest = hashlib.sha256(f'{path.name} {receipt.sha256}'.encode())
    for other in (labels_path(path), discards_path(path)):
        digest.update(content_of(other) if other.exists() else b'-')
    return digest.hexdigest()


def _begin(output: Path, temporary: Path, sources: set[str]):
    """Copy the file that is there, if all it holds is still wanted."""
    temporary.unlink(missing_ok=True)
    try:
        with opened(output) as file:
            demos = index_of(file)
            usable = all(demo['source'] in sources and 'person_labels' in demo for demo in demos)
    except DatasetBusyError:
        raise
    except DatasetError:
        usable = False  # none yet, or a damaged one: it is derived, so it is made anew
    require_room(output.parent, output.stat().st_size if usable else 0)
    if usable:
        shutil.copyfile(output, temporary)


def _publish(temporary: Path, output: Path):
    sync_file(temporary)
    os.replace(temporary, output)
    sync_folder(output.parent)


def _complete(file: h5py.File, wanted: list[_Entry],
              skipped: tuple[tuple[Path, str], ...],
              checks: Sequence[Callable[[], None]]) -> Aggregate:
    index, contract = [], None
    if 'il_ros' in file:
        index, contract = index_of(file), contract_of(file)
    there = {demo['source'] for demo in index}
    start = index[-1]['stop'] if index else 0
    blocks = []
    for entry in wanted:
        if entry.source in there:
            continue
        for check in checks:
            check()
        episode, labels = training_episode(entry.path)
        if contract is None:
            _found(file, episode)
        contract = same_contract(contract, episode.contract, entry.path)
        name = f'demo_{len(index)}'
        _write_demo(file['data'].create_group(name), episode, labels, entry.source)
        index.append({'name': name, 'source': entry.source, 'start': start,
                      'stop': start + episode.steps, 'labels': int(labels.valid.sum()),
                      'person_labels': int((labels.source == TELEOP).sum())})
        start += episode.steps
        blocks.append((episode.observations[:-1], labels.actions, labels.valid))
    if not index:
        raise DatasetError('there is no episode to aggregate')
    _append(file['il_ros'], blocks, start)
    file['data'].attrs['total'] = start
    counts, by_person = _write_masks(file, wanted, index)
    return Aggregate(len(index), start, counts, by_person, skipped)


def _found(file: h5py.File, episode: Episode):
    """Lay the foundations of a new file by its first episode."""
    contract, task = episode.contract, episode.spec.task
    names = ''.join(part.capitalize() for part in task.split('_'))
    file.create_group('data').attrs['env_args'] = json.dumps(
        {'env_name': f'il_ros/{names}-v0', 'type': _GYMNASIUM,
         'env_kwargs': {} if contract.name == task else {'contract': contract.name}})
    flat = file.create_group('il_ros')
    flat.attrs['schema_version'] = SCHEMA_VERSION
    flat.attrs['contract'] = contract.to_json()
    flat.attrs['contract_id'] = np.uint64(contract.id)
    for name, width, form in (('observations', (contract.width,), 'f4'),
                              ('actions', (len(contract.actions),), 'f4'),
                              ('label_valid', (), 'u1')):
        flat.create_dataset(name, shape=(0, *width), maxshape=(None, *width), dtype=form,
                            chunks=(_ROWS, *width), fletcher32=True)


def _append(flat: h5py.Group, blocks: Sequence[tuple[np.ndarray, ...]], stop: int):
    for name, parts in zip(('observations', 'actions', 'label_valid'),
                           zip(*blocks, strict=True), strict=False):
        dataset = flat[name]
        begin = dataset.shape[0]
        dataset.resize(stop, axis=0)
        dataset[begin:] = np.concatenate(parts)


def _write_demo(group: h5py.Group, episode: Episode, labels: Labels, source: str):
    steps, spec = episode.steps, episode.spec
    group.attrs.update({
        'num_samples': steps, 'episode_id': spec.episode_id, 'task': spec.task,
        'purpose': spec.purpose, 'round': spec.round, 'seed': spec.seed,
        'success': episode.success, 'source': source})
    for name, values in _observed(episode):
        group.create_dataset(f'obs/{name}', data=values)
    for feature in episode.contract.images:
        group.create_dataset(f'obs/{feature.name}', data=episode.images[feature.name][:-1],
                             chunks=(1, *feature.shape), compression='gzip', compression_opts=1,
                             fletcher32=True)
    last = np.arange(steps) == steps - 1
    for name, values in (
            ('actions', labels.actions), ('executed_actions', episode.executed),
            ('label_valid', labels.valid.astype(np.uint8)), ('label_source', labels.source),
            ('driver', episode.driver), ('stamps_ns', episode.stamps_ns),
            ('rewards', (last & episode.success).astype(np.float32)),
            ('dones', last.astype(np.uint8))):
        group.create_dataset(name, data=values)


def _observed(episode: Episode) -> Iterator[tuple[str, np.ndarray]]:
    for feature in episode.contract.features:
        if feature.kind == VALUES:
            yield feature.name, episode.observations[:-1, feature.start:feature.stop]


def _write_masks(file: h5py.File, wanted: list[_Entry],
                 index: list[dict]) -> tuple[dict[str, int], dict[str, int]]:
    """Write the filter keys; return labels and those given by hand, by key."""
    by_source = {demo['source']: demo for demo in index}
    masks = file.require_group('mask')
    for key in list(masks):
        del masks[key]
    counts, by_person = {}, {}
    for key in dict.fromkeys(key for entry in wanted for key in entry.sets):
        demos = [by_source[entry.source] for entry in wanted if key in entry.sets]
        masks.create_dataset(key, data=np.array([demo['name'] for demo in demos], 'S'),
                             chunks=True, fletcher32=True)
        counts[key] = sum(demo['labels'] for demo in demos)
        by_person[key] = sum(demo['person_labels'] for demo in demos)
    flat = file['il_ros']
    if 'index' in flat:
        del flat['index']
    flat.create_dataset('index', data=np.frombuffer(json.dumps(index).encode(), np.uint8),
                        chunks=True, fletcher32=True)
    return counts, by_person
