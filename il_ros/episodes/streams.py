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
Additional topics recorded in full beside an episode: cameras, sensors, a second arm.

Their messages lie in the episode's file as they came over the wire. What became of each topic
stands there, too: ``published == recorded + dropped``, as far as it can be known.
"""

from collections.abc import Mapping
import dataclasses
import json
import re

from il_ros.episodes.mcap import Channel, McapFile
from il_ros.episodes.wire.schema import RECORDED
from il_ros.errors import EpisodeFileError, StreamError

METADATA = 'il_ros.streams'
"""Name of the metadata record with the counts of each stream."""

BEST_EFFORT = 'best_effort'
RELIABLE = 'reliable'

_TOPIC = re.compile(r'/?[A-Za-z_]\w*(/[A-Za-z_]\w*)*', re.ASCII)
_TYPE = re.compile(r'([a-z][a-z0-9_]*)(?:/msg)?/([A-Z][A-Za-z0-9]*)', re.ASCII)


@dataclasses.dataclass(frozen=True)
class Stream:
    """A topic that is to be recorded in full."""

    topic: str
    type_name: str
    """``package/msg/Type``."""

    reliable: bool = True
    """Ask for every message again until it is there; False: a publisher that does not offer it."""

    def __str__(self):
        return f'{self.topic}:{self.type_name}{"" if self.reliable else f":{BEST_EFFORT}"}'


def parse_streams(text: str) -> tuple[Stream, ...]:
    """
    Return the streams that ``TOPIC:TYPE[:best_effort],...`` names; an empty text names none.

    :raises StreamError: naming the part that is wrong and what was expected
    """
    streams = tuple(_stream(part.strip()) for part in text.split(',') if part.strip())
    names = [stream.topic.lstrip('/') for stream in streams]
    for name in names:
        if names.count(name) > 1:
            raise StreamError(f'the stream {name} is named twice')
    return streams


def _stream(text: str) -> Stream:
    topic, _, rest = text.partition(':')
    kind, _, reliability = rest.partition(':')
    match = _TYPE.fullmatch(kind)
    if not _TOPIC.fullmatch(topic) or match is None or (
            reliability not in ('', BEST_EFFORT, RELIABLE)):
        raise StreamError(f'{text!r} is no stream; expected TOPIC:TYPE or '
                          f'TOPIC:TYPE:{BEST_EFFORT}, e.g. camera/image_raw:sensor_msgs/msg/Image')
    type_name = f'{match[1]}/msg/{match[2]}'
    if topic.lstrip('/') in RECORDED or type_name in RECORDED.values():
        raise StreamError(f'{text!r} is no stream: what an episode is made of is recorded already')
    return Stream(topic, type_name, reliability != BEST_EFFORT)


@dataclasses.dataclass(frozen=True)
class StreamCount:
    """What became of one stream's messages in one episode."""

    type_name: str
    recorded: int = 0
    """Messages in the file."""

    dropped: int = 0
    """Messages that were published between the first and the last that came, and are not in it."""

    exact: bool = True
    """False: several publishers, or one that was started again; more may be missing."""

    @property
    def published(self) -> int:
        """Return how many messages there were from the first to the last that came."""
        return self.recorded + self.dropped


class StreamCounter:
    """
    Counts one stream between the opening and the closing of an episode.

    A publisher numbers its messages one by one, over all that it publishes: what lies between
    two numbers was lost. Numbers that go back are those of several publishers, or of one that
    was started again; then nobody can tell what was lost, and the count is not exact.
    """

    def __init__(self, type_name: str):
        """Begin with nothing."""
        self._type_name = type_name
        self._came = self._refused = self._missing = 0
        self._last: int | None = None
        self._exact = True

    def take(self, sequence: int, recorded: bool = True):
        """
        Count a message that came.

        :param sequence: the publisher's number for it
        :param recorded: False: it was dropped all the same
        """
        if self._last is not None:
            self._exact &= sequence > self._last
            self._missing += max(0, sequence - self._last - 1)
        self._last = sequence
        self._came += 1
        self._refused += not recorded

    @property
    def published(self) -> int:
        """Return how many messages came, or are known to be missing."""
        return self.recorded + self.dropped

    @property
    def recorded(self) -> int:
        """Return how many messages are in the file."""
        return self._came - self._refused

    @property
    def dropped(self) -> int:
        """Return how many messages are missing in the file, as far as it is known."""
        return self._refused + (self._missing if self._exact else 0)

    def result(self) -> StreamCount:
        """Return the counts so far."""
        return StreamCount(self._type_name, self.recorded, self.dropped, self._exact)


def to_metadata(counts: Mapping[str, StreamCount]) -> dict[str, str]:
    """Return the metadata record of an episode with these streams."""
    return {topic: json.dumps(dataclasses.asdict(count)) for topic, count in counts.items()}


def stream_counts(file: McapFile) -> dict[str, StreamCount]:
    """
    Return what became of each stream of an episode, by topic.

    A file that a killed recorder left has none: its streams are recorded, not counted.

    :raises EpisodeFileError: naming the file whose counts make no sense
    """
    try:
        return {topic: StreamCount(**json.loads(text))
                for topic, text in file.metadata.get(METADATA, {}).items()}
    except (TypeError, ValueError) as error:
        raise EpisodeFileError(f'{file.path} is not a complete episode: its metadata '
                               f'{METADATA!r} make no sense: {error}') from error


def stream_channels(file: McapFile) -> dict[str, Channel]:
    """Return the channels of a file that are streams, by topic."""
    return {channel.topic: channel for channel in file.channels.values()
            if channel.topic not in RECORDED}
