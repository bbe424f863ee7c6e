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

"""Conversations with child processes, which are a few lines of Python here."""

import os
import signal
import sys
import time

from il_ros.processes.conversation import Conversation, lines_of
import pytest

ECHO = """
from il_ros.processes.conversation import Answers, lines_of
answers = Answers()
print('chatter', flush=True)
for line in lines_of(0):
    answers.put(line + line + b'\\n')
"""


def talk(code: str, **options) -> Conversation:
    """Start a conversation with some code."""
    options = {'hear': lambda line: line, **options}
    return Conversation('the child', (sys.executable, '-c', code), **options)


def hear(child: Conversation, count: int) -> list:
    """Return so many things that were heard."""
    found, until = [], time.monotonic() + 30.0
    while len(found) < count and time.monotonic() < until:
        found += child.take(0.2)
    return found


def test_lines_are_whole_whatever_the_pieces_they_come_in():
    reader, writer = os.pipe()
    lines = lines_of(reader)
    os.write(writer, b'one\ntw')
    assert next(lines) == b'one'
    os.write(writer, b'o\n\nrest')
    os.close(writer)
    assert list(lines) == [b'two', b'rest']
    os.close(reader)


def test_a_child_is_answered_line_by_line_and_its_prints_are_no_answers():
    said = []
    child = talk(ECHO, hear=lambda line: None if line == b'22' else line, log=said.append)
    for number in (1, 2, 3):
        child.send(b'%d\n' % number)
    assert hear(child, 2) == [b'11', b'33']
    child.close(10.0)
    assert hear(child, 1) == [None] and not child.alive()
    assert said == ['chatter']
    assert child.exit_message().endswith('exit code 0; last output: chatter')


def test_a_child_that_dies_is_named_with_its_last_words():
    child = talk('raise SystemExit("out of paper")')
    assert hear(child, 1) == [None]
    child.send(b'nobody listens\n')
    assert child.exit_message() == (
        f'the child (pid {child.pid}) ended with exit code 1; last output: out of paper')
    child.close(0.0)


def test_closing_kills_a_child_that_does_not_listen():
    child = talk('print(flush=True); import signal; print("on", flush=True); signal.pause()')
    assert hear(child, 1) == [b'on']
    os.kill(child.pid, signal.SIGSTOP)
    child.close(0.1)
    assert 'killed by SIGKILL' in child.exit_message()


def test_a_child_that_cannot_be_started_is_an_error_for_whoever_starts_it(monkeypatch):
    def refused(*_, **__):
        raise OSError(12, 'Cannot allocate memory')
    monkeypatch.setattr('il_ros.processes.conversation.start', refused)
    with pytest.raises(OSError, match='Cannot allocate memory'):
        talk('')


def test_the_last_five_lines_are_kept_and_each_is_logged_without_its_end():
    said = []
    child = talk('import os; os.write(2, b"il_ros: the reason\\n" + b"more \\xff\\n" * 4)',
                 log=said.append)
    assert hear(child, 1) == [None]
    assert said == ['il_ros: the reason', *['more \ufffd'] * 4]
    assert child.exit_message().endswith('exit code 0; last output: the reason')
    child.close(1.0)
    child = talk('import os; os.write(2, b"il_ros: the reason\\n" + b"more\\n" * 5)')
    assert hear(child, 1) == [None]
    assert child.exit_message().endswith('exit code 0; last output: more')
    child.close(1.0)


def test_who_does_not_wait_gets_what_is_there_and_a_killed_child_is_gone():
    child = talk('import signal; print("on", flush=True); signal.pause()')
    assert child.take(30.0) == [b'on']
    asked = time.monotonic()
    assert child.take() == [] and time.monotonic() - asked < 0.5
    assert child.alive() and child.pid > 0
    child.kill()
    assert not child.alive() and child.take() == [None]
    child.kill()
    child.close(0.0)
