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
The observation contract: what observations and actions of a graph consist of.

The same content as ``il_ros_interfaces/msg/Contract``, for code that works without ROS.
"""

import dataclasses
import functools
import hashlib
import json
from typing import Annotated

from il_ros.errors import ImitationError
from il_ros.settings import build, check
from msgspec import Meta
import numpy as np

VALUES = 0
IMAGE = 1

TOOL_VELOCITY = 0
JOINT_POSITION = 1
JOINT_VELOCITY = 2
JOINT_DELTA = 3
TOOL_DELTA = 4
SPACES = {'tool_velocity': TOOL_VELOCITY, 'joint_position': JOINT_POSITION,
          'joint_velocity': JOINT_VELOCITY, 'joint_delta': JOINT_DELTA, 'tool_delta': TOOL_DELTA}
"""The action spaces by name; see ``Contract.msg``."""

CHANNELS = {'rgb8': 3, 'mono8': 1}
"""Channels of each encoding that an image may have."""

GRIPPER = 'gripper_opening'
"""Name of the action element that opens and closes the hand; a width in m, 0 or fully open."""

BOUND_TOLERANCE = 0.001
"""Share of an element's range by which a label may lie outside: its rounding, clipped later."""

GRIPPER_DISAGREEMENT = 1.0
"""What two hands that want different things count: as much as full scale of one velocity axis."""


class ContractError(ImitationError):
    """A contract that contradicts itself, or a feature that it does not have."""


@dataclasses.dataclass(frozen=True)
class Feature:
    """One named part of an observation; see ``Feature.msg`` for the fields."""

    name: str
    kind: int = VALUES
    start: int = 0
    elements: tuple[str, ...] = ()
    unit: str = ''
    frame_id: str = ''
    privileged: bool = False
    height: int = 0
    width: int = 0
    encoding: str = ''

    @property
    def stop(self) -> int:
        """Return the index after the last one in ``Observation.values``."""
        return self.start + len(self.elements)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Return height, width and channels of an image."""
        return self.height, self.width, CHANNELS[self.encoding]


@dataclasses.dataclass(frozen=True)
class ActionElement:
    """One entry of an action, with its unit and the range that is accepted."""

    name: str
    unit: str
    lower: float
    upper: float

    def __post_init__(self):
        for name in ('lower', 'upper'):
            check(f'action element {self.name}: {name}', getattr(self, name), float, ContractError)
        if not self.lower < self.upper:
            raise ContractError(
                f'action element {self.name}: lower {self.lower} is not below upper {self.upper}')

    @property
    def middle(self) -> float:
        """Return the middle of the range; a gripper is open above it."""
        return 0.5 * (self.lower + self.upper)

    @property
    def scale(self) -> float:
        """Return the factor from the unit to shares of half the range."""
        return 2.0 / (self.upper - self.lower)


@dataclasses.dataclass(frozen=True)
class Contract:
    """Layout of observations and actions, and the control rate in Hz."""

    name: str
    rate: float
    features: tuple[Feature, ...]
    action_space: int
    action_frame_id: str
    actions: tuple[ActionElement, ...]
    robot: str = ''
    """Name of the arm; empty: the one of all that names none."""
    command: str = ''
    """The command adapter that sends the actions on; empty: joint positions by name."""

    def __post_init__(self):
        check(f'contract {self.name}: rate', self.rate, Annotated[float, Meta(gt=0.0)],
              ContractError)
        names = [feature.name for feature in self.features]
        if len(set(names)) != len(names):
            raise ContractError(f'contract {self.name}: a feature is named twice in {names}')
        expected = 0
        for feature in self.features:
            if feature.kind == VALUES:
                if feature.start != expected:
                    raise ContractError(
                        f'contract {self.name}: feature {feature.name} starts at {feature.start}, '
                        f'expected {expected}')
                expected = feature.stop
        for index, feature in enumerate(self.images):
            self._check_image(index, feature)

    def _check_image(self, index: int, feature: Feature):
        where = f'contract {self.name}: feature {feature.name}'
        if feature.start != index:
            raise ContractError(f'{where} is image {feature.start}, expected {index}')
        if feature.encoding not in CHANNELS:
            raise ContractError(f'{where} has encoding {feature.encoding!r}; expected one of '
                                f'{", ".join(CHANNELS)}')
        if feature.height < 1 or feature.width < 1:
            raise ContractError(f'{where} has {feature.height}x{feature.width} pixels; expected '
                                'at least 1x1')

    @functools.cached_property
    def id(self) -> int:  # noqa: A003
        """Return the first 8 bytes (big endian) of the SHA-256 of the canonical JSON."""
        digest = hashlib.sha256(self.to_json().encode()).digest()
        return int.from_bytes(digest[:8], 'big')

    @functools.cached_property
    def width(self) -> int:
        """Return the length of ``Observation.values``."""
        return sum(len(f.elements) for f in self.features if f.kind == VALUES)

    @functools.cached_property
    def images(self) -> tuple[Feature, ...]:
        """Return the image features, in the order of ``Observation.images``."""
        return tuple(feature for feature in self.features if feature.kind == IMAGE)

    @functools.cached_property
    def lower(self) -> np.ndarray:
        """Return the smallest accepted actions, shape ``(act_dim,)``, float32."""
        return np.array([element.lower for element in self.actions], np.float32)

    @functools.cached_property
    def upper(self) -> np.ndarray:
        """Return the largest accepted actions, shape ``(act_dim,)``, float32."""
        return np.array([element.upper for element in self.actions], np.float32)

    @property
    def action_names(self) -> tuple[str, ...]:
        """Return the names of the action's entries, in order."""
        return tuple(element.name for element in self.actions)

    @property
    def gripper_index(self) -> int:
        """Return the action's index of the gripper; -1: there is none."""
        names = self.action_names
        return names.index(GRIPPER) if GRIPPER in names else -1

    def feature(self, name: str) -> Feature:
        """
        Return the feature of that name.

        :raises ContractError: if there is none; the sentence lists those that are there
        """
        for feature in self.features:
            if feature.name == name:
                return feature
        known = ', '.join(feature.name for feature in self.features)
        raise ContractError(f'contract {self.name} has no feature {name!r}; it has {known}')

    def values(self, observation: np.ndarray, name: str) -> np.ndarray:
        """Return the view of one feature in ``observation``, shape ``(..., elements)``."""
        feature = self.feature(name)
        return observation[..., feature.start:feature.stop]

    def clip(self, action: np.ndarray) -> np.ndarray:
        """Return ``action`` (shape ``(..., act_dim)``) inside the accepted range."""
        return np.clip(action, self.lower, self.upper)

    def accepts(self, actions: np.ndarray) -> np.ndarray:
        """
        Tell which actions may become labels: finite, and inside the bounds.

        :param actions: shape ``(..., act_dim)``
        :returns: shape ``(...)``, bool; ``BOUND_TOLERANCE`` beyond a bound is still inside
        """
        return np.asarray(self._inside(actions).all(axis=-1))

    def complaint(self, action: np.ndarray) -> str:
        """Return which element of an action that is not accepted lies where, and its bounds."""
        index = int(np.argmin(self._inside(action)))
        element = self.actions[index]
        return (f'{element.name} is {action[index]:g} {element.unit}; expected '
                f'{element.lower:g} to {element.upper:g}')

    def _inside(self, actions: np.ndarray) -> np.ndarray:
        lower, upper = self.lower.astype(np.float64), self.upper.astype(np.float64)
        margin = BOUND_TOLERANCE * (upper - lower)
        return (actions >= lower - margin) & (actions <= upper + margin)

    def to_json(self) -> str:
        """Return the canonical JSON: sorted keys, no blanks."""
        return self._json

    @functools.cached_property
    def _json(self) -> str:
        fields = dataclasses.asdict(self)
        for later in ('robot', 'command'):
            if not fields[later]:  # so that ids from before these fields stay
                del fields[later]
        return json.dumps(fields, sort_keys=True, separators=(',', ':'))

    @classmethod
    def from_json(cls, text: str) -> 'Contract':
        """
        Return the contract that ``to_json`` wrote.

        :raises ContractError: if the text is no contract
        """
        try:
            fields = json.loads(text)
        except ValueError as error:
            raise ContractError(f'not a contract: {error}') from error
        return build(cls, fields, ContractError, 'contract.')
