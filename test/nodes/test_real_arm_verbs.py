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
from pathlib import Path
import subprocess
import sys

from il_ros.contract.episode_spec import POLICY, RUNNING, TELEOP
from il_ros.episodes.reader import read_episode
from il_ros.learning import checkpoint
from il_ros.learning.inputs import Inputs
from il_ros.learning.nets.mlp import Mlp
from il_ros.learning.normaliser import Normaliser
from il_ros.learning.policy import Policy
from il_ros.ros import qos
from il_ros.ros.conversion.messages import spec_to_message
from il_ros.runs.shard import receipts_in
from il_ros.tasks.contracts import find_contract
from il_ros_interfaces.msg import EpisodeStatus
from il_ros_interfaces.srv import ResetTask
import numpy as np
import pytest
from seam import Bench, episode, Process
from std_srvs.srv import Trigger
from test_human_dagger import CONFIG, Person
from test_real_arm import Cell, CONTRACT

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


def finish(bench: Bench, runs: Path, *words: str) -> str:
    """Run the command beside the nodes, and return what it printed."""
    process = subprocess.Popen([sys.executable, '-m', 'il_ros.cli', *words, '--attach', '--wait',
                                '30', '--task', 'cups', '--runs', str(runs)],
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        bench.until(lambda: process.poll() is not None, DEADLINE_S)
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
            slow_bench, tmp_path, 'dagger', '--run', 'taught', '--config', str(config),
            '--strategy', 'human', '--demonstrations', '2', '--rounds', '1',
            '--episodes-per-round', '1', '--horizon', '30', '--evaluation-episodes', '0',
            '--final-evaluation-episodes', '0', '--no-baseline')
        assert 'human, round 1' in told
        judged = finish(slow_bench, tmp_path, 'evaluate', '--policy', 'taught', '--episodes', '2',
                        '--json', str(tmp_path / 'judged.json'), '--horizon', '40')
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


COMMANDS = 'forward_position_controller/commands'
ARM = ('__ns:=/cell', 'joint_states:=/joint_states', f'{COMMANDS}:=/{COMMANDS}')


class Operator:
    """Starts and judges the episodes of ``operator_task`` by its services, twice a second."""

    def __init__(self, bench: Bench):
        self.statuses = bench.listen(EpisodeStatus, 'episode', qos.RECORD_STATUS)
        self._clients = {name: bench.probe.create_client(Trigger, name)
                         for name in ('start_episode', 'episode_success')}
        bench.probe.create_timer(0.5, self._look)

    def _look(self):
        status = self.statuses[-1] if self.statuses else None
        runs = status is not None and status.phase == RUNNING
        if not runs or status.step >= 30:
            self._clients['episode_success' if runs else 'start_episode'].call_async(
                Trigger.Request())


def save_riser(folder: Path, contract: str):
    """Write a checkpoint that moves the tool slowly up."""
    found, _ = find_contract(contract)
    plain, scale = (Normaliser(np.zeros(3, np.float32), np.full(3, size, np.float32))
                    for size in (1.0, 0.03))
    net = Mlp((np.zeros((3, 3), np.float32),), (np.float32([0.0, 0.0, 1.0]),))
    checkpoint.save(folder, Policy(found, Inputs(found, ['tool_position']), plain, scale, net, {}))


def test_a_policy_is_deployed_on_a_simulated_arm_as_on_a_real_one(tmp_path):
    contract, runs = tmp_path / 'cups.yaml', f'runs:={tmp_path}'
    contract.write_text(CONTRACT)
    save_riser(tmp_path / 'riser', str(contract))
    # The nodes of deploy.launch.py with arm:=real, and what it says to each.
    with Bench('events') as bench, Process(
            'simulator', 'task:=reach', 'mode:=realtime', 'controller:=forward_position',
            'silence_s:=3600.0', 'absence_s:=3600.0', remapped=ARM), nodes(
            ('operator_task', 'task:=cups', f'contract:={contract}', 'horizon:=400'),
            ('observer', f'contract:={contract}', 'pairing:=as_of', 'beat:=episode',
             'tool_pose_from:=joints', 'command:=forward_position'),
            ('supervisor', 'mode:=realtime', 'go_home:=true', 'command:=forward_position'),
            ('recorder', runs), ('collector', 'always_start:=true'),
            ('policy', runs, 'mode:=realtime', f'checkpoint:={tmp_path / "riser"}')):
        operator = Operator(bench)
        client = bench.probe.create_client(ResetTask, '/cell/reset_task')
        assert bench.until(client.service_is_ready, 30.0)
        begun = client.call_async(ResetTask.Request(spec=spec_to_message(
            episode(horizon=10 ** 6))))
        assert bench.until(begun.done) and not begun.result().error_code, begun.result()
        told = finish(bench, tmp_path, 'evaluate', '--policy', str(tmp_path / 'riser'),
                      '--episodes', '3', '--horizon', '200')
        assert operator.statuses
    tried = [(receipt, read_episode(path)) for path, receipt in
             receipts_in(tmp_path / 'evaluation')]
    assert '3 of 3 succeed' in told
    rise = [one.observations[-1, -1] - one.observations[0, -1] for _, one in tried]
    starts = np.array([one.observations[0, :7] for _, one in tried])
    apart_s = np.concatenate([np.diff(one.stamps_ns) for _, one in tried]) / 1e9
    print(f'rises {np.round(rise, 3)} m, starts apart by {np.ptp(starts, axis=0).max():.4f} rad, '
          f'period p50 {np.median(apart_s) * 1e3:.1f} ms, p99 '
          f'{np.percentile(apart_s, 99) * 1e3:.1f} ms')
    assert all(receipt.flags == 0 for receipt, _ in tried)
    assert min(rise) > 0.02 and np.ptp(starts, axis=0).max() < 0.01, 'it went home in between'
