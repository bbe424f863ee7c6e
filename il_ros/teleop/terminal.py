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

"""A terminal that gives every key at once, and is put back as it was on every way out."""

import atexit
import codecs
import os
import select
import termios

from il_ros.errors import ImitationError


class TerminalError(ImitationError):
    """There is no terminal to read keys from."""


class RawTerminal:
    """
    One terminal without line editing and echo, from now to ``close``.

    Ctrl-C still interrupts; Ctrl-Z does nothing, for a stopped process would leave the terminal
    raw and the arm without its person.

    :param path: of the device, e.g. ``/dev/tty``; empty: the standard input
    :raises TerminalError: if that is no terminal
    """

    def __init__(self, path: str = ''):
        self._owned = bool(path)
        try:
            self._file = os.open(path, os.O_RDWR | os.O_NOCTTY) if path else 0
            self._before = termios.tcgetattr(self._file)
        except (OSError, termios.error) as error:
            if self._owned and hasattr(self, '_file'):
                os.close(self._file)
            raise TerminalError(
                f'{path or "the standard input"} is no terminal ({error.args[1]}); keys are read '
                'from one: start it in a terminal, not behind a pipe') from error
        self._open = True
        atexit.register(self.close)
        self._decode = codecs.getincrementaldecoder('utf-8')('replace').decode
        self._make_raw()

    def _make_raw(self):
        raw = [*self._before[:6], list(self._before[6])]
        raw[3] &= ~(termios.ICANON | termios.ECHO)
        raw[6][termios.VMIN], raw[6][termios.VTIME] = 0, 0
        raw[6][termios.VSUSP] = b'\x00'
        termios.tcsetattr(self._file, termios.TCSADRAIN, raw)

    def read(self) -> str | None:
        """Return what was typed since, at once; None: the terminal is gone."""
        typed = ''
        try:
            while self._open and select.select([self._file], [], [], 0.0)[0]:
                found = os.read(self._file, 1024)
                if not found:
                    return typed or None
                typed += self._decode(found)
        except OSError:
            return None
        return typed

    def close(self):
        """Put the terminal back as it was; a second call does nothing."""
        if not self._open:
            return
        self._open = False
        atexit.unregister(self.close)
        try:
            termios.tcsetattr(self._file, termios.TCSADRAIN, self._before)
        except (OSError, termios.error):
            pass  # it is gone: there is nothing to put back
        if self._owned:
            os.close(self._file)
