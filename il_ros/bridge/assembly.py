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
Standard messages to one observation, by the contract.

The assembler knows nothing of subscriptions: it is given messages by topic and returns the
observation's values when a stamp is complete.
"""

from collections.abc import Callable, Iterable

from il_ros.bridge.messages import to_ns
from il_ros.data.contract import Contract, VALUES
from il_ros.data.contract_file import Source
from il_ros.errors import ImitationError
import numpy as np

MAX_PENDING = 8
"""Stamps that may be incomplete at once; older ones are dropped and counted."""


class ObservationError(ImitationError):
    """A message that cannot become part of an observation; the sentence names the field."""


class JointReader:
    """Reads joints by name out of ``JointState`` messages, whatever their order."""

    def __init__(self, joints: tuple[str, ...], field: str):
        self._joints = joints
        self._field = field
        self._names: list[str] = []
        self._order: list[int] = []

    def __call__(self, message) -> list[float]:
        """
        Return the field of the joints, in the contract's order, as float64.

        :raises ObservationError: if a joint is missing or named twice, or the field is too short
        """
        if message.name != self._names:
            self._learn_order(message.name)
        values = getattr(message, self._field)
        try:
            return [values[i] for i in self._order]
        except IndexError:
            raise ObservationError(
                f'joint_states.{self._field} has {len(values)} entries for {len(message.name)} '
                'names') from None

    def _learn_order(self, names: Iterable[str]):
        names = list(names)
        missing = [joint for joint in self._joints if joint not in names]
        if missing:
            raise ObservationError(f'joint_states lacks {missing}; it has {names}')
        double = [joint for joint in self._joints if names.count(joint) > 1]
        if double:
            raise ObservationError(f'joint_states names {double} more than once')
        self._names = names
        self._order = [names.index(joint) for joint in self._joints]


def _position(pose) -> tuple[float, ...]:
    point = pose.position
    return point.x, point.y, point.z


def _orientation(pose) -> tuple[float, ...]:
    quaternion = pose.orientation
    return quaternion.x, quaternion.y, quaternion.z, quaternion.w


_POSE_FIELDS = {'position': _position, 'orientation': _orientation}


def _reader(source: Source) -> Callable:
    if source.joints:
        joints = JointReader(source.joints, source.field)
        return (lambda message: (sum(joints(message)),)) if source.reduce else joints
    field = _POSE_FIELDS[source.field]
    if source.index < 0:
        return lambda message: field(message.pose)

    def indexed(message):
        if source.index >= len(message.poses):
            raise ObservationError(
                f'{source.topic} has {len(message.poses)} poses; feature {source.feature} wants '
                f'index {source.index}')
        return field(message.poses[source.index])
    return indexed


class Extractor:
    """Turns one message of every topic into ``Observation.values``."""

    def __init__(self, contract: Contract, sources: tuple[Source, ...]):
        self.contract = contract
        self._readers = [
            (source.topic, source.feature, _reader(source), feature.frame_id)
            for feature, source in zip(contract.features, sources) if feature.kind == VALUES]
        self.topics = tuple(dict.fromkeys(topic for topic, *_ in self._readers))
        self._frames = {topic: frame for topic, _, _, frame in self._readers if frame}

    def __call__(self, messages: dict) -> np.ndarray:
        """
        Return the values, shape ``(contract.width,)``, float32, finite.

        :param messages: the message of every topic in ``topics``
        :raises ObservationError: for a foreign frame, a missing joint, or a value not finite
        """
        for topic, frame in self._frames.items():
            found = messages[topic].header.frame_id
            if found != frame:
                raise ObservationError(f'{topic} is in frame {found!r}; expected {frame!r}')
        values: list[float] = []
        for topic, _, reader, _ in self._readers:
            values.extend(reader(messages[topic]))
        result = np.array(values, np.float32)
        if not np.isfinite(result).all():
            raise ObservationError(f'{self._not_finite(result)} is not finite')
        return result

    def _not_finite(self, values: np.ndarray) -> str:
        for feature in self.contract.features:
            if feature.kind == VALUES:
                part = values[feature.start:feature.stop]
                if not np.isfinite(part).all():
                    return f'{feature.name}.{feature.elements[int(np.argmin(np.isfinite(part)))]}'
        return 'a value'


class ExactPairing:
    """Collects one message of every topic with equal stamps (lockstep)."""

    def __init__(self, topics: tuple[str, ...]):
        self._topics = topics
        self._pending: dict[int, dict] = {}
        self.dropped = 0

    def add(self, topic: str, message) -> tuple[int, dict] | None:
        """Return ``(stamp_ns, messages)`` when this message completes its stamp."""
        stamp_ns = to_ns(message.header.stamp)
        parts = self._pending.setdefault(stamp_ns, {})
        parts[topic] = message
        if len(parts) == len(self._topics):
            for earlier in [s for s in self._pending if s <= stamp_ns]:
                self.dropped += len(self._pending.pop(earlier)) < len(self._topics)
            return stamp_ns, parts
        while len(self._pending) > MAX_PENDING:
            self._pending.pop(min(self._pending))
            self.dropped += 1
        return None

    def missing(self) -> list[str]:
        """Return the topics that the oldest incomplete stamp still lacks."""
        if not self._pending:
            return []
        parts = self._pending[min(self._pending)]
        return [topic for topic in self._topics if topic not in parts]


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
    Pairs every beat of one stream with the newest of the others (realtime).

    Beats are due once a period. One may come half a period early or late without another one
    being lost or added; a stream of a higher rate is thinned out to the contract's. A stream
    that has carried the stamp of a beat is in step: a beat waits for its message, until the next
    beat at most. All others are as they were last.

    :param period_ns: the contract's period
    :param tolerance_ns: how old the other streams may be at a beat
    """

    def __init__(self, topics: tuple[str, ...], beat: str, period_ns: int, tolerance_ns: int):
        self._others = tuple(topic for topic in topics if topic != beat)
        self._beat = beat
        self._cadence = Cadence(period_ns)
        self._tolerance_ns = tolerance_ns
        self._newest: dict = {}
        self._stamps: dict[str, int] = {}
        self._in_step: set[str] = set()
        self._last_ns = 0
        self._waiting = False
        self._missing: list[str] = []
        self.dropped = 0

    def add(self, topic: str, message) -> tuple[int, dict] | None:
        """Return ``(stamp_ns, messages)`` when this message completes a beat."""
        stamp_ns = to_ns(message.header.stamp)
        if topic == self._beat:
            if not self._begin(stamp_ns):
                return None
            self._waiting = True
        elif stamp_ns == self._last_ns:
            self._in_step.add(topic)
        self._newest[topic], self._stamps[topic] = message, stamp_ns
        return self._complete() if self._waiting else None

    def _begin(self, stamp_ns: int) -> bool:
        if not self._cadence.takes(stamp_ns):
            return False
        if self._waiting:
            self._missing = sorted(self._behind())
            self._in_step.difference_update(self._missing)
            self.dropped += 1
        self._last_ns = stamp_ns
        self._in_step.update(t for t in self._others if self._stamps.get(t) == stamp_ns)
        return True

    def _behind(self) -> set[str]:
        return {topic for topic in self._in_step if self._stamps[topic] < self._last_ns}

    def _complete(self) -> tuple[int, dict] | None:
        if self._behind():
            return None
        self._waiting = False
        oldest_ns = self._last_ns - self._tolerance_ns
        self._missing = [t for t in self._others if self._stamps.get(t, -1) < oldest_ns]
        if self._missing:
            self.dropped += 1
            return None
        return self._last_ns, dict(self._newest)

    def missing(self) -> list[str]:
        """Return the topics that were late at the last beat."""
        return self._missing
