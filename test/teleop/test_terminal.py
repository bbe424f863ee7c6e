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

"""A real terminal: keys come at once, and every way out puts it back as it was."""

import os
import signal
import subprocess
import sys
import termios
import time

from il_ros.teleop.terminal import RawTerminal, TerminalError
import pytest

ENDS = {
    'close': 'terminal.close()', 'the end': '', 'an exception': 'raise ValueError("bad")',
    'exit': 'sys.exit(3)', 'interrupt': 'os.kill(os.getpid(), signal.SIGINT); time.sleep(5)'}
PROGRAM = """
import os, signal, sys, time
from il_ros.teleop.terminal import RawTerminal
terminal = RawTerminal()
print('raw', flush=True)
sys.stderr.close()
"""


@pytest.fixture
def pty():
    """Yield master and slave of a pseudo-terminal."""
    master, slave = os.openpty()
    yield master, slave
    for end in (master, slave):
        os.close(end)


def is_raw(slave: int) -> bool:
    """Whether neither lines are edited nor keys shown."""
    return not termios.tcgetattr(slave)[3] & (termios.ICANON | termios.ECHO)


def test_a_key_comes_at_once_and_nothing_is_echoed(pty):
    master, slave = pty
    before = termios.tcgetattr(slave)
    terminal = RawTerminal(os.ttyname(slave))
    assert is_raw(slave) and termios.tcgetattr(slave)[3] & termios.ISIG
    assert terminal.read() == ''
    os.write(master, 'wü\x1b[A'.encode())
    assert terminal.read() == 'wü\x1b[A'
    terminal.close()
    terminal.close()
    assert termios.tcgetattr(slave) == before


@pytest.mark.parametrize('way', ENDS)
def test_every_way_out_puts_the_terminal_back(pty, way):
    master, slave = pty
    before = termios.tcgetattr(slave)
    process = subprocess.Popen([sys.executable, '-c', PROGRAM + ENDS[way]], stdin=slave,
                               stdout=slave, stderr=subprocess.DEVNULL)
    assert b'raw' in os.read(master, 100)
    process.wait(timeout=20)
    assert termios.tcgetattr(slave) == before


def test_a_terminal_that_goes_away_is_said():
    master, slave = os.openpty()
    terminal = RawTerminal(os.ttyname(slave))
    os.close(slave)
    os.close(master)
    assert terminal.read() is None
    terminal.close()


def test_what_is_no_terminal_is_refused_with_a_sentence():
    with pytest.raises(TerminalError, match='/dev/null is no terminal'):
        RawTerminal('/dev/null')
    done = subprocess.run([sys.executable, '-c', PROGRAM], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=60)
    assert 'the standard input is no terminal' in done.stderr


def test_ctrl_c_still_interrupts(pty):
    master, slave = pty
    process = subprocess.Popen(
        [sys.executable, '-c',
         'import fcntl, os, termios; os.setsid(); fcntl.ioctl(0, termios.TIOCSCTTY, 0)\n'
         + PROGRAM + 'time.sleep(20)'], stdin=slave, stdout=slave, stderr=subprocess.DEVNULL)
    assert b'raw' in os.read(master, 100)
    os.write(master, b'\x03')
    assert process.wait(timeout=20) == -signal.SIGINT


def test_nothing_typed_is_answered_at_once_and_much_is_read_whole(pty):
    master, slave = pty
    terminal = RawTerminal(os.ttyname(slave))
    begun = time.monotonic()
    assert terminal.read() == '' and time.monotonic() - begun < 0.5
    os.write(master, b'x' * 3000)
    assert terminal.read() == 'x' * 3000
    characters = termios.tcgetattr(slave)[6]
    assert not any(characters[index] in (1, b'\x01') for index in (termios.VMIN, termios.VTIME))
    assert characters[termios.VSUSP] == b'\x00', 'Ctrl-Z stops nobody'
    terminal.close()
    assert terminal.read() == ''
