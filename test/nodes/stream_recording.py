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

"""A recorder with streams and a stopwatch, and processes that publish what it records."""

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

from il_ros.episodes.mcap import read_mcap
from il_ros.episodes.streams import stream_channels, stream_counts, StreamCount
from il_ros.nodes.recorder import RecorderNode
from il_ros.ros import qos
from il_ros.ros.conversion.messages import contract_to_message, receipt_from_message
from il_ros.ros.conversion.messages import spec_to_message
from il_ros_interfaces.msg import Contract, EpisodeStatus, Executed, Observation, RecordedEpisode
from il_ros_interfaces.srv import OpenEpisode
import numpy as np
from seam import Bench, episode, RUN
from stream_publisher import CONTRACT, SETTLE_S

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
        for kind, topic in ((Observation, 'observation'), (Executed, 'executed'),
                            (EpisodeStatus, 'episode')):
            bench.talk(kind, topic, qos.STATUS)  # no episode is opened while nobody is heard
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
