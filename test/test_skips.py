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

"""Skipped tests: each reason names the make target that runs the test."""

import ast
from pathlib import Path
import re

import pytest

ROOT = Path(__file__).resolve().parent.parent
FILES = sorted((ROOT / 'test').rglob('*.py'))
SKIPS = {'importorskip', 'skip', 'skipif'}
RUNNERS = re.compile(r'-m pytest\b|tools/launch_tests\.py')


def targets() -> dict[str, list[str]]:
    """Return the places in test/ that each make target runs; a target without any runs all."""
    found = {}
    for target, recipe in re.findall(
            r'^([a-z-]+):[^=\n]*##.*\n((?:\t.*\n)+)', (ROOT / 'Makefile').read_text(), re.M):
        lines = [line for line in recipe.splitlines() if RUNNERS.search(line)]
        if lines:
            found[target] = [word for line in lines for word in line.split()
                             if word.startswith('test/')]
    return found


def skips(source: str) -> list[tuple[int, str]]:
    """Return the line and the reason of each skip; an empty reason where none is written."""
    found = []
    for call in ast.walk(ast.parse(source)):
        if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute)
                and call.func.attr in SKIPS and 'pytest' in ast.unparse(call.func)):
            continue
        given = [word.value for word in call.keywords if word.arg == 'reason']
        if call.func.attr == 'skip':
            given += call.args
        found.append((call.lineno, ''.join(
            each.value for each in given if isinstance(each, ast.Constant))))
    return found


@pytest.mark.parametrize('path', FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_the_reason_of_a_skip_names_a_make_target_that_runs_the_file(path):
    name = str(path.relative_to(ROOT))
    for line, reason in skips(path.read_text()):
        named = re.findall(r'\bmake ([a-z-]+)', reason)
        assert len(named) == 1, f'{name}:{line}: reason {reason!r} names no make target'
        assert named[0] in targets(), f'{name}:{line}: make {named[0]} runs no tests'
        places = [ROOT / place for place in targets()[named[0]]]
        assert not places or any(path.is_relative_to(place) for place in places), (
            f'{name}:{line}: make {named[0]} does not run this file')


def test_the_targets_and_their_places_are_read_from_the_makefile():
    assert targets()['test'] == []
    assert targets()['test-launch'] == ['test/launch', 'test/style/test_ament_style.py']
    assert set(targets()) == {
        'test', 'drills', 'test-exports', 'test-cluster', 'test-launch', 'lint'}


def test_a_skip_without_a_reason_is_found():
    source = ("import pytest\npytest.importorskip('x')\npytest.skip('why: make test')\n"
              "@pytest.mark.skipif(True, reason='make lint')\ndef f():\n    pass\n")
    assert skips(source) == [(2, ''), (3, 'why: make test'), (4, 'make lint')]
