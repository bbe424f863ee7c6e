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

"""What the documents say of the code: its files, tests, rooms, profiles, codes and stages."""

import ast
from pathlib import Path
import re

import pytest
from test_boundaries import ROOMS_ALLOWED

ROOT = Path(__file__).resolve().parent.parent
ARCHITECTURE = (ROOT / 'docs' / 'architecture.md').read_text()
DOCUMENTS = {str(path.relative_to(ROOT)): path.read_text()
             for path in [*ROOT.glob('*.md'), *(ROOT / 'docs').rglob('*.md')]}


def rows(heading: str) -> list[list[str]]:
    """Return the cells of the table whose first heading this is, backticks left out."""
    lines = ARCHITECTURE.partition(f'\n| {heading} |')[2].partition('\n\n')[0].splitlines()[2:]
    return [[cell.strip().replace('`', '') for cell in line.strip('|').split('|')]
            for line in lines]


@pytest.mark.parametrize('name', sorted(DOCUMENTS))
def test_every_file_that_is_named_exists(name):
    named = re.findall(r'`([\w./-]+\.(?:py|md|yaml|toml|cfg|xml))`', DOCUMENTS[name])
    files = [path for path in named if '/' in path and not re.search('NAME|runs/', path)]
    assert not [path for path in files
                if not (ROOT / path).exists() and not (ROOT / 'il_ros' / path).exists()]


def test_every_test_that_is_named_exists():
    defined = {node.name for path in (ROOT / 'test').rglob('test_*.py')
               for node in ast.walk(ast.parse(path.read_text()))
               if isinstance(node, ast.FunctionDef)}
    named = set(re.findall(r'`(test_\w+)`', ARCHITECTURE))
    assert len(named) > 13
    assert not named - defined


def test_the_thirteen_rules_are_numbered_and_have_a_place_and_a_test():
    assert [row[0] for row in rows('#')] == [str(number) for number in range(1, 14)]
    assert all(row[2] and row[3] for row in rows('#'))


def test_the_rooms_may_import_what_the_page_says():
    said = {room: set(filter(None, others.split(', '))) for room, _, others in rows('Room')}
    assert said == ROOMS_ALLOWED


def test_the_profiles_are_those_of_the_code():
    qos = pytest.importorskip('il_ros.ros.qos', reason='needs rclpy: make test')
    profiles = {name: value for name, value in vars(qos).items()
                if type(value).__name__ == 'QoSProfile'}
    said = {row[0]: row for row in rows('Profile')}
    assert set(said) == set(profiles)
    for name, profile in profiles.items():
        assert profile.depth == int(said[name][1]), name
        beyond = said[name][2]
        assert ('transient local' in beyond) == (profile.durability.name == 'TRANSIENT_LOCAL')
        assert ('best effort' in beyond) == (profile.reliability.name == 'BEST_EFFORT')
        assert ('lease' in beyond) == (profile.liveliness.name == 'AUTOMATIC')


def test_the_error_codes_are_those_of_the_interfaces():
    said = set()
    for (first, last), codes in ((row[0].split('–'), row[2]) for row in rows('Codes')):
        found = {(name, int(code)) for code, name in re.findall(r'(\d+) (\w+)', codes)}
        assert all(int(first) <= code <= int(last) for _, code in found)
        said |= found
    interfaces = [path for kind in ('msg', 'srv', 'action')
                  for path in (ROOT / 'il_ros_interfaces' / kind).iterdir()]
    defined = {(name, int(code)) for path in interfaces for name, code in re.findall(
        r'^uint16 (\w+)=(\d+)', path.read_text(), re.MULTILINE) if int(code)}
    assert said == defined


def test_the_stages_are_those_of_a_run():
    from il_ros.interactive.goal import Goal
    from il_ros.interactive.rounds import planned_stages
    from il_ros.interactive.run_state import RunState
    said = {name for row in rows('Stage') for name in row[0].split(', ')}
    planned = {re.sub(r'^r\d\d', 'rNN', stage.name) for stage in planned_stages(
        RunState(Goal(run='r', task='push', strategy='dagger', rounds=1)))}
    assert planned == said - {'baseline-…', 'rNN-choose', 'final-load'}
