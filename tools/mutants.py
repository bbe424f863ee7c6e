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

"""
Change a room's code in many small ways, and see whether its own tests notice.

Each mutant has one change: a comparison turned, a sign, ``and`` for ``or``, a constant, ``return
None``. It lies in a copy of the repository, where the room's tests run until one fails. Those that
all tests pass are shown with their line: a test is missing there, or the change changes nothing.
A change that nobody can notice is named in ``tools/equivalent_mutants.txt`` and left out, as
``path: source line => what it became -- why``; without ``=> ...``, the line stays as it is.
"""

import argparse
import ast
from collections.abc import Callable, Iterator
import os
from pathlib import Path
import random
import shutil
import subprocess
import sys
import tempfile

ROOT = Path(__file__).resolve().parent.parent
EQUIVALENT = Path(__file__).with_name('equivalent_mutants.txt')
TURNED = {ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq,
          ast.NotEq: ast.Eq, ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn,
          ast.NotIn: ast.In}
SWAPPED = {ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult,
           ast.And: ast.Or, ast.Or: ast.And}


def running(node: ast.AST) -> Iterator[ast.AST]:
    """Yield what runs below a node: no decorator, annotation or value of a ``__name__``."""
    yield node
    quiet = list(getattr(node, 'decorator_list', []))
    quiet += [getattr(node, name, None) for name in ('annotation', 'returns')]
    if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]).startswith('__'):
        quiet.append(node.value)
    for child in ast.iter_child_nodes(node):
        if child not in quiet:
            yield from running(child)


def changes_of(tree: ast.AST) -> Iterator[tuple[int, Callable[[], None]]]:
    """Yield the line of each possible change, and what makes it in the tree."""
    for node in running(tree):
        if isinstance(node, ast.Compare) and type(node.ops[0]) in TURNED:
            yield node.lineno, lambda node=node: node.ops.__setitem__(
                0, TURNED[type(node.ops[0])]())
        elif isinstance(node, (ast.BinOp, ast.BoolOp, ast.AugAssign)) and type(node.op) in SWAPPED:
            yield node.lineno, lambda node=node: setattr(node, 'op', SWAPPED[type(node.op)]())
        elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            yield node.lineno, lambda node=node: setattr(
                node, 'operand', ast.UnaryOp(ast.Not(), node.operand))
        elif isinstance(node, ast.Return) and ast.unparse(node) not in ('return', 'return None'):
            yield node.lineno, lambda node=node: setattr(node, 'value', ast.Constant(None))
        elif isinstance(node, ast.Constant) and type(node.value) in (bool, int, float):
            value = not node.value if isinstance(node.value, bool) else node.value + 1
            yield node.lineno, lambda node=node, value=value: setattr(node, 'value', value)


def mutant(source: str, number: int) -> tuple[int, str, str]:
    """Return the line of one mutant of a file, its text, and what the statement became."""
    tree = ast.parse(source)
    before = ast.unparse(tree)
    line, change = list(changes_of(tree))[number]
    change()
    text = ast.unparse(ast.fix_missing_locations(tree))
    old, new = next(pair for pair in zip(before.splitlines(), text.splitlines())
                    if pair[0] != pair[1])
    start = max(0, len(os.path.commonprefix((old, new))) - 40) if len(new) > 90 else 0
    return line, text, new[start:start + 90].strip()


def equivalent() -> set[str]:
    """Return the places, ``path: source line`` or with ``=> ...``, where nothing can be seen."""
    lines = EQUIVALENT.read_text().splitlines() if EQUIVALENT.exists() else []
    return {line.rpartition(' -- ')[0] for line in lines if line.startswith('il_ros/')}


def made_here(folder: str, names: list[str]) -> set[str]:
    """Return which names in a folder of the repository its copy does without."""
    made = {'build', 'install', 'log', 'runs'} if Path(folder) == ROOT else {'__pycache__'}
    return {name for name in names if name in made or name.startswith('.')}


def passes(copy: Path, tests: list[str], limit_s: float) -> bool:
    """Tell whether the tests pass in the copy; a hanging one does not."""
    words = [sys.executable, '-m', 'pytest', '-x', '-q', '-p', 'no:cacheprovider', *tests]
    try:
        return not subprocess.run(words, cwd=copy, capture_output=True, timeout=limit_s,
                                  env={**os.environ, 'PYTHONPATH': str(copy),
                                       'PYTHONDONTWRITEBYTECODE': '1'}).returncode
    except subprocess.TimeoutExpired:
        return False


def survivors(room: str, count: int, seed: int, tests: list[str], limit_s: float) -> list[str]:
    """Try mutants of a room; return those that live: ``file:line: source => mutant``."""
    files = sorted((ROOT / 'il_ros' / room).rglob('[!_]*.py'))
    places = [(path, number) for path in files
              for number, _ in enumerate(changes_of(ast.parse(path.read_text())))]
    random.Random(seed).shuffle(places)
    unseen, tried = equivalent(), 0
    alive = []
    with tempfile.TemporaryDirectory(prefix='mutants-') as folder:
        copy = Path(shutil.copytree(ROOT, Path(folder, 'copy'), ignore=made_here))
        if not passes(copy, tests, limit_s):
            raise SystemExit(f'the tests {" ".join(tests)} fail without any change; mend them')
        for path, number in places:
            source, name = path.read_text(), path.relative_to(ROOT)
            line, text, became = mutant(source, number)
            stood = source.splitlines()[line - 1].strip()
            if unseen & {f'{name}: {stood}', f'{name}: {stood} => {became}'}:
                continue
            if tried == count:
                break
            tried += 1
            (copy / name).write_text(text)
            if passes(copy, tests, limit_s):
                alive.append(f'{name}:{line}: {stood} => {became}')
            (copy / name).write_text(source)
            print(f'{tried} tried, {len(alive)} alive', file=sys.stderr)
    killed = tried - len(alive)
    print(f'{killed} of {tried} mutants killed ({killed / max(tried, 1):.0%}), '
          f'of {len(places)} possible')
    return alive


def main() -> int:
    """Print the mutants that live; their number is no failure."""
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('room', help='Folder of il_ros, e.g. interactive')
    parser.add_argument('--count', type=int, default=30,
                        help='Number of mutants (default: %(default)s)')
    parser.add_argument('--seed', type=int, default=0, help='Which ones (default: %(default)s)')
    parser.add_argument('--tests', nargs='+', metavar='PATH',
                        help="Tests that have to notice (default: the room's own)")
    parser.add_argument('--limit', type=float, default=120.0, metavar='S',
                        help='Seconds that the tests may take (default: %(default)s)')
    words = parser.parse_args()
    tests = words.tests or [f'test/{words.room}']
    print('\n'.join(survivors(words.room, words.count, words.seed, tests, words.limit)))
    return 0


if __name__ == '__main__':
    sys.exit(main())
