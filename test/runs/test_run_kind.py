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

"""A run holds episodes of one task, one contract and one set of options, and never a mixture."""

import dataclasses

from il_ros.errors import MergeError, RunKindError
from il_ros.runs import run_kind
from il_ros.runs.inventory import episodes_of
from il_ros.runs.merge import merge_runs
from il_ros.runs.run_kind import kind_of_run, RunKeeper, RunKind
import pytest
from recordings import CONTRACT, record, spec

BUMPS = '{"bumps": {"rate": 0.04, "speed": 0.5}}'
BIASED = '{"expert": {"bias": {"goal_position": [0, 0.03, 0]}}}'
KIND = RunKind('push', BUMPS, CONTRACT)


@pytest.fixture
def run(tmp_path):
    """Return a run with one episode."""
    record(tmp_path / 'one' / 'episodes' / 'main', spec(options=BUMPS))
    return tmp_path / 'one'


@pytest.mark.parametrize('other, sentence', [
    ({'task': 'reach'}, 'has episodes with task push; task reach was asked for'),
    ({'options': ''}, f'options {BUMPS}; options none was'),
    ({'options': BIASED}, f'options {BUMPS}; options {BIASED} was'),
    ({'contract': dataclasses.replace(CONTRACT, rate=50.0)}, 'contract push ')])
def test_an_episode_of_another_kind_than_its_run_is_refused_with_both_values(
        run, other, sentence):
    with pytest.raises(RunKindError, match='a run never mixes two') as refused:
        RunKeeper().admit(run, dataclasses.replace(KIND, **other))
    assert str(run) in str(refused.value) and sentence in str(refused.value)


def test_the_same_kind_is_admitted_however_its_options_are_written(run, tmp_path):
    keeper = RunKeeper()
    keeper.admit(run, KIND)
    keeper.admit(run, dataclasses.replace(KIND, options=BUMPS.replace(' ', '')))
    keeper.admit(run, dataclasses.replace(KIND, contract=None))
    keeper.admit(tmp_path / 'new', RunKind('reach'))


def test_a_run_that_was_removed_may_become_one_of_another_kind(run):
    keeper = RunKeeper()
    keeper.admit(run, KIND)
    path, = episodes_of(run)
    path.unlink()
    keeper.admit(run, RunKind('reach'))


def test_a_damaged_episode_still_tells_task_and_options_by_its_receipt(run):
    path, = episodes_of(run)
    path.write_bytes(b'no episode')
    assert kind_of_run(run) == (RunKind('push', BUMPS), path)


def test_runs_of_other_options_are_merged_only_where_that_is_asked_for(run, tmp_path):
    record(tmp_path / 'two' / 'episodes' / 'main', spec('rollout-r01-000008', options=BIASED))
    runs = [run, tmp_path / 'two']
    with pytest.raises(MergeError, match='options .*bias.*--mix-options'):
        merge_runs(runs, tmp_path / 'both')
    assert not (tmp_path / 'both').exists()
    assert merge_runs(runs, tmp_path / 'both', mix_options=True).episodes == 2
    record(tmp_path / 'three' / 'episodes' / 'main',
           dataclasses.replace(spec('rollout-r01-000009', options=BUMPS), task='reach'))
    with pytest.raises(MergeError, match='task reach'):
        merge_runs([run, tmp_path / 'three'], tmp_path / 'more', mix_options=True)


def test_what_a_run_is_of_is_read_once_and_looked_for_until_there_is_something(
        run, tmp_path, monkeypatch):
    read, kind_of = [], run_kind.kind_of_run
    monkeypatch.setattr(run_kind, 'kind_of_run', lambda folder: read.append(folder) or kind_of(
        folder))
    keeper, empty = RunKeeper(), tmp_path / 'empty'
    for _ in range(2):
        keeper.admit(empty, RunKind('reach'))
    assert read == [empty, empty]
    kind, _ = kind_of(run)
    for _ in range(3):
        keeper.admit(run, kind)
    assert read[2:] == [run]
