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
Subscriptions to the topics of others that the recorder keeps in full beside an episode.

Reliable ones by default: an image is larger than what the transport hands over at once, and of a
best-effort stream the rest is lost as soon as the reader is not at work the same moment.
"""

from collections.abc import Callable
import importlib
import time

from il_ros.data.arrivals import Arrivals
from il_ros.data.errors import StreamError
from il_ros.data.pictures import TYPES
from il_ros.data.schema import find_schema
from il_ros.data.streams import parse_streams, Stream, StreamCount, StreamCounter
from il_ros.nodes import qos
from rclpy.event_handler import SubscriptionEventCallbacks
from rclpy.node import Node
from rclpy.qos import QoSProfile

Sink = Callable[[str, bytes, int], bool | None]
"""
Gets topic, serialised message and when it was received, ns of the time of day.

Returns whether it was recorded; None: no episode is open.
"""


class Streams:
    """
    The streams of a recorder.

    :param text: as for ``parse_streams``
    :param numbered: count by the publishers' numbers, which the SingleThreadedExecutor alone
        hands out; else by what the middleware says that it has lost
    :raises StreamError: if the text names no streams, or a type that is not installed
    :raises SchemaError: if the definition of a type is missing
    """

    def __init__(self, node: Node, text: str, numbered: bool, sink: Sink):
        streams = parse_streams(text)
        self.schemas = {stream.topic: find_schema(stream.type_name) for stream in streams}
        self._readers = [_Reader(node, stream, numbered, sink) for stream in streams]

    def begin(self):
        """Count from here on: an episode is opened."""
        for reader in self._readers:
            reader.begin()

    def counts(self) -> dict[str, StreamCount]:
        """Return what became of each stream since ``begin``, by topic."""
        return {reader.stream.topic: reader.counter.result() for reader in self._readers}

    def trouble(self, now_s: float, stale_s: float) -> str:
        """Return what is wrong with which stream, in words; empty: nothing."""
        found = {reader.stream.topic: reader.trouble(now_s, stale_s) for reader in self._readers}
        return '; '.join(f'{topic}: {words}' for topic, words in found.items() if words)

    def values(self, now_s: float) -> dict[str, str]:
        """Return the figures of this moment for ``/diagnostics``."""
        return {f'{reader.stream.topic}.{name}': value for reader in self._readers
                for name, value in reader.values(now_s).items()}


class _Reader:
    """One stream."""

    def __init__(self, node: Node, stream: Stream, numbered: bool, sink: Sink):
        self.stream = stream
        self._sink, self._logger = sink, node.get_logger()
        self._mismatch = ''
        self.begin()
        node.create_subscription(
            _message_class(stream), stream.topic, self._on_numbered if numbered else self._on_raw,
            _profile(stream), raw=True, event_callbacks=SubscriptionEventCallbacks(
                message_lost=self._on_lost, incompatible_qos=self._on_incompatible))

    def begin(self):
        self.counter, self._arrivals = StreamCounter(self.stream.type_name), Arrivals()
        self._began_s = time.monotonic()

    def _on_raw(self, raw: bytes):
        self._take(raw, time.time_ns(), None)

    def _on_numbered(self, raw: bytes, info: dict):
        self._take(raw, info['received_timestamp'], info['publication_sequence_number'])

    def _take(self, raw: bytes, received_ns: int, sequence: int | None):
        recorded = self._sink(self.stream.topic, raw, received_ns)
        if recorded is not None:
            self.counter.take(sequence, recorded)
            self._arrivals.hear(time.monotonic())

    def _on_lost(self, event):
        self.counter.lose(event.total_count_change)

    def _on_incompatible(self, _event):
        self._mismatch = (f'a publisher offers best effort alone; ask for it with '
                          f'{self.stream.topic}:{self.stream.type_name}:best_effort')
        self._logger.error(f'{self.stream.topic}: {self._mismatch}')

    def trouble(self, now_s: float, stale_s: float) -> str:
        words = [self._mismatch] if self._mismatch else []
        if self.counter.dropped:
            words.append(f'{self.counter.dropped} dropped')
        silent_s = min(self._arrivals.age_s(now_s), now_s - self._began_s)
        if silent_s > stale_s:
            words.append(f'silent for {silent_s:.1f} s')
        return ', '.join(words)

    def values(self, now_s: float) -> dict[str, str]:
        figures = {'recorded': str(self.counter.recorded), 'dropped': str(self.counter.dropped)}
        if self.counter.recorded:
            figures['rate_hz'] = f'{self._arrivals.rate_hz(now_s):.1f}'
            figures['largest_gap_s'] = f'{self._arrivals.largest_gap_s:.3f}'
            figures['age_s'] = f'{self._arrivals.age_s(now_s):.3f}'
        return figures


def _profile(stream: Stream) -> QoSProfile:
    if not stream.reliable:
        return qos.RECORD_BEST_EFFORT
    return qos.RECORD_IMAGES if stream.type_name in TYPES else qos.RECORD


def _message_class(stream: Stream) -> type:
    package, _, name = stream.type_name.split('/')
    try:
        return getattr(importlib.import_module(f'{package}.msg'), name)
    except (ImportError, AttributeError) as error:
        raise StreamError(f'the stream {stream} has a type that is not installed: {error}'
                          ) from error
