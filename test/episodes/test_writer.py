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

import resource
import shutil
import signal

from il_ros.episodes.mcap import salvage_mcap
from il_ros.episodes.receipts import read_receipt, receipt_path, verify
from il_ros.episodes.wire.schema import OBSERVATION
from il_ros.episodes.writer import CHUNK_NS, EpisodeWriter
from il_ros.errors import EpisodeExistsError, EpisodeFileError, EpisodeWriteError
from mcap.reader import make_reader
from mcap_ros2.decoder import DecoderFactory
import pytest
from recordings import CONTRACT, messages, observation, PERIOD_NS, record, SCHEMAS, spec


def writer_in(folder, of=None, **kwargs):
    """Return a writer that does not mind a full disk."""
    return EpisodeWriter(folder, of or spec(), CONTRACT, SCHEMAS, **{'min_free_bytes': 0,
                                                                     **kwargs})


def names(folder):
    """Return what lies in a folder."""
    return sorted(path.name for path in folder.iterdir())


def test_an_episode_has_its_name_only_when_it_is_whole(tmp_path):
    writer = writer_in(tmp_path)
    for topic, raw in messages(spec()):
        writer.write(topic, raw, 1)
    assert names(tmp_path) == ['rollout-r01-000007.mcap.tmp']
    receipt = writer.close()
    assert names(tmp_path) == ['rollout-r01-000007.json', 'rollout-r01-000007.mcap']
    assert read_receipt(receipt_path(writer.path)) == receipt == verify(writer.path)
    assert (receipt.steps, receipt.flags, receipt.dropped) == (12, 0, 0)


def test_other_tools_read_the_same_messages(tmp_path):
    of = spec()
    path = record(tmp_path, of)
    with open(path, 'rb') as file:
        reader = make_reader(file, validate_crcs=True, decoder_factories=[DecoderFactory()])
        assert reader.get_header().profile == 'ros2'
        found = [(channel.topic, message.data)
                 for _, channel, message in reader.iter_messages(log_time_order=True)]
        assert found == messages(of)
        decoded = [row.decoded_message for row in reader.iter_decoded_messages('observation')]
        assert [message.step for message in decoded] == list(range(13))
        outcome = {record.name: record.metadata for record in reader.iter_metadata()}
    assert outcome['il_ros']['task'] == 'push'
    assert outcome['il_ros.outcome']['success'] == '1'


def test_a_record_is_published_at_the_stamp_of_its_header(tmp_path):
    path = record(tmp_path, spec(), log_ns=77)
    with open(path, 'rb') as file:
        _, _, message = next(make_reader(file).iter_messages('observation'))
    assert message.publish_time == 3_000_000_000
    assert message.log_time == 77 + PERIOD_NS // 3


def test_a_repeated_message_is_recorded_once(tmp_path):
    of, writer = spec(), writer_in(tmp_path)
    for topic, raw in messages(of):
        assert writer.write(topic, raw, 1)
        assert not writer.write(topic, raw, 2)
    assert writer.counts == {'observation': 13, 'executed': 12, 'episode': 13}
    assert writer.repeats == 38
    assert writer.close().steps == 12


def test_a_recorded_episode_is_never_overwritten(tmp_path):
    path = record(tmp_path, spec())
    before = path.read_bytes()
    with pytest.raises(EpisodeExistsError, match='rollout-r01-000007.mcap is recorded already'):
        writer_in(tmp_path)
    assert path.read_bytes() == before
    assert EpisodeExistsError.code == 500


def test_an_incomplete_episode_makes_way_and_is_kept_aside(tmp_path):
    wire = messages(spec())
    for _ in range(2):
        record(tmp_path, spec(), wire[:20])
    record(tmp_path, spec(), wire)
    assert names(tmp_path) == [
        'rollout-r01-000007.incomplete-1.mcap', 'rollout-r01-000007.incomplete-2.mcap',
        'rollout-r01-000007.json', 'rollout-r01-000007.mcap']
    assert verify(tmp_path / 'rollout-r01-000007.mcap').flags == 0


def test_an_abandoned_episode_leaves_nothing(tmp_path):
    writer = writer_in(tmp_path)
    writer.write('observation', observation(spec(), 0, 12), 1)
    writer.abandon()
    writer.abandon()
    assert names(tmp_path) == []


def test_what_half_a_second_brought_is_out_of_the_reach_of_a_kill(tmp_path):
    writer = writer_in(tmp_path)
    for step in range(4):
        writer.write('observation', observation(spec(), step, 12), step * (CHUNK_NS // 2 + 1))
    _, raws = salvage_mcap(tmp_path / 'rollout-r01-000007.mcap.tmp').messages(OBSERVATION)
    assert len(raws) == 3
    writer.flush()
    _, raws = salvage_mcap(tmp_path / 'rollout-r01-000007.mcap.tmp').messages(OBSERVATION)
    assert len(raws) == 4
    writer.abandon()


def test_an_episode_without_one_observation_is_no_episode(tmp_path):
    with pytest.raises(EpisodeFileError, match='no observation of step 0'):
        writer_in(tmp_path).close()
    assert not receipt_path(tmp_path / 'rollout-r01-000007.mcap').exists()


def test_no_episode_is_begun_on_a_disk_that_is_nearly_full(tmp_path):
    with pytest.raises(EpisodeWriteError, match='MiB left'):
        writer_in(tmp_path, min_free_bytes=1 << 60)
    assert names(tmp_path) == []
    assert EpisodeWriteError.code == 501


@pytest.fixture
def small_files():
    """Let no file grow beyond 40 kB, as on a disk that is full."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    yield lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, hard))
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    signal.signal(signal.SIGXFSZ, handler)


def test_a_full_disk_ends_the_episode_and_spares_the_others(tmp_path, small_files):
    first = record(tmp_path, spec('rollout-r01-000001'))
    of = spec('rollout-r01-000002')
    writer, wire = writer_in(tmp_path, of), messages(of, 100)
    small_files()
    with pytest.raises(EpisodeWriteError, match='rollout-r01-000002.mcap cannot be recorded'):
        for topic, raw in wire:
            writer.write(topic, raw, 1)
    writer.abandon()
    assert names(tmp_path) == ['rollout-r01-000001.json', 'rollout-r01-000001.mcap']
    verify(first)
    verify(record(tmp_path, of))


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / 'file').write_text('')
    with pytest.raises(EpisodeWriteError, match='cannot be recorded'):
        writer_in(tmp_path / 'file' / 'shard')


@pytest.mark.parametrize('missing', [0, 1])
def test_an_episode_is_begun_where_64_mib_are_free(tmp_path, monkeypatch, missing):
    usage = shutil.disk_usage(tmp_path)._replace(free=(64 << 20) - missing)
    monkeypatch.setattr('il_ros.episodes.writer.shutil.disk_usage', lambda _: usage)
    if not missing:
        EpisodeWriter(tmp_path, spec(), CONTRACT, SCHEMAS).abandon()
        return
    with pytest.raises(EpisodeWriteError, match='its disk has 63 MiB left; 64 are wanted'):
        EpisodeWriter(tmp_path, spec(), CONTRACT, SCHEMAS)
