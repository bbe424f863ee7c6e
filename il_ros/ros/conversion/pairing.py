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

"""Join messages into observations, by equal stamps or at a fixed rate."""

from collections import deque
from collections.abc import Mapping

from il_ros.ros.conversion.assembly import ObservationError
from il_ros.ros.conversion.messages import to_ns

MAX_PENDING = 8
"""Stamps that may be incomplete at once; those that came first are dropped and counted."""


class ExactPairing:
    """Collects one message of every topic with equal stamps (lockstep)."""

    def __init__(self, topics: tuple[str, ...]):
        self._topics = topics
        self._pending: dict[int, dict] = {}
        self.dropped = 0

    def add(self, topic: str, message, now_ns: int = 0) -> tuple[int, dict] | None:
        """Return ``(stamp_ns, messages)`` when this message completes its stamp."""
        stamp_ns = to_ns(message.header.stamp)
        parts = self._pending.setdefault(stamp_ns, {})
        parts[topic] = message
        if len(parts) == len(self._topics):
            for earlier in [s for s in self._pending if s <= stamp_ns]:
                self.dropped += len(self._pending.pop(earlier)) < len(self._topics)
            return stamp_ns, parts
        while len(self._pending) > MAX_PENDING:
            # Not the one with the oldest stamp: a few from the future would drop all others.
            self._pending.pop(next(iter(self._pending)))
            self.dropped += 1
        return None

    def missing(self) -> list[str]:
        """Return the topics that the oldest incomplete stamp still lacks."""
        if not self._pending:
            return []
        parts = self._pending[min(self._pending)]
        return [topic for topic in self._topics if topic not in parts]


class OccasionalPairing:
    """
    Exact pairing in which some streams come every so many steps only (lockstep).

    A step that such a stream is due for waits for its message of the same stamp; between, its
    last one stands. Who joined in the midst takes the newest one that is repeated to it.

    :param every: steps from one message to the next, by topic
    """

    def __init__(self, topics: tuple[str, ...], every: Mapping[str, int]):
        self._exact = ExactPairing(topics)
        self._every = dict(every)
        self._held: dict[str, dict[int, object]] = {topic: {} for topic in every}
        self._waiting: tuple[int, dict] | None = None

    @property
    def dropped(self) -> int:
        """Return how many stamps stayed incomplete."""
        return self._exact.dropped

    def add(self, topic: str, message, now_ns: int = 0) -> tuple[int, dict] | None:
        """Return ``(stamp_ns, messages)`` when this message completes its stamp."""
        held = self._held.get(topic)
        if held is not None:
            stamp_ns = to_ns(message.header.stamp)
            held.pop(stamp_ns, None)
            held[stamp_ns] = message
            while len(held) > MAX_PENDING:
                held.pop(next(iter(held)))
        else:
            complete = self._exact.add(topic, message)
            if complete is None:
                return None
            self._exact.dropped += self._waiting is not None and self._waiting[0] < complete[0]
            self._waiting = complete
        return self._complete()

    def _complete(self) -> tuple[int, dict] | None:
        if self._waiting is None or self._lacking(*self._waiting):
            return None
        (stamp_ns, messages), self._waiting = self._waiting, None
        for topic, held in self._held.items():
            newest_ns = max(s for s in held if s <= stamp_ns)
            messages[topic] = held[newest_ns]
            for earlier_ns in [s for s in held if s < newest_ns]:
                del held[earlier_ns]
        return stamp_ns, messages

    def _lacking(self, stamp_ns: int, messages: dict) -> list[str]:
        step = messages['episode'].step
        return [topic for topic, held in self._held.items() if not (
            stamp_ns in held if step % self._every[topic] == 0
            else any(s <= stamp_ns for s in held))]

    def missing(self) -> list[str]:
        """Return the topics that are waited for."""
        if self._waiting is None:
            return self._exact.missing()
        return self._lacking(*self._waiting)


class Cadence:
    """
    Says which stamps are beats: one a period, half a period early or late at most.

    Who makes the beats and who reads them must agree on it, or a state that was published is
    never observed.
    """

    def __init__(self, period_ns: int):
        self._early_ns = period_ns // 2
        # A thousandth short: a stream of the same rate whose clock runs fast loses no beat.
        self._period_ns = period_ns * 999 // 1000
        self._due_ns = self._last_ns = 0

    def takes(self, stamp_ns: int) -> bool:
        """Tell whether this stamp is the next beat; if so, the one after it is awaited."""
        if stamp_ns < max(self._due_ns - self._early_ns, self._last_ns + self._early_ns):
            return False
        late = stamp_ns - self._due_ns > self._early_ns
        self._due_ns = (stamp_ns if late else self._due_ns) + self._period_ns
        self._last_ns = stamp_ns
        return True


class AsOfPairing:
    """
    Pairs every beat of one stream with the others as they were then (realtime).

    Beats are due once a period. One may come half a period early or late without another one
    being lost or added; a stream of a higher rate is thinned out to the contract's. A stream
    that has carried the stamp of a beat is in step: a beat waits for its message, until the next
    beat at most. All others are as they were last, and as fresh as both their stamps and the time
    at which they came say; one without a stamp is of the beat before it came. A message that
    is later than the beat does not stand for one before: a process that was held up hears some
    topics sooner than others.

    :param period_ns: the contract's period
    :param tolerance_ns: how old the other streams may be at a beat
    :param every: control steps from one message to the next of streams that are slower, by
        topic; none is waited for, and each may be older by that much
    """

    def __init__(self, topics: tuple[str, ...], beat: str, period_ns: int, tolerance_ns: int,
                 every: Mapping[str, int] | None = None):
        self._others = tuple(topic for topic in topics if topic != beat)
        self._beat = beat
        self._cadence = Cadence(period_ns)
        every = every or {}
        self._slow = {topic for topic, steps in every.items() if steps > 1}
        self._tolerances_ns = {topic: tolerance_ns + (every.get(topic, 1) - 1) * period_ns
                               for topic in self._others}
        self._kept: dict[str, deque] = {
            topic: deque(maxlen=MAX_PENDING) for topic in self._others}
        self._beat_message = None
        self._stamps: dict[str, int] = {}
        self._came: dict[str, int] = {}
        self._beat_came_ns = 0
        self._in_step: set[str] = set()
        self._last_ns = 0
        self._waiting = False
        self._missing: list[str] = []
        self.dropped = 0

    def add(self, topic: str, message, now_ns: int) -> tuple[int, dict] | None:
        """
        Return ``(stamp_ns, messages)`` when this message completes a beat.

        :param now_ns: when it came, on the steady clock
        :raises ObservationError: for a stamp that lies in the future, by the beat's clock
        """
        header = getattr(message, 'header', None)
        stamp_ns = to_ns(header.stamp) if header else self._last_ns + 1
        if topic == self._beat:
            if not self._begin(stamp_ns):
                return None
            self._waiting, self._beat_came_ns, self._beat_message = True, now_ns, message
            return self._complete()
        if self._last_ns and stamp_ns - self._last_ns > (
                now_ns - self._beat_came_ns + self._tolerances_ns[topic]):
            raise ObservationError(
                f'the stamp is {(stamp_ns - self._last_ns) * 1e-9:.3f} s later than that of '
                f'{self._beat}; expected one clock for both')
        if stamp_ns == self._last_ns and topic not in self._slow:
            self._in_step.add(topic)
        self._kept[topic].append((stamp_ns, message))
        self._stamps[topic], self._came[topic] = stamp_ns, now_ns
        return self._complete() if self._waiting else None

    def _begin(self, stamp_ns: int) -> bool:
        if not self._cadence.takes(stamp_ns):
            return False
        if self._waiting:
            self._missing = sorted(self._behind())
            self._in_step.difference_update(self._missing)
            self.dropped += 1
        self._last_ns = stamp_ns
        self._in_step.update(t for t in self._others if t not in self._slow and any(
            kept_ns == stamp_ns for kept_ns, _ in self._kept[t]))
        return True

    def _behind(self) -> set[str]:
        return {topic for topic in self._in_step if self._stamps[topic] < self._last_ns}

    def _complete(self) -> tuple[int, dict] | None:
        if self._behind():
            return None
        self._waiting = False
        then = {topic: self._as_of_beat(topic) for topic in self._others}
        self._missing = [t for t in self._others
                         if then[t][0] < self._last_ns - self._tolerances_ns[t]
                         or self._came.get(t, 0) < self._beat_came_ns - self._tolerances_ns[t]]
        if self._missing:
            self.dropped += 1
            return None
        return self._last_ns, {
            self._beat: self._beat_message,
            **{topic: message for topic, (_, message) in then.items()}}

    def _as_of_beat(self, topic: str) -> tuple[int, object]:
        """Return stamp and message of a topic: its last one by the beat, else the next."""
        kept = self._kept[topic]
        for stamp_ns, message in reversed(kept):
            if stamp_ns <= self._last_ns:
                return stamp_ns, message
        return kept[0] if kept else (-1, None)

    def missing(self) -> list[str]:
        """Return the topics that were late at the last beat."""
        return self._missing
