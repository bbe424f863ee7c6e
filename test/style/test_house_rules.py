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

"""Rules of this project that no linter knows: what is never called, how long a file may be."""

import ast
import functools
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = sorted(
    path for place in ('il_ros', 'benchmarks') for path in (ROOT / place).rglob('*.py'))
TESTS = sorted((ROOT / 'test').rglob('*.py'))
LAUNCH = sorted((ROOT / 'launch').rglob('*.py'))

UNSAFE_MODULES = {'pickle', 'cPickle', 'cloudpickle', 'dill', 'joblib', 'shelve', 'marshal'}
"""Loading one of their files runs whatever its author wrote."""

UNSAFE_CALLS = {'eval', 'exec', 'torch.load', 'yaml.load', 'yaml.full_load', 'yaml.unsafe_load'}
UNSAFE_WORDS = {'allow_pickle'}
RUNTIME = ROOT / 'il_ros' / 'ros' / 'runtime.py'
LONGEST_FILE = 350
LONGEST_FUNCTION = 50


def dotted(node: ast.AST) -> str:
    """Return ``a.b.c`` for a chain of attributes on a name, else an empty word."""
    parts = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return '.'.join([node.id, *reversed(parts)]) if isinstance(node, ast.Name) else ''


@functools.cache
def nodes_in(source: str) -> list[ast.AST]:
    """Return the calls, imports and functions of ``source``; each file is parsed once."""
    looked_at = ast.Call | ast.Import | ast.ImportFrom | ast.FunctionDef | ast.AsyncFunctionDef
    return [node for node in ast.walk(ast.parse(source)) if isinstance(node, looked_at)]


def calls_in(source: str) -> set[str]:
    """Return the dotted names that ``source`` calls, and those that it imports from a module."""
    called = {dotted(node.func) for node in nodes_in(source) if isinstance(node, ast.Call)}
    return called | {f'{node.module}.{alias.name}' for node in nodes_in(source)
                     if isinstance(node, ast.ImportFrom) for alias in node.names}


def words_in(source: str) -> set[str]:
    """Return the names of the arguments that ``source`` gives, but to refuse: ``word=False``."""
    return {word.arg for node in nodes_in(source) if isinstance(node, ast.Call)
            for word in node.keywords if ast.unparse(word.value) != 'False'}


def modules_in(source: str) -> set[str]:
    """Return the top-level modules that ``source`` imports, anywhere in it."""
    found = set()
    for node in nodes_in(source):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition('.')[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.partition('.')[0])
    return found


def offenders(paths: list[Path], look) -> dict[str, object]:
    """Return what ``look(source)`` finds in each file where it finds anything."""
    found = {str(path.relative_to(ROOT)): look(path.read_text()) for path in paths}
    return {name: what for name, what in found.items() if what}


def test_nothing_runs_code_that_came_with_data():
    assert not offenders(PACKAGE + LAUNCH, lambda source: modules_in(source) & UNSAFE_MODULES)
    assert not offenders(PACKAGE + LAUNCH, lambda source: calls_in(source) & UNSAFE_CALLS)
    assert not offenders(PACKAGE + LAUNCH, lambda source: words_in(source) & UNSAFE_WORDS)


def test_no_file_is_longer_than_one_can_read_at_a_sitting():
    assert not offenders(
        PACKAGE + TESTS + LAUNCH,
        lambda source: max(0, len(source.splitlines()) - LONGEST_FILE))


def long_functions(source: str) -> dict[str, int]:
    """Return the functions of ``source`` that are longer than a page, with their lines."""
    lines = {node.name: node.end_lineno - node.lineno + 1 for node in nodes_in(source)
             if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))}
    return {name: length for name, length in lines.items() if length > LONGEST_FUNCTION}


def test_no_function_is_longer_than_a_page():
    assert not offenders(PACKAGE, long_functions)


def test_no_test_sleeps():
    sleeps = {'time.sleep', 'sleep', 'asyncio.sleep'}
    assert not offenders(TESTS, lambda source: calls_in(source) & sleeps)


def test_only_the_runtime_spins():
    others = [path for path in PACKAGE if path != RUNTIME]
    assert not offenders(others, lambda source: {
        call for call in calls_in(source)
        if call.rpartition('.')[2].startswith('spin') and call != 'runtime.spin'})


def test_the_rules_find_what_they_forbid():
    source = 'import dill\nfrom time import sleep\nsleep(1)\na.torch.load()\ntorch.load(x)\n'
    assert modules_in(source) & UNSAFE_MODULES == {'dill'}
    assert calls_in(source) & UNSAFE_CALLS == {'torch.load'}
    assert 'sleep' in calls_in(source)
    assert 'yaml.load' in calls_in('from yaml import load as read')
    assert words_in('np.load(a, allow_pickle=True)\nnp.load(b, mode=False)') == {'allow_pickle'}
