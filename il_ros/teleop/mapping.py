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
What the buttons, sticks and keys mean: ``config/teleop/*.yaml``, read and checked.

A mapping names the contract's action elements, so that one file serves every task that has them.
"""

import dataclasses
from pathlib import Path
from typing import Annotated, Any

from il_ros.errors import ImitationError
from il_ros.files.share import share_path
from il_ros.files.yaml_file import named, read_yaml
from il_ros.settings import build, refuse_other_keys, sentence
from msgspec import Meta

START, SUCCESS, FAILURE, DISCARD = 'start', 'success', 'failure', 'discard'
DISCARD_CORRECTION, REDO = 'discard_correction', 'redo'
FASTER, SLOWER, GRIPPER = 'faster', 'slower', 'gripper'
COMMANDS = (START, SUCCESS, FAILURE, DISCARD, DISCARD_CORRECTION, REDO, FASTER, SLOWER)
HELD, TOGGLE = 'held', 'toggle'

NAMED_KEYS = {'space': ' ', 'enter': '\r', 'up': '\x1b[A', 'down': '\x1b[B', 'right': '\x1b[C',
              'left': '\x1b[D'}
"""What a terminal sends for keys that have a name in a mapping (ECMA-48 cursor keys)."""


class MappingError(ImitationError):
    """A mapping that cannot be used; the sentence names file, field and what was expected."""


_Index = Annotated[int, Meta(ge=0, lt=64, description='an index from 0 to 63')]
_Keys = Annotated[tuple[Any, ...], Meta(min_length=1, description='a list of keys')]
_Share = Annotated[float, Meta(gt=0.0, le=1.0, description='a number in (0, 1]')]
_ACTIONS = Meta(min_length=1, description='a mapping by the names of actions, as linear_x')


@dataclasses.dataclass(frozen=True)
class Axis:
    """A stick's axis; ``scale`` says how much of it counts, and its direction."""

    axis: _Index
    scale: Annotated[float, Meta(
        ge=-1.0, le=1.0, description='a number in [-1, 1] other than 0')] = 1.0

    def __post_init__(self):
        if not self.scale:
            raise ValueError('a scale other than 0')


@dataclasses.dataclass(frozen=True)
class Button:
    """A button, or an axis that counts as pressed from half way on in the direction ``sign``."""

    button: _Index | None = None
    axis: _Index | None = None
    sign: Annotated[int, Meta(ge=-1, le=1)] = 0

    def __post_init__(self):
        if (self.button is None) != bool(self.sign) or (self.axis is None) == bool(self.sign):
            raise ValueError('{button: INDEX} or {axis: INDEX, sign: 1 or -1}')

    @property
    def index(self) -> int:
        """Return which button or axis it is."""
        return (self.axis if self.button is None else self.button) or 0


@dataclasses.dataclass(frozen=True)
class JoyMapping:
    """A gamepad's mapping."""

    name: str
    dead_man: Button
    axes: Annotated[dict[str, Axis], _ACTIONS]
    gripper: Button | None = None
    commands: dict[str, Button] = dataclasses.field(default_factory=dict)
    """By command; ``GRIPPER`` is one of them."""

    dead_zone: Annotated[float, Meta(ge=0.0, lt=1.0, description='a number in [0, 1)')] = 0.1
    speed: _Share = 0.5


@dataclasses.dataclass(frozen=True)
class Sides:
    """The keys for more of an action element, and those for less."""

    positive: _Keys
    negative: _Keys


@dataclasses.dataclass(frozen=True)
class KeyMapping:
    """A keyboard's mapping; keys as the terminal sends them."""

    name: str
    axes: Annotated[dict[str, Sides], _ACTIONS]
    stop: _Keys
    gripper: _Keys = ()
    commands: dict[str, _Keys] = dataclasses.field(default_factory=dict)
    """By command; ``GRIPPER`` is one of them."""

    dead_man: Annotated[str, Meta(pattern=f'^({HELD}|{TOGGLE})$',
                                  description=f'{HELD} or {TOGGLE}')] = HELD
    timeout_s: Annotated[float, Meta(
        ge=0.05, le=2.0, description='seconds from 0.05 to 2')] = 0.3
    speed: _Share = 0.3


def load_joy_mapping(name: str) -> JoyMapping:
    """
    Read a gamepad's mapping.

    :param name: a file (``*.yaml``), or the name of one in ``config/teleop``
    :raises MappingError: naming the field
    """
    return _load(JoyMapping, name)


def load_key_mapping(name: str) -> KeyMapping:
    """
    Read a keyboard's mapping.

    :param name: as in ``load_joy_mapping``
    :raises MappingError: naming the field
    """
    found = _load(KeyMapping, name)
    used: list[str] = []

    def sent(field: str, keys: tuple) -> tuple[str, ...]:
        for key in map(str, keys):
            if key not in NAMED_KEYS and not (len(key) == 1 and key.isprintable()):
                raise MappingError(sentence(f'mapping {name}: {field}', key,
                                            f'one character, or {", ".join(NAMED_KEYS)}'))
            used.append(NAMED_KEYS.get(key, key))
        return tuple(used[-len(keys):])

    made = dataclasses.replace(
        found, stop=sent('stop', found.stop),
        axes={action: Sides(sent(f'axes.{action}.positive', sides.positive),
                            sent(f'axes.{action}.negative', sides.negative))
              for action, sides in found.axes.items()},
        commands={command: sent(command, keys) for command, keys in found.commands.items()})
    double = sorted({key for key in used if used.count(key) > 1})
    if double:
        raise MappingError(sentence(f'mapping {name}: a key', double[0], 'each key once'))
    return made


def _load(kind: type, name: str) -> Any:
    with named(f'mapping {name}', MappingError):
        path = Path(name) if name.endswith(('.yaml', '.yml')) else share_path(
            'config', 'teleop', f'{name}.yaml')
        found = build(kind, read_yaml(path), MappingError, name=name)
        refuse_other_keys('commands', found.commands, COMMANDS, MappingError)
    return dataclasses.replace(found, commands={
        **found.commands, **({GRIPPER: found.gripper} if found.gripper else {})})
