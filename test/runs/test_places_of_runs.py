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

"""``--run``: a name under ``--runs``, or the path of a run's folder."""

from pathlib import Path

from il_ros.runs.inventory import place_of_run
import pytest


@pytest.mark.parametrize('run, runs, name', [
    ('mine', 'runs', 'mine'), ('mine/', 'runs', 'mine'), ('new', 'runs', 'new'),
    ('runs/mine', 'runs', 'mine'), ('./runs/mine', 'runs', 'mine'),
    ('runs/new', 'runs', 'new'), ('elsewhere/other', 'elsewhere', 'other'),
    ('group/deep', 'runs/group', 'deep'), ('../there/runs/mine', '../there/runs', 'mine')])
def test_a_name_and_a_path_mean_the_same_run(tmp_path, monkeypatch, run, runs, name):
    (tmp_path / 'there').mkdir()
    monkeypatch.chdir(tmp_path / 'there')
    Path('runs/mine/episodes').mkdir(parents=True)
    Path('runs/group/deep/episodes').mkdir(parents=True)
    Path('elsewhere/other').mkdir(parents=True)
    Path('elsewhere/other/run.json').touch()
    assert place_of_run(Path('runs'), run) == (Path(runs), name)


@pytest.mark.parametrize('run', ['', '.', '..', '../x', 'mine/episodes', 'runs/mine/episodes/main',
                                 'runs/mine/checkpoints'])
def test_what_leads_into_a_run_or_away_is_no_name(tmp_path, monkeypatch, run):
    monkeypatch.chdir(tmp_path)
    Path('runs/mine/episodes/main').mkdir(parents=True)
    assert place_of_run(Path('runs'), run) == (Path('runs'), run)
