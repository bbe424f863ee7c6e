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

"""``examples/first_steps.ipynb``: its cells run one after the other, in smaller numbers."""

import dataclasses
import json
from pathlib import Path
import re

import il_ros
import matplotlib
import matplotlib.pyplot as plt
import pytest

NOTEBOOK = Path(__file__).resolve().parents[2] / 'examples' / 'first_steps.ipynb'
SMALLER = {'range(10)': 'range(2)', 'episodes=100': 'episodes=2', 'demonstrations=10':
           'demonstrations=2', 'rounds=4': 'rounds=1', 'episodes_per_round=10':
           'episodes_per_round=1', 'evaluation_episodes=50': 'evaluation_episodes=2',
           "run='runs/notebook'": "run='runs/notebook', config=FEW, baseline=False",
           'run.success_curve()': 'curve = run.success_curve()'}


@pytest.fixture
def cells(tmp_path, monkeypatch):
    """Return the code of the notebook, with pictures drawn into memory."""
    pytest.importorskip('il_ros_interfaces', reason='needs il_ros_interfaces: make test')
    matplotlib.use('Agg')
    monkeypatch.chdir(tmp_path)
    settings = il_ros.TrainConfig.of
    monkeypatch.setattr(il_ros.TrainConfig, 'of', lambda *words: dataclasses.replace(
        settings(*words), steps=20, warmup_steps=2))
    yield [''.join(cell['source']) for cell in json.loads(NOTEBOOK.read_text())['cells']
           if cell['cell_type'] == 'code']
    plt.close('all')


def test_the_cells_run_and_show_a_picture_a_table_and_a_curve(cells, capsys):
    names = {'FEW': il_ros.TrainConfig.of('push')}
    for cell in cells:
        for large, small in SMALLER.items():
            cell = cell.replace(large, small)
        exec(cell, names)
    out = capsys.readouterr().out
    assert re.match(r'\d of 2: \d+\.\d % \(\d+ to \d+\)\npolicy \[', out)
    assert 'corrections, round 1' in out
    assert names['curve'].axes[0].lines
    assert plt.figure(1).axes[0].images[0].get_array().std() > 10.0
    assert Path('runs/notebook/report.html').is_file()


def test_it_is_kept_without_results():
    found = json.loads(NOTEBOOK.read_text())['cells']
    assert not [cell for cell in found if cell.get('outputs') or cell.get('execution_count')]
