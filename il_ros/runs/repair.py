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
Repair of a run after a crash, a full disk or manual changes, without overwriting anything.

Files under a wrong name get their own back. A damaged episode is moved to
``<id>.damaged-N.mcap``, and what is whole of it becomes an episode with the flag INCOMPLETE:
whole chunks alone, each by its checksum. What cannot be saved stays aside. Where it is no longer
known what was discarded, the episode is kept out of training.
"""

import dataclasses
import json
from pathlib import Path

from il_ros import hints
from il_ros.contract.contract import ContractError
from il_ros.contract.episode_spec import EPISODE_ID, SpecError
from il_ros.episodes.discards import discarded, discards_path
from il_ros.episodes.label_file import labels_path, read_labels
from il_ros.episodes.mcap import read_mcap, salvage_mcap
from il_ros.episodes.placing import BESIDE, parted, restore_names, set_aside
from il_ros.episodes.reader import decode, head, METADATA, read_episode
from il_ros.episodes.receipts import DISCARDED, file_sha256, INCOMPLETE, read_receipt, Receipt
from il_ros.episodes.receipts import receipt_of, receipt_path, verify, write_receipt
from il_ros.episodes.wire.schema import OBSERVATION
from il_ros.episodes.writer import acknowledge, EpisodeWriter
from il_ros.errors import EpisodeFileError
from il_ros.files.atomic import write_atomically
from il_ros.runs.inventory import Progress, shards_of
from il_ros.runs.shard import episode_paths, Shard
from il_ros.runs.verification import REDERIVED

DONE, LOSS, FAILED = 'repaired', 'repaired with loss', 'not repairable'


@dataclasses.dataclass(frozen=True)
class Repair:
    """What was done about one file, and whether something is lost."""

    path: Path
    result: str
    """``DONE``, ``LOSS`` or ``FAILED``."""

    sentence: str


def repair_episodes(folder: Path, progress: Progress = iter) -> list[Repair]:
    """
    Bring the episodes of a run back in order.

    :param progress: goes through the shards and may show how far it is
    :returns: what was done; nothing: there was nothing to do
    :raises ShardLockedError: if a recorder is at work there
    :raises EpisodeWriteError: if the folder forbids it, or its disk is full
    """
    repairs = []
    for shard_folder in progress(shards_of(folder)):
        before = {path.name for path in shard_folder.iterdir()}
        shard = Shard(shard_folder)
        try:
            repairs += _mended(shard, before)
            repairs += [_placed(*one) for one in restore_names(shard_folder)]
            for path in episode_paths(shard_folder):
                repairs += _repair(path)
            repairs += _orphans(shard_folder)
        finally:
            shard.close()
    return repairs


def _mended(shard: Shard, before: set[str]) -> list[Repair]:
    """Say what taking the shard has mended, and save what it could only set aside."""
    repairs = [Repair(shard.folder / f'{receipt.spec.episode_id}.mcap', DONE, (
        f'{receipt.path} had no receipt: it has one now, {receipt.steps} steps'
        f'{", incomplete" if receipt.flags & INCOMPLETE else ""}'))
        for receipt in shard.recovered]
    left = [name for name in before if name.endswith(('.tmp', '.rescue'))]
    if left and not repairs:
        repairs.append(Repair(shard.folder, DONE, f'{shard.folder}: {left[0]} had no complete '
                                                  'message and was removed'))
    for aside in sorted(shard.folder.glob('*.damaged-*.mcap')):
        path = aside.with_name(f'{aside.name.partition(".")[0]}.mcap')
        if aside.name not in before and not path.exists():
            repairs.append(_saved(aside, path, None, f'{path} is damaged'))
    return repairs


def _placed(path: Path, aside: Path | None) -> Repair:
    if aside is None:
        return Repair(path, DONE, f'{path} had another name and has its own again')
    return Repair(path, LOSS, f'{path} was there twice, once under another name: that one is set '
                              f'aside as {aside.name}')


def _repair(path: Path) -> list[Repair]:
    """Repair one episode that has a receipt, and what lies beside it."""
    try:
        receipt = read_receipt(receipt_path(path))
    except EpisodeFileError:
        receipt = None
    repairs = []
    try:
        episode = read_episode(path)
    except EpisodeFileError:
        return _salvaged(path, receipt)
    if receipt is None:
        set_aside(receipt_path(path))
        acknowledge(path, flags=INCOMPLETE, error_msg='its receipt was lost')
        repairs.append(Repair(path, LOSS, f'{path}: its receipt was damaged and is rebuilt; '
                                          'flagged, for it may have been discarded'))
    elif not _matches(path, receipt):
        same = (receipt.sha256 == file_sha256(path)
                or receipt.content_sha256 == episode.content_sha256())
        set_aside(receipt_path(path))
        acknowledge(path, flags=receipt.flags if same else receipt.flags | INCOMPLETE,
                    error_msg=receipt.error_msg)
        repairs.append(Repair(path, DONE if same else LOSS, (
            f'{path}: whole, but not what its receipt says; the receipt is rebuilt'
            f'{"" if same else " and flagged"}')))
    return repairs + _beside(path)


def _matches(path: Path, receipt: Receipt) -> bool:
    try:
        verify(path)
    except EpisodeFileError:
        return False
    again = receipt_of(read_episode(path), path, '')
    return not again.flags & ~receipt.flags and all(
        getattr(again, name) == getattr(receipt, name) for name in REDERIVED)


def _beside(path: Path) -> list[Repair]:
    """Set aside labels and discards that cannot be read."""
    repairs, episode = [], read_episode(path)
    try:
        read_labels(path, episode)
    except EpisodeFileError as error:
        aside = set_aside(labels_path(path))
        repairs.append(Repair(path, LOSS, f'{error}; moved to {aside.name}: ask again with '
                                          f'{hints.relabel(path.parents[2])}'))
    try:
        ranges = discarded(path)
        if all(0 <= first <= last < episode.steps for first, last in ranges):
            return repairs
        problem = f'{discards_path(path)} discards steps that the episode does not have'
    except EpisodeFileError as error:
        problem = str(error)
    aside = set_aside(discards_path(path))
    _flag(path, DISCARDED)
    return [*repairs, Repair(path, LOSS, f'{problem}; moved to {aside.name}, and the episode '
                                         'is discarded whole')]


def _flag(path: Path, flag: int):
    receipt = read_receipt(receipt_path(path))
    write_receipt(path, dataclasses.replace(receipt, flags=receipt.flags | flag))


def _salvaged(path: Path, receipt: Receipt | None) -> list[Repair]:
    """Make an incomplete episode of what is whole in a damaged file, which is set aside."""
    try:
        decode(read_mcap(path))
        return []
    except EpisodeFileError as error:
        problem = str(error)
    try:
        ranges = discarded(path)
    except EpisodeFileError:
        ranges = None
    aside = set_aside(path, with_all=True)
    saved = _saved(aside, path, receipt, problem)
    if saved.result == LOSS:
        _discard_again(path, ranges, receipt)
    return [saved]


def _saved(aside: Path, path: Path, receipt: Receipt | None, problem: str) -> Repair:
    try:
        steps = _rewrite(aside, path, receipt)
    except EpisodeFileError as error:
        return Repair(path, FAILED, f'{problem}; nothing can be recovered ({error}): set aside '
                                    f'as {aside.name}')
    had = f' of {receipt.steps}' if receipt is not None else ''
    return Repair(path, LOSS, f'{problem}; {steps}{had} steps saved as an incomplete episode, '
                              f'the damaged file moved to {aside.name}')


def _discard_again(path: Path, ranges: tuple[tuple[int, int], ...] | None,
                   receipt: Receipt | None):
    """Take back in a saved episode what had been taken back; None: it is not known what."""
    steps = read_receipt(receipt_path(path)).steps
    kept = [(first, min(last, steps - 1)) for first, last in ranges or () if first < steps]
    if kept:
        write_atomically(discards_path(path), json.dumps(kept).encode())
    if ranges is None or (receipt is not None and receipt.flags & DISCARDED):
        _flag(path, DISCARDED)


def _rewrite(damaged: Path, path: Path, receipt: Receipt | None) -> int:
    """
    Write what is whole in a damaged file as the episode ``path``; return its steps.

    :raises EpisodeFileError: if it does not say any more what it is, or has no step
    """
    file = salvage_mcap(damaged)
    spec, contract = _head(file, receipt)
    if spec.episode_id != path.stem:
        raise EpisodeFileError(f'it holds {spec.episode_id}')
    if not file.messages(OBSERVATION)[1]:
        raise EpisodeFileError('it has no complete observation')
    schemas = {channel.topic: channel.schema for channel in file.channels.values()}
    writer = EpisodeWriter(path.parent, spec, contract, schemas, min_free_bytes=0)
    for topic, raw, log_time_ns in file.in_order():
        writer.write(topic, raw, log_time_ns)
    try:
        return writer.close(flags=INCOMPLETE, error_msg='the file was damaged').steps
    except EpisodeFileError:
        writer.path.unlink(missing_ok=True)
        raise


def _head(file, receipt: Receipt | None):
    """Return specification and contract, which no chunk's checksum covers: compare them."""
    try:
        spec, contract = head(file)
    except (SpecError, ContractError) as error:
        raise EpisodeFileError(str(error)) from error
    said = {name: str(getattr(spec, name)) for name in ('task', 'purpose', 'round', 'seed')}
    said['contract_id'] = str(contract.id)
    noted = file.metadata[METADATA]
    if any(noted.get(name) != value for name, value in said.items()) or (
            receipt is not None and receipt.spec != spec):
        raise EpisodeFileError('its specification is damaged')
    return spec, contract


def _orphans(folder: Path) -> list[Repair]:
    """Set aside what belongs to an episode that is not there, and name a missing episode."""
    repairs = []
    for path in sorted(folder.iterdir()):
        stem, ending = parted(path)
        if not EPISODE_ID.fullmatch(stem) or ending not in BESIDE[:3] or (
                folder / f'{stem}.mcap').exists():
            continue
        lost = f'{path} belongs to {stem}.mcap, which is missing'
        if ending == '.json':
            repairs.append(Repair(path, FAILED, f'{lost}; put it back from a copy, or remove '
                                                'the receipt'))
        else:
            repairs.append(Repair(path, LOSS, f'{lost}: moved to {set_aside(path).name}'))
    return repairs
