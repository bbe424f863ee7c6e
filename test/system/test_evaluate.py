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

"""Record, train, evaluate: the command's steps one by one, and that a score repeats itself."""

import json

from command_line import config_for
from il_ros.cli.parser import main
from il_ros.interactive import run_state
from il_ros.runs.shard import receipts_in
import pytest

pytestmark = pytest.mark.system


def evaluate(tmp_path, policy, *words) -> dict:
    """Evaluate a policy for reach and return what --json wrote."""
    out = tmp_path / 'out.json'
    code = main(['evaluate', '--task', 'reach', '--policy', str(policy), '--episodes', '3',
                 '--horizon', '40', '--runs', str(tmp_path), '--json', str(out), *words])
    assert code == 0
    return json.loads(out.read_text())


def test_an_evaluation_gives_for_each_seed_what_the_run_itself_measured(whole_run, tmp_path):
    run = whole_run('reach')
    trained = run_state.load(run).finished['r01-train']
    report = evaluate(tmp_path, run / trained.path)
    assert set(report) == {'task', 'policy', 'sha256', 'first_seed', 'success', 'goals_reached',
                           'steps', 'episodes'}
    assert (report['task'], report['sha256'], report['first_seed']) == (
        'reach', trained.sha256, 1_000_000)
    assert set(report['success']) == {'k', 'n', 'rate', 'low', 'high'}
    measured = {r.spec.seed: r.content_sha256 for _, r in receipts_in(run / 'episodes')
                if r.spec.episode_id.startswith('evaluation-r01')}
    assert {e['seed']: e['content_sha256'] for e in report['episodes']} == measured
    assert report['success']['k'] == sum(e['success'] for e in report['episodes'])
    assert report['steps'] == sum(e['steps'] for e in report['episodes'])
    later = evaluate(tmp_path, run / trained.path, '--first-seed', '1000002')
    assert later['episodes'][0] == report['episodes'][2]


def test_demonstrations_become_a_policy_that_can_be_evaluated(tmp_path, capfd):
    runs = str(tmp_path)
    assert main(['record', '--task', 'reach', '--run', 'mine', '--episodes', '3', '--runs',
                 runs]) == 0
    assert f'next: il_ros train --run mine --runs {runs}' in capfd.readouterr().out
    assert main(['train', '--run', 'mine', '--runs', runs, '--config',
                 str(config_for('reach', tmp_path))]) == 0
    report = evaluate(tmp_path, tmp_path / 'mine' / 'checkpoints' / 'bc')
    assert report['success']['n'] == len(report['episodes']) == 3
    assert {e['seed'] for e in report['episodes']} == {1_000_000, 1_000_001, 1_000_002}


def test_the_expert_is_evaluated_too(tmp_path):
    report = evaluate(tmp_path, 'expert')
    assert (report['policy'], report['sha256']) == ('expert', '')
    assert report['success']['k'] == 3
