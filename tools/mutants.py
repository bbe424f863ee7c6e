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
TURNED = {ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq,
          ast.NotEq: ast.Eq, ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn,
          ast.NotIn: ast.In}
SWAPPED = {ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult,
           ast.And: ast.Or, ast.Or: ast.And}


def changes_of(tree: ast.AST) -> Iterator[tuple[int, Callable[[], None]]]:
    """Yield the line of each possible change, and what makes it in the tree."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare) and type(node.ops[0]) in TURNED:
            yield node.lineno, lambda node=node: node.ops.__setitem__(
                0, TURNED[type(node.ops[0])]())
        elif isinstance(node, (ast.BinOp, ast.BoolOp, ast.AugAssign)) and type(node.op) in SWAPPED:
            yield node.lineno, lambda node=node: setattr(node, 'op', SWAPPED[type(node.op)]())
        elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            yield node.lineno, lambda node=node: setattr(
                node, 'operand', ast.UnaryOp(ast.Not(), node.operand))
        elif isinstance(node, ast.Return) and node.value is not None:
            yield node.lineno, lambda node=node: setattr(node, 'value', ast.Constant(None))
        elif isinstance(node, ast.Constant) and type(node.value) in (bool, int, float):
            value = not node.value if isinstance(node.value, bool) else node.value + 1
            yield node.lineno, lambda node=node, value=value: setattr(node, 'value', value)


def mutant(source: str, number: int) -> tuple[int, str]:
    """Return the line and the text of one mutant of a file."""
    tree = ast.parse(source)
    line, change = list(changes_of(tree))[number]
    change()
    return line, ast.unparse(ast.fix_missing_locations(tree))


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
    """Try mutants of a room; return those that live, as ``file:line: what it became``."""
    files = sorted((ROOT / 'il_ros' / room).rglob('[!_]*.py'))
    places = [(path, number) for path in files
              for number, _ in enumerate(changes_of(ast.parse(path.read_text())))]
    chosen = random.Random(seed).sample(places, min(count, len(places)))
    alive = []
    with tempfile.TemporaryDirectory(prefix='mutants-') as folder:
        copy = Path(shutil.copytree(ROOT, Path(folder, 'copy'), ignore=shutil.ignore_patterns(
            '.*', 'build', 'install', 'log', 'runs', '__pycache__')))
        if not passes(copy, tests, limit_s):
            raise SystemExit(f'the tests {" ".join(tests)} fail without any change; mend them')
        for tried, (path, number) in enumerate(chosen, 1):
            source, place = path.read_text(), copy / path.relative_to(ROOT)
            line, text = mutant(source, number)
            place.write_text(text)
            if passes(copy, tests, limit_s):
                alive.append(f'{path.relative_to(ROOT)}:{line}: '
                             f'{source.splitlines()[line - 1].strip()}')
            place.write_text(source)
            print(f'{tried} of {len(chosen)}, {len(alive)} alive', file=sys.stderr)
    print(f'{len(chosen) - len(alive)} of {len(chosen)} of {len(places)} mutants killed')
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
