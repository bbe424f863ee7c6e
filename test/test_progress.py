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

"""Progress: a bar on a terminal, else one line for each stage and never one for each refresh."""

import io
from pathlib import Path
import re
import sys

from il_ros.progress import each, Progress
import pytest

PACKAGE = Path(__file__).resolve().parent.parent / 'il_ros'


class Terminal(io.StringIO):
    """A stream that says that it is a terminal."""

    def isatty(self) -> bool:
        """Say so."""
        return True


def lines(capsys) -> list[str]:
    """Return the lines that were said, without the seconds."""
    return [re.sub(r'\d+\.\d s', 'T', line) for line in capsys.readouterr().err.splitlines()]


def test_a_stage_is_one_line_where_there_is_no_terminal(capsys):
    with Progress('recording', 300, 'episode', done=2) as progress:
        for _ in range(298):
            progress.update()
            progress.note('18 successful')
        assert not capsys.readouterr().err
    assert lines(capsys) == ['recording: 300 of 300 episodes, T, 18 successful']


def test_stages_of_one_total_are_a_line_each(capsys):
    with Progress(total=3, unit='policy') as progress:
        progress.begin('expert')
        progress.update()
        progress.begin('BC')
        progress.reach(3)
    assert lines(capsys) == ['expert: 1 of 3 policies, T', 'BC: 3 of 3 policies, T']


def test_a_share_an_unknown_total_and_nothing_to_do(capsys):
    with Progress('round 1 of 6: train', 100, '%') as progress:
        progress.reach(40.0)
        progress.note('loss 0.1')
    with Progress('training') as progress:
        progress.update(50)
    with Progress('demonstrating', 0, 'episode'):
        pass
    with Progress('driving', 5, hidden=True) as progress:
        progress.update(5)
    assert lines(capsys) == ['round 1 of 6: train: T, loss 0.1', 'training: 50 steps, T']


def test_a_sequence_is_one_line_and_one_that_fails_is_none(capsys):
    assert list(each('abc', 'verifying')) == ['a', 'b', 'c']
    assert lines(capsys) == ['verifying: 3 of 3 episodes, T']
    with pytest.raises(KeyError):
        for _ in each('abc', 'verifying'):
            raise KeyError
    assert not lines(capsys)


def test_a_terminal_shows_a_bar_and_what_is_said_stands_above_it(monkeypatch, capsys):
    monkeypatch.setattr(sys, 'stderr', Terminal())
    with Progress('recording', 3, 'episode') as progress:
        progress.reach(1, 4)
        progress.begin('driving')
        progress.note('18 successful')
        progress.say('above')
    with Progress('round 1', 100, '%') as progress:
        progress.reach(40.0)
    said = sys.stderr.getvalue()
    assert '\r' in said and 'driving' in said and '1/4' in said and '18 successful' in said
    assert 'round 1' in said and capsys.readouterr().out == 'above\n'


def test_every_command_uses_this_one_helper():
    found = [path.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob('*.py')
             if re.search(r'^\s*(import|from) (tqdm|rich)', path.read_text(), re.MULTILINE)]
    assert found == ['progress.py']
