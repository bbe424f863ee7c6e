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

"""A checkpoint is replaced where that is asked for and no result speaks of it, and never else."""

import json
import os

from il_ros.cli.parser import main
from il_ros.errors import LearningError
from il_ros.learning import checkpoint
from il_ros.learning.references import is_finished, referring, refuse_replacing
import pytest


@pytest.fixture
def place(tmp_path, policy, monkeypatch):
    """Return the folder of a checkpoint of a run, and go where nothing else is."""
    (tmp_path / 'empty').mkdir()
    monkeypatch.chdir(tmp_path / 'empty')
    place = tmp_path / 'runs' / 'r3' / 'checkpoints' / 'round_01'
    checkpoint.save(place, policy)
    return place


def test_a_checkpoint_is_replaced_only_where_that_is_asked_for(place):
    with pytest.raises(LearningError, match='round_01 has a checkpoint already: give another '
                                            '--output, or replace it with --overwrite'):
        refuse_replacing(place, place.parents[2], False)
    refuse_replacing(place, place.parents[2], True)
    for free in ('none', 'empty'):
        (place.parent / 'empty').mkdir(exist_ok=True)
        refuse_replacing(place.parent / free, place.parents[2], False)


@pytest.mark.parametrize('file', [
    'runs/r3/run.json', 'runs/r3/summary.json', 'runs/other/study.json', 'empty/mine.json',
    'runs/other/fits/bc-0010.json', 'runs/compounding.json'])
@pytest.mark.parametrize('overwrite', [False, True])
def test_one_that_results_speak_of_is_never_replaced(place, tmp_path, policy, file, overwrite):
    sha256 = checkpoint.load(place).sha256
    (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / file).write_text(json.dumps({'policies': [{'sha256': sha256}]}, indent=1))
    name = file.rpartition('/')[2]
    with pytest.raises(LearningError, match=f'that .*{name} speaks of, and is never replaced'):
        refuse_replacing(place, tmp_path / 'runs', overwrite)


def test_its_place_counts_too_also_where_its_files_are_damaged(place, tmp_path):
    runs = tmp_path / 'runs'
    (place / checkpoint.DOCUMENT).write_text('{')
    assert referring(place, runs) is None
    state = runs / 'r3' / 'run.json'
    state.write_text('{"r01-train": {"path": "checkpoints/round_01"}}')
    assert referring(place, runs) == state and is_finished(place)
    assert referring(place.with_name('round_02'), runs) is None
    assert not is_finished(place.with_name('round_0'))
    state.unlink()
    fit = runs / 'fit.json'
    fit.write_text(json.dumps({'path': str(place)}))
    assert referring(place, runs) == fit and not is_finished(place)


def test_recordings_and_checkpoints_are_no_results(place, tmp_path):
    sha256 = checkpoint.load(place).sha256
    for name in ('episodes/main/a.json', 'checkpoints/notes.json', '.hidden/a.json'):
        path = tmp_path / 'runs' / 'r3' / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(sha256))
    assert referring(place, tmp_path / 'runs') is None


def test_the_command_refuses_before_it_reads_anything(place, tmp_path, capsys):
    words = ['train', '--run', 'r3', '--runs', str(tmp_path / 'runs'), '--output', str(place)]
    assert main([*words, '--seed', '7']) == 1
    assert 'has a checkpoint already' in capsys.readouterr().err
    assert main([*words, '--overwrite']) == 1
    assert 'r3/episodes has no recorded episode' in capsys.readouterr().err


def test_a_file_of_more_than_64_mib_is_not_looked_into_nor_one_that_is_gone(place):
    sha256, run = checkpoint.load(place).sha256, place.parents[1] / 'run.json'
    run.write_text(f'["{sha256}", "checkpoints/round_01"]')
    os.truncate(run, 64 << 20)
    assert referring(place, place.parents[2]) == run and is_finished(place)
    os.truncate(run, (64 << 20) + 1)
    assert referring(place, place.parents[2]) is None and not is_finished(place)
    run.unlink()
    assert not is_finished(place) and not is_finished(place.parents[2] / 'elsewhere')
    run.symlink_to('nowhere')
    assert referring(place, place.parents[2]) is None
