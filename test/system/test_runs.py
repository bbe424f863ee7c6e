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

"""The whole loop over the real graph: what a run leaves, and that a broken one ends the same."""

import hashlib
import json
import os
from pathlib import Path
import shutil
import signal

from command_line import dagger_words, finish, il_ros, start
from il_ros.cli.parser import main
from il_ros.contract.episode_spec import DEMONSTRATION, EVALUATION, ROLLOUT
from il_ros.dataset.dataset import load
from il_ros.runs.shard import receipts_in
import pytest

pytestmark = pytest.mark.system

SUCCESS = {'k', 'n', 'rate', 'low', 'high'}
JUDGED = {'labels', 'success', 'mistakes_per_step', 'loss_held_out', 'epsilon'}
TIMES = ('timing', 'wall_s', 'control_steps_per_s')


def summary_of(run: Path) -> dict:
    """Return the summary of a finished run."""
    return json.loads((run / 'summary.json').read_text())


def receipts(run: Path) -> list:
    """Return the receipts of a run."""
    return [receipt for _, receipt in receipts_in(run / 'episodes')]


def contents(run: Path) -> dict:
    """Return the content of every episode by its id."""
    return {r.spec.episode_id: r.content_sha256 for r in receipts(run)}


@pytest.mark.parametrize('task', ['reach'])
def test_the_summary_has_exactly_the_promised_keys(whole_run, task):
    summary = summary_of(whole_run(task))
    assert set(summary) == {
        'task', 'strategy', 'seed', 'horizon', 'expert', 'bc', 'rounds', 'bc_same_labels',
        'evaluation_queries', 'expert_seconds', 'faults', 'control_steps_per_s', 'wall_s',
        'timing'}
    assert set(summary['expert']) == SUCCESS
    assert set(summary['bc']) == set(summary['bc_same_labels']) == JUDGED | {'demonstrations'}
    assert [set(entry) for entry in summary['rounds']] == [JUDGED | {
        'round', 'queries', 'watched', 'expert_driven_steps', 'policy_driven_steps', 'takeovers',
        'objects_lost'}]
    for judged in (summary['bc'], summary['bc_same_labels'], *summary['rounds']):
        assert set(judged['success']) == SUCCESS
        assert set(judged['epsilon']) == {'k', 'n'}
    assert (summary['task'], summary['strategy'], summary['seed'], summary['horizon']) == (
        task, 'corrections', 0, 40)


@pytest.mark.parametrize('task', ['reach'])
def test_every_episode_of_a_run_is_there_whole_with_a_receipt(whole_run, task):
    run = whole_run(task)
    found = {purpose: [r for r in receipts(run) if r.spec.purpose == purpose]
             for purpose in (DEMONSTRATION, ROLLOUT, EVALUATION)}
    assert len(found[DEMONSTRATION]) >= 2
    assert len(found[ROLLOUT]) == 2
    assert {r.spec.seed for r in found[EVALUATION]} == {1_000_000, 1_000_001, 1_000_002}
    for receipt in receipts(run):
        data = (run / receipt.path).read_bytes()
        assert hashlib.sha256(data).hexdigest() == receipt.sha256
        assert receipt.flags == 0 and receipt.steps > 0
    assert not list(run.rglob('*.tmp'))


@pytest.mark.parametrize('task', ['reach'])
def test_the_ledger_is_what_the_episodes_say(whole_run, task):
    run, summary = whole_run(task), summary_of(whole_run(task))
    asked = [r for r in receipts(run)
             if r.spec.purpose in (DEMONSTRATION, ROLLOUT) and 'baseline' not in r.spec.episode_id]
    demonstrations = [r for r in asked if r.spec.purpose == DEMONSTRATION][:2]
    rollouts = [r for r in asked if r.spec.purpose == ROLLOUT]
    round_1 = summary['rounds'][0]
    assert summary['bc']['labels'] == sum(r.labels for r in demonstrations)
    assert round_1['labels'] == sum(r.labels for r in (*demonstrations, *rollouts))
    assert round_1['watched'] == sum(r.watched for r in rollouts)
    assert round_1['queries'] == round_1['labels'] + round_1['watched']
    assert round_1['expert_driven_steps'] == sum(r.expert_steps for r in rollouts)
    assert round_1['expert_driven_steps'] + round_1['policy_driven_steps'] == sum(
        r.steps for r in rollouts)
    assert round_1['takeovers'] == sum(r.takeovers for r in rollouts)


def test_what_is_trained_on_is_what_the_ledger_counts(whole_run):
    run, summary = whole_run('reach'), summary_of(whole_run('reach'))
    data = load(run / 'dataset.hdf5', 'round_1')
    assert len(data.actions) == summary['rounds'][0]['labels']


def test_the_report_stands_alone_and_the_table_is_printed(whole_run):
    run = whole_run('reach')
    page = (run / 'report.html').read_text()
    assert 'src="http' not in page and 'href="http' not in page
    assert 'data:image/png;base64,' in page
    printed = (run.parents[1] / 'printed').read_text()
    assert 'corrections, round 1' in printed and 'report.html' in printed


def finished_stages(run: Path) -> int:
    """Return how many stages a run has behind it."""
    try:
        return len(json.loads((run / 'run.json').read_text())['finished'])
    except (OSError, ValueError):
        return 0


def test_a_run_that_is_interrupted_and_killed_ends_as_the_unbroken_one(
        whole_run, tmp_path, wait_until):
    whole, run = whole_run('reach'), tmp_path / 'runs' / 'whole'
    stages = finished_stages(whole)
    words = dagger_words('reach', tmp_path, 'whole')
    process = start(words)
    assert wait_until(None, lambda: finished_stages(run) >= 2 or process.poll(), 120.0)
    process.send_signal(signal.SIGINT)
    code, _, err = finish(process)
    assert code == 130, err
    assert 'Traceback' not in err
    assert 2 <= finished_stages(run) < stages
    assert not list(run.rglob('*.tmp'))
    process = start([*words, '--resume'])
    assert wait_until(None, lambda: finished_stages(run) >= stages // 2 or process.poll(), 120.0)
    os.killpg(process.pid, signal.SIGKILL)
    finish(process)
    assert finished_stages(run) < stages
    code, _, err = il_ros('dagger', '--resume', '--run', 'whole', '--runs', str(tmp_path / 'runs'))
    assert code == 0, err
    assert contents(run) == contents(whole)
    here, there = summary_of(run), summary_of(whole)
    for key in TIMES:
        here.pop(key), there.pop(key)
    assert [fault['done'] for fault in here.pop('faults')] == ['resumed'] * 2
    assert there.pop('faults') == [] and here == there


def test_a_run_of_the_same_name_is_refused_and_stays_as_it_is(whole_run, capfd):
    run = whole_run('reach')
    before = (run / 'run.json').read_bytes()
    assert main(dagger_words('reach', run.parents[1], 'whole')) == 1
    err = capfd.readouterr().err
    lines = [line for line in err.splitlines() if line.startswith('il_ros: ')]
    assert len(lines) == 1 and 'run whole exists' in lines[0]
    assert 'Traceback' not in err
    assert (run / 'run.json').read_bytes() == before


@pytest.mark.drill
def test_a_finished_run_that_is_resumed_changes_nothing(whole_run, tmp_path):
    run = shutil.copytree(whole_run('reach'), tmp_path / 'runs' / 'whole')
    before = contents(run)
    assert main(['dagger', '--resume', '--run', 'whole', '--runs', str(run.parent)]) == 0
    assert contents(run) == before


@pytest.mark.drill
def test_a_renamed_run_goes_on_with_a_fit_whose_data_set_is_gone(whole_run):
    whole = whole_run('reach')
    run = shutil.copytree(whole, whole.with_name('renamed'))
    state = json.loads((run / 'run.json').read_text())
    names = [entry['stage'] for entry in state['finished']]
    state['finished'] = state['finished'][:names.index('r01-train')]
    (run / 'run.json').write_text(json.dumps(state))
    (run / 'dataset.hdf5').unlink()
    (run / 'summary.json').unlink()
    assert main(dagger_words('reach', run.parents[1], 'renamed', '--resume')) == 0
    assert contents(run) == contents(whole)
    here, there = (json.loads((one / 'run.json').read_text()) for one in (run, whole))
    assert here['goal'] == {**there['goal'], 'run': 'renamed'}
    for state in (here, there):
        state['trained'] = {entry['stage']: entry['sha256'] for entry in state['finished']
                            if entry['stage'].endswith('-train')}
    assert here['trained'] == there['trained']
