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

"""Streams of others beside an episode: recorded, counted, read again, carried by every verb."""

import json

from il_ros.contract.episode_spec import EXPERT
from il_ros.episodes import mcap
from il_ros.episodes.mcap import MAGIC, read_mcap
from il_ros.episodes.pictures import pictures
from il_ros.episodes.reader import read_episode
from il_ros.episodes.receipts import DROPS, INCOMPLETE, read_receipt, receipt_path
from il_ros.episodes.streams import parse_streams, Stream, stream_counts, StreamCount
from il_ros.episodes.streams import StreamCounter
from il_ros.episodes.writer import EpisodeWriter
from il_ros.errors import EpisodeFileError, StreamError
from il_ros.runs.export.rosbag2 import export_rosbag2
from il_ros.runs.inventory import episodes_of, take_inventory
from il_ros.runs.merge import merge_runs
from il_ros.runs.repair import repair_episodes
from il_ros.runs.shard import Shard
from il_ros.runs.verification import verify_run
from mcap.reader import make_reader
from mcap_ros2.decoder import DecoderFactory
import numpy as np
import pytest
from recorded_streams import begin, compressed, compressed_image, counts, FRAMES, HEIGHT, image
from recorded_streams import JPEG, LOG_NS, RAW, record, scene, stream_messages, STREAMS, WIDTH
from recordings import CONTRACT, header, messages, PERIOD_NS, SCHEMAS, spec
import yaml


def wire_of(path) -> dict[str, list[tuple[bytes, int]]]:
    """Return messages and log times of the streams in a file."""
    found = {topic: [] for topic in STREAMS}
    for topic, raw, log_ns in read_mcap(path).in_order():
        if topic in STREAMS:
            found[topic].append((raw, log_ns))
    return found


EXPECTED = {topic: [(stream_messages(number)[place][1], LOG_NS + number * PERIOD_NS)
                    for number in range(FRAMES)] for place, topic in enumerate(STREAMS)}


def test_streams_lie_in_the_file_as_they_came_and_the_episode_is_the_same(tmp_path):
    path = record(tmp_path / 'demo')
    assert wire_of(path) == EXPECTED
    assert stream_counts(read_mcap(path)) == counts()
    with_streams = read_episode(path)
    alone = EpisodeWriter(tmp_path / 'alone', with_streams.spec, CONTRACT, SCHEMAS, 0)
    for topic, raw in messages(with_streams.spec, 12, [EXPERT] * 12):
        alone.write(topic, raw, LOG_NS)
    assert alone.close().content_sha256 == with_streams.content_sha256()
    receipt = read_receipt(receipt_path(path))
    assert (receipt.flags, receipt.steps, receipt.dropped) == (0, 12, 0)
    assert verify_run(tmp_path / 'demo') == []


def test_the_publish_time_is_the_stamp_and_the_log_time_the_arrival(tmp_path):
    with open(record(tmp_path), 'rb') as stream:
        for _, channel, message in make_reader(stream).iter_messages(['wrist/image_raw']):
            number = (message.log_time - LOG_NS) // PERIOD_NS
            stamp = header(number)['stamp']
            assert message.publish_time == stamp['sec'] * 10**9 + stamp['nanosec']


def test_an_episode_whose_stream_lost_a_message_is_flagged_also_without_its_receipt(tmp_path):
    path = record(tmp_path, dropped=2)
    assert read_receipt(receipt_path(path)).flags == DROPS
    receipt_path(path).unlink()
    Shard(path.parent).close()
    assert read_receipt(receipt_path(path)).flags == DROPS


@pytest.mark.parametrize('topic, tolerance', [('wrist/image_raw', 0),
                                              ('/head/image/compressed', 12)])
def test_images_are_read_as_red_green_blue_with_both_times(tmp_path, topic, tolerance):
    found = list(pictures(read_mcap(record(tmp_path)), topic))
    assert len(found) == FRAMES
    for number, picture in enumerate(found):
        stamp = header(number)['stamp']
        assert picture.stamp_ns == stamp['sec'] * 10**9 + stamp['nanosec']
        assert picture.received_ns == LOG_NS + number * PERIOD_NS
        assert picture.pixels.shape == (HEIGHT, WIDTH, 3)
        np.testing.assert_allclose(picture.pixels.astype(int), scene(number), atol=tolerance)


@pytest.mark.parametrize('encoding, item, channels', [
    ('mono8', '<u1', 1), ('16UC1', '<u2', 1), ('32FC1', '<f4', 1), ('16UC1', '>u2', 1),
    ('rgba8', '<u1', 4)])
def test_other_encodings_keep_their_numbers_and_padding_at_the_end_of_rows_is_left_out(
        tmp_path, encoding, item, channels):
    values = np.arange(2 * 3 * channels).reshape(2, 3, channels) * 7
    lines = values.astype(item).reshape(2, -1).view(np.uint8)
    lines = np.pad(lines, ((0, 0), (0, 5)), constant_values=255)
    of = spec()
    writer = EpisodeWriter(tmp_path, of, CONTRACT, {**SCHEMAS, 'depth': RAW}, min_free_bytes=0)
    for topic, raw in messages(of, 3):
        writer.write(topic, raw, 0)
    writer.write('depth', image(0, height=2, width=3, encoding=encoding, step=lines.shape[1],
                                is_bigendian=int(item[0] == '>'), data=lines.tobytes()), 0)
    writer.close()
    picture, = pictures(read_mcap(writer.path), 'depth')
    assert picture.pixels.dtype == np.dtype(item).newbyteorder('=')
    np.testing.assert_array_equal(picture.pixels, values)


@pytest.mark.parametrize('raw, schema, error, sentence', [
    (image(0, encoding='yuv422'), RAW, StreamError, "the encoding 'yuv422' is unknown"),
    (image(0, height=HEIGHT + 1), RAW, EpisodeFileError, 'bytes are no 25 rows of 96'),
    (image(0, width=WIDTH + 1), RAW, EpisodeFileError, 'bytes are no 24 rows of 96'),
    (compressed_image(0, data=compressed(0)[:300]), JPEG, EpisodeFileError, 'not a complete JPEG'),
    (compressed_image(0, data=b'GIF89a' * 9), JPEG, EpisodeFileError, 'complete JPEG or PNG'),
    (compressed_image(0, data=b''), JPEG, EpisodeFileError, 'not a complete JPEG or PNG')])
def test_an_image_that_cannot_be_read_is_named(tmp_path, raw, schema, error, sentence):
    of = spec()
    writer = EpisodeWriter(tmp_path, of, CONTRACT, {**SCHEMAS, 'camera': schema}, min_free_bytes=0)
    for topic, message in messages(of, 3):
        writer.write(topic, message, 0)
    writer.write('camera', raw, 0)
    writer.close()
    with pytest.raises(error, match=f'{of.episode_id}.mcap.*camera.*{sentence}'):
        list(pictures(read_mcap(writer.path), 'camera'))


def test_a_stream_that_is_not_there_is_named_with_those_that_are(tmp_path):
    file = read_mcap(record(tmp_path))
    with pytest.raises(StreamError, match="no stream of images 'observation'; it has wrist/"):
        pictures(file, 'observation')


def test_a_bag_has_the_streams_with_their_types_and_bytes(tmp_path):
    path = record(tmp_path / 'demo')
    export_rosbag2(tmp_path / 'demo', tmp_path / 'out')
    folder = tmp_path / 'out' / path.stem
    noted = yaml.safe_load((folder / 'metadata.yaml').read_text())['rosbag2_bagfile_information']
    types = {one['topic_metadata']['name']: (one['topic_metadata']['type'], one['message_count'])
             for one in noted['topics_with_message_count']}
    with open(folder / noted['relative_file_paths'][0], 'rb') as stream:
        found = list(make_reader(stream, decoder_factories=[DecoderFactory()])
                     .iter_decoded_messages())
    for topic, schema in STREAMS.items():
        name = f'/{topic.lstrip("/")}'
        assert types[name] == (schema.name, FRAMES)
        assert [message.data for _, channel, message, _ in found if channel.topic == name] == [
            raw for raw, _ in EXPECTED[topic]]
    sent = [decoded.data for _, channel, _, decoded in found
            if channel.topic == '/head/image/compressed']
    assert sent[3] == compressed(3, 'PNG') and sent[4] == compressed(4)


def test_a_bag_is_cleaned_batch_by_batch(tmp_path, monkeypatch):
    record(tmp_path / 'demo')
    export_rosbag2(tmp_path / 'demo', tmp_path / 'whole')
    monkeypatch.setattr('il_ros.runs.export.rosbag2.BATCH_BYTES', 3000)
    export_rosbag2(tmp_path / 'demo', tmp_path / 'parts')
    whole, parts = (sorted((tmp_path / name).rglob('*.mcap')) for name in ('whole', 'parts'))
    assert [path.read_bytes() for path in whole] == [path.read_bytes() for path in parts]


def test_merging_carries_streams_and_counts_also_under_a_new_name(tmp_path):
    record(tmp_path / 'one', 1)
    record(tmp_path / 'two', 1, dropped=1)
    merge_runs([tmp_path / 'one', tmp_path / 'two'], tmp_path / 'both', rename=True)
    paths = episodes_of(tmp_path / 'both')
    assert [path.stem for path in paths] == ['rollout-r01-000001', 'rollout-r01-000001-2']
    for path, dropped in zip(paths, (0, 1), strict=True):
        assert wire_of(path) == EXPECTED
        assert stream_counts(read_mcap(path)) == counts(dropped)
        assert read_receipt(receipt_path(path)).flags == (DROPS if dropped else 0)
    assert verify_run(tmp_path / 'both') == []


def test_an_inventory_counts_the_messages_of_each_stream_and_what_is_missing(tmp_path):
    record(tmp_path / 'demo', 1)
    record(tmp_path / 'demo', 2, dropped=3)
    found = take_inventory(tmp_path / 'demo').as_dict()
    assert found['streams'] == dict.fromkeys(sorted(STREAMS), 2 * FRAMES)
    first, *others = STREAMS
    assert found['stream_drops'] == {first: 3, **dict.fromkeys(others, 0)}


def test_what_is_whole_of_the_streams_is_rescued_from_a_killed_recorder(tmp_path):
    folder = tmp_path / 'episodes' / 'main'
    writer = begin(folder, spec())
    writer.flush()
    shard = Shard(folder)
    assert [receipt.flags for receipt in shard.recovered] == [INCOMPLETE]
    assert wire_of(episodes_of(tmp_path)[0]) == EXPECTED
    shard.close()


def test_repair_saves_the_streams_of_a_damaged_file(tmp_path):
    path = record(tmp_path / 'demo')
    data = bytearray(path.read_bytes())
    data[data.rindex(EXPECTED['wrist/image_raw'][12][0]) + 900] ^= 4
    path.write_bytes(data)
    assert 'SHA-256' in verify_run(tmp_path / 'demo')[0].sentence
    repair_episodes(tmp_path / 'demo')
    saved = wire_of(path)['wrist/image_raw']
    assert 10 < len(saved) < 13 and saved == EXPECTED['wrist/image_raw'][:len(saved)]
    assert verify_run(tmp_path / 'demo') == []


def test_a_large_file_is_mapped_and_reads_the_same(tmp_path, monkeypatch):
    path = record(tmp_path)
    before = read_episode(path).content_sha256(), wire_of(path)
    monkeypatch.setattr(mcap, 'MAPPED_FROM', 1000)
    assert not isinstance(read_mcap(path).data, bytes)
    assert (read_episode(path).content_sha256(), wire_of(path)) == before
    path.write_bytes(MAGIC + bytes(3000))
    with pytest.raises(EpisodeFileError, match='cut short'):
        read_mcap(path)


def test_counts_that_make_no_sense_are_named(tmp_path):
    file = read_mcap(record(tmp_path))
    for text in ('{', json.dumps({'name': 3})):
        file.metadata['il_ros.streams'] = {'wrist/image_raw': text}
        with pytest.raises(EpisodeFileError, match="metadata 'il_ros.streams' make no sense"):
            stream_counts(file)


@pytest.mark.parametrize('sequences, refused, recorded, dropped, exact', [
    ([5, 6, 7], (), 3, 0, True), ([5, 8, 9], (), 3, 2, True), ([5, 6, 9, 10], (6, 10), 2, 4, True),
    ([5, 6, 1, 2], (2,), 3, 1, False), ([5, 1, 6, 2], (), 4, 0, False), ([], (), 0, 0, True)])
def test_what_was_published_was_recorded_or_dropped(
        sequences, refused, recorded, dropped, exact):
    counter = StreamCounter('t')
    for sequence in sequences:
        counter.take(sequence, sequence not in refused)
    found = counter.result()
    assert found == StreamCount('t', recorded, dropped, exact)
    if exact and sequences:
        assert found.published == sequences[-1] - sequences[0] + 1


def test_streams_are_named_by_topic_and_type():
    assert parse_streams('') == ()
    assert parse_streams(
        'camera/image_raw:sensor_msgs/msg/Image, /a/b:sensor_msgs/JointState:best_effort') == (
            Stream('camera/image_raw', 'sensor_msgs/msg/Image'),
            Stream('/a/b', 'sensor_msgs/msg/JointState', reliable=False))


@pytest.mark.parametrize('text, sentence', [
    ('camera', "'camera' is no stream; expected TOPIC:TYPE"),
    ('camera:Image', 'expected TOPIC:TYPE'), ('a b:sensor_msgs/msg/Image', 'expected TOPIC'),
    ('../x:sensor_msgs/msg/Image', 'expected TOPIC'),
    ('camera:sensor_msgs/msg/Image:fast', 'or TOPIC:TYPE:best_effort'),
    ('/observation:sensor_msgs/msg/Image', 'is recorded already'),
    ('more:il_ros_interfaces/msg/Executed', 'is recorded already'),
    ('a:sensor_msgs/msg/Image,/a:sensor_msgs/msg/Image', 'the stream a is named twice')])
def test_what_is_no_stream_is_refused_with_what_was_expected(text, sentence):
    with pytest.raises(StreamError, match=sentence):
        parse_streams(text)
