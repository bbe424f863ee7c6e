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

"""Runs on disk as Python sees them: episodes, summary, and the newest policy."""

from pathlib import Path
import shutil
import tarfile

import il_ros
import pytest

RECORDED = Path(__file__).resolve().parents[1] / 'system' / 'recorded' / 'earlier_run.tar.xz'


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Return a run under ``runs`` of the working directory."""
    with tarfile.open(RECORDED) as archive:
        archive.extractall(tmp_path / 'runs', filter='data')
    monkeypatch.chdir(tmp_path)
    return il_ros.open_run('earlier')


def test_a_run_is_opened_by_its_name_or_its_folder(run):
    assert run == il_ros.open_run('runs/earlier') == il_ros.open_run(Path('runs', 'earlier'))
    assert len(run.episodes()) == 19
    assert run.summary['task'] == 'reach'
    episode = il_ros.read_episode(str(run.episodes()[0]))
    assert isinstance(episode, il_ros.Episode)


def test_the_policy_is_the_one_of_the_newest_round_or_of_the_one_that_is_asked_for(run):
    folders = {name: il_ros.load_policy(run.folder / 'checkpoints' / name).sha256
               for name in ('round_00', 'round_01')}
    assert run.policy().sha256 == il_ros.load_policy('runs/earlier').sha256 == folders['round_01']
    assert run.policy(0).sha256 == folders['round_00']
    with pytest.raises(il_ros.ImitationError, match='round_07 is not there'):
        run.policy(7)


def test_without_rounds_it_is_what_il_ros_train_made(run):
    checkpoints = run.folder / 'checkpoints'
    shutil.rmtree(checkpoints / 'round_01')
    (checkpoints / 'round_00').rename(checkpoints / 'bc')
    assert run.policy().sha256 == il_ros.load_policy(checkpoints / 'bc').sha256
    shutil.rmtree(checkpoints)
    with pytest.raises(il_ros.ImitationError, match='train one: il_ros train --run earlier'):
        run.policy()


def test_a_run_under_way_has_no_summary_and_a_damaged_one_is_named(run):
    file = run.folder / 'summary.json'
    file.write_text('{')
    with pytest.raises(il_ros.ImitationError, match=r'summary\.json cannot be read'):
        run.summary
    file.unlink()
    assert run.summary is None


def test_a_run_that_is_not_there_is_named_with_the_places(run):
    with pytest.raises(il_ros.ImitationError, match=r'neither runs/x nor x has a folder episodes'):
        il_ros.open_run('x')
    with pytest.raises(il_ros.ImitationError, match=r"no run '/x': /x has not a folder episodes"):
        il_ros.open_run('/x')
