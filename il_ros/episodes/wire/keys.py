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

"""What a raw subscription needs to know of a message, without decoding the whole of it."""

import operator
import struct
from typing import NamedTuple

from il_ros.episodes.wire.cdr import NS
from il_ros.episodes.wire.layout import BODY, Layout, Layouts, Selection
from il_ros.episodes.wire.schema import definitions_of, EXECUTED, find_schema, OBSERVATION, STATUS
from il_ros.errors import BadMessageError

_STAMP = struct.Struct('<iI')
STAMPED_BYTES = BODY + _STAMP.size
"""What a message has at least that begins with a stamp."""

_KNOWN = 4
"""Layouts of a type that are remembered."""


class Key(NamedTuple):
    """Where one message belongs."""

    stamp_ns: int
    episode_id: str
    step: int
    phase: int
    """``EpisodeStatus.phase``; -1 in messages that have none."""


def stamp_ns(raw: bytes) -> int:
    """Return the stamp of a message whose first field is its header, in nanoseconds."""
    seconds, nanoseconds = _STAMP.unpack_from(raw, BODY)
    return seconds * NS + nanoseconds


class _Fields:
    """Reads some fields of messages of a type; what stands behind them is not looked at."""

    def __init__(self, type_name: str, *paths: str):
        self._type_name, self._paths = type_name, paths
        self._find = Layouts(self._learn, _KNOWN).find

    def __call__(self, raw: bytes):
        """Return their values, texts as bytes; a single one by itself."""
        pick, values = self._find(raw)
        return pick(values)

    def _learn(self, raw: bytes) -> tuple[Selection, operator.itemgetter]:
        definitions = definitions_of(find_schema(self._type_name))
        top, fields = next(iter(definitions.items()))
        wanted = {path.partition('.')[0] for path in self._paths}
        end = max(place for place, field in enumerate(fields, 1) if field.name in wanted)
        layout = Layout({**definitions, top: fields[:end]}, raw)
        selection = layout.select(self._paths)
        return selection, operator.itemgetter(
            *(selection.places[path] for path in self._paths))


_WHERE = ('header.stamp.sec', 'header.stamp.nanosec', 'episode_id', 'step')
_OBSERVATION = _Fields(OBSERVATION, *_WHERE, 'phase')
_EXECUTED = _Fields(EXECUTED, *_WHERE)
_STATUS = _Fields(STATUS, *_WHERE, 'phase')
_REASON = _Fields(STATUS, 'reason')


def observation_key(raw: bytes) -> Key:
    """Return where an ``Observation`` belongs."""
    return _key(*_OBSERVATION(raw))


def executed_key(raw: bytes) -> Key:
    """Return where an ``Executed`` belongs."""
    return _key(*_EXECUTED(raw))


def status_key(raw: bytes) -> Key:
    """Return where an ``EpisodeStatus`` belongs."""
    return _key(*_STATUS(raw))


def status_reason(raw: bytes) -> str:
    """Return why an ``EpisodeStatus`` was aborted; empty in every other status."""
    return _text(_REASON(raw))


def _key(seconds: int, nanoseconds: int, episode_id: bytes, step: int, phase: int = -1) -> Key:
    return Key(seconds * NS + nanoseconds, _text(episode_id), step, phase)


def _text(text: bytes) -> str:
    try:
        return text.decode()
    except UnicodeDecodeError as error:
        raise BadMessageError(
            f'episode_id or reason is not UTF-8 text: {text[:40]!r}') from error
