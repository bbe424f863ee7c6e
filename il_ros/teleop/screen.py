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

"""Lines that are drawn over one another in a terminal, also over ssh; plain text elsewhere."""

import os
from typing import TextIO

CLEAR_LINE, CLEAR_BELOW = '\x1b[2K', '\x1b[J'
WIDTH = 80


class Screen:
    """
    Draws a few lines in place (ECMA-48: cursor up, erase); what stands above is left alone.

    Where the stream is no terminal each picture that differs from the last is written below it.
    """

    def __init__(self, stream: TextIO):
        self._stream = stream
        self._is_terminal = stream.isatty()
        self._drawn: list[str] = []

    def draw(self, lines: list[str]):
        """Show these lines in the place of the last ones."""
        if lines == self._drawn:
            return
        if self._is_terminal:
            width = self._width()
            up = f'\x1b[{len(self._drawn)}A' if self._drawn else ''
            text = ''.join(f'{CLEAR_LINE}{_printable(line)[:width - 1]}\r\n' for line in lines)
            self._stream.write(f'\r{up}{text}{CLEAR_BELOW}')
        else:
            self._stream.write(''.join(f'{_printable(line)}\n' for line in (*lines, '')))
        self._stream.flush()
        self._drawn = list(lines)

    def _width(self) -> int:
        try:
            return os.get_terminal_size(self._stream.fileno()).columns or WIDTH
        except OSError:
            return WIDTH


def _printable(line: str) -> str:
    """Return the line without anything that a terminal would obey."""
    return ''.join(character if character.isprintable() else '?' for character in line)
