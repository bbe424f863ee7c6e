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

"""The keys of a terminal: it tells no key's release, so that each press counts for a while."""

import math
import re

from il_ros.teleop.mapping import COMMANDS, GRIPPER, KeyMapping, NAMED_KEYS, TOGGLE

_KEY = re.compile(r'\x1b(?:\[|O)[A-D]|\x1b\[[0-9;]*[~A-Za-z]|[^\x1b]|\x1b(?=[^\[O])', re.DOTALL)
_UNFINISHED = re.compile(r'\x1b(?:[\[O][0-9;]*)?$')
_SHOWN = {sent: name for name, sent in NAMED_KEYS.items()}


class Keyboard:
    """
    Keys as they come from a terminal, at any pace and cut anywhere.

    ``held``: the person drives while a key for an axis came within ``timeout_s``. ``toggle``: from
    one press of ``stop`` to the next, and stands still while no such key comes.
    """

    problem = ''

    def __init__(self, mapping: KeyMapping):
        self.mapping = mapping
        self._directions = {key: (name, sign) for name, sides in mapping.axes.items()
                            for sign, keys in ((1.0, sides.positive), (-1.0, sides.negative))
                            for key in keys}
        self._commands = {key: command for command, keys in mapping.commands.items()
                          for key in keys}
        self._rest = ''
        self._until = dict.fromkeys(self._directions, -math.inf)
        self._toggled = False

    def hear(self, text: str, now_s: float) -> list[str]:
        """
        Take in what the terminal sent and return the commands in it.

        :param now_s: steady time, s
        """
        text, commands = self._rest + text, []
        unfinished = _UNFINISHED.search(text)
        self._rest = unfinished.group() if unfinished else ''
        for key in _KEY.findall(text[:len(text) - len(self._rest)]):
            key = {'\n': '\r'}.get(key, key).replace('\x1bO', '\x1b[')
            if key in self.mapping.stop:
                self._stop()
            elif key in self._directions:
                self._press(key, now_s)
            elif key in self._commands:
                commands.append(self._commands[key])
        return commands

    def _press(self, key: str, now_s: float):
        name, sign = self._directions[key]
        for other, (its, its_sign) in self._directions.items():
            if its == name and its_sign != sign:
                self._until[other] = -math.inf
        self._until[key] = now_s + self.mapping.timeout_s

    def _stop(self):
        self._until = dict.fromkeys(self._until, -math.inf)
        self._toggled = self.mapping.dead_man == TOGGLE and not self._toggled

    def release(self):
        """Let go: the terminal is gone."""
        self._until = dict.fromkeys(self._until, -math.inf)
        self._toggled = False

    def engaged(self, now_s: float) -> bool:
        """Tell whether the person drives."""
        if self.mapping.dead_man == TOGGLE:
            return self._toggled
        return any(now_s <= until for until in self._until.values())

    def deflections(self, now_s: float) -> dict[str, float]:
        """Return -1, 0 or 1 by action element."""
        found = dict.fromkeys(self.mapping.axes, 0.0)
        for key, until in self._until.items():
            if now_s <= until:
                name, sign = self._directions[key]
                found[name] = sign
        return found


def help_of(mapping: KeyMapping) -> str:
    """Return the keys and what they do, in lines."""
    def shown(keys) -> str:
        return ' '.join(_SHOWN.get(key, key) for key in keys)
    lines = [f'  {name:20} more: {shown(sides.positive):14} less: {shown(sides.negative)}'
             for name, sides in mapping.axes.items()]
    lines += [f'  {command.replace("_", " "):20} {shown(mapping.commands[command])}'
              for command in (GRIPPER, *COMMANDS) if command in mapping.commands]
    engage, rule = 'let go', (
        f'You drive while keys come, and let go {mapping.timeout_s} s after the last one.')
    if mapping.dead_man == TOGGLE:
        engage, rule = 'take over, let go', (
            'You drive from one press of it to the next; without keys the arm stands still.')
    lines.append(f'  {engage:20} {shown(mapping.stop)}')
    return '\n'.join(['Keys (Ctrl-C ends):', *lines, rule])
