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
What a raw subscription needs to know of a message, without decoding the whole of it.

The offsets follow from the definitions in ``il_ros_interfaces`` and the rules of CDR (little
endian, four bytes of encapsulation, every primitive aligned to its size behind them); a test
holds them against the real serialisation. What is no message raises ``BadMessageError``.
"""

import struct
from typing import NamedTuple

from il_ros.episodes.wire.decoder import BadMessageError

_STAMP = struct.Struct('<iI')
_UINT32 = struct.Struct('<I')
_BODY = 4


class Key(NamedTuple):
    """Where one message belongs."""

    stamp_ns: int
    episode_id: str
    step: int
    phase: int
    """``EpisodeStatus.phase``; -1 in messages that have none."""


def stamp_ns(raw: bytes) -> int:
    """Return the stamp of a message whose first field is its header, in nanoseconds."""
    seconds, nanoseconds = _STAMP.unpack_from(raw, _BODY)
    return seconds * 1_000_000_000 + nanoseconds


_NO_MESSAGE = (struct.error, IndexError, UnicodeDecodeError)
"""What reading raises of bytes that are no message."""


def _bad(raw: bytes, error: Exception) -> BadMessageError:
    if isinstance(error, UnicodeDecodeError):
        return BadMessageError(f'episode_id or reason is not UTF-8 text: {error.object[:40]!r}')
    return BadMessageError(f'a message of {len(raw)} bytes ends inside a field')


def _string(raw: bytes, offset: int) -> tuple[bytes, int]:
    offset = _align(offset, 4)
    length = _UINT32.unpack_from(raw, offset)[0]
    start = offset + 4
    return raw[start:start + length - 1], start + length


def _align(offset: int, size: int) -> int:
    return offset + (_BODY - offset) % size


def _uint32(raw: bytes, offset: int) -> tuple[int, int]:
    offset = _align(offset, 4)
    return _UINT32.unpack_from(raw, offset)[0], offset + 4


def observation_key(raw: bytes) -> Key:
    """Return where an ``Observation`` belongs."""
    try:
        _, offset = _string(raw, _BODY + 8)
        step, offset = _uint32(raw, _align(offset, 8) + 8)
        phase = raw[offset]
        episode_id, _ = _string(raw, offset + 1)
        return Key(stamp_ns(raw), episode_id.decode(), step, phase)
    except _NO_MESSAGE as error:
        raise _bad(raw, error) from error


def executed_key(raw: bytes) -> Key:
    """Return where an ``Executed`` belongs."""
    try:
        _, offset = _string(raw, _BODY + 8)
        step, offset = _uint32(raw, offset)
        episode_id, _ = _string(raw, _align(offset + 2, 4) + 12)
        return Key(stamp_ns(raw), episode_id.decode(), step, -1)
    except _NO_MESSAGE as error:
        raise _bad(raw, error) from error


def status_key(raw: bytes) -> Key:
    """Return where an ``EpisodeStatus`` belongs."""
    try:
        _, offset = _string(raw, _BODY + 8)
        episode_id, offset = _string(raw, offset)
        _, offset = _string(raw, offset)
        _, offset = _uint32(raw, offset)
        step, offset = _uint32(raw, offset)
        _, offset = _uint32(raw, offset)
        return Key(stamp_ns(raw), episode_id.decode(), step, raw[offset])
    except _NO_MESSAGE as error:
        raise _bad(raw, error) from error


def status_reason(raw: bytes) -> str:
    """Return why an ``EpisodeStatus`` was aborted; empty in every other status."""
    try:
        _, offset = _string(raw, _BODY + 8)
        for _ in range(2):
            _, offset = _string(raw, offset)
        offset = _align(offset, 4) + 12
        reason, _ = _string(raw, _align(offset + 4, 4) + 4)
        return reason.decode()
    except _NO_MESSAGE as error:
        raise _bad(raw, error) from error
