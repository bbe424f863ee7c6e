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

import os

from il_ros.episodes.discards import discard, discarded
from il_ros.episodes.receipts import DISCARDED, INCOMPLETE, read_receipt, receipt_path, verify
from il_ros.episodes.writer import EpisodeWriter
from il_ros.errors import EpisodeExistsError, EpisodeWriteError, NoSuchEpisodeError
from il_ros.errors import ShardLockedError, StepRangeError
from il_ros.runs.shard import episode_paths, MISSING, missing_in, receipts_in, Shard
from il_ros.runs.shard import UNACKNOWLEDGED, unacknowledged_in
import pytest
from recordings import CONTRACT, messages, record, SCHEMAS, spec

MAX_LOST_STEPS = 32


def begun(folder, count: int, of=None):
    """Write the first messages of an episode and stop, as a killed recorder does."""
    writer = EpisodeWriter(folder, of or spec(), CONTRACT, SCHEMAS, min_free_bytes=0)
    for topic, raw in messages(of or spec(), 60)[:count]:
        writer.write(topic, raw, 1)
    return writer


def test_a_second_recorder_is_refused_and_told_who_has_the_folder(tmp_path):
    shard = Shard(tmp_path / 'main')
    with pytest.raises(ShardLockedError, match=f'process {os.getpid()}'):
        Shard(tmp_path / 'main')
    Shard(tmp_path / 'other').close()
    shard.close()
    Shard(tmp_path / 'main').close()
    assert ShardLockedError.code == 502


def test_a_folder_that_forbids_writing_is_named(tmp_path):
    (tmp_path / 'file').write_text('')
    with pytest.raises(EpisodeWriteError, match='file/main cannot be recorded into'):
        Shard(tmp_path / 'file' / 'main')


def test_an_open_episode_is_recovered_and_marked(tmp_path):
    begun(tmp_path, 150)
    shard = Shard(tmp_path)
    receipt, = shard.recovered
    assert receipt.flags & INCOMPLETE
    assert 50 - MAX_LOST_STEPS <= receipt.steps < 50
    assert verify(tmp_path / 'rollout-r01-000007.mcap') == receipt
    assert not list(tmp_path.glob('*.tmp'))
    shard.close()
    record(tmp_path, spec())
    assert verify(tmp_path / 'rollout-r01-000007.mcap').flags == 0


def test_a_recovery_that_was_killed_is_begun_anew_from_what_was_recorded(tmp_path):
    begun(tmp_path, 150)
    temporary = tmp_path / 'rollout-r01-000007.mcap.tmp'
    os.replace(temporary, tmp_path / 'rollout-r01-000007.mcap.rescue')
    begun(tmp_path, 30)
    receipt, = Shard(tmp_path).recovered
    assert receipt.steps >= 50 - MAX_LOST_STEPS
    assert sorted(path.suffix for path in tmp_path.iterdir()) == ['', '.json', '.mcap']


@pytest.mark.parametrize('size', [0, 5, 8, 100, 400])
def test_an_episode_that_hardly_began_is_cleared_away(tmp_path, size):
    writer = begun(tmp_path, 1)
    temporary = writer.path.with_name(writer.path.name + '.tmp')
    temporary.write_bytes(temporary.read_bytes()[:size])
    assert Shard(tmp_path).recovered == []
    assert [path.name for path in tmp_path.iterdir()] == ['.lock']


def test_a_finished_episode_gets_the_receipt_that_a_crash_prevented(tmp_path):
    path = record(tmp_path, spec())
    expected = read_receipt(receipt_path(path))
    receipt_path(path).unlink()
    (tmp_path / 'rollout-r01-000007.json.tmp').write_text('{"ha')
    assert Shard(tmp_path).recovered == [expected]
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        '.lock', 'rollout-r01-000007.json', 'rollout-r01-000007.mcap']


def test_a_damaged_episode_without_a_receipt_is_set_aside(tmp_path):
    path = record(tmp_path, spec())
    receipt_path(path).unlink()
    path.write_bytes(path.read_bytes()[:-50])
    assert Shard(tmp_path).recovered == []
    assert (tmp_path / 'rollout-r01-000007.damaged-1.mcap').exists()
    assert episode_paths(tmp_path) == []


def test_what_was_set_aside_before_stays(tmp_path):
    (tmp_path / 'rollout-r01-000007.damaged-1.mcap').write_text('old')
    test_a_damaged_episode_without_a_receipt_is_set_aside(tmp_path)
    assert (tmp_path / 'rollout-r01-000007.damaged-1.mcap').read_text() == 'old'
    assert (tmp_path / 'rollout-r01-000007.damaged-2.mcap').exists()


def test_only_acknowledged_episodes_are_listed(tmp_path):
    kept = record(tmp_path / 'a', spec('rollout-r01-000001'))
    record(tmp_path / 'b', spec('rollout-r01-000002'), messages(spec('rollout-r01-000002'))[:9])
    record(tmp_path / 'b', spec('rollout-r01-000002'))
    begun(tmp_path / 'b', 9, spec('rollout-r01-000003'))
    (tmp_path / 'run.json').write_text('{}')
    found = dict(receipts_in(tmp_path))
    assert sorted(found) == [kept, tmp_path / 'b' / 'rollout-r01-000002.mcap']
    assert found[kept].spec.episode_id == 'rollout-r01-000001'


def test_half_an_episode_is_named_whichever_half_it_is(tmp_path):
    paths = [record(tmp_path / 'main', spec(f'rollout-r01-{seed:06d}')) for seed in range(3)]
    paths[0].unlink()
    receipt_path(paths[1]).unlink()
    assert missing_in(tmp_path) == [(paths[0], MISSING)]
    assert unacknowledged_in(tmp_path) == [(paths[1], UNACKNOWLEDGED)]
    assert missing_in(tmp_path / 'none') == []


def test_an_operator_takes_back_steps_or_a_whole_episode(tmp_path):
    path = record(tmp_path, spec())
    assert discarded(path) == ()
    discard(path, 3, 5)
    assert discard(path, 8, 11).flags == 0
    assert discarded(path) == ((3, 5), (8, 11))
    assert discard(path).flags == DISCARDED
    assert verify(path).flags == DISCARDED
    with pytest.raises(EpisodeExistsError):
        record(tmp_path, spec())


@pytest.mark.parametrize('first, last', [(5, 3), (0, 12), (12, 12)])
def test_steps_that_an_episode_does_not_have_cannot_be_taken_back(tmp_path, first, last):
    path = record(tmp_path, spec())
    with pytest.raises(StepRangeError, match='steps 0 to 11'):
        discard(path, first, last)
    with pytest.raises(NoSuchEpisodeError, match='rollout-r01-000009'):
        discard(tmp_path / 'rollout-r01-000009.mcap')
