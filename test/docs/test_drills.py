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

"""The drills that docs/safety.md names exist, and run where it says."""

import ast
from pathlib import Path
import re

import pytest

ROOT = Path(__file__).resolve().parents[2]
DRILL = 'pytest.mark.drill'


def rows() -> list[tuple[str, str, str]]:
    """Return id, test and make target of each test in the table."""
    table = (ROOT / 'docs' / 'safety.md').read_text().partition('\n## Drills\n')[2]
    found = re.findall(r'^\| ([BCD]\d+) \|[^|]*\|([^|]*)\| `(make \w+)` \|$', table, re.MULTILINE)
    return [(name, test, target) for name, tests, target in found
            for test in re.findall('`(.*?)`', tests)]


def target_of(file: str, name: str) -> str | None:
    """Return the make target that runs a test function; None: there is no such function."""
    tree = ast.parse((ROOT / 'test' / file).read_text())
    marks = [mark for node in tree.body if isinstance(node, ast.Assign)
             and ast.unparse(node.targets[0]) == 'pytestmark' for mark in ast.walk(node.value)]
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.name == name:
            drill = any(ast.unparse(mark) == DRILL for mark in [*node.decorator_list, *marks])
            return 'make drills' if drill else 'make test'
    return None


@pytest.mark.parametrize('drill, test, target', rows())
def test_a_drill_of_the_table_exists_and_runs_where_it_says(drill, test, target):
    assert target_of(*test.split('::')) == target


def test_every_drill_of_commands_files_and_runs_has_a_test():
    expected = {f'B{n}' for n in range(1, 16)} | {f'C{n}' for n in range(1, 7)} | {
        f'D{n}' for n in range(1, 9)}
    assert {drill for drill, _, _ in rows()} == expected
