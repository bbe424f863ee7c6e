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


"""Repair saves what is whole, sets the rest aside, and never overwrites."""

import json

from il_ros.episodes.discards import discard, discarded, discards_path
from il_ros.episodes.label_file import labels_path
from il_ros.episodes.reader import read_episode
from il_ros.episodes.receipts import DISCARDED, INCOMPLETE, read_receipt, receipt_path, verify
from il_ros.episodes.writer import EpisodeWriter
from il_ros.runs.repair import DONE, FAILED, LOSS, repair_episodes
from il_ros.runs.shard import Shard
from il_ros.runs.verification import verify_run
import pytest
from recordings import CONTRACT, messages, record, SCHEMAS, spec
from test_verification import A, B, exchange, flip, label

STEPS = 60


@pytest.fixture
def run(tmp_path):
    """Return a run of two episodes of 60 steps; the first has labels."""
    folder = tmp_path / 'demo'
    for name, seed in ((A, 1), (B, 2)):
        of = spec(name, seed=seed)
        record(folder / 'episodes' / 'main', of, messages(of, STEPS))
    label(episode_of(folder))
    return folder


def episode_of(run, name=A):
    """Return the file of an episode."""
    return run / 'episodes' / 'main' / f'{name}.mcap'


def contents(run):
    """Return the bytes of all files of the shard, by name."""
    return {path.name: path.read_bytes() for path in (run / 'episodes' / 'main').iterdir()}


def assert_repaired(run, *results):
    """Demand these results, nothing left to find, and nothing left to do."""
    assert [repair.result for repair in repair_episodes(run)] == list(results)
    assert verify_run(run) == []
    assert repair_episodes(run) == []


def test_there_is_nothing_to_do_in_a_whole_run(run):
    (run / 'episodes' / 'main' / '.lock').touch()
    before = contents(run)
    assert repair_episodes(run) == []
    before.pop('.lock')
    assert {name: data for name, data in contents(run).items() if name != '.lock'} == before


@pytest.mark.parametrize('share', [0.45, 0.7, 0.99])
def test_what_is_whole_of_a_truncated_episode_becomes_an_incomplete_one(run, share):
    path = episode_of(run)
    data, whole = path.read_bytes(), read_episode(path)
    path.write_bytes(data[:int(share * len(data))])
    damaged = path.read_bytes()
    assert_repaired(run, LOSS)
    receipt, saved = verify(path), read_episode(path)
    assert receipt.flags & INCOMPLETE and receipt.spec == whole.spec
    assert share * STEPS - 32 <= saved.steps <= STEPS
    assert (saved.observations == whole.observations[:saved.steps + 1]).all()
    assert path.with_name(f'{A}.damaged-1.mcap').read_bytes() == damaged
    assert path.with_name(f'{A}.damaged-1.json').exists()
    assert path.with_name(f'{A}.damaged-1.labels.mcap').exists()


@pytest.mark.parametrize('seed', range(6))
def test_a_flipped_bit_never_becomes_a_wrong_number(run, seed):
    path = episode_of(run, B)
    data, whole = path.read_bytes(), read_episode(path)
    flip(path, 600 + seed * (len(data) - 700) // 6, seed)
    repair, = repair_episodes(run)
    if repair.result == LOSS:
        saved = read_episode(path)
        assert (saved.observations == whole.observations[:saved.steps + 1]).all()
        assert (saved.executed == whole.executed[:saved.steps]).all()
    else:
        assert repair.result == FAILED and not path.exists()


def test_an_episode_of_which_nothing_is_whole_is_set_aside_with_all_that_is_its(run):
    path = episode_of(run)
    path.write_bytes(path.read_bytes()[:300])
    assert_repaired(run, FAILED)
    names = set(contents(run))
    assert {f'{A}.damaged-1{end}' for end in ('.mcap', '.json', '.labels.mcap')} <= names
    assert f'{A}.mcap' not in names


def test_nothing_that_was_set_aside_before_is_overwritten(run):
    path = episode_of(run, B)
    path.with_name(f'{B}.damaged-1.mcap').write_text('earlier')
    path.write_bytes(path.read_bytes()[:300])
    assert [repair.result for repair in repair_episodes(run)] == [FAILED]
    assert path.with_name(f'{B}.damaged-1.mcap').read_text() == 'earlier'
    assert path.with_name(f'{B}.damaged-2.mcap').stat().st_size == 300


@pytest.mark.parametrize('kinds', [
    ('.mcap',), ('.mcap', '.json'), ('.json',), ('.labels.mcap',), ('.mcap', '.labels.mcap')])
def test_exchanged_files_get_their_own_names_again(run, kinds):
    label(episode_of(run, B))
    before = contents(run)
    for kind in kinds:
        exchange(*(episode_of(run, name).with_name(name + kind) for name in (A, B)))
    assert {repair.result for repair in repair_episodes(run)} == {DONE}
    after = contents(run)
    after.pop('.lock')
    assert after == before


def test_a_repair_that_was_killed_among_renames_is_finished_by_the_next(run):
    before = contents(run)
    path = episode_of(run)
    path.rename(path.with_name(f'{A}.mcap.1.misplaced'))
    assert [repair.result for repair in repair_episodes(run)] == [DONE]
    after = contents(run)
    after.pop('.lock')
    assert after == before


def test_an_open_episode_of_a_killed_recorder_is_recovered(run):
    writer = EpisodeWriter(run / 'episodes' / 'main', spec(), CONTRACT, SCHEMAS,
                           min_free_bytes=0)
    for topic, raw in messages(spec(), STEPS)[:150]:
        writer.write(topic, raw, 1)
    assert_repaired(run, DONE)


def test_a_damaged_episode_without_a_receipt_is_salvaged_too(run):
    path = episode_of(run, B)
    receipt_path(path).unlink()
    path.write_bytes(path.read_bytes()[:-200])
    assert_repaired(run, LOSS)
    assert verify(path).flags & INCOMPLETE


def test_a_damaged_receipt_is_made_anew_and_flagged(run):
    path = episode_of(run, B)
    receipt_path(path).write_text('{"spec"')
    assert_repaired(run, LOSS)
    assert verify(path).flags == INCOMPLETE


@pytest.mark.parametrize('field, value, flags', [
    ('sha256', 'f' * 64, DISCARDED), ('steps', 7, DISCARDED)])
def test_a_receipt_with_one_wrong_field_is_made_anew_and_its_flags_survive(run, field, value,
                                                                           flags):
    path = episode_of(run, B)
    discard(path)
    fields = json.loads(receipt_path(path).read_text())
    receipt_path(path).write_text(json.dumps({**fields, field: value}))
    assert_repaired(run, DONE)
    assert verify(path).flags == flags


def test_damaged_labels_are_set_aside(run):
    flip(labels_path(episode_of(run)), 900, 2)
    assert_repaired(run, LOSS)
    assert not labels_path(episode_of(run)).exists()


def test_where_discards_are_damaged_the_whole_episode_is_discarded(run):
    discards_path(episode_of(run)).write_text('[[1')
    assert_repaired(run, LOSS)
    assert read_receipt(receipt_path(episode_of(run))).flags & DISCARDED


def test_what_was_discarded_stays_discarded_in_a_salvaged_episode(run):
    path = episode_of(run, B)
    discard(path, 3, 5)
    discard(path, 10, 59)
    path.write_bytes(path.read_bytes()[:-2000])
    assert_repaired(run, LOSS)
    last = read_episode(path).steps - 1
    assert discarded(path) == ((3, 5), (10, last))


def test_a_missing_episode_cannot_be_repaired_and_is_named(run):
    episode_of(run, B).unlink()
    repair, = repair_episodes(run)
    assert repair.result == FAILED and f'{B}.mcap, which is missing' in repair.sentence
    assert receipt_path(episode_of(run, B)).exists()


def test_a_shard_at_which_a_recorder_works_is_left_alone(run):
    from il_ros.errors import ShardLockedError
    shard = Shard(run / 'episodes' / 'main')
    with pytest.raises(ShardLockedError, match='main belongs to another recorder'):
        repair_episodes(run)
    shard.close()
