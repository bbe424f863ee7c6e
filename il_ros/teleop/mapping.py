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
from typing import Any

from il_ros.contract.finite import is_finite
from il_ros.errors import ImitationError
from il_ros.files.share import MissingShareError, share_path
from il_ros.files.yaml_file import read_yaml, YamlFileError

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


@dataclasses.dataclass(frozen=True)
class Axis:
    """A stick's axis; ``scale`` in [-1, 1] says how much of it counts, and its direction."""

    index: int
    scale: float = 1.0


@dataclasses.dataclass(frozen=True)
class Button:
    """A button, or an axis that counts as pressed from half way on in the direction ``sign``."""

    index: int
    sign: int = 0
    """0: a button; 1 or -1: an axis."""


@dataclasses.dataclass(frozen=True)
class JoyMapping:
    """A gamepad's mapping."""

    name: str
    dead_man: Button
    axes: dict[str, Axis]
    commands: dict[str, Button]
    """By command; ``GRIPPER`` is one of them."""

    dead_zone: float = 0.1
    speed: float = 0.5


@dataclasses.dataclass(frozen=True)
class KeyMapping:
    """A keyboard's mapping; keys as the terminal sends them."""

    name: str
    axes: dict[str, tuple[tuple[str, ...], tuple[str, ...]]]
    """By action element: the keys for more of it, and those for less."""

    commands: dict[str, str]
    """By key: the command."""

    stop: tuple[str, ...]
    dead_man: str = HELD
    timeout_s: float = 0.3
    speed: float = 0.3


def load_joy_mapping(name: str) -> JoyMapping:
    """
    Read a gamepad's mapping.

    :param name: a file (``*.yaml``), or the name of one in ``config/teleop``
    :raises MappingError: naming the field
    """
    reader = _Reader(name, {'dead_man', 'axes', 'gripper', 'dead_zone', 'speed', 'commands'})
    commands = {command: reader.button(f'commands.{command}', entry)
                for command, entry in reader.commands().items()}
    if 'gripper' in reader.document:
        commands[GRIPPER] = reader.button('gripper', reader.document['gripper'])
    return JoyMapping(
        name=reader.name, dead_man=reader.button('dead_man', reader.required('dead_man')),
        axes={action: reader.axis(f'axes.{action}', entry)
              for action, entry in reader.mapping('axes').items()},
        commands=commands, dead_zone=reader.share('dead_zone', 0.1, zero=True),
        speed=reader.share('speed', 0.5))


def load_key_mapping(name: str) -> KeyMapping:
    """
    Read a keyboard's mapping.

    :param name: as in ``load_joy_mapping``
    :raises MappingError: naming the field
    """
    reader = _Reader(name, {'dead_man', 'timeout_s', 'axes', 'gripper', 'stop', 'speed',
                            'commands'})
    axes = {}
    for action, entry in reader.mapping('axes').items():
        reader.only(f'axes.{action}', entry, {'positive', 'negative'})
        axes[action] = (reader.keys(f'axes.{action}.positive', entry.get('positive')),
                        reader.keys(f'axes.{action}.negative', entry.get('negative')))
    entries = dict(reader.commands())
    if 'gripper' in reader.document:
        entries[GRIPPER] = reader.document['gripper']
    commands = {key: command for command, entry in entries.items()
                for key in reader.keys(command, entry)}
    stop = reader.keys('stop', reader.required('stop'))
    reader.refuse_double()
    dead_man = reader.document.get('dead_man', HELD)
    if dead_man not in (HELD, TOGGLE):
        reader.refuse('dead_man', dead_man, f'{HELD} or {TOGGLE}')
    return KeyMapping(
        name=reader.name, axes=axes, commands=commands, stop=stop, dead_man=dead_man,
        timeout_s=reader.seconds('timeout_s', 0.3), speed=reader.share('speed', 0.3))


class _Reader:
    """One file, and the refusal of what is wrong in it."""

    def __init__(self, name: str, known: set[str]):
        self.name = name
        self._used: list[str] = []
        try:
            path = Path(name) if name.endswith(('.yaml', '.yml')) else share_path(
                'config', 'teleop', f'{name}.yaml')
            self.document = read_yaml(path)
        except (YamlFileError, MissingShareError) as error:
            raise MappingError(f'mapping {name}: cannot be read: {error}') from error
        self.only('it', self.document, known)

    def refuse(self, field: str, found: Any, expected: str):
        raise MappingError(f'mapping {self.name}: {field} is {found!r}; expected {expected}')

    def only(self, field: str, found: Any, known: set[str]):
        if not isinstance(found, dict):
            self.refuse(field, found, f'a mapping with {", ".join(sorted(known))}')
        unknown = sorted(map(str, set(found) - known))
        if unknown:
            self.refuse(field, ', '.join(unknown), f'only {", ".join(sorted(known))}')

    def required(self, field: str) -> Any:
        if field not in self.document:
            raise MappingError(f'mapping {self.name}: {field} is missing')
        return self.document[field]

    def mapping(self, field: str) -> dict:
        found = self.required(field)
        if not isinstance(found, dict) or not found:
            self.refuse(field, found, 'a mapping by the names of actions, as linear_x')
        return {str(key): value for key, value in found.items()}

    def commands(self) -> dict:
        found = self.document.get('commands', {})
        self.only('commands', found, set(COMMANDS))
        return found

    def index(self, field: str, found: Any) -> int:
        if isinstance(found, bool) or not isinstance(found, int) or not 0 <= found < 64:
            self.refuse(field, found, 'an index from 0 to 63')
        return found

    def button(self, field: str, found: Any) -> Button:
        self.only(field, found, {'button', 'axis', 'sign'})
        if 'button' in found:
            self.only(field, found, {'button'})
            return Button(self.index(f'{field}.button', found['button']))
        if found.get('sign') not in (1, -1):
            self.refuse(field, found, '{button: INDEX} or {axis: INDEX, sign: 1 or -1}')
        return Button(self.index(f'{field}.axis', found.get('axis')), found['sign'])

    def axis(self, field: str, found: Any) -> Axis:
        self.only(field, found, {'axis', 'scale'})
        scale = self.number(f'{field}.scale', found.get('scale', 1.0))
        if not 0.0 < abs(scale) <= 1.0:
            self.refuse(f'{field}.scale', scale, 'a number in [-1, 1] other than 0')
        return Axis(self.index(f'{field}.axis', found.get('axis')), scale)

    def number(self, field: str, found: Any) -> float:
        if not is_finite(found):
            self.refuse(field, found, 'a finite number')
        return float(found)

    def share(self, field: str, default: float, zero: bool = False) -> float:
        found = self.number(field, self.document.get(field, default))
        if not (0.0 <= found < 1.0 if zero else 0.0 < found <= 1.0):
            self.refuse(field, found, 'a number in [0, 1)' if zero else 'a number in (0, 1]')
        return found

    def seconds(self, field: str, default: float) -> float:
        found = self.number(field, self.document.get(field, default))
        if not 0.05 <= found <= 2.0:
            self.refuse(field, found, 'seconds from 0.05 to 2')
        return found

    def keys(self, field: str, found: Any) -> tuple[str, ...]:
        if not isinstance(found, list) or not found:
            self.refuse(field, found, 'a list of keys')
        sent = []
        for key in found:
            text = NAMED_KEYS.get(str(key), str(key))
            if str(key) not in NAMED_KEYS and not (len(text) == 1 and text.isprintable()):
                self.refuse(field, key, f'one character, or {", ".join(NAMED_KEYS)}')
            sent.append(text)
        self._used += sent
        return tuple(sent)

    def refuse_double(self):
        double = sorted({key for key in self._used if self._used.count(key) > 1})
        if double:
            self.refuse('a key', double[0], 'each key once')
