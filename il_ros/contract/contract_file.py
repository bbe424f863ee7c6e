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

OBJECT_POSES = 'object_poses'

JOINT_STATE, POSE, POSES, TWIST, WRENCH, NUMBERS, RAW_IMAGE, COMPRESSED_IMAGE = (
    'sensor_msgs/msg/JointState', 'geometry_msgs/msg/PoseStamped', 'geometry_msgs/msg/PoseArray',
    'geometry_msgs/msg/TwistStamped', 'geometry_msgs/msg/WrenchStamped',
    'std_msgs/msg/Float64MultiArray', 'sensor_msgs/msg/Image', 'sensor_msgs/msg/CompressedImage')
TYPES = (JOINT_STATE, POSE, POSES, TWIST, WRENCH, NUMBERS, RAW_IMAGE, COMPRESSED_IMAGE)
"""Types of the messages that a feature can be read from."""

_XYZ = ('x', 'y', 'z')
ELEMENTS = {'position': _XYZ, 'orientation': (*_XYZ, 'w'), 'linear': _XYZ, 'angular': _XYZ,
            'force': _XYZ, 'torque': _XYZ}
_FIELDS = {JOINT_STATE: ('position', 'velocity', 'effort'), POSE: ('position', 'orientation'),
           POSES: ('position', 'orientation'), TWIST: ('linear', 'angular'),
           WRENCH: ('force', 'torque'), NUMBERS: ('data',)}
_NEEDS = {JOINT_STATE: 'joints', NUMBERS: 'elements', RAW_IMAGE: 'encoding',
          COMPRESSED_IMAGE: 'encoding'}
"""What a feature of a type has to say, and of no other one may."""


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
    type: Annotated[str, one_of('', *TYPES)] = ''  # noqa: A003
    elements: Annotated[tuple[str, ...], Meta(
        min_length=1, description='a list of names')] = ()
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
        kind = self.comes_from().kind
        for needed in dict.fromkeys(_NEEDS.values()):
            wanted = _NEEDS.get(kind) == needed and not self.source
            if bool(getattr(self, needed)) != wanted:
                raise ContractError(
                    f'{where}{needed} is {"missing" if wanted else "given"} for {kind}; '
                    f'{"add it" if wanted else "leave it out, or give another type"}')
        if self.index < 0 and kind == POSES:
            raise ContractError(f'{where}index is missing for {kind}; it is the place of the '
                                'pose, from 0 up')
        if not self.encoding:
            fields = _FIELDS[POSE if self.source else kind]
            check(f'{where}field', self.field, Annotated[str, one_of(*fields)], ContractError)
            check(f'{where}every', self.every, Annotated[int, Meta(
                le=1, description='1 for what is no image')], ContractError)

    def feature(self, start: int, frame_id: str) -> Feature:
        """Return the feature that begins at ``start``; a pose is in the frame ``frame_id``."""
        if self.encoding:
            return Feature(self.name, IMAGE, start, frame_id=self.frame_id,
                           privileged=self.privileged, height=self.height, width=self.width,
                           encoding=self.encoding)
        elements = ('sum',) if self.reduce else self.joints or self.elements
        is_pose = self.comes_from().kind in (POSE, POSES) or bool(self.source)
        return Feature(self.name, VALUES, start, elements or ELEMENTS[self.field], self.unit,
                       self.frame_id or (frame_id if is_pose else ''), self.privileged)

    def comes_from(self) -> 'Source':
        """Return where it comes from."""
        return Source(self.name, self.source or self.topic, self.field, self.joints, self.reduce,
                      self.index, self.every, kinematic=bool(self.source), scale=self.scale,
                      offset=self.offset, type=self.type or (RAW_IMAGE if self.encoding else ''))


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
    type: str = ''  # noqa: A003
    """Of the topic's messages, as the file says it; empty: it follows from the rest."""

    @property
    def kind(self) -> str:
        """Return the type of the topic's messages."""
        if self.kinematic or (self.joints and not self.type):
            return JOINT_STATE
        return self.type or (POSES if self.index >= 0 or self.topic == OBJECT_POSES else POSE)

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
    kinds: dict[str, str] = {}
    for source in (entry.comes_from() for entry in file.features):
        if kinds.setdefault(source.topic, source.kind) != source.kind:
            raise ContractError(f'features.{source.feature}.type is {source.kind}; {source.topic} '
                                f'is {kinds[source.topic]} for another feature')
    contract = Contract(
        name, float(file.rate), tuple(features), SPACES[file.action_space], file.frame_id,
        tuple(dataclasses.replace(one, lower=float(one.lower), upper=float(one.upper))
              for one in file.actions), file.robot)
    return contract, tuple(entry.comes_from() for entry in file.features)
