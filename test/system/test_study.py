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

"""``il_ros study`` from the first demonstration to the page, ended twice on its way."""

import json
import os
from pathlib import Path
import signal

from command_line import config_for, finish, il_ros, start
from il_ros.cli import parser
from il_ros.experiments.label_efficiency.points import BC
import pytest
from test_compounding_ended import children_of, is_gone

KEPT = ('*/episodes/main/*.mcap', '*/checkpoints/*/policy.json', '*/fits/*.json',
        'evaluations/*.json')
"""What is done once and never again."""


def words_for(folder: Path) -> list[str]:
    """Return the command line of the smallest study there is."""
    return ['study', '--tasks', 'reach', '--strategies', 'gated', '--seeds', '0',
            '--demonstrations', '2', '--rounds', '1', '--episodes-per-round', '2', '--episodes',
            '4', '--bc-label-factor', '1', '--horizon', '40', '--workers', '1', '--validation',
            '--run', 'tiny', '--runs', str(folder / 'runs'), '--config',
            str(config_for('reach', folder)),
            '--publish', str(folder / 'published')]


def state_of(folder: Path) -> dict[str, int]:
    """Return when each thing that is done once was written."""
    return {str(path): path.stat().st_mtime_ns for pattern in KEPT
            for path in folder.glob(pattern)}


@pytest.fixture(scope='module')
def ended(tmp_path_factory):
    """Return the folder of a study that was interrupted, killed and finished, and its story."""
    folder = tmp_path_factory.mktemp('study')
    return folder, {}


def end(folder: Path, wait_until, pattern: str, how: int) -> tuple[int, str]:
    """Start the study, end it when such a file is there; return exit code and last words."""
    process = start(words_for(folder))
    assert wait_until(None, lambda: [*(folder / 'runs' / 'tiny').glob(pattern)]
                      or process.poll() is not None, timeout_s=120.0)
    children = children_of(process.pid)
    os.kill(process.pid, how)
    code, _, err = finish(process)
    assert wait_until(None, lambda: all(map(is_gone, children)), timeout_s=30.0)
    return code, err


@pytest.mark.drill
def test_ctrl_c_while_it_collects_leaves_no_process_and_says_how_to_go_on(ended, wait_until):
    folder, _ = ended
    code, err = end(folder, wait_until, 'reach-gated-0/episodes/main/*.json', signal.SIGINT)
    assert code == 130 and 'the same command resumes' in err and 'Traceback' not in err
    assert not [*folder.glob('runs/tiny/study.*')]


def test_a_study_that_is_killed_while_it_evaluates_leaves_no_process(ended, wait_until):
    folder, story = ended
    code, _ = end(folder, wait_until, 'evaluations/*.json', signal.SIGKILL)
    assert code == -signal.SIGKILL
    story['killed'] = state_of(folder / 'runs' / 'tiny')
    assert any('rollout' in path for path in story['killed'])


def test_the_same_command_finishes_it_and_does_nothing_twice(ended):
    folder, story = ended
    plan = folder / 'runs' / 'tiny' / 'plan.json'
    began = json.loads(plan.read_text())
    plan.write_text(json.dumps({**began, 'commits': ['of_another_day', *began['commits']]}))
    code, out, err = il_ros(*words_for(folder))
    assert code == 0, err
    assert 'warning: This study was run with' in err and 'of_another_day' in err
    after = state_of(folder / 'runs' / 'tiny')
    assert {path: after[path] for path in story['killed']} == story['killed']
    assert 'reach: ' in out and 'labels' in out


def test_every_checkpoint_is_there_with_its_costs_and_bc_at_every_budget(ended):
    folder, _ = ended
    found = json.loads((folder / 'runs' / 'tiny' / 'study.json').read_text())
    gated = [point for point in found['points'] if point['method'] == 'gated']
    cloned = [point for point in found['points'] if point['method'] == BC]
    assert [point['number'] for point in gated] == [0, 1]
    assert len({point['labels'] for point in cloned}) == len(cloned) >= 2
    # BC of the first two demonstrations is round 0: the same labels, seed and settings.
    same, = [point for point in cloned if point['number'] == 2]
    for key in ('labels', 'queries', 'expert_driven_steps', 'loss_held_out', 'wins', 'mistakes'):
        assert same[key] == gated[0][key], key
    for point in found['points']:
        assert len(point['wins']) == 4 and point['epsilon_states'] > 0
        assert point['queries'] == point['labels'] + point['watched']
    assert max(point['labels'] for point in cloned) >= 0.5 * gated[1]['labels']
    assert 'versions of the code (of_another_day, ' in found['about']['conditions']
    assert found['tasks'][0]['expert']['n'] == 4


def test_figures_and_tables_are_published_with_the_command_that_made_them(ended):
    folder, _ = ended
    names = {path.name for path in (folder / 'published').iterdir()}
    assert {'README.md', 'points.csv', 'needed.csv', 'rates.csv', 'reach-labels-1.svg'} <= names
    assert 'il_ros study --tasks reach' in (folder / 'published' / 'README.md').read_text()
    page = (folder / 'runs' / 'tiny' / 'study.html').read_text()
    assert page.count('data:image/svg+xml') == 6


@pytest.mark.drill
def test_a_study_over_the_graph_finds_the_same(ended, tmp_path):
    folder, _ = ended
    words = words_for(folder)
    words[words.index('--runs') + 1] = str(tmp_path)
    code, _, err = il_ros(*words, '--over', 'graph')
    assert code == 0, err
    over_graph, own = (json.loads((runs / 'tiny' / 'study.json').read_text())
                       for runs in (tmp_path, folder / 'runs'))
    assert over_graph['points'] == own['points'] and over_graph['tasks'] == own['tasks']


def test_another_study_under_the_same_name_is_refused(ended, capsys):
    folder, _ = ended
    assert parser.main([*words_for(folder), '--rounds', '2']) == 1
    assert 'a study with rounds 1 (given: 2)' in capsys.readouterr().err
