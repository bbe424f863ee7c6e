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
Recording one episode so that nothing acknowledged is ever lost.

The file has a temporary name while it is open, says from its first bytes what it is, and grows
in small chunks that the operating system has at once: who kills the recorder loses the last
chunk. It gets its name when it is whole and synced, its receipt when it was read back.
"""

from collections.abc import Callable, Mapping
import functools
import hashlib
import os
from pathlib import Path
import shutil
from typing import cast, IO

from il_ros.contract.contract import Contract
from il_ros.contract.episode_spec import EpisodeSpec
from il_ros.episodes.mcap import file_bytes, McapFile, parse_mcap
from il_ros.episodes.output_file import QueuedFile, UnbufferedFile
from il_ros.episodes.placing import free_paths
from il_ros.episodes.reader import decode, METADATA
from il_ros.episodes.receipts import DROPS, is_unfinished, read_receipt, Receipt, receipt_of
from il_ros.episodes.receipts import receipt_path, write_receipt
from il_ros.episodes.streams import METADATA as STREAMS, stream_counts, StreamCount, to_metadata
from il_ros.episodes.wire import keys
from il_ros.episodes.wire.cdr import groups
from il_ros.episodes.wire.schema import definitions_of, RECORDED, Schema, STATUS
from il_ros.errors import DecodeError, EpisodeExistsError, EpisodeFileError, EpisodeWriteError
from il_ros.files.atomic import sync_folder
from mcap.writer import CompressionType, Writer

CHUNK_BYTES = 8192
"""About six steps: what a killed recorder loses at most, beside ``CHUNK_NS``."""

CHUNK_NS = 500_000_000
"""A chunk is written after half a second also when it is not full."""

MIN_FREE_BYTES = 64 * 1024 * 1024
"""No episode is begun on a disk with less room."""

OUTCOME = f'{METADATA}.outcome'
"""Name of the metadata record that says what became of an episode."""

PROFILE = 'ros2'
LIBRARY = 'il_ros'


class EpisodeWriter:
    """
    One episode that is being recorded; ``close`` or ``abandon`` ends it.

    :ivar counts: messages written, by topic, repeats left out
    :ivar repeats: messages of the episode itself that carried the stamp of an earlier one of
        their topic, which are not written; additional streams (``streams``) come as they are
    """

    def __init__(self, folder: Path, spec: EpisodeSpec, contract: Contract,
                 schemas: Mapping[str, Schema], min_free_bytes: int = MIN_FREE_BYTES,
                 create: Callable[[Path], UnbufferedFile | QueuedFile] = UnbufferedFile):
        """
        Begin the file of ``spec`` in ``folder``, which is made where it is missing.

        :param schemas: type of each topic that will be written
        :param create: makes the file; ``QueuedFile`` for who must not be held up by the disk
        :raises EpisodeExistsError: if the episode is recorded; an incomplete one is set aside
        :raises EpisodeWriteError: if the folder forbids it or its disk is full
        """
        self.path = Path(folder) / f'{spec.episode_id}.mcap'
        self.counts = dict.fromkeys(schemas, 0)
        self.repeats = 0
        self._temporary = temporary_path(self.path)
        self._schemas = dict(schemas)
        self._last_status = b''
        self._chunk_began_ns: int | None = None
        self._open = False
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            _make_way(self.path)
            free = shutil.disk_usage(self.path.parent).free
            if free < min_free_bytes:
                raise EpisodeWriteError(
                    f'{self.path} is not begun: its disk has {free >> 20} MiB left; '
                    f'{min_free_bytes >> 20} are wanted')
            self._file = create(self._temporary)
            self._open = True
            self._begin(spec, contract)
        except OSError as error:
            raise self._failed(error) from error

    def _begin(self, spec: EpisodeSpec, contract: Contract):
        self._writer = Writer(cast(IO[bytes], self._file), chunk_size=CHUNK_BYTES,
                              compression=CompressionType.NONE, enable_data_crcs=True)
        self._writer.start(PROFILE, LIBRARY)
        self._writer.add_metadata(METADATA, {
            'spec': spec.to_json(), 'contract': contract.to_json(), 'task': spec.task,
            'purpose': spec.purpose, 'round': str(spec.round), 'seed': str(spec.seed),
            'contract_id': str(contract.id)})
        numbers = {schema: self._writer.register_schema(schema.name, 'ros2msg',
                                                        schema.text.encode())
                   for schema in dict.fromkeys(self._schemas.values())}
        self._channels = {
            topic: _ChannelState(self._writer.register_channel(topic, 'cdr', numbers[schema]),
                                 schema)
            for topic, schema in self._schemas.items()}

    def write(self, topic: str, raw: bytes, log_time_ns: int) -> bool:
        """
        Record one message as it came over the wire.

        :param raw: what a raw subscription gives
        :param log_time_ns: when it arrived
        :returns: False: it repeats an earlier message, by its stamp, and was left out
        :raises EpisodeWriteError: if the disk takes no more; ``abandon`` the episode then
        """
        channel = self._channels[topic]
        stamp_ns = log_time_ns
        if channel.stamped and len(raw) >= keys.STAMPED_BYTES:
            stamp_ns = keys.stamp_ns(raw)
            if topic in RECORDED:
                if stamp_ns in channel.stamps:
                    self.repeats += 1
                    return False
                channel.stamps.add(stamp_ns)
        if channel.is_status:
            self._last_status = raw
        try:
            self._writer.add_message(channel.number, log_time_ns, raw, max(stamp_ns, 0),
                                     self.counts[topic])
            self._keep_short(log_time_ns)
        except OSError as error:
            raise self._failed(error) from error
        self.counts[topic] += 1
        return True

    def _keep_short(self, log_time_ns: int):
        if self._chunk_began_ns is None or log_time_ns < self._chunk_began_ns:
            self._chunk_began_ns = log_time_ns
        else:
            self.keep_short(log_time_ns)

    @property
    def backlog(self) -> int:
        """Return how many bytes wait for a slow disk."""
        return self._file.backlog

    def keep_short(self, now_ns: int):
        """
        Write what has been kept for half a second, also when no other message comes.

        :param now_ns: on the clock of ``log_time_ns``
        :raises EpisodeWriteError: if the disk takes no more
        """
        if self._chunk_began_ns is not None and now_ns - self._chunk_began_ns > CHUNK_NS:
            self.flush()

    def flush(self):
        """
        Hand what is recorded so far to the operating system, where a kill cannot reach it.

        :raises EpisodeWriteError: if the disk takes no more
        """
        try:
            self._writer.flush()
        except OSError as error:
            raise self._failed(error) from error
        self._chunk_began_ns = None

    def note_streams(self, counts: Mapping[str, StreamCount]):
        """
        Say in the file what became of its streams, by topic; once, before ``close``.

        :raises EpisodeWriteError: if the disk takes no more
        """
        if not counts:
            return
        try:
            self._writer.add_metadata(STREAMS, to_metadata(counts))
        except OSError as error:
            raise self._failed(error) from error

    def close(self, flags: int = 0, gate_threshold: float = -1.0, error_msg: str = '') -> Receipt:
        """
        Finish the file, sync it, give it its name, read it back and write its receipt.

        :param flags: of ``receipts``, what the recorder knows; what the file shows is added
        :param gate_threshold: where the adapted gate stood at the end; -1: no gate
        :param error_msg: for people, e.g. why the episode was aborted
        :raises EpisodeWriteError: if the disk takes no more; nothing is left behind
        :raises EpisodeFileError: if what was read back is no episode; it is left for a look
        """
        try:
            self._writer.add_metadata(OUTCOME, {**self._outcome(),
                                                'gate_threshold': repr(gate_threshold)})
            self._writer.finish()
            self._file.close()
            os.replace(self._temporary, self.path)
            self._open = False
            sync_folder(self.path.parent)
        except OSError as error:
            raise self._failed(error) from error
        return acknowledge(self.path, flags, error_msg)

    def _outcome(self) -> dict[str, str]:
        schema = next((s for s in self._schemas.values() if s.name == STATUS), None)
        if schema is None or not self._last_status:
            return {}
        try:
            _, rows = next(iter(groups(schema, [self._last_status])))
        except DecodeError:
            return {}
        return {name: str(int(rows[name][0]))
                for name in ('step', 'end', 'cause', 'success', 'goals_reached')}

    def abandon(self):
        """Leave nothing of the episode behind; never raises, also after a failure."""
        if not self._open:
            return
        self._open = False
        try:
            self._file.close(sync=False)
        except OSError:
            pass  # it is removed anyway
        try:
            self._temporary.unlink(missing_ok=True)
        except OSError:
            pass  # a folder that became read-only: the next start clears it

    def _failed(self, error: OSError) -> EpisodeWriteError:
        self.abandon()
        return EpisodeWriteError(f'{self.path} cannot be recorded: {error.strerror or error}')


@functools.cache
def _begins_with_stamp(schema: Schema) -> bool:
    return next(iter(definitions_of(schema).values()))[0].type_name == 'std_msgs/Header'


class _ChannelState:
    """What ``write`` needs to know of a topic."""

    def __init__(self, number: int, schema: Schema):
        self.number = number
        self.stamped = _begins_with_stamp(schema)
        self.is_status = schema.name == STATUS
        self.stamps: set[int] = set()


def temporary_path(path: Path) -> Path:
    """Return the name of an episode's file while it is open."""
    return path.with_name(path.name + '.tmp')


def acknowledge(path: Path, flags: int = 0, error_msg: str = '') -> Receipt:
    """
    Read a finished episode back from disk and write its receipt.

    :raises EpisodeFileError: naming the file, if it is not a complete episode
    :raises EpisodeWriteError: if the receipt cannot be written
    """
    data = file_bytes(path)
    file = parse_mcap(path, data)
    if any(count.dropped for count in stream_counts(file).values()):
        flags |= DROPS
    receipt = receipt_of(decode(file), path, hashlib.sha256(data).hexdigest(), flags,
                         _gate_threshold(file), error_msg)
    write_receipt(path, receipt)
    return receipt


def _gate_threshold(file: McapFile) -> float:
    try:
        return float(file.metadata.get(OUTCOME, {}).get('gate_threshold', -1.0))
    except ValueError as error:
        raise EpisodeFileError(f'{file.path} is not a complete episode: gate_threshold is no '
                               'number in its metadata') from error


def _make_way(path: Path):
    """Refuse to overwrite a recorded episode; set an unfinished one aside."""
    receipt = receipt_path(path)
    if receipt.exists() and not is_unfinished(read_receipt(receipt)):
        raise EpisodeExistsError(f'{path} is recorded already; nothing is overwritten')
    for suffix in ('.json', '.labels.mcap', '.discarded.json'):
        path.with_suffix(suffix).unlink(missing_ok=True)
    if path.exists():
        aside, = free_paths(path.parent, f'{path.stem}.incomplete-{{}}.mcap')
        os.replace(path, aside)
