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
A node of a running graph is killed and started again: that is noticed, and the run goes on.

What a launch file with ``use_respawn`` does: a process a node, started again after a second.
"""

from collections import Counter
import contextlib
import html
import json
import os
from pathlib import Path
import random
import signal
import subprocess
import sys
import time

from command_line import finish, start
from il_ros.episodes.reader import read_episode
from il_ros.runs.shard import receipts_in
import pytest

pytestmark = [pytest.mark.system, pytest.mark.timeout(400)]

NODES = {
    'simulator': ('task:=reach',), 'observer': ('contract:=reach',), 'expert': ('task:=reach',),
    'supervisor': (), 'policy': (), 'recorder': ('runs:=RUNS',), 'collector': (),
    'trainer': ('runs:=RUNS',), 'coordinator': ('runs:=RUNS', 'replay:=false')}
RESPAWN_S, NOTICED_S = 1.0, 2.0
UP_S, PART_S = 60.0, 60.0
KILL_EVERY_S, LONGEST_S = 5.0, 1200.0
HELD_OUT = 10
CONFIG = """
strategy: {}
training:
  inputs: ['goal_position - tool_position']
  hidden: [64]
  steps: STEPS
  warmup_steps: 5
"""


class Graph:
    """Nodes in processes of their own; what they log comes to a file each."""

    def __init__(self, folder: Path, nodes: dict[str, tuple[str, ...]] = NODES):
        self.folder, self.runs, self.nodes = folder, folder / 'runs', nodes
        self.processes: dict[str, subprocess.Popen] = {}
        for name in nodes:
            self.start(name)

    def start(self, name: str):
        """Start the executable of a node."""
        parameters = [word for setting in self.nodes[name]
                      for word in ('-p', setting.replace('RUNS', str(self.runs)))]
        code = f'import sys; from il_ros.graph import executables; sys.exit(executables.{name}())'
        with open(self.folder / f'{name}.log', 'a') as log:
            self.processes[name] = subprocess.Popen(
                [sys.executable, '-c', code, '--ros-args', *parameters],
                stdout=subprocess.DEVNULL, stderr=log, start_new_session=True)

    def said(self, name: str) -> str:
        """Return what a node has logged."""
        return (self.folder / f'{name}.log').read_text()

    def kill(self, name: str):
        """End a process at once, and all that it has started."""
        process = self.processes[name]
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def over(self) -> bool:
        """Tell whether the command has ended."""
        return self.processes['dagger'].poll() is not None

    def close(self):
        """Leave nothing behind."""
        for name, process in self.processes.items():
            if process.poll() is None:
                self.kill(name)


@pytest.fixture
def graph(tmp_path):
    """Yield a graph; none of it is left afterwards."""
    made = Graph(tmp_path)
    yield made
    made.close()


def sizes(folder: Path) -> int:
    """Return the bytes of what is being recorded."""
    found = 0
    for path in folder.rglob('*.mcap.tmp'):
        with contextlib.suppress(FileNotFoundError):
            found += path.stat().st_size
    return found


def lost_and_back(graph: Graph, name: str, wait_until):
    """Kill a node in the midst of a run, start it again, and see that it is noticed and used."""
    if name not in ('trainer', 'policy'):
        # In the midst of an episode, too: what is recorded of it has come to the disk.
        episodes = graph.runs / 'drill' / 'episodes'
        assert wait_until(None, lambda: sizes(episodes) > 20_000 or graph.over(), PART_S)
    watcher = 'coordinator' if name in ('collector', 'trainer') else 'collector'
    before = graph.said(watcher).count(f'{name} is lost')
    began = time.monotonic()
    graph.kill(name)
    assert wait_until(None, lambda: graph.said(watcher).count(f'{name} is lost') > before,
                      NOTICED_S), f'{name}:\n{graph.said(watcher)}'
    wait_until(None, lambda: time.monotonic() - began > RESPAWN_S)
    graph.start(name)
    assert wait_until(None, lambda: f'{name} is back' in graph.said(watcher), UP_S), (
        graph.said(name))


def dagger(graph: Graph, episodes: int, steps: int, *words: str):
    """Start a run on the graph: long episodes, so that a kill meets one."""
    config = graph.folder / 'config.yaml'
    config.write_text(CONFIG.replace('STEPS', str(steps)))
    graph.processes['dagger'] = start([
        'dagger', '--task', 'reach', '--run', 'drill', '--runs', str(graph.runs), '--attach',
        '--wait', '60', '--config', str(config), '--demonstrations', str(episodes),
        '--episodes-per-round', str(episodes), '--horizon', '120', '--continuing',
        '--no-baseline', *words])


def is_finished(graph: Graph, stage: str) -> bool:
    """Tell whether a stage of the run is."""
    return f'drill: {stage} is finished' in graph.said('coordinator')


def recorded(graph: Graph, purpose: str) -> int:
    """Return how many episodes have receipts."""
    return len(list((graph.runs / 'drill' / 'episodes').rglob(f'{purpose}-*.json')))


def check(graph: Graph, rounds: int, episodes: int):
    """See that a run ended well, with each episode whole."""
    code, _, err = finish(graph.processes['dagger'])
    assert code == 0, (err, graph.said('collector'), graph.said('coordinator'))
    assert is_finished(graph, f'r{rounds:02d}-load')
    assert (graph.runs / 'drill' / 'summary.json').exists()
    found = list(receipts_in(graph.runs / 'drill' / 'episodes'))
    assert len(found) == episodes
    for path, receipt in found:
        assert (receipt.flags, receipt.steps) == (0, 120), path
        assert read_episode(path).complete
    for name in NODES:
        assert 'never retrieved' not in graph.said(name), graph.said(name)
        assert 'Traceback' not in graph.said(name), graph.said(name)


def lost_in_report(graph: Graph) -> Counter:
    """Return how often the report says of each node that it ended; the page has them all."""
    summary = json.loads((graph.runs / 'drill' / 'summary.json').read_text())
    page = (graph.runs / 'drill' / 'report.html').read_text()
    assert all(html.escape(fault['what'], False) in page for fault in summary['faults'])
    return Counter(fault['what'].split()[0] for fault in summary['faults']
                   if fault['done'] == 'waited for where it is needed')


def reach(graph: Graph, condition, wait_until):
    """Wait until a run has come so far, or has ended."""
    assert wait_until(None, lambda: condition() or graph.over(), PART_S) and not graph.over(), (
        graph.said('collector'), graph.said('coordinator'))


def kill_in_demonstrations(graph: Graph, names, wait_until):
    """Kill one node after the other, each while an episode is recorded."""
    for name in names:
        before = recorded(graph, 'demonstration')
        reach(graph, lambda: recorded(graph, 'demonstration') > before + 1, wait_until)
        lost_and_back(graph, name, wait_until)


def kill_at_random(graph: Graph, wait_until) -> Counter:
    """Kill a node every five seconds until the run is finished; resume a command that ends."""
    chance, killed, until = random.Random(1), Counter(), time.monotonic() + LONGEST_S
    next_kill = time.monotonic() + KILL_EVERY_S
    while time.monotonic() < until:
        wait_until(None, lambda: graph.over() or time.monotonic() > next_kill, KILL_EVERY_S)  # noqa: B023,E501
        if graph.over():
            if graph.processes['dagger'].returncode == 0:
                return killed
            killed['dagger'] += 1
            assert 'Traceback' not in finish(graph.processes['dagger'])[2]
            graph.processes['dagger'] = start([
                'dagger', '--run', 'drill', '--runs', str(graph.runs), '--attach', '--wait', '60',
                '--resume'])
            continue
        name = chance.choice(list(NODES))
        graph.kill(name)
        killed[name] += 1
        next_kill += KILL_EVERY_S
        wait_until(None, lambda: False, RESPAWN_S)
        graph.start(name)
    raise AssertionError(f'not finished after {killed}: {graph.said("coordinator")[-3000:]}')


@pytest.mark.drill
@pytest.mark.timeout(LONGEST_S + 100)
def test_three_rounds_end_well_though_a_random_node_is_killed_every_five_seconds(
        graph, wait_until):
    began = time.monotonic()
    dagger(graph, 4, 200, '--rounds', '3', '--evaluation-episodes', '2',
           '--final-evaluation-episodes', '2')
    killed = kill_at_random(graph, wait_until)
    print(f'{killed.total()} faults in {time.monotonic() - began:.0f} s: {dict(killed)}')
    assert killed.total() >= 3
    check(graph, 3, HELD_OUT + 4 + 3 * 4 + 5 * 2)
    # While no run is under way, until the command is back, nobody writes down what is lost.
    unseen = 2 * (killed['dagger'] + killed.pop('coordinator', 0))
    assert lost_in_report(graph).total() >= killed.total() - killed.pop('dagger', 0) - unseen


@pytest.mark.drill
def test_recorder_and_collector_may_be_killed_in_a_run_and_started_again(graph, wait_until):
    dagger(graph, 8, 200, '--rounds', '0', '--evaluation-episodes', '0',
           '--final-evaluation-episodes', '0')
    kill_in_demonstrations(graph, ('recorder', 'collector'), wait_until)
    check(graph, 0, HELD_OUT + 8)


@pytest.mark.drill
def test_each_node_may_be_killed_in_a_run_and_started_again(graph, wait_until):
    dagger(graph, 20, 6000, '--rounds', '1', '--evaluation-episodes', '2',
           '--final-evaluation-episodes', '2')
    kill_in_demonstrations(graph, ('recorder', 'supervisor', 'simulator', 'observer', 'expert',
                                   'collector'), wait_until)
    reach(graph, lambda: is_finished(graph, 'r00-aggregate'), wait_until)
    checkpoints = graph.runs / 'drill' / 'checkpoints'
    reach(graph, lambda: list(checkpoints.glob('.*.fit*')), wait_until)
    lost_and_back(graph, 'trainer', wait_until)
    reach(graph, lambda: recorded(graph, 'rollout') > 1, wait_until)
    lost_and_back(graph, 'policy', wait_until)
    check(graph, 1, HELD_OUT + 20 + 20 + 3 * 2)
    assert lost_in_report(graph) == {name: 1 for name in NODES if name != 'coordinator'}
