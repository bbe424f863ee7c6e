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

"""What the environment says wrongly to ROS is refused in one sentence that says what to set."""

import os
from pathlib import Path
import subprocess
import sys
from types import SimpleNamespace

from il_ros.ros import environment
from il_ros.ros.environment import check_environment, EnvironmentVariableError
from il_ros.ros.environment import keep_to_this_machine, RANGE, reach, user_home
import pytest

DEADLINE_S = 60.0


@pytest.fixture
def home(monkeypatch, tmp_path) -> Path:
    """Return a home of one's own; nothing else is set."""
    for name in ('ROS_DOMAIN_ID', 'ROS_LOG_DIR', 'ROS_HOME', 'ROS_STATIC_PEERS'):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv('HOME', str(tmp_path))
    return tmp_path


@pytest.mark.parametrize('text', ['abc', '300', '233', '-1', '5x', '9' * 20, '1.0'])
def test_a_domain_that_is_none_is_refused(home, monkeypatch, text):
    monkeypatch.setenv('ROS_DOMAIN_ID', text)
    with pytest.raises(EnvironmentVariableError) as refused:
        check_environment([])
    assert f"ROS_DOMAIN_ID is '{text}'; expected an integer from 0 to 232" in str(refused.value)


@pytest.mark.parametrize('text', ['', '0', ' 5', '232'])
def test_a_domain_that_is_one_is_taken(home, monkeypatch, text):
    monkeypatch.setenv('ROS_DOMAIN_ID', text)
    check_environment([])


@pytest.mark.parametrize('value', ['', None])
def test_without_a_home_it_says_what_to_set(home, monkeypatch, value):
    if value is None:
        monkeypatch.delenv('HOME')
    else:
        monkeypatch.setenv('HOME', value)
    with pytest.raises(EnvironmentVariableError, match='HOME is not set; set HOME, or ROS_LOG'):
        check_environment([])
    check_environment(['--ros-args', environment.WITHOUT_FILES])
    monkeypatch.setenv('ROS_LOG_DIR', str(home / 'logs'))
    check_environment([])


@pytest.mark.parametrize('name, place', [('ROS_LOG_DIR', ''), ('ROS_HOME', 'log')])
def test_a_folder_of_logs_that_cannot_be_written_to_is_named(home, monkeypatch, name, place):
    (home / 'file').touch()
    monkeypatch.setenv(name, str(home / 'file'))
    with pytest.raises(EnvironmentVariableError) as refused:
        check_environment([])
    assert str(refused.value).startswith(f'{home / "file" / place}, the folder of the ROS log')
    assert 'set ROS_LOG_DIR' in str(refused.value)


def test_lock_files_lie_under_the_home_also_where_the_environment_has_none(home, monkeypatch):
    assert user_home() == home / '.ros'
    monkeypatch.setenv('HOME', '')
    assert user_home().parent.is_dir() and user_home().parent != Path('/')
    monkeypatch.setenv('ROS_HOME', str(home / 'mine'))
    assert user_home() == home / 'mine'


@pytest.mark.parametrize('given, found, said', [
    ('', 'LOCALHOST', 'on this machine alone; ROS_AUTOMATIC_DISCOVERY_RANGE=SUBNET opens it'),
    ('SUBNET', 'SUBNET', 'on the whole subnet, where anybody'), ('OFF', 'OFF', 'to no other'),
    ('SYSTEM_DEFAULT', 'SYSTEM_DEFAULT', 'as far as the middleware')])
def test_who_says_nothing_keeps_to_this_machine(home, monkeypatch, given, found, said):
    monkeypatch.setenv(RANGE, given)
    keep_to_this_machine()
    assert os.environ[RANGE] == found
    assert reach().startswith(f'listens {said}')


def test_peers_and_the_old_variable_are_said_too(home, monkeypatch):
    monkeypatch.setenv(RANGE, 'LOCALHOST')
    monkeypatch.setenv('ROS_STATIC_PEERS', '10.0.0.2')
    assert 'alone, and to ROS_STATIC_PEERS=10.0.0.2; ' in reach()
    monkeypatch.setenv(RANGE, 'SUBNET')
    monkeypatch.setenv('ROS_LOCALHOST_ONLY', '1')
    assert reach() == 'listens on this machine alone; ROS_LOCALHOST_ONLY=1 says so'


def test_a_range_that_is_none_is_refused(home, monkeypatch):
    monkeypatch.setenv(RANGE, 'localhost')
    with pytest.raises(EnvironmentVariableError, match="RANGE is 'localhost'; expected one of LO"):
        check_environment([])


def test_a_process_keeps_to_this_machine_and_says_so(monkeypatch):
    pytest.importorskip('rclpy', reason='needs rclpy: make test')
    from il_ros.ros.runtime import Runtime
    from rclpy.node import Node
    said = []

    class Speaker(Node):

        def get_logger(self):
            return SimpleNamespace(info=said.append)

    monkeypatch.setenv(RANGE, '')
    with Runtime([]) as runtime:
        for name in ('one', 'two'):
            runtime.add(lambda context, name=name: Speaker(name, context=context))
        assert os.environ[RANGE] == 'LOCALHOST'
    assert len(said) == 1 and 'listens on this machine alone' in said[0]


@pytest.mark.parametrize('code, begin', [
    pytest.param('from il_ros.cli.parser import main; sys.exit(main(["view"]))', 'ViewNode: ',
                 marks=pytest.mark.drill),
    ('from il_ros.cli.parser import main; '
     'sys.exit(main(["record", "--task", "reach", "--run", "r"]))', 'il_ros: '),
    ('from il_ros.graph.executables import observer; sys.exit(observer())', 'ObserverNode: '),
    pytest.param('from il_ros.graph.executables import graph; sys.exit(graph())', 'graph: ',
                 marks=pytest.mark.drill)])
def test_a_process_says_it_in_one_line(tmp_path, code, begin):
    done = subprocess.run(
        [sys.executable, '-c', f'import sys; {code}'], cwd=tmp_path, timeout=DEADLINE_S,
        env={**os.environ, 'ROS_DOMAIN_ID': 'abc'}, capture_output=True, text=True)
    assert done.returncode == 1
    sentence, = done.stderr.splitlines()
    assert sentence.startswith(f"{begin}ROS_DOMAIN_ID is 'abc'")


@pytest.mark.parametrize('words, sentence', [
    (['--nonsense'], 'unknown ROS arguments'), (['--log-level', 'foo'], 'ROS does not start: ')])
def test_arguments_that_ros_does_not_know_are_refused_in_one_sentence(words, sentence):
    pytest.importorskip('rclpy', reason='needs rclpy: make test')
    from il_ros.ros.runtime import Runtime, StartError
    with pytest.raises(StartError, match=sentence):
        Runtime(['x', '--ros-args', *words])
