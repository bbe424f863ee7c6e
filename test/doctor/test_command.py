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

"""The command on machines that are out of order: findings, never a traceback."""

import json
import os
from pathlib import Path
import subprocess
import sys

from il_ros.cli.parser import main
from il_ros.doctor import command
from il_ros.doctor.system_checks import SECURITY_PAGE
from il_ros.ros.presence.graph_facts import GraphFacts, RobotFacts
import pytest

DEADLINE_S = 60.0
NOT_BUILT = """\
import sys
sys.modules['il_ros_interfaces'] = None
from il_ros.cli.parser import main
sys.exit(main(['doctor', '--json']))
"""
WITHOUT_ROS = NOT_BUILT.replace('il_ros_interfaces', 'rclpy')


@pytest.fixture
def alone(monkeypatch):
    """Look at no graph."""
    monkeypatch.setattr(command, '_graph', lambda *_: {})
    return monkeypatch


def findings(capsys, *words: str) -> tuple[int, dict[str, list[tuple[str, str]]]]:
    """Run the command; return its exit code and what it found, by check."""
    code = main(['doctor', '--json', *words])
    return code, by_check(capsys.readouterr().out)


def by_check(text: str) -> dict[str, list[tuple[str, str]]]:
    """Return level and text of the findings, by check."""
    found: dict[str, list[tuple[str, str]]] = {}
    for one in json.loads(text)['findings']:
        found.setdefault(one['check'], []).append((one['level'], one['text']))
    return found


def test_runs_that_cannot_be_written_to_fail(alone, capsys, tmp_path):
    (tmp_path / 'file').touch()
    code, found = findings(capsys, '--runs', str(tmp_path / 'file'))
    assert code == 1 and found['runs'][0][0] == 'FAIL'
    code, found = findings(capsys, '--runs', str(tmp_path))
    assert code == 0 and found['runs'][0][0] == 'OK'


def test_the_whole_subnet_without_security_is_a_warning(alone, capsys):
    alone.setenv('ROS_AUTOMATIC_DISCOVERY_RANGE', 'SUBNET')
    code, found = findings(capsys)
    assert code == 0 and found['discovery'][0][0] == 'WARN'


def test_a_wrong_environment_fails_in_its_own_words_and_the_graph_is_left_alone(
        monkeypatch, capsys):
    monkeypatch.setenv('ROS_DOMAIN_ID', 'abc')
    code, found = findings(capsys)
    assert code == 1 and "ROS_DOMAIN_ID is 'abc'" in found['environment'][0][1]
    assert 'graph' not in found


def test_the_lines_for_people_end_with_the_count(alone, capsys):
    assert main(['doctor']) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith('OK    environment')
    assert lines[-1].startswith('0 failures, ')


def test_a_robot_that_there_is_not_is_a_finding(monkeypatch, capsys):
    survey = pytest.importorskip('il_ros.ros.presence.survey', reason='needs rclpy: make test')
    facts = GraphFacts(0, (), robot=RobotFacts('joint_command', ''))
    monkeypatch.setattr(survey, 'look', lambda command: facts)
    code, found = findings(capsys, '--robot', 'nosuch')
    assert code == 1 and "there is no robot 'nosuch'" in found['robot'][0][1]
    assert 'limits' not in found


@pytest.mark.parametrize('code, check', [(NOT_BUILT, 'interfaces'), (WITHOUT_ROS, 'graph')])
def test_what_is_not_built_or_not_installed_is_a_finding(tmp_path, code, check):
    done = subprocess.run([sys.executable, '-c', code], cwd=tmp_path, capture_output=True,
                          text=True, timeout=DEADLINE_S, env=os.environ)
    assert done.returncode == 1 and not done.stderr, done.stderr
    assert by_check(done.stdout)[check][0][0] == 'FAIL'


def test_the_page_that_the_command_names_is_there():
    assert (Path(__file__).resolve().parents[2] / SECURITY_PAGE).is_file()
