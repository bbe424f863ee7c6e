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

"""The verbs beside a real arm, whole: a person teaches it, and judges what it has learnt."""

import contextlib
import json
import subprocess
import sys

from il_ros.contract.episode_spec import POLICY, TELEOP
from il_ros.episodes.reader import read_episode
from il_ros.runs.shard import receipts_in
import numpy as np
import pytest
from seam import Process
from test_human_dagger import CONFIG, Person
from test_real_arm import Cell

pytestmark = [pytest.mark.drill, pytest.mark.timeout(400)]

DEADLINE_S = 170.0
HELD_OUT = 10


@contextlib.contextmanager
def nodes(*described: tuple[str, ...]):
    """Run nodes, each a process of its own: its name and its parameters."""
    with contextlib.ExitStack() as running:
        for name, *parameters in described:
            running.enter_context(Process(name, *parameters))
        yield


def finish(cell: Cell, *words: str) -> str:
    """Run the command beside the cell, and return what it printed."""
    process = subprocess.Popen([sys.executable, '-m', 'il_ros.cli', *words, '--attach', '--wait',
                                '30', '--task', 'cups', '--runs', str(cell.runs)],
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        cell.bench.until(lambda: process.poll() is not None, DEADLINE_S)
    finally:
        process.kill()
        out, err = process.communicate()
    assert process.returncode == 0, f'{out}\n{err}'
    return out


def test_a_person_teaches_a_real_arm_by_dagger_and_judges_its_policy(slow_bench, tmp_path):
    cell = Cell(slow_bench, tmp_path)
    person = Person(slow_bench, demonstrates=True, pad=cell.pad)
    slow_bench.probe.create_timer(0.02, person.look)
    config, runs = tmp_path / 'config.yaml', f'runs:={tmp_path}'
    config.write_text(CONFIG.format(demonstrator='person').replace(
        'goal_position - tool_position', 'tool_position'))
    with nodes(('policy', runs, 'mode:=realtime'), ('trainer', runs),
               ('coordinator', runs, 'replay:=false')):
        told = finish(
            cell, 'dagger', '--run', 'taught', '--config', str(config), '--strategy', 'human',
            '--demonstrations', '2', '--rounds', '1', '--episodes-per-round', '1', '--horizon',
            '30', '--evaluation-episodes', '0', '--final-evaluation-episodes', '0',
            '--no-baseline')
        assert 'human, round 1' in told
        judged = finish(cell, 'evaluate', '--policy', 'taught', '--episodes', '2', '--json',
                        str(tmp_path / 'judged.json'), '--horizon', '40')
    episodes = {path.stem: read_episode(path) for path, _ in receipts_in(tmp_path / 'taught')}
    shown = [one for name, one in episodes.items() if not name.startswith('rollout')]
    assert len(shown) == 2 + HELD_OUT and all(one.success for one in shown)
    rollout, = (one for name, one in episodes.items() if name.startswith('rollout'))
    drove = np.flatnonzero(rollout.driver == TELEOP)
    assert len(drove) > 5 and drove.tolist() == list(range(drove[0], drove[-1] + 1))
    assert POLICY in rollout.driver[:drove[0]] and POLICY in rollout.driver[drove[-1]:]
    summary = json.loads((tmp_path / 'taught' / 'summary.json').read_text())
    assert summary['faults'] == [] and summary['rounds'][0]['person_labels'] > 10
    print(judged)
    assert json.loads((tmp_path / 'judged.json').read_text())['success']['k'] == 2
    tried = [read_episode(path) for path, _ in receipts_in(tmp_path / 'evaluation')]
    assert len(tried) == 2 and all(POLICY in one.driver for one in tried)
    apart_s = np.concatenate([np.diff(one.stamps_ns) for one in episodes.values()]) / 1e9
    print(f'{len(episodes) + 2} episodes; period p50 {np.median(apart_s) * 1e3:.1f} ms, p99 '
          f'{np.percentile(apart_s, 99) * 1e3:.1f} ms')
    cell.refuse_jumps()
