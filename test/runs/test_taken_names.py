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

"""A name that is taken is never given twice: by a merge, or by a repair."""

from il_ros.errors import MergeError
from il_ros.runs.merge import merge_runs
from il_ros.runs.repair import LOSS, repair_episodes
import pytest
from recordings import record, spec


def run_of(tmp_path, name: str, *ids: str):
    """Record a run of episodes that differ from those of another run."""
    for number, one in enumerate(ids):
        of = spec(one, seed=len(name) + 10 * number)
        record(tmp_path / name / 'episodes' / 'main', of)
    return tmp_path / name


def test_a_second_episode_of_an_id_gets_no_name_that_another_has(tmp_path):
    first = run_of(tmp_path, 'a', 'rollout-r01-000001')
    second = run_of(tmp_path, 'bb', 'rollout-r01-000001')
    third = run_of(tmp_path, 'ccc', 'rollout-r01-000001-2')
    merged = merge_runs([first, second], tmp_path / 'two', rename=True)
    assert merged.renamed == {'bb/rollout-r01-000001': 'rollout-r01-000001-2'}
    with pytest.raises(MergeError, match='cannot be renamed: rollout-r01-000001-2 is taken'):
        merge_runs([first, second, third], tmp_path / 'three', rename=True)
    assert not (tmp_path / 'three').exists()


def test_a_name_that_would_be_too_long_is_refused(tmp_path):
    name = 'e' * 64
    runs = [run_of(tmp_path, run, name) for run in ('a', 'bb')]
    with pytest.raises(MergeError, match=f'cannot be renamed: {name}-2 is taken or too long'):
        merge_runs(runs, tmp_path / 'two', rename=True)


def test_a_copy_of_an_episode_under_another_name_is_set_aside_and_said(tmp_path):
    run = run_of(tmp_path, 'a', 'rollout-r01-000001')
    path = run / 'episodes' / 'main' / 'rollout-r01-000001.mcap'
    path.with_name('rollout-r01-000002.mcap').write_bytes(path.read_bytes())
    twice = [one for one in repair_episodes(run) if 'there twice' in one.sentence]
    assert [(one.path, one.result) for one in twice] == [
        (path.with_suffix('.json'), LOSS), (path, LOSS)]
    assert twice[1].sentence == (
        f'{path} was there twice, once under another name: that one is set aside as '
        'rollout-r01-000001.damaged-1.mcap')
