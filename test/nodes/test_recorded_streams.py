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

import collections
import contextlib
import functools
import json
from pathlib import Path
import resource
import select
import subprocess
import sys
import time

from il_ros.bridge import wire
from il_ros.bridge.messages import contract_to_message, receipt_from_message, spec_to_message
from il_ros.bridge.messages import to_stamp
from il_ros.cli import main
from il_ros.data.inventory import episodes_of
from il_ros.data.mcap_file import read_mcap
from il_ros.data.pictures import pictures
from il_ros.data.reader import read_episode
from il_ros.data.receipts import DROPS
from il_ros.data.streams import stream_channels, stream_counts, StreamCount
from il_ros.data.verification import verify_episode
from il_ros.errors import ImitationError
from il_ros.nodes import qos
from il_ros.nodes.recorder import RecorderNode
from il_ros_interfaces.msg import Contract, RecordedEpisode
from il_ros_interfaces.srv import OpenEpisode
import numpy as np
import pytest
from seam import Bench, episode, RUN
from sensor_msgs.msg import Image, JointState
from stream_publisher import CONTRACT, Episode, scenes, SETTLE_S

IMAGE, JPEG = 'sensor_msgs/msg/Image', 'sensor_msgs/msg/CompressedImage'
JOINTS = 'sensor_msgs/msg/JointState'
TYPES = {'raw': IMAGE, 'jpeg': JPEG, 'joints': JOINTS}
CAMERA, COMPRESSED = ('camera/image_raw', 'raw', 30.0), ('camera/compressed', 'jpeg', 30.0)
STATE, FAST = ('second/joint_states', 'joints', 100.0), ('force', 'joints', 1000.0)
SPEC = episode(1, horizon=1_000_000)


class TimedRecorder(RecorderNode):
    """
    A recorder that notes what it hears of streams, and how long each callback takes.

    :ivar times: by what is called, pairs of seconds and whether another thread or process took
        the core away meanwhile
    """

    def __init__(self, **kwargs):
        self.times: dict[str, list[tuple[float, bool]]] = collections.defaultdict(list)
        self.heard: collections.Counter = collections.Counter()
        super().__init__(**kwargs)

    def create_subscription(self, kind, topic, callback, *args, **kwargs):
        """Subscribe with a stopwatch."""
        return super().create_subscription(
            kind, topic, self._timed(topic, callback), *args, **kwargs)

    def create_timer(self, period_s, callback, **kwargs):
        """Create a timer with a stopwatch."""
        return super().create_timer(period_s, self._timed(callback.__name__, callback), **kwargs)

    def _timed(self, name: str, callback):
        @functools.wraps(callback)
        def timed(*received):
            before = resource.getrusage(resource.RUSAGE_THREAD).ru_nivcsw
            began = time.perf_counter()
            callback(*received)
            took_s = time.perf_counter() - began
            preempted = resource.getrusage(resource.RUSAGE_THREAD).ru_nivcsw != before
            self.times[name].append((took_s, preempted))
        return timed

    def _on_stream(self, topic, raw, received_ns):
        self.heard[topic] += 1
        return super()._on_stream(topic, raw, received_ns)

    def p99_ms(self, *names, with_preempted: bool = False) -> float:
        """Return within how many ms 99 of 100 callbacks of these names were done; () is all."""
        times = [took_s for name in names or self.times for took_s, preempted in self.times[name]
                 if with_preempted or not preempted]
        return float(np.quantile(times, 0.99)) * 1e3


class Recording:
    """A recorder with streams, and an episode that is open."""

    def __init__(self, bench: Bench, runs, streams, **parameters):
        self.bench, self.runs = bench, runs
        self.text = ','.join(f'{topic}:{TYPES.get(kind, kind)}' for topic, kind, _ in streams)
        self.recorder = bench.add(TimedRecorder, runs=str(runs), streams=self.text, **parameters)
        self.receipts = bench.listen(RecordedEpisode, 'recorded', qos.RECEIPTS)
        bench.talk(Contract, 'contract', qos.LATCHED).publish(contract_to_message(CONTRACT))
        assert bench.until(lambda: self.recorder._contract is not None)

    def open(self):  # noqa: A003
        """Open an episode."""
        response = self.bench.call(OpenEpisode, 'open_episode', OpenEpisode.Request(
            spec=spec_to_message(SPEC)))
        assert response.error_code == 0, response.error_msg

    def receipt(self, timeout_s: float = 30.0):
        """Return the receipt, and the file."""
        assert self.bench.until(lambda: self.receipts, timeout_s)
        receipt = receipt_from_message(self.receipts.pop(0))
        return receipt, read_mcap(self.runs / RUN / receipt.path)


def publish(recording: Recording, streams, seconds: float, episode_hz: float = 100.0,
            during=lambda camera: None) -> dict:
    """Let a camera and an arm, a process each, publish; return how much they say it was."""
    bench = recording.bench
    images = [one for one in streams if one[1] != 'joints']
    with contextlib.ExitStack() as stack:
        processes = [stack.enter_context(publishing(words)) for words in (
            {'name': 'camera', 'streams': images, 'episodes': [], 'seconds': seconds},
            {'name': 'arm', 'streams': [one for one in streams if one not in images],
             'episodes': [(SPEC.episode_id, episode_hz)], 'seconds': seconds}) if
            words['streams'] or words['episodes']]
        for process in processes:
            assert bench.until(lambda: has_line(process), 30.0)
            assert process.stdout.readline() == 'ready\n'
        for process in processes:
            tell(process, 'begin')
        during(processes[0])
        published = {}
        for process in processes:
            assert bench.until(lambda: has_line(process), seconds + 30.0)
            published |= json.loads(process.stdout.readline())
        bench.until(lambda: False, SETTLE_S)
        tell(processes[-1], 'end')
        assert bench.until(lambda: recording.receipts, 30.0)
    return published


@contextlib.contextmanager
def publishing(words: dict):
    """Yield a process that publishes what the words say; it ends with the context."""
    process = subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name('stream_publisher.py')), json.dumps(words)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.stdin.close()
        process.wait(10.0)
        process.stdout.close()


def has_line(process: subprocess.Popen) -> bool:
    """Tell whether a process has said something."""
    return bool(select.select([process.stdout], [], [], 0.0)[0])


def tell(process: subprocess.Popen, line: str):
    """Say a line to a process."""
    process.stdin.write(f'{line}\n')
    process.stdin.flush()


def record(tmp_path, streams, seconds: float, episode_hz: float = 100.0):
    """Record what a process publishes; return recording, file and what was published."""
    with Bench('events') as bench:
        recording = Recording(bench, tmp_path, streams)
        recording.open()
        published = publish(recording, streams, seconds, episode_hz)
        receipt, file = recording.receipt()
        return recording, receipt, file, published


def assert_all_is_there(streams, receipt, file, published):
    """Compare what was published with what is in the file, topic by topic."""
    assert stream_counts(file) == {
        topic: StreamCount(TYPES[kind], published[topic], 0, True) for topic, kind, _ in streams}
    assert {topic: len(channel.spots) for topic, channel in stream_channels(file).items()} == {
        topic: published[topic] for topic, _, _ in streams}
    assert (receipt.flags, receipt.dropped) == (0, 0)


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
    assert bench.until(lambda: f'ask for it with {asked}' in recording.recorder._report()[1])
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
    _, sentence, values = recording.recorder._report()
    assert (values[f'{STATE[0]}.recorded'], values[f'{STATE[0]}.dropped']) == ('3', '0')
    assert float(values[f'{STATE[0]}.rate_hz']) > 0
    assert bench.until(lambda: f'{STATE[0]}: silent' in recording.recorder._report()[1])


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
        stamps = {wire.stamp_ns(file.data[begin:end])
                  for begin, end in stream_channels(file)['joint_states'].spots}
        # The arm says where it is at each state of the episode, the last one included.
        assert set(episode_.stamps_ns.tolist()) <= stamps
        assert stream_counts(file)['joint_states'].dropped == 0


def waited_s() -> float:
    """Return how long the threads of this process have been ready and had no core, s."""
    return sum(int(path.read_text().split()[1])
               for path in Path('/proc/self/task').glob('*/schedstat')) / 1e9


def told(name: str, seconds: float, recorder: TimedRecorder, file, published: dict,
         without_core_s: float):
    """Print the figures of a drill."""
    every = [one for times in recorder.times.values() for one in times]
    by_name = {name: f'{recorder.p99_ms(name):.2f}' for name in recorder.times}
    print(f'{name}: {seconds:.0f} s, published {published}, {len(file.data) / 1e6:.0f} MB, '
          f'{len(every)} callbacks, p99 {recorder.p99_ms():.2f} ms '
          f'({recorder.p99_ms(with_preempted=True):.2f} ms with the '
          f'{sum(preempted for _, preempted in every)} that were preempted), '
          f'of each {by_name}, longest {max(every)[0] * 1e3:.1f} ms; '
          f'ready without a core for {without_core_s:.1f} s')


@pytest.mark.drill
@pytest.mark.timeout(600)
@pytest.mark.parametrize('name, streams, seconds, swift', [
    # What brings an image copies it; what brings a state waits for nothing.
    ('JPEG', [COMPRESSED, STATE], 300.0, ('observation', 'executed', 'episode')),
    ('raw', [CAMERA, STATE], 30.0, ('observation', 'executed', 'episode')),
    ('1 kHz', [FAST], 60.0, ())])
def test_nothing_is_lost_for_long_and_no_callback_holds_the_recorder_up(
        tmp_path, name, streams, seconds, swift):
    before_s = waited_s()
    recording, receipt, file, published = record(tmp_path, streams, seconds)
    told(name, seconds, recording.recorder, file, published, waited_s() - before_s)
    assert_all_is_there(streams, receipt, file, published)
    assert published['arm_took_s'] < 1.05 * seconds and receipt.steps == 100 * seconds
    assert recording.recorder.p99_ms(*swift) <= 1.0
