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
The records of one MCAP file, checked, without a copy of any message.

The file is scanned here instead of by ``mcap``'s reader because opening a thousand episodes is
what every training starts with: this takes a fraction of a microsecond a record. What is
written by this project is read: uncompressed, with a checksum over the whole data section.
Format: https://mcap.dev/spec
"""

from collections.abc import Iterator
import dataclasses
import mmap
from pathlib import Path
import struct
import zlib

from il_ros.episodes.wire.schema import Schema
from il_ros.errors import EpisodeFileError
from il_ros.files.regular import open_regular, read_bytes, require_regular

MAGIC = b'\x89MCAP0\r\n'

Data = bytes | mmap.mmap
"""The content of a file, read or mapped."""
MAPPED_FROM = 64 << 20
"""Files from this size on, in bytes, are mapped: those with full-size images may exceed memory."""

_HEADER, _FOOTER, _SCHEMA, _CHANNEL, _MESSAGE, _CHUNK = range(1, 7)
_METADATA, _DATA_END = 0x0c, 0x0f
_RECORD = struct.Struct('<BQ')
_CHUNK_HEAD = struct.Struct('<QQQII')
_MESSAGE_HEAD = struct.Struct('<HIQQ')
_CHANNEL_HEAD = struct.Struct('<HH')
_FOOTER_BODY = struct.Struct('<QQI')
_UINT16 = struct.Struct('<H')
_UINT32 = struct.Struct('<I')
_UINT64 = struct.Struct('<Q')
_TAIL = _RECORD.size + _FOOTER_BODY.size + len(MAGIC)


class _Damage(ValueError):
    """Where and how the bytes stop making sense."""


@dataclasses.dataclass
class Channel:
    """One topic of the file, with the place of each of its messages."""

    topic: str
    schema: Schema
    spots: list[tuple[int, int]]
    """First byte of each serialised message, and the first byte behind it."""


class McapFile:
    """What one file holds: channels with their messages, and the metadata records."""

    def __init__(self, path: Path, data: Data):
        """Begin with nothing; ``read_mcap`` and ``salvage_mcap`` fill it."""
        self.path = path
        self.data = data
        self.channels: dict[int, Channel] = {}
        self.metadata: dict[str, dict[str, str]] = {}
        self._schemas: dict[int, Schema] = {}

    def messages(self, type_name: str) -> tuple[Schema | None, list[bytes]]:
        """
        Return the serialised messages of one type, in the order of the file.

        :returns: their schema (None: the file has no channel of that type) and the messages
        """
        for channel in self.channels.values():
            if channel.schema.name == type_name:
                return channel.schema, [self.data[i:j] for i, j in channel.spots]
        return None, []

    def in_order(self) -> Iterator[tuple[str, bytes, int]]:
        """Return topic, serialised message and log time in ns of all messages, as written."""
        spots = [(i, j, channel.topic) for channel in self.channels.values()
                 for i, j in channel.spots]
        for begin, end, topic in sorted(spots):
            yield topic, self.data[begin:end], self.log_time_ns(begin)

    def log_time_ns(self, begin: int) -> int:
        """Return when the message whose first byte is ``data[begin]`` was received."""
        return _MESSAGE_HEAD.unpack_from(self.data, begin - _MESSAGE_HEAD.size)[2]

    def take(self, kind: int, begin: int, end: int):
        """Take in the record of ``kind`` whose content is ``data[begin:end]``."""
        if kind == _SCHEMA:
            number = _UINT16.unpack_from(self.data, begin)[0]
            name, offset = self._string(begin + 2, end)
            _, offset = self._string(offset, end)
            text, _ = self._string(offset, end)
            self._schemas[number] = Schema(name, text)
        elif kind == _CHANNEL:
            number, schema = _CHANNEL_HEAD.unpack_from(self.data, begin)
            topic, offset = self._string(begin + 4, end)
            if number not in self.channels:
                self.channels[number] = Channel(topic, self._schemas[schema], [])
        elif kind == _METADATA:
            name, offset = self._string(begin, end)
            self.metadata[name] = self._map(offset, end)

    def scan(self, begin: int, end: int):
        """
        Take in the schemas, channels and messages in ``data[begin:end]``.

        :raises _Damage: if a record does not end where it says
        """
        data, channels, offset = self.data, self.channels, begin
        unpack, channel_of = _RECORD.unpack_from, _UINT16.unpack_from
        while offset < end:
            kind, length = unpack(data, offset)
            body = offset + 9
            offset = body + length
            if offset > end:
                raise _Damage(f'a record at byte {body} runs past its chunk')
            if kind == _MESSAGE:
                channels[channel_of(data, body)[0]].spots.append((body + 22, offset))
            else:
                self.take(kind, body, offset)

    def scan_chunk(self, begin: int, end: int, check: bool):
        """
        Take in a chunk.

        :param check: compare its checksum; needless where the whole file's was
        :raises _Damage: if the checksum or a length is wrong, or it is compressed
        """
        _, _, size, expected, name = _CHUNK_HEAD.unpack_from(self.data, begin)
        if name:
            raise _Damage('it is compressed, which episodes of il_ros are not')
        offset = begin + _CHUNK_HEAD.size
        length = _UINT64.unpack_from(self.data, offset)[0]
        offset += 8
        if length != size or offset + length != end:
            raise _Damage(f'the chunk at byte {begin} has another length than it says')
        if check and expected and zlib.crc32(memoryview(self.data)[offset:end]) != expected:
            raise _Damage(f'the checksum of the chunk at byte {begin} is wrong')
        self.scan(offset, end)

    def _string(self, offset: int, end: int) -> tuple[str, int]:
        length = _UINT32.unpack_from(self.data, offset)[0]
        stop = offset + 4 + length
        if stop > end:
            raise _Damage(f'a text at byte {offset} runs past its record')
        return self.data[offset + 4:stop].decode(), stop

    def _map(self, offset: int, end: int) -> dict[str, str]:
        stop = offset + 4 + _UINT32.unpack_from(self.data, offset)[0]
        entries, offset = {}, offset + 4
        while offset < min(stop, end):
            key, offset = self._string(offset, end)
            entries[key], offset = self._string(offset, end)
        return entries


def read_mcap(path: Path) -> McapFile:
    """
    Read a finished file and check all of it.

    :raises EpisodeFileError: naming the file: it is missing, cut short, damaged or foreign
    """
    return parse_mcap(path, file_bytes(path))


def parse_mcap(path: Path, data: Data) -> McapFile:
    """
    Take ``data`` for the finished file ``path`` and check all of it.

    :raises EpisodeFileError: naming the file: it is cut short, damaged or foreign
    """
    file = McapFile(path, data)
    if data[:len(MAGIC)] != MAGIC:
        raise EpisodeFileError(f'{path} is no MCAP file')
    if len(data) < len(MAGIC) + _TAIL or data[-len(MAGIC):] != MAGIC:
        raise EpisodeFileError(f'{path} is cut short: the mark at the end of a complete '
                               'file is missing')
    try:
        _check_summary(data)
        for kind, begin, end in _records(data):
            if kind == _DATA_END:
                _check_data(data, begin, end)
                return file
            _take_record(file, kind, begin, end, check=False)
    except (_Damage, struct.error, KeyError, UnicodeDecodeError) as error:
        raise EpisodeFileError(f'{path} is damaged: {error}') from error
    raise EpisodeFileError(f'{path} is damaged: its data section has no end')


def salvage_mcap(path: Path) -> McapFile:
    """
    Read what is whole in a file whose writer was killed.

    :raises EpisodeFileError: naming the file, if it is not even the beginning of one
    """
    data = file_bytes(path)
    file = McapFile(path, data)
    if data[:len(MAGIC)] != MAGIC:
        raise EpisodeFileError(f'{path} is no MCAP file')
    try:
        for kind, begin, end in _records(data):
            if kind == _DATA_END:
                break
            _take_record(file, kind, begin, end, check=True)
    except (_Damage, struct.error, KeyError, UnicodeDecodeError):
        pass  # the open end of the file: what came before it is whole
    return file


def file_bytes(path: Path) -> bytes | mmap.mmap:
    """
    Return the bytes of a file; those of a large one are mapped, not read.

    :raises EpisodeFileError: naming the file, if it cannot be read
    """
    try:
        if require_regular(path).st_size < MAPPED_FROM:
            return read_bytes(path)
        with open_regular(path) as file:
            return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except OSError as error:
        raise EpisodeFileError(f'{path} cannot be read: {error.strerror}') from error


def _records(data: Data) -> Iterator[tuple[int, int, int]]:
    offset = len(MAGIC)
    while offset < len(data):
        kind, length = _RECORD.unpack_from(data, offset)
        begin = offset + _RECORD.size
        offset = begin + length
        if offset > len(data):
            raise _Damage(f'the record at byte {begin} runs past the end of the file')
        yield kind, begin, offset


def _take_record(file: McapFile, kind: int, begin: int, end: int, check: bool):
    if kind == _CHUNK:
        file.scan_chunk(begin, end, check)
    elif kind == _MESSAGE:
        file.scan(begin - _RECORD.size, end)
    else:
        file.take(kind, begin, end)


def _check_data(data: Data, begin: int, end: int):
    start = _FOOTER_BODY.unpack_from(data, len(data) - _TAIL + _RECORD.size)[0]
    if end != begin + _UINT32.size or end != start:
        raise _Damage('its data section ends at the wrong place')
    expected = _UINT32.unpack_from(data, begin)[0]
    if expected == 0:
        raise _Damage('its data section has no checksum, which episodes of il_ros have')
    if zlib.crc32(memoryview(data)[:begin - _RECORD.size]) != expected:
        raise _Damage('the checksum of its data section is wrong')


def _check_summary(data: Data):
    footer = len(data) - _TAIL
    kind, length = _RECORD.unpack_from(data, footer)
    start, _, expected = _FOOTER_BODY.unpack_from(data, footer + _RECORD.size)
    if kind != _FOOTER or length != _FOOTER_BODY.size or not 0 < start <= footer:
        raise _Damage('its footer is wrong')
    covered = memoryview(data)[start:footer + _RECORD.size + 16]
    if zlib.crc32(covered) != expected:
        raise _Damage('the checksum of its summary is wrong')
