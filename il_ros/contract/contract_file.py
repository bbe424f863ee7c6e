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

"""Contract files: the layout, and which standard topic each feature comes from."""

from collections.abc import Iterable
import dataclasses
from pathlib import Path
from typing import Annotated

from il_ros.contract.contract import ActionElement, Contract, ContractError, Feature, IMAGE
from il_ros.contract.contract import SPACES, VALUES
from il_ros.files.yaml_file import named, read_yaml
from il_ros.settings import build, check, one_of
from msgspec import Meta

JOINT_STATES = 'joint_states'
TOOL_POSE = 'tool_pose'

_POSE_ELEMENTS = {'position': ('x', 'y', 'z'), 'orientation': ('x', 'y', 'z', 'w')}
_JOINT_FIELDS = ('position', 'velocity', 'effort')


@dataclasses.dataclass(frozen=True)
class _Feature:
    """A feature as it stands in a file."""

    name: str
    topic: str
    field: str = ''
    unit: str = ''
    joints: Annotated[tuple[str, ...], Meta(
        min_length=1, description='a list of names of joints')] = ()
    reduce: Annotated[str, one_of('', 'sum')] = ''
    scale: float = 1.0
    offset: float = 0.0
    index: int = -1
    privileged: bool = False
    height: int = 0
    width: int = 0
    encoding: str = ''
    every: Annotated[int, Meta(ge=1)] = 1
    frame_id: str = ''
    source: Annotated[str, one_of('', JOINT_STATES)] = ''

    def __post_init__(self):
        where = f'features.{self.name}.'
        if self.source and self.topic != TOOL_POSE:
            raise ContractError(f'{where}source is {self.source!r} for {self.topic}; only '
                                f'{TOOL_POSE} can come from {JOINT_STATES}')
        if not self.reduce and (self.scale, self.offset) != (1.0, 0.0):
            raise ContractError(f'{where}scale and offset are for a sum of joints; add '
                                'reduce: sum, or leave them out')
        if not self.encoding:
            fields = _JOINT_FIELDS if self.joints else _POSE_ELEMENTS
            check(f'{where}field', self.field, Annotated[str, one_of(*fields)], ContractError)
            check(f'{where}every', self.every, Annotated[int, Meta(
                le=1, description='1 for what is no image')], ContractError)

    def feature(self, start: int, frame_id: str) -> Feature:
        """Return the feature that begins at ``start``; a pose is in the frame ``frame_id``."""
        if self.encoding:
            return Feature(self.name, IMAGE, start, frame_id=self.frame_id,
                           privileged=self.privileged, height=self.height, width=self.width,
                           encoding=self.encoding)
        elements = ('sum',) if self.reduce else self.joints
        return Feature(self.name, VALUES, start, elements or _POSE_ELEMENTS[self.field], self.unit,
                       '' if self.joints else frame_id, self.privileged)

    def comes_from(self) -> 'Source':
        """Return where it comes from."""
        return Source(self.name, self.source or self.topic, self.field, self.joints, self.reduce,
                      self.index, self.every, kinematic=bool(self.source), scale=self.scale,
                      offset=self.offset)


@dataclasses.dataclass(frozen=True)
class _File:
    """A contract as it stands in a file."""

    rate: float
    frame_id: str
    action_space: Annotated[str, one_of(*SPACES)]
    actions: tuple[ActionElement, ...]
    features: tuple[_Feature, ...]
    robot: str = ''


@dataclasses.dataclass(frozen=True)
class Source:
    """Where one feature comes from: a topic, a field in it, and the joints or the index."""

    feature: str
    topic: str
    field: str
    joints: tuple[str, ...] = ()
    reduce: str = ''
    index: int = -1
    every: int = 1
    """Images: control steps from one to the next; between them the last one stands."""
    kinematic: bool = False
    """A tool pose that is computed from the arm's ``joint_states`` instead of heard."""
    scale: float = 1.0
    offset: float = 0.0
    """A sum of joints: the feature is the offset plus the scale times the sum."""

    def summed(self, positions: Iterable[float]) -> float:
        """Return the feature of the joints' positions."""
        return self.offset + self.scale * sum(positions)


RATE_HZ = 20.0
"""Control rate of the graph of a command, whatever the file says."""


def from_joints(sources: tuple[Source, ...]) -> tuple[Source, ...]:
    """Return the sources with every tool pose computed from the joints; the contract stays."""
    return tuple(
        dataclasses.replace(source, topic=JOINT_STATES, kinematic=True)
        if source.topic == TOOL_POSE else source for source in sources)


def load_contract(path: Path) -> tuple[Contract, tuple[Source, ...]]:
    """
    Read a contract file.

    :returns: the contract, named after the file, and one source a feature, in the same order
    :raises ContractError: naming the file and the key that is wrong
    """
    path = Path(path)
    with named(path, ContractError):
        document = read_yaml(path)
    return read_contract(path.stem, document, str(path))


def read_contract(name: str, document: dict, where: str) -> tuple[Contract, tuple[Source, ...]]:
    """
    Return the contract that a file's content describes.

    :param where: for messages
    :raises ContractError: naming the key that is wrong
    """
    with named(where, ContractError):
        return _contract(name, build(_File, document, ContractError))


def _contract(name: str, file: _File) -> tuple[Contract, tuple[Source, ...]]:
    features, start, images = [], 0, 0
    for entry in file.features:
        features.append(entry.feature(images if entry.encoding else start, file.frame_id))
        images += bool(entry.encoding)
        start += len(features[-1].elements)
    contract = Contract(
        name, float(file.rate), tuple(features), SPACES[file.action_space], file.frame_id,
        tuple(dataclasses.replace(one, lower=float(one.lower), upper=float(one.upper))
              for one in file.actions), file.robot)
    return contract, tuple(entry.comes_from() for entry in file.features)
