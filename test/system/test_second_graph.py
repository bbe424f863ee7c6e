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

"""Whoever comes second is refused by name before it publishes, and the first is not disturbed."""

import os
from pathlib import Path
import signal
import subprocess
import sys

from command_line import finish, start
from il_ros.graph.graph import overrides
from il_ros.nodes.supervisor import SupervisorNode
from il_ros.ros import qos
from il_ros.ros.presence import occupancy
from il_ros.ros.presence.occupancy import Claims, lock_folder, OccupiedError, PARTS
from il_ros.ros.runtime import Runtime
from il_ros.runs.shard import receipts_in
import pytest
import rclpy
from rclpy.context import Context
from sensor_msgs.msg import JointState
from std_srvs.srv import Trigger


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch) -> Path:
    """Return a ROS home of this test's own."""
    monkeypatch.setenv('ROS_HOME', str(tmp_path / 'home'))
    return tmp_path / 'home'


@pytest.fixture
def another():
    """Yield a function that returns further contexts, in a namespace if need be."""
    made = []

    def make(namespace: str = '') -> Context:
        made.append(Context())
        words = ['--ros-args', '-r', f'__ns:={namespace}'] if namespace else []
        rclpy.init(args=['il_ros', *words], context=made[-1])
        return made[-1]
    yield make
    for each in made:
        each.try_shutdown()


def test_a_part_has_one_node_in_a_domain_and_is_free_again_after_it(another):
    first, second = Claims(another()), Claims(another())
    first.take(['supervisor', 'recorder', 'view'])
    first.take(['supervisor'])
    with pytest.raises(OccupiedError) as caught:
        second.take(['supervisor'])
    domain = os.environ['ROS_DOMAIN_ID']
    for part in (f'ROS domain {domain} already has a node for /joint_command: supervisor',
                 f'process {os.getpid()}', '--attach', 'ROS_DOMAIN_ID'):
        assert part in str(caught.value)
    second.release()
    second.take(['simulator'])
    first.release()
    second.take(['supervisor', 'recorder'])
    second.release()


def test_another_namespace_is_another_place(another):
    first, second = Claims(another()), Claims(another('/worker_2'))
    first.take(list(PARTS))
    second.take(list(PARTS))
    names = {path.name for path in lock_folder().rglob('*.lock')}
    assert {'joint_command.lock', 'worker_2.joint_command.lock'} <= names
    first.release()
    second.release()


@pytest.mark.parametrize('part', ['supervisor', 'recorder'])
def test_who_holds_no_lock_is_found_in_the_graph_and_named(part, another):
    context = another()
    stranger = rclpy.create_node('stranger', context=context)
    if part == 'supervisor':
        stranger.create_publisher(JointState, 'joint_command', qos.COMMAND)
    else:
        stranger.create_service(Trigger, 'open_episode', lambda _, response: response)
    claims = Claims(another())
    resource = PARTS[part].resource
    with pytest.raises(OccupiedError, match=f'already has a node for /{resource}: ') as caught:
        claims.take([part])
    assert part != 'supervisor' or 'stranger' in str(caught.value)
    claims.release()
    stranger.destroy_node()


def test_without_a_home_the_look_remains(another, home, monkeypatch):
    home.mkdir()
    (home / 'il_ros').write_text('a file')
    claims = Claims(another())
    claims.take(['supervisor'])
    claims.release()
    test_who_holds_no_lock_is_found_in_the_graph_and_named('supervisor', another)


def test_a_node_that_is_refused_has_published_nothing_and_leaves_the_part_alone(another):
    with Runtime(executor='single') as first:
        first.add_loop_node(SupervisorNode, parameter_overrides=overrides({'autostart': False}))
        with Runtime(executor='single') as second, pytest.raises(OccupiedError):
            second.add_loop_node(SupervisorNode)
        peek = rclpy.create_node('peek', context=first.context)
        assert peek.count_publishers('joint_command') == 1
        peek.destroy_node()
        with pytest.raises(OccupiedError):
            Claims(another()).take(['supervisor'])


def executable(name: str) -> subprocess.Popen:
    """Start a node in a process of its own."""
    code = f'import sys; from il_ros.graph import executables; sys.exit(executables.{name}())'
    return subprocess.Popen([sys.executable, '-c', code], stdout=subprocess.DEVNULL,
                            stderr=subprocess.PIPE, text=True, start_new_session=True)


def locked(name: str) -> bool:
    """Tell whether a process holds the lock of a resource."""
    return any(path.read_text().strip() for path in lock_folder().rglob(f'{name}.lock'))


@pytest.mark.system
def test_the_second_node_of_a_part_does_not_come_up_unless_the_first_was_killed(wait_until):
    first = executable('collector')
    try:
        assert wait_until(None, lambda: locked('collect_episodes'), 30.0)
        second = executable('collector')
        _, err = second.communicate(timeout=30.0)
        assert second.returncode == 1
        assert 'already has a node for /collect_episodes: collector; ' in err
        assert 'Traceback' not in err
        first.kill()
        first.communicate()
        third = executable('collector')
        assert wait_until(None, lambda: str(third.pid) in ''.join(
            path.read_text() for path in lock_folder().rglob('*.lock')), 30.0)
        third.send_signal(signal.SIGINT)
        _, err = third.communicate(timeout=30.0)
        assert third.returncode == 0, err
    finally:
        first.kill()
        first.wait()


COMMANDS = (('record',), ('dagger',), ('demo',), ('evaluate', '--policy', 'expert'))
SOME = [1, pytest.param(len(COMMANDS), marks=pytest.mark.drill)]


@pytest.mark.system
@pytest.mark.parametrize('count', SOME)
def test_commands_that_come_second_are_refused_and_the_first_one_goes_on(
        tmp_path, wait_until, count):
    def receipts() -> list:
        return list(receipts_in(tmp_path / 'a' / 'episodes'))

    common = ('--task', 'reach', '--runs', str(tmp_path))
    first = start(['record', *common, '--run', 'a', '--episodes', '20000', '--horizon', '100'])
    try:
        assert wait_until(None, receipts, 60.0)
        for words in COMMANDS[:count]:
            code, _, err = finish(start([*words, *common, '--run', 'b']))
            assert code == 1
            assert 'already has a node for /joint_command: ' in err and 'Traceback' not in err
            assert f'process {first.pid}' in err
            assert not (tmp_path / 'b').exists()
        before = len(receipts())
        assert wait_until(None, lambda: len(receipts()) > before + 5, 30.0)
    finally:
        first.send_signal(signal.SIGINT)
        code, _, err = finish(first)
    assert code == 130, err
    assert [receipt.flags for _, receipt in receipts()][:before] == [0] * before


def test_the_look_costs_a_start_little():
    assert occupancy.LOOK_S <= 0.3
