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

It knows nothing of subscriptions: it is given one message of each topic, which ``pairing`` has
put together.
"""

from collections.abc import Callable, Iterable
import dataclasses
from functools import partial
from operator import attrgetter

from il_ros.contract.contract import Contract, VALUES
from il_ros.contract.contract_file import ELEMENTS, JOINT_STATES, NUMBERS, POSE, POSES, Source
from il_ros.contract.contract_file import TWIST, WRENCH
from il_ros.errors import ImitationError
import numpy as np


class ObservationError(ImitationError):
    """A message that cannot become part of an observation; the sentence names the field."""


class JointReader:
    """Reads joints by name out of ``JointState`` messages, whatever their order."""

    def __init__(self, joints: tuple[str, ...], field: str, topic: str = JOINT_STATES):
        self._joints, self._topic = joints, topic
        self._field = field
        self._names: list[str] | None = None
        self._order: list[int] = []

    def __call__(self, message) -> list[float]:
        """
        Return the field of the joints, in the contract's order, as float64.

        :raises ObservationError: if a joint is missing or named twice, or the field has another
            length than the names
        """
        if message.name != self._names or not self._order:
            self._learn_order(message.name)
        values = getattr(message, self._field)
        if len(values) != len(message.name):
            raise ObservationError(
                f'{self._topic}.{self._field} has {len(values)} entries for {len(message.name)} '
                'names')
        return [values[i] for i in self._order]

    def _learn_order(self, names: Iterable[str]):
        names = list(names)
        missing = [joint for joint in self._joints if joint not in names]
        if missing:
            raise ObservationError(f'{self._topic} lacks {missing}; it has {names}')
        double = [joint for joint in self._joints if names.count(joint) > 1]
        if double:
            raise ObservationError(f'{self._topic} names {double} more than once')
        self._names = names
        self._order = [names.index(joint) for joint in self._joints]


_BEFORE = {POSE: 'pose.', POSES: '', TWIST: 'twist.', WRENCH: 'wrench.'}
"""Where the fields of a type stand in its messages."""


Forward = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]
"""From the positions of an arm's joints to the tool's position and quaternion."""


@dataclasses.dataclass(frozen=True)
class ToolOfJoints:
    """Computes the tool's pose from ``joint_states``."""

    joints: tuple[str, ...]
    """The arm's, in the order that ``forward`` takes them."""
    forward: Forward
    frame_id: str
    """Frame of the poses that ``forward`` returns."""

    def reader(self, field: str) -> Callable:
        """Return what reads ``position`` or ``orientation`` off a ``JointState``."""
        joints = JointReader(self.joints, 'position')
        part = 0 if field == 'position' else 1

        def read(message):
            positions = np.array(joints(message), np.float64)
            if not np.isfinite(positions).all():
                joint = self.joints[int(np.argmin(np.isfinite(positions)))]
                raise ObservationError(f'joint_states.position of {joint} is not finite')
            return self.forward(positions)[part].tolist()
        return read


def _reader(source: Source, width: int, tool: ToolOfJoints | None) -> Callable:
    if source.kinematic:
        if tool is None:
            raise ObservationError(f'{source.topic} gives the tool only through the kinematics of '
                                   'the arm; expected an arm')
        return tool.reader(source.field)
    if source.joints:
        joints = JointReader(source.joints, source.field, source.topic)
        return (lambda message: (source.summed(joints(message)),)) if source.reduce else joints
    if source.kind == NUMBERS:
        return partial(_numbers, source, width)
    field = attrgetter(*(f'{_BEFORE[source.kind]}{source.field}.{element}'
                         for element in ELEMENTS[source.field]))
    return partial(_pose_of, source, field) if source.kind == POSES else field


def _numbers(source: Source, width: int, message) -> Iterable[float]:
    if len(message.data) != width:
        raise ObservationError(f'{source.topic} has {len(message.data)} numbers; feature '
                               f'{source.feature} has {width}')
    return message.data


def _pose_of(source: Source, field: Callable, message) -> tuple[float, ...]:
    if source.index >= len(message.poses):
        raise ObservationError(
            f'{source.topic} has {len(message.poses)} poses; feature {source.feature} wants '
            f'index {source.index}')
    return field(message.poses[source.index])


class Extractor:
    """
    Turns one message of every topic into ``Observation.values``.

    :ivar topics: those of the values, without the images'
    """

    def __init__(self, contract: Contract, sources: tuple[Source, ...],
                 tool: ToolOfJoints | None = None):
        """
        Prepare for a contract.

        :param tool: for sources that compute the tool's pose; None: there are none
        :raises ObservationError: if the tool's frame is not the one that a feature wants
        """
        self.contract = contract
        self._readers: list[tuple[str, Callable]] = []
        self._frames: dict[str, str] = {}
        for feature, source in zip(contract.features, sources):
            if feature.kind != VALUES:
                continue
            self._readers.append(
                (source.topic, _reader(source, len(feature.elements), tool)))
            if not source.kinematic and feature.frame_id:
                self._frames[source.topic] = feature.frame_id
            elif source.kinematic and tool and feature.frame_id != tool.frame_id:
                raise ObservationError(
                    f'feature {feature.name} is in frame {feature.frame_id!r}; the kinematics '
                    f'are in {tool.frame_id!r}')
        self.topics = tuple(dict.fromkeys(topic for topic, _ in self._readers))

    def __call__(self, messages: dict) -> np.ndarray:
        """
        Return the values, shape ``(contract.width,)``, float32, finite.

        :param messages: the message of every topic in ``topics``
        :raises ObservationError: for a foreign frame, a missing joint, a value not finite, or
            another number of values
        """
        for topic, frame in self._frames.items():
            found = messages[topic].header.frame_id
            if found != frame:
                raise ObservationError(f'{topic} is in frame {found!r}; expected {frame!r}')
        values: list[float] = []
        for topic, reader in self._readers:
            values.extend(reader(messages[topic]))
        if len(values) != self.contract.width:
            raise ObservationError(f'the messages have {len(values)} values; the contract '
                                   f'{self.contract.name} has {self.contract.width}')
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
