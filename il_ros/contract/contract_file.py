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

import dataclasses
from pathlib import Path

from il_ros.contract.contract import ActionElement, Contract, ContractError, Feature, IMAGE
from il_ros.contract.contract import JOINT_POSITION, TOOL_VELOCITY, VALUES
from il_ros.files.yaml_file import read_yaml, YamlFileError

JOINT_STATES = 'joint_states'
TOOL_POSE = 'tool_pose'

_SPACES = {'tool_velocity': TOOL_VELOCITY, 'joint_position': JOINT_POSITION}
_FEATURE_KEYS = {'name', 'topic', 'field', 'unit', 'joints', 'reduce', 'index', 'privileged',
                 'height', 'width', 'encoding', 'every', 'frame_id', 'source'}
_FILE_KEYS = {'rate', 'frame_id', 'action_space', 'actions', 'features'}
_POSE_ELEMENTS = {'position': ('x', 'y', 'z'), 'orientation': ('x', 'y', 'z', 'w')}
_JOINT_FIELDS = ('position', 'velocity', 'effort')


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
    try:
        document = read_yaml(path)
    except YamlFileError as error:
        raise ContractError(f'{path}: cannot be read as a contract: {error}') from error
    return read_contract(path.stem, document, str(path))


def read_contract(name: str, document: dict, where: str) -> tuple[Contract, tuple[Source, ...]]:
    """
    Return the contract that a file's content describes.

    :param where: for messages
    :raises ContractError: naming the key that is wrong
    """
    try:
        return _parse(name, document)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ContractError(f'{where}: not a contract: {type(error).__name__} {error}') from error
    except ContractError as error:
        raise ContractError(f'{where}: {error}') from error


def _parse(name: str, document: dict) -> tuple[Contract, tuple[Source, ...]]:
    _refuse_unknown('the file', document, _FILE_KEYS)
    frame_id = document['frame_id']
    features, sources, start, images = [], [], 0, 0
    for entry in document['features']:
        _refuse_unknown(f'feature {entry.get("name")}', entry, _FEATURE_KEYS)
        if 'encoding' in entry:
            features.append(_image(entry, images))
            images += 1
        else:
            features.append(_values(entry, start, frame_id))
            start = features[-1].stop
        sources.append(_source(entry))
    if document['action_space'] not in _SPACES:
        raise ContractError(
            f'action_space is {document["action_space"]!r}; expected one of {list(_SPACES)}')
    contract = Contract(
        name=name, rate=float(document['rate']), features=tuple(features),
        action_space=_SPACES[document['action_space']], action_frame_id=frame_id,
        actions=tuple(ActionElement(a['name'], a['unit'], float(a['lower']), float(a['upper']))
                      for a in document['actions']))
    return contract, tuple(sources)


def _refuse_unknown(where: str, entry: dict, known: set[str]):
    unknown = sorted(set(entry) - known)
    if unknown:
        raise ContractError(f'{where} has unknown keys {unknown}; known are {sorted(known)}')


def _values(entry: dict, start: int, frame_id: str) -> Feature:
    field = entry['field']
    if 'joints' in entry:
        if field not in _JOINT_FIELDS:
            raise ContractError(f'feature {entry["name"]}: field is {field!r}; expected one of '
                                f'{_JOINT_FIELDS}')
        if entry.get('reduce', '') not in ('', 'sum'):
            raise ContractError(f'feature {entry["name"]}: reduce is {entry["reduce"]!r}; '
                                "expected 'sum'")
        elements = ('sum',) if entry.get('reduce') else tuple(entry['joints'])
        frame_id = ''
    else:
        if field not in _POSE_ELEMENTS:
            raise ContractError(f'feature {entry["name"]}: field is {field!r}; expected one of '
                                f'{tuple(_POSE_ELEMENTS)}')
        elements = _POSE_ELEMENTS[field]
    return Feature(name=entry['name'], kind=VALUES, start=start, elements=elements,
                   unit=entry.get('unit', ''), frame_id=frame_id,
                   privileged=bool(entry.get('privileged', False)))


def _image(entry: dict, start: int) -> Feature:
    return Feature(name=entry['name'], kind=IMAGE, start=start,
                   frame_id=entry.get('frame_id', ''),
                   privileged=bool(entry.get('privileged', False)),
                   height=int(entry['height']), width=int(entry['width']),
                   encoding=entry['encoding'])


def _source(entry: dict) -> Source:
    kinematic = 'source' in entry
    if kinematic and (entry['source'], entry['topic']) != (JOINT_STATES, TOOL_POSE):
        raise ContractError(f'feature {entry["name"]}: source is {entry["source"]!r} for '
                            f'{entry["topic"]}; only {TOOL_POSE} can come from {JOINT_STATES}')
    every = entry.get('every', 1)
    if not isinstance(every, int) or every < 1 or (every > 1 and 'encoding' not in entry):
        raise ContractError(f'feature {entry["name"]}: every is {every!r}; expected a whole '
                            'number from 1 up, and 1 for what is no image')
    return Source(feature=entry['name'], topic=JOINT_STATES if kinematic else entry['topic'],
                  field=entry.get('field', ''), joints=tuple(entry.get('joints', ())),
                  reduce=entry.get('reduce', ''), index=int(entry.get('index', -1)), every=every,
                  kinematic=kinematic)
