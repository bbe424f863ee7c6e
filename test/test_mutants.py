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

"""The tool that changes code at random: what it changes, and what it says of tests that see it."""

import ast
import importlib.util
from pathlib import Path

import pytest

TOOL = Path(__file__).resolve().parents[1] / 'tools' / 'mutants.py'
SOURCE = 'def f(a):\n    if a < 1 and not a:\n        return a + 2\n'


@pytest.fixture(scope='module')
def tool():
    """Return the tool as a module."""
    spec = importlib.util.spec_from_file_location('mutants', TOOL)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_each_mutant_has_one_change_and_its_line(tool):
    count = len(list(tool.changes_of(ast.parse(SOURCE))))
    found = {tool.mutant(SOURCE, number)[:2] for number in range(count)}
    plain = 'def f(a):\n    if a < 1 and (not a):\n        return a + 2'
    assert found == {
        (2, plain.replace('and (not a)', 'or not a')), (2, plain.replace('<', '<=')),
        (2, plain.replace('(not a)', '(not not a)')), (2, plain.replace('< 1', '< 2')),
        (3, plain.replace('a + 2', 'a - 2')), (3, plain.replace('a + 2', 'a + 3')),
        (3, plain.replace('a + 2', 'None'))}


def test_what_does_not_run_by_itself_is_not_changed(tool):
    quiet = ('@dataclass(frozen=True)\nclass A:\n    a: Literal[1]\n'
             "@mark(2 + 3)\ndef f(a: 'x' + 1, *b: Literal[3]) -> Literal[4]:\n    return None\n"
             '__all__ = a + b\n')
    assert not list(tool.changes_of(ast.parse(quiet)))


@pytest.mark.parametrize(('entry', 'left'), [
    ('return a + 2', 4), ('return a + 2 => return a - 2', 6), ('return a + 2 => return a', 7)])
def test_what_the_list_says_nobody_can_see_is_left_out(
        tool, tmp_path, monkeypatch, capsys, entry, left):
    room = tmp_path / 'il_ros' / 'room'
    room.mkdir(parents=True)
    (room / 'code.py').write_text(SOURCE)
    monkeypatch.setattr(tool, 'ROOT', tmp_path)
    monkeypatch.setattr(tool, 'EQUIVALENT', tmp_path / 'list.txt')
    tool.EQUIVALENT.write_text(f'il_ros/room/code.py: {entry} -- the reason\n')
    seen = iter([True] + [False] * left)
    monkeypatch.setattr(tool, 'passes', lambda *_: next(seen))
    assert tool.survivors('room', 100, 0, ['test/room'], 1.0) == []
    assert f'{left} of {left} mutants killed (100%), of 7 possible' in capsys.readouterr().out


def test_the_list_names_changes_that_the_code_still_has(tool):
    for entry in tool.equivalent():
        path, _, place = entry.partition(': ')
        stood, _, became = place.partition(' => ')
        source = (tool.ROOT / path).read_text()
        lines = [line.strip() for line in source.splitlines()]
        made = [tool.mutant(source, number)[2]
                for number, (line, _) in enumerate(tool.changes_of(ast.parse(source)))
                if lines[line - 1] == stood]
        assert made and (not became or became in made), entry


def test_those_that_no_test_sees_are_named_and_the_sources_stay(tool, tmp_path, monkeypatch):
    room = tmp_path / 'il_ros' / 'room'
    room.mkdir(parents=True)
    (room / 'code.py').write_text(SOURCE)
    monkeypatch.setattr(tool, 'ROOT', tmp_path)
    seen = iter([True, *(number == 3 for number in range(7))])
    monkeypatch.setattr(tool, 'passes', lambda *_: next(seen))
    alive = tool.survivors('room', 100, 0, ['test/room'], 1.0)
    assert len(alive) == 1 and alive[0].startswith('il_ros/room/code.py:')
    assert (room / 'code.py').read_text() == SOURCE
    monkeypatch.setattr(tool, 'passes', lambda *_: False)
    with pytest.raises(SystemExit, match='fail without any change'):
        tool.survivors('room', 1, 0, ['test/room'], 1.0)
