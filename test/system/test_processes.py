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

"""One process a node: they find each other, record, and end in order on a signal."""

import os
import signal
import subprocess
import sys
import time

from command_line import finish, il_ros, start
from il_ros.episodes.reader import read_episode
from il_ros.runs.shard import receipts_in
import pytest

pytestmark = pytest.mark.system

NODES = {
    'simulator': ('task:=reach',), 'observer': ('contract:=reach',), 'expert': ('task:=reach',),
    'supervisor': (), 'policy': (), 'recorder': ('runs:=RUNS',), 'collector': ('return_s:=1.0',),
    'trainer': ('runs:=RUNS',), 'coordinator': ('runs:=RUNS',)}
WITHOUT_LEARNING = [name for name in NODES if name not in ('policy', 'trainer', 'coordinator')]
LEAVE_S = 8.0
"""On an idle machine a second; the machine of a test run is not idle."""


def start_node(name: str, runs) -> subprocess.Popen:
    """Start the executable of a node."""
    parameters = [word for setting in NODES[name]
                  for word in ('-p', setting.replace('RUNS', str(runs)))]
    code = f'import sys; from il_ros.graph import executables; sys.exit(executables.{name}())'
    return subprocess.Popen(
        [sys.executable, '-c', code, '--ros-args', *parameters], stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE, text=True, start_new_session=True)


@pytest.fixture
def graph(request, tmp_path):
    """Yield the processes of a graph, by the node's name; none is left afterwards."""
    names = getattr(request, 'param', NODES)
    processes = {name: start_node(name, tmp_path / 'runs') for name in names}
    yield processes
    for process in processes.values():
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def test_nine_processes_record_and_end_in_order_on_a_signal(graph, tmp_path, wait_until):
    runs = tmp_path / 'runs'
    attached = ['record', '--task', 'reach', '--runs', str(runs), '--attach', '--wait', '60']
    code, _, err = il_ros(*attached, '--run', 'two', '--episodes', '2')
    assert code == 0, err
    found = list(receipts_in(runs / 'two' / 'episodes'))
    assert [receipt.flags for _, receipt in found] == [0, 0]
    assert all(read_episode(path).complete for path, _ in found)

    many = start([*attached, '--run', 'many', '--episodes', '500'])
    assert wait_until(None, lambda: len(list((runs / 'many').rglob('*.json'))) >= 2, 30.0)
    began = time.monotonic()
    for number, process in enumerate(graph.values()):
        process.send_signal((signal.SIGTERM, signal.SIGINT)[number % 2])
    for name, process in graph.items():
        _, err = process.communicate(timeout=30.0)
        assert process.returncode == 0, (name, err)
        assert 'Traceback' not in err, (name, err)
    assert time.monotonic() - began < LEAVE_S
    many.send_signal(signal.SIGINT)
    code, _, err = finish(many)
    assert code in (1, 130, -signal.SIGINT)
    assert 'Traceback' not in err
    assert not list(runs.rglob('*.tmp'))
    kept = list((runs / 'many').rglob('*.mcap'))
    assert kept and all(path.with_suffix('.json').exists() for path in kept)


@pytest.mark.drill
@pytest.mark.parametrize('graph', [WITHOUT_LEARNING], indirect=True, ids=['recording'])
def test_a_killed_supervisor_ends_its_episode_and_the_command_that_waits_for_it(
        graph, tmp_path, wait_until):
    runs = tmp_path / 'runs'
    many = start(['record', '--task', 'reach', '--runs', str(runs), '--attach', '--wait', '60',
                  '--run', 'many', '--episodes', '2', '--horizon', '1000000', '--continuing'])
    if not wait_until(None, lambda: any(
            path.stat().st_size > 100_000 for path in (runs / 'many').rglob('*.tmp')), 60.0):
        many.send_signal(signal.SIGINT)
        raise AssertionError(finish(many))
    graph['supervisor'].kill()
    began = time.monotonic()
    code, _, err = finish(many)
    assert time.monotonic() - began < LEAVE_S
    assert code == 1
    assert 'supervisor ended and was not started again within 1 s' in err
    assert 'Traceback' not in err


@pytest.mark.parametrize('name, setting, sentence', [
    ('simulator', 'task:=moon', "no task 'moon'"),
    ('policy', 'checkpoint:=/no/where', '/no/where'),
    pytest.param('recorder', 'shards:=2', 'no parameter shards', marks=pytest.mark.drill)])
def test_a_node_that_cannot_start_says_why_in_one_sentence(name, setting, sentence):
    code = f'import sys; from il_ros.graph import executables; sys.exit(executables.{name}())'
    done = subprocess.run([sys.executable, '-c', code, '--ros-args', '-p', setting],
                          capture_output=True, text=True, timeout=60.0)
    assert done.returncode == 1
    assert 'Traceback' not in done.stderr
    said = [line for line in done.stderr.splitlines() if not line.startswith('[')]
    assert len(said) == 1 and sentence in said[0], done.stderr
