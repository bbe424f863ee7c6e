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

"""Topics of others beside an episode: all of it in its file, or counted as lost."""

import select

from il_ros.cli.parser import main
from il_ros.episodes.mcap import read_mcap
from il_ros.episodes.pictures import pictures
from il_ros.episodes.reader import read_episode
from il_ros.episodes.receipts import DROPS
from il_ros.episodes.streams import stream_channels, stream_counts, StreamCount
from il_ros.episodes.wire import keys
from il_ros.errors import ImitationError
from il_ros.nodes.recorder import RecorderNode
from il_ros.ros import qos
from il_ros.ros.conversion.messages import spec_to_message, to_stamp
from il_ros.runs.inventory import episodes_of
from il_ros.runs.verification import verify_episode
from il_ros_interfaces.srv import OpenEpisode
import numpy as np
import pytest
from seam import Bench
from sensor_msgs.msg import Image, JointState
from stream_publisher import Episode, scenes
from stream_recording import assert_all_is_there, CAMERA, COMPRESSED, IMAGE, JOINTS, publish
from stream_recording import record, Recording, SPEC, STATE, TimedRecorder


def test_a_camera_and_a_state_are_recorded_whole_beside_the_episode(tmp_path):
    # Slow enough for a machine that does much else: ten messages wait at the publisher.
    streams = [(topic, kind, rate_hz / 3) for topic, kind, rate_hz in (CAMERA, COMPRESSED, STATE)]
    _, receipt, file, published = record(tmp_path, streams, 1.5, episode_hz=20.0)
    assert_all_is_there(streams, receipt, file, published)
    assert receipt.steps == 30 and published[CAMERA[0]] == 15 and published[STATE[0]] == 50
    assert verify_episode(file.path) == [] and read_episode(file.path).complete
    shown = scenes()
    for topic, tolerance in ((CAMERA[0], 0), (COMPRESSED[0], 8)):
        found = list(pictures(file, topic))
        for number in (0, 13):
            error = found[number].pixels.astype(int) - shown[number % len(shown)]
            assert np.abs(error).mean() <= tolerance
        stamps = np.array([picture.stamp_ns for picture in found])
        received = np.array([picture.received_ns for picture in found])
        assert (np.diff(stamps) > 0).all() and (np.diff(received) >= 0).all()
        assert (received > stamps).all() and (received - stamps < 10**9).all()


def test_what_a_recorder_that_was_held_up_lost_is_counted_and_flags_the_episode(
        tmp_path, monkeypatch):
    monkeypatch.setattr(qos, 'RECORD_IMAGES', qos.NEWEST)
    with Bench('events') as bench:
        recording = Recording(bench, tmp_path, [COMPRESSED])
        recording.open()

        def hold_up(camera):
            assert bench.until(lambda: recording.recorder.heard[COMPRESSED[0]], 20.0)
            select.select([camera.stdout], [], [], 20.0)  # while nobody spins the recorder
        published = publish(recording, [COMPRESSED], 1.0, during=hold_up)
        receipt, file = recording.receipt()
    count, = stream_counts(file).values()
    assert receipt.flags == DROPS and receipt.dropped == 0
    assert count.exact and count.dropped > 5
    assert count.recorded == len(stream_channels(file)[COMPRESSED[0]].spots)
    assert count.published == count.recorded + count.dropped == published[COMPRESSED[0]]


def say(bench, publisher, number: int, **fields):
    """Publish a small image or a state."""
    message = publisher.msg_type(**fields)
    message.header.stamp = to_stamp(number * 10**6)
    publisher.publish(message)


def finish(recording: Recording, steps: int = 2):
    """Publish an episode to its end, from this process."""
    said = Episode(recording.bench.probe, SPEC.episode_id, 50.0)
    for publisher in said.publishers:
        assert recording.bench.until(publisher.get_subscription_count)
    for step in range(steps + 1):
        said.publish(last=step == steps)


def test_on_either_executor_only_what_comes_while_an_episode_is_open_is_recorded(bench, tmp_path):
    recording = Recording(bench, tmp_path, [STATE, CAMERA])
    state, camera = bench.talk(JointState, STATE[0]), bench.talk(Image, CAMERA[0])
    heard = recording.recorder.heard
    say(bench, state, 0)
    assert bench.until(lambda: heard[STATE[0]] == 1)
    recording.open()
    for _ in range(3):
        say(bench, state, 0, name=['a'], position=[1.0])
    say(bench, camera, 1, height=1, width=2, step=2, encoding='mono8', data=b'\x01\x02')
    assert bench.until(lambda: heard[STATE[0]] == 4 and heard[CAMERA[0]])
    finish(recording)
    receipt, file = recording.receipt()
    say(bench, state, 1)
    assert bench.until(lambda: heard[STATE[0]] == 5)
    assert receipt.flags == 0
    # Three times the same stamp: what others say is no repeat.
    assert stream_counts(file) == {
        STATE[0]: StreamCount(JOINTS, 3), CAMERA[0]: StreamCount(IMAGE, 1)}
    assert next(pictures(file, CAMERA[0])).pixels[..., 0].tolist() == [[1, 2]]


def test_a_stream_that_offers_best_effort_alone_is_named_and_can_be_asked_for(bench, tmp_path):
    recording = Recording(bench, tmp_path, [STATE], stale_s=0.1)
    publisher = bench.probe.create_publisher(JointState, STATE[0], qos.FOREIGN_SENSOR)
    asked = f'{STATE[0]}:{JOINTS}:best_effort'
    recording.open()
    assert bench.until(lambda: f'ask for it with {asked}' in recording.recorder.report()[1])
    other = bench.beside()
    again = other.add(TimedRecorder, runs=str(tmp_path), shard='other', streams=asked)
    assert other.until(publisher.get_subscription_count)

    def arrived():
        say(bench, publisher, 0)
        return again.heard[STATE[0]]
    assert bench.until(arrived)


def test_figures_of_a_stream_are_told_while_the_episode_runs(bench, tmp_path):
    recording = Recording(bench, tmp_path, [STATE], stale_s=0.1)
    state = bench.talk(JointState, STATE[0])
    recording.open()
    for number in range(3):
        say(bench, state, number)
    assert bench.until(lambda: recording.recorder.heard[STATE[0]] == 3)
    _, sentence, values = recording.recorder.report()
    assert (values[f'{STATE[0]}.recorded'], values[f'{STATE[0]}.dropped']) == ('3', '0')
    assert float(values[f'{STATE[0]}.rate_hz']) > 0
    assert bench.until(lambda: f'{STATE[0]}: silent' in recording.recorder.report()[1])


SILENT = {
    'nobody': (None, None, 'it has no publisher in the ROS domain'),
    'type': (Image, qos.STREAM, f'has the type {IMAGE}: ask for it with {STATE[0]}:{IMAGE}'),
    'best effort': (JointState, qos.FOREIGN_SENSOR,
                    f'offers best effort alone: ask for it with {STATE[0]}:{JOINTS}:best_effort'),
    'both': (Image, qos.FOREIGN_SENSOR, f'ask for it with {STATE[0]}:{IMAGE}:best_effort'),
    'quiet': (JointState, qos.STREAM, 'its publisher sent nothing in the')}


def publisher_of(bench, kind, profile):
    """Create the publisher of a stream that brings nothing, and wait until it is known."""
    if kind is not None:
        bench.beside().probe.create_publisher(kind, STATE[0], profile)
        assert bench.until(lambda: bench.probe.count_publishers(STATE[0]))


@pytest.mark.parametrize('case', SILENT)
def test_a_stream_that_brought_nothing_is_named_once_with_the_reason(bench, tmp_path, capfd, case):
    kind, profile, sentence = SILENT[case]
    recording = Recording(bench, tmp_path, [STATE])
    publisher_of(bench, kind, profile)
    recording.open()
    finish(recording)
    receipt, file = recording.receipt()
    assert (receipt.error_code, receipt.flags) == (0, 0)
    assert stream_counts(file) == {STATE[0]: StreamCount(JOINTS)}
    said, = [line for line in capfd.readouterr().err.splitlines()
             if 'no message on the stream' in line]
    assert f'no message on the stream {STATE[0]}, ' in said and sentence in said


@pytest.mark.parametrize('case', SILENT)
def test_a_required_stream_that_cannot_come_is_refused_before_the_episode_or_with_it(
        bench, tmp_path, case):
    kind, profile, sentence = SILENT[case]
    recording = Recording(bench, tmp_path, [STATE], require_streams=True)
    publisher_of(bench, kind, profile)
    response = bench.call(OpenEpisode, 'open_episode', OpenEpisode.Request(
        spec=spec_to_message(SPEC)))
    if case != 'quiet':
        assert response.error_code == OpenEpisode.Response.BUSY
        assert sentence in response.error_msg
    else:
        finish(recording)
        assert bench.until(lambda: recording.receipts, 10.0)
        receipt = recording.receipts.pop()
        assert receipt.error_code and sentence in receipt.error_msg
    assert not [path for path in tmp_path.rglob('*') if path.suffix in ('.mcap', '.json', '.tmp')]


@pytest.mark.parametrize('text, sentence', [
    ('camera:Image', "'camera:Image' is no stream; expected TOPIC:TYPE"),
    ('camera:no_msgs/msg/Image', 'no_msgs'), ('camera:sensor_msgs/msg/Nothing', 'Nothing')])
def test_a_stream_that_cannot_be_read_is_refused_in_one_sentence(bench, tmp_path, text, sentence):
    with pytest.raises(ImitationError, match=sentence):
        bench.add(RecorderNode, runs=str(tmp_path), streams=text)


@pytest.mark.system
def test_the_command_records_a_stream_beside_each_demonstration(tmp_path):
    assert main(['record', '--task', 'reach', '--run', 'seen', '--episodes', '2', '--horizon',
                 '12', '--runs', str(tmp_path), '--stream', f'joint_states:{JOINTS}']) == 0
    for path in episodes_of(tmp_path / 'seen'):
        file, episode_ = read_mcap(path), read_episode(path)
        stamps = {keys.stamp_ns(file.data[begin:end])
                  for begin, end in stream_channels(file)['joint_states'].spots}
        # The arm says where it is at each state of the episode, the last one included.
        assert set(episode_.stamps_ns.tolist()) <= stamps
        assert stream_counts(file)['joint_states'].dropped == 0


@pytest.mark.system
def test_the_command_names_a_stream_that_brings_nothing_and_refuses_it_where_it_is_required(
        tmp_path, capfd):
    words = ['record', '--task', 'reach', '--run', 'deaf', '--episodes', '3', '--horizon', '12',
             '--runs', str(tmp_path), '--stream', 'chat:std_msgs/msg/String']
    assert main([*words, '--require-streams']) == 1
    assert 'the stream chat cannot be received, it has no publisher' in capfd.readouterr().err
    assert not list(tmp_path.rglob('*.mcap'))
    assert main(words) == 0
    said = capfd.readouterr().err
    assert said.count('no message on the stream chat, it has no publisher') == 1
    for topic in ('joint_states', 'goal_pose'):
        assert main([*words[:-1], f'{topic}:std_msgs/msg/String', '--seed', '1000']) == 1
        said = capfd.readouterr().err
        assert f'--stream {topic}:std_msgs/msg/String' in said and 'another type' in said
        assert 'Traceback' not in said
    assert main([*words[:-2], '--require-streams']) == 1
    assert 'no stream to require' in capfd.readouterr().err
