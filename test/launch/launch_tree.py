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

"""What the launch files, the nodes and setup.py say, read from their syntax trees."""

import ast
import functools
import os
from pathlib import Path
import runpy

import setuptools

ROOT = Path(__file__).resolve().parent.parent.parent
FILES = sorted((ROOT / 'launch').glob('*.launch.py'))
SHARED = ROOT / 'il_ros' / 'graph' / 'launching.py'
FIELD_MAKERS = ('text', 'flag', 'choice', 'bounded')


@functools.cache
def entry_points() -> dict[str, str]:
    """Return what setup.py installs as executables: their functions by name."""
    given = {}
    before, here = setuptools.setup, os.getcwd()
    setuptools.setup = lambda **words: given.update(words)
    try:
        os.chdir(ROOT)
        runpy.run_path('setup.py')
    finally:
        setuptools.setup = before
        os.chdir(here)
    return dict(line.split(' = ') for line in given['entry_points']['console_scripts'])


@functools.cache
def declared(node: str) -> dict[str, object]:
    """Return the parameters that a node declares, with their defaults, from its dataclass."""
    name = f'{node.title().replace("_", "")}Parameters'
    sources = [path.read_text() for path in (ROOT / 'il_ros').rglob('*.py')]
    classes = [item for source in sources if f'class {name}' in source
               for item in ast.parse(source).body
               if isinstance(item, ast.ClassDef) and item.name == name]
    assert len(classes) == 1, name
    fields = [item for kind in classes for item in kind.body if isinstance(item, ast.AnnAssign)]
    return {item.target.id: ast.literal_eval(item.value.args[0]) for item in fields
            if isinstance(item.value, ast.Call) and item.value.func.id in FIELD_MAKERS}


def calls(path: Path, name: str) -> list[ast.Call]:
    """Return the calls of a function, or class, of this name."""
    return [item for item in ast.walk(ast.parse(path.read_text()))
            if isinstance(item, ast.Call) and isinstance(item.func, ast.Name)
            and item.func.id == name]


def nodes_of(path: Path) -> list[tuple[str, set[str]]]:
    """Return the executables that a launch file starts itself, with the parameters given."""
    return [(call.args[0].value, {word.arg for word in call.keywords} - {'condition'})
            for call in calls(path, 'node')]


def included(path: Path) -> list[Path]:
    """Return the launch files that a launch file includes, directly or not."""
    found = [path.with_name(call.args[0].value) for call in calls(path, 'include')]
    return [*found, *(further for each in found for further in included(each))]


def arguments(path: Path) -> list[str]:
    """Return the names of the arguments that a file declares itself."""
    return [call.args[0].value for call in calls(path, 'DeclareLaunchArgument')]
