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

"""One folder of episodes: who may write there, its repair after a crash, and what it holds."""

from collections.abc import Iterator
import contextlib
import os
from pathlib import Path

from il_ros.contract.episode_spec import EPISODE_ID
from il_ros.episodes.mcap import McapFile, salvage_mcap
from il_ros.episodes.placing import set_aside
from il_ros.episodes.reader import head
from il_ros.episodes.receipts import INCOMPLETE, read_receipt, Receipt
from il_ros.episodes.wire.schema import OBSERVATION
from il_ros.episodes.writer import acknowledge, EpisodeWriter
from il_ros.errors import EpisodeFileError, EpisodeWriteError, ShardLockedError
from il_ros.files import lock

LOCK = '.lock'
_RESCUE = '.rescue'


class Shard:
    """The only writer of one folder, until ``close`` or the end of the process."""

    def __init__(self, folder: Path):
        """
        Lock the folder, make it where it is missing, and repair it after a crash.

        :raises ShardLockedError: if another process has it; the sentence has its id
        :raises EpisodeWriteError: if the folder forbids it, or what a crash left cannot be
            mended
        """
        self.folder = Path(folder)
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._descriptor = lock.take(self.folder / LOCK, ShardLockedError,
                                         f'{self.folder} belongs to another recorder')
        except OSError as error:
            raise EpisodeWriteError(
                f'{self.folder} cannot be recorded into: {error.strerror}') from error
        with contextlib.ExitStack() as undo:
            undo.callback(self.close)
            try:
                self.recovered = mend(self.folder)
            except OSError as error:
                raise EpisodeWriteError(
                    f'{self.folder} cannot be repaired: {error}') from error
            undo.pop_all()

    def close(self):
        """Unlock the folder; a second call does nothing."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)


def mend(folder: Path) -> list[Receipt]:
    """
    Bring a folder back in order after a crash: no temporary file is left.

    What is whole of an open episode becomes an episode with the flag INCOMPLETE; a finished one
    whose receipt was not written yet gets it.

    :returns: the receipts that were written
    """
    receipts = []
    for path in sorted(folder.glob('*.mcap.tmp')):
        rescue = path.with_suffix(_RESCUE)
        if rescue.exists():
            path.unlink()  # who mended it was killed, too, and has not got as far as this
        else:
            os.replace(path, rescue)
    for path in sorted(folder.glob(f'*{_RESCUE}')):
        receipts += _rescue(path)
        path.unlink()
    for path in folder.glob('*.tmp'):
        path.unlink()
    there = set(os.listdir(folder))
    for path in episode_paths(folder):
        if f'{path.stem}.json' not in there:
            receipts += _acknowledged(path)
    return receipts


def _rescue(path: Path) -> list[Receipt]:
    target = path.with_suffix('')
    if target.exists() or target.suffixes != ['.mcap']:
        return []
    try:
        file = salvage_mcap(path)
        spec, contract = head(file)
    except EpisodeFileError:
        return []  # killed before it had said what it is: there was nothing in it
    if not file.messages(OBSERVATION)[1]:
        return []
    writer = EpisodeWriter(path.parent, spec, contract, _schemas(file), min_free_bytes=0)
    for topic, raw, log_time_ns in file.in_order():
        writer.write(topic, raw, log_time_ns)
    try:
        return [writer.close(INCOMPLETE, error_msg='the recorder was killed')]
    except EpisodeFileError:
        writer.path.unlink()
        return []


def _schemas(file: McapFile) -> dict:
    return {channel.topic: channel.schema for channel in file.channels.values()}


def _acknowledged(path: Path) -> list[Receipt]:
    try:
        return [acknowledge(path)]
    except EpisodeFileError:
        set_aside(path)
        return []


def episode_paths(folder: Path) -> list[Path]:
    """Return the finished episodes in a folder, by name; moved files are left out."""
    folder = Path(folder)
    names = os.listdir(folder) if folder.is_dir() else []
    return [folder / name for name in sorted(names)
            if name.endswith('.mcap') and EPISODE_ID.fullmatch(name.removesuffix('.mcap'))]


def receipts_in(folder: Path,
                unreadable: list[tuple[Path, str]] | None = None
                ) -> Iterator[tuple[Path, Receipt]]:
    """
    Return each acknowledged episode below ``folder`` (a shard, or all of a run) with its receipt.

    Receipts alone are read: this is how thousands of episodes are opened.

    :param unreadable: takes in the episodes whose receipts cannot be read, each with a sentence
        that says why; None: such a receipt is an error
    :raises EpisodeFileError: naming a receipt that cannot be read
    """
    for where, folders, names in os.walk(folder):
        folders.sort()
        there = set(names)
        for stem in sorted(name.removesuffix('.json') for name in names
                           if name.endswith('.json')):
            if not EPISODE_ID.fullmatch(stem) or f'{stem}.mcap' not in there:
                continue
            path = Path(where, f'{stem}.mcap')
            try:
                receipt = read_receipt(os.path.join(where, f'{stem}.json'))
            except EpisodeFileError as error:
                if unreadable is None:
                    raise
                unreadable.append((path, str(error)))
                continue
            yield path, receipt


MISSING = 'the file is missing, its receipt is there: an incomplete copy?'
UNACKNOWLEDGED = 'it has no receipt: an incomplete copy? a repair of the run makes one'


def missing_in(folder: Path) -> list[tuple[Path, str]]:
    """
    Return the episodes below ``folder`` that are not there though their receipts are.

    :returns: where each file should be, and the reason in words
    """
    return [(path, MISSING) for path in _with_one_of(folder, '.json', '.mcap')]


def unacknowledged_in(folder: Path) -> list[tuple[Path, str]]:
    """Return the episodes below ``folder`` that have no receipt, and the reason in words."""
    return [(path, UNACKNOWLEDGED) for path in _with_one_of(folder, '.mcap', '.json')]


def _with_one_of(folder: Path, there: str, gone: str) -> Iterator[Path]:
    """Yield the episodes of which one file is there and another one is gone, by suffix."""
    for where, folders, names in os.walk(folder):
        folders.sort()
        found = set(names)
        for name in sorted(name for name in names if name.endswith(there)):
            stem = name.removesuffix(there)
            if EPISODE_ID.fullmatch(stem) and f'{stem}{gone}' not in found:
                yield Path(where, f'{stem}.mcap')
