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

"""A run over ROS and the same run in one process: the same episodes, checkpoints and numbers."""

import dataclasses
import json
import os
from pathlib import Path
import signal

from command_line import config_for
import il_ros
from il_ros.graph import graph
from il_ros.graph.cell import cell_plan
from il_ros.loop import cells
from il_ros.runs.shard import LOCK, receipts_in
import pytest

pytestmark = pytest.mark.system

SMALL = {'demonstrations': 2, 'rounds': 1, 'episodes_per_round': 2, 'horizon': 40}
TIMES = {'seconds', 'fit_seconds', 'expert_seconds', 'timing', 'wall_s', 'control_steps_per_s'}


def untimed(document):
    """Return a JSON document without wall times."""
    if isinstance(document, dict):
        return {key: untimed(value) for key, value in document.items() if key not in TIMES}
    return [untimed(one) for one in document] if isinstance(document, list) else document


def said(run: Path, name: str):
    """Return what a document of a run says, without wall times."""
    return untimed(json.loads((run / name).read_text()))


def receipts(run: Path) -> dict:
    """Return receipts by episode without path (the arm) and hash of the file (the time)."""
    found = [receipt for _, receipt in receipts_in(run / 'episodes')]
    by_id = {receipt.spec.episode_id: dataclasses.replace(receipt, sha256='', path='')
             for receipt in found}
    assert len(by_id) == len(found), 'each episode counts once'
    return by_id


def files(run: Path) -> set:
    """Return the names of all files of a run, whichever arm recorded them."""
    names = (path.relative_to(run).parts for path in run.rglob('*') if path.is_file())
    return {name[-1:] if name[0] == 'episodes' else name for name in names}


def are_the_same(one: Path, other: Path):
    """Compare two runs: specifications, contents, checkpoints, states, summaries, files."""
    assert receipts(one) == receipts(other)
    assert said(one, 'run.json') == said(other, 'run.json')
    assert said(one, 'summary.json') == said(other, 'summary.json')
    assert files(one) == files(other)


def test_a_run_of_the_command_is_that_of_one_process(whole_run, tmp_path):
    whole = whole_run('reach')
    run = il_ros.dagger(
        'reach', 'corrections', run=tmp_path / 'whole', evaluation_episodes=2,
        final_evaluation_episodes=3, config=config_for('reach', whole.parents[1]), **SMALL)
    are_the_same(run.folder, whole)
    assert sum(receipt.spec.purpose == 'evaluation' for receipt in receipts(whole).values()) == 12


@pytest.mark.drill
def test_a_run_over_several_arms_is_that_of_one_and_a_cell_that_dies_costs_nothing(
        tmp_path, monkeypatch):
    monkeypatch.setattr(cells, 'FEW', 1)
    monkeypatch.setattr(graph, 'cell_plan', lambda options: cell_plan(
        dataclasses.replace(options, evaluate_over='process')))
    killed = []

    def kill_a_cell(_):
        """Kill the first process that records evaluation episodes, once it has recorded one."""
        for first in (tmp_path / 'several' / 'run' / 'episodes').glob('cell_*/*.json'):
            if not killed:
                killed.append(int((first.parent / LOCK).read_text()))
                os.kill(killed[0], signal.SIGKILL)

    settings = {'config': config_for('reach', tmp_path), 'evaluation_episodes': 0,
                'final_evaluation_episodes': 6, 'baseline': False, **SMALL,
                'demonstrations': 4, 'horizon': 30}
    one = il_ros.dagger('reach', run=tmp_path / 'one' / 'run', **settings)
    several = il_ros.dagger('reach', run=tmp_path / 'several' / 'run', over='graph', workers=2,
                            progress=kill_a_cell, **settings)
    are_the_same(one.folder, several.folder)
    recorded = {path.parent.name for path, _ in receipts_in(several.folder / 'episodes')}
    assert {'main', 'cell_0', 'cell_1'} <= recorded and killed


@pytest.mark.drill
def test_labels_that_are_added_later_are_the_same_in_both(tmp_path):
    settings = {'config': config_for('reach', tmp_path), 'evaluation_episodes': 0,
                'final_evaluation_episodes': 2, 'baseline': False, **SMALL}
    reports = []
    runs = [il_ros.dagger('reach', 'dagger', run=tmp_path / over / 'first', over=over,
                          progress=reports.append, **settings) for over in ('graph', 'process')]
    are_the_same(*(run.folder for run in runs))
    assert any(entry['type'] == 'labelled' and entry['labels'] > 0
               for entry in said(runs[0].folder, 'run.json')['finished'])
    assert reports and reports[-1].labels > 0
