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

"""``il_ros dagger --strategy human``, whole: a person at a scripted gamepad corrects a policy."""

import json
import os
import subprocess
import sys

from gamepad import DEAD_MAN, Gamepad, START, SUCCESS
from il_ros.contract.episode_spec import EXPERT, HOLD, POLICY, RUNNING, TELEOP
from il_ros.episodes.discards import discarded
from il_ros.episodes.labels import labels_of
from il_ros.episodes.reader import read_episode
from il_ros.ros import qos
from il_ros_interfaces.msg import EpisodeStatus, Executed
import numpy as np
import pytest
from seam import Bench

FEW_HELD_OUT = ('from il_ros.interactive import goal; goal.HELD_OUT = 2; import sys; '
                'from il_ros.cli.parser import main; sys.exit(main())')
CONFIG = """
strategy: {{demonstrator: {demonstrator}}}
training:
  inputs: ['goal_position - tool_position']
  hidden: [16]
  steps: 40
  warmup_steps: 5
"""
DEADLINE_S = 170.0
PRESS_EVERY = 25
"""Messages of the gamepad between two presses of start, while nothing runs."""


class Person:
    """
    Starts what waits, takes over rollouts at step 4, drives ten steps up, and lets go.

    :param demonstrates: drives all other episodes, too, and calls each a success at step 8
    """

    def __init__(self, bench: Bench, demonstrates: bool, pad: Gamepad | None = None):
        self._demonstrates = demonstrates
        self.pad = pad or Gamepad(bench.probe)
        self._said = 0
        self._running = False
        bench.probe.create_subscription(EpisodeStatus, 'episode', self._on_status, qos.STATUS)
        bench.probe.create_subscription(Executed, 'executed', self._on_executed, qos.STREAM)

    def _on_status(self, status: EpisodeStatus):
        self._running = status.phase == RUNNING
        if self._demonstrates and not self._running:
            self.pad.hold(DEAD_MAN, False)
            self.pad.hold(SUCCESS, False)

    def _on_executed(self, executed: Executed):
        if executed.episode_id.startswith('rollout') and executed.step in (4, 14):
            self.pad.push(z=1.0)
            self.pad.hold(DEAD_MAN, executed.step == 4)
        elif self._demonstrates and not executed.episode_id.startswith('rollout'):
            self.pad.push(y=1.0)
            self.pad.hold(DEAD_MAN)
            self.pad.hold(SUCCESS, executed.step >= 8)

    def look(self):
        """Press start every now and then, and let it go."""
        self._said += 1
        if not self._running and self._said % PRESS_EVERY < 3:
            self.pad.hold(START, self._said % PRESS_EVERY == 0)


@pytest.mark.parametrize('demonstrator', [
    pytest.param('expert', marks=pytest.mark.drill), 'person'])
def test_a_person_corrects_a_policy_and_it_learns_what_the_person_did_alone(
        tmp_path, demonstrator):
    (tmp_path / 'config.yaml').write_text(CONFIG.format(demonstrator=demonstrator))
    words = ['dagger', '--task', 'reach', '--run', 'taught', '--runs', str(tmp_path), '--config',
             str(tmp_path / 'config.yaml'), '--strategy', 'human', '--teleop', 'joy',
             '--demonstrations', '2', '--rounds', '1', '--episodes-per-round', '1', '--horizon',
             '30', '--evaluation-episodes', '0', '--final-evaluation-episodes', '0',
             '--no-baseline']
    with Bench('events') as bench:
        person = Person(bench, demonstrator == 'person')
        process = subprocess.Popen([sys.executable, '-c', FEW_HELD_OUT, *words],
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                   env={**os.environ, 'DISPLAY': ''})
        bench.probe.create_timer(0.02, person.look)
        ended = bench.until(lambda: process.poll() is not None, timeout_s=DEADLINE_S)
        if not ended:
            process.kill()
        out, err = process.communicate()
    assert ended and process.returncode == 0, f'{out}\n{err}'

    path, = (tmp_path / 'taught' / 'episodes' / 'main').glob('rollout-*.mcap')
    rollout = read_episode(path)
    labels = labels_of(rollout, discarded=discarded(path))
    drove = np.flatnonzero(rollout.driver == TELEOP)
    assert np.flatnonzero(labels.valid).tolist() == drove.tolist() == list(range(5, 15))
    assert set(labels.source.tolist()) == {HOLD, TELEOP}
    assert set(rollout.driver.tolist()) - {HOLD} == {POLICY, TELEOP}
    finished = {stage['stage']: stage for stage in json.loads(
        (tmp_path / 'taught' / 'run.json').read_text())['finished']}
    before, after = (finished[f'r0{number}-aggregate']['labels'] for number in (0, 1))
    assert after - before == finished['r01-collect']['labels'] == 10
    assert finished['r01-train']['labels'] == after
    shown = before if demonstrator == 'person' else 0
    assert [finished[f'r0{number}-aggregate']['person_labels'] for number in (0, 1)] == [
        shown, shown + 10]
    assert (tmp_path / 'taught' / 'checkpoints' / 'round_01' / 'policy.safetensors').is_file()
    demonstrations = [read_episode(one) for one in path.parent.glob('demonstration-*.mcap')]
    assert {one.driver[-1] for one in demonstrations} == {
        EXPERT if demonstrator == 'expert' else TELEOP}
    assert before == sum(np.isin(one.driver, (EXPERT, TELEOP)).sum() for one in demonstrations)
    assert 'a person' in out and 'rollout-r01' in out
