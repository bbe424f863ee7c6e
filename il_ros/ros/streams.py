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
Additional topics that the recorder keeps in full beside an episode.

They are taken from the middleware every ``POLL_S`` instead of one callback each: so comes, on any
executor, the publisher's number with each message, and with it the knowledge of what was lost;
and a stream of a thousand messages a second wakes the process two hundred times. The middleware
itself notes when a message was received.

Reliable by default: an image is larger than what the transport hands over at once, and of a
best-effort stream the rest is lost as soon as the reader is not at work the same moment.
"""

from collections.abc import Callable
import importlib
import time

from il_ros.episodes.pictures import TYPES
from il_ros.episodes.streams import parse_streams, Stream, StreamCount, StreamCounter
from il_ros.episodes.watch import Arrivals
from il_ros.episodes.wire.schema import find_schema
from il_ros.errors import StreamError
from il_ros.ros import qos
from il_ros.ros.listening import every
from rclpy.node import Node
from rclpy.qos import qos_check_compatible, QoSCompatibility, QoSProfile, ReliabilityPolicy
from rclpy.topic_endpoint_info import TopicEndpointInfo

POLL_S = 0.005
AT_ONCE = 15
"""Messages of a stream that are taken in a row: what has piled up holds nobody up for long."""

Sink = Callable[[str, bytes, int], bool | None]
"""
Gets topic, serialised message and when it was received, ns of the time of day.

Returns whether it was recorded; None: no episode is open.
"""


class Streams:
    """
    The streams of a recorder.

    :param text: as for ``parse_streams``
    :raises StreamError: if the text names no streams, or a type that is not installed
    :raises SchemaError: if the definition of a type is missing
    """

    def __init__(self, node: Node, text: str, sink: Sink):
        streams = parse_streams(text)
        self.schemas = {stream.topic: find_schema(stream.type_name) for stream in streams}
        kinds = [_message_class(stream) for stream in streams]
        self._node: Node | None = None
        self._readers: list[_Reader] = []
        if streams:
            # No executor has this node: an executor would take its messages away.
            self._node = Node(
                f'{node.get_name()}_streams', namespace=node.get_namespace(), context=node.context,
                use_global_arguments=False, enable_rosout=False, start_parameter_services=False)
            self._readers = [_Reader(self._node, stream, kind, sink)
                             for stream, kind in zip(streams, kinds, strict=True)]
            every(node, POLL_S, self.poll)

    def close(self):
        """Stop listening; a second call does nothing."""
        node, self._node = self._node, None
        self._readers.clear()
        if node is not None:
            node.destroy_node()

    def poll(self):
        """Hand on what has come since the last call."""
        for reader in self._readers:
            reader.poll()

    def begin(self):
        """Count from here on: an episode is opened. What came before is left behind."""
        for reader in self._readers:
            reader.begin()

    def counts(self) -> dict[str, StreamCount]:
        """Return what became of each stream since ``begin``, by topic."""
        return {reader.stream.topic: reader.counter.result() for reader in self._readers}

    def trouble(self, now_s: float, stale_s: float) -> str:
        """Return what is wrong with which stream, in words; empty: nothing."""
        found = {reader.stream.topic: reader.trouble(now_s, stale_s) for reader in self._readers}
        return '; '.join(f'{topic}: {words}' for topic, words in found.items() if words)

    def silent(self) -> str:
        """Return the streams without a message since ``begin``, with the reason; empty: none."""
        found = {reader.stream.topic: reader.deaf() or reader.quiet()
                 for reader in self._readers if not reader.counter.published}
        return '; '.join(f'no message on the stream {topic}, {why}'
                         for topic, why in found.items())

    def unheard(self) -> str:
        """Return the streams that cannot have messages, with the reason; empty: none."""
        found = {reader.stream.topic: reader.deaf() for reader in self._readers}
        return '; '.join(f'the stream {topic} cannot be received, {why}'
                         for topic, why in found.items() if why)

    def values(self, now_s: float) -> dict[str, str]:
        """Return the figures of this moment for ``/diagnostics``."""
        return {f'{reader.stream.topic}.{name}': value for reader in self._readers
                for name, value in reader.values(now_s).items()}


class _Reader:
    """One stream."""

    def __init__(self, node: Node, stream: Stream, kind: type, sink: Sink):
        self.stream = stream
        self._node, self._kind, self._sink = node, kind, sink
        profile = _profile(stream)
        self._profile, self._depth = profile, profile.depth
        self._subscription = node.create_subscription(
            kind, stream.topic, lambda _: None, profile, raw=True)
        self._restart()

    def _restart(self):
        self.counter, self._arrivals = StreamCounter(self.stream.type_name), Arrivals()
        self._began_s = time.monotonic()

    def begin(self):
        for _ in range(self._depth):
            if self._taken() is None:
                break
        self._restart()

    def poll(self):
        for _ in range(AT_ONCE):
            taken = self._taken()
            if taken is None:
                return
            raw, info = taken
            recorded = self._sink(self.stream.topic, raw, info['received_timestamp'])
            if recorded is not None:
                self.counter.take(info['publication_sequence_number'], recorded)
                self._arrivals.hear(time.monotonic())

    def _taken(self) -> tuple[bytes, dict] | None:
        handle = self._subscription.handle
        with handle:
            return handle.take_message(self._kind, True)

    def trouble(self, now_s: float, stale_s: float) -> str:
        words = []
        if self.counter.dropped:
            words.append(f'{self.counter.dropped} dropped')
        silent_s = min(self._arrivals.age_s(now_s), now_s - self._began_s)
        if silent_s > stale_s:
            words.append(f'silent for {silent_s:.1f} s{self._mismatch()}')
        return ', '.join(words)

    def _mismatch(self) -> str:
        why = self.deaf()
        return f', {why}' if why else ''

    def quiet(self) -> str:
        return ('its publisher sent nothing in the '
                f'{time.monotonic() - self._began_s:.1f} s of the episode')

    def deaf(self) -> str:
        """Return why nothing can come, and what to ask for instead; empty: something can."""
        publishers = self._node.get_publishers_info_by_topic(self._subscription.topic_name)
        if not publishers:
            return (f'it has no publisher in the ROS domain {self._node.context.get_domain_id()}: '
                    'start its publisher, or set ROS_DOMAIN_ID to that of its publisher')
        alike = [one for one in publishers if one.topic_type == self.stream.type_name]
        if not alike:
            return (f'its publisher has the type {publishers[0].topic_type}: '
                    f'{self._ask_for(publishers[0])}')
        checks = [qos_check_compatible(one.qos_profile, self._profile) for one in alike]
        if any(compatible != QoSCompatibility.ERROR for compatible, _ in checks):
            return ''
        if all(one.qos_profile.reliability == ReliabilityPolicy.BEST_EFFORT for one in alike):
            return f'its publisher offers best effort alone: {self._ask_for(alike[0])}'
        return f'its publisher offers another quality of service: {checks[0][1].strip(" ;")}'

    def _ask_for(self, publisher: TopicEndpointInfo) -> str:
        reliable = publisher.qos_profile.reliability != ReliabilityPolicy.BEST_EFFORT
        return f'ask for it with {Stream(self.stream.topic, publisher.topic_type, reliable)}'

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
