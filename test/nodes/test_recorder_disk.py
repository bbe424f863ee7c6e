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

"""The recorder while the disk is slow, stands still, or is full."""

import contextlib
import resource
import shutil
import signal
import subprocess
import threading
import time

from diagnostic_msgs.msg import DiagnosticStatus
from il_ros.dataset.aggregation import aggregate
from il_ros.episodes.mcap import read_mcap
from il_ros.episodes.receipts import DROPS, verify
from il_ros.episodes.wire.schema import RECORDED
from il_ros.errors import DatasetError
from il_ros.ros.recording.recording import Recording
from il_ros_interfaces.msg import EpisodeStatus, Executed, Observation
from il_ros_interfaces.srv import OpenEpisode
import numpy as np
import pytest
from recording_stage import Reports, Stage
from seam import episode
from sensor_msgs.msg import JointState

MIB = 1 << 20
LARGE = JointState(name=['a' * 20_000], position=[0.0])
"""A command that fills a small queue, or a small disk, in 50 steps."""


@pytest.fixture
def durations(monkeypatch) -> list[float]:
    """
    Return the list of how long each callback for a recorded message took, s.

    Where it never waited that is its processor time: others may take the processor away from it
    for longer than any disk.
    """
    found, hear = [], Recording.hear

    def waits() -> int:
        return resource.getrusage(resource.RUSAGE_THREAD).ru_nvcsw

    def timed(self, *args):
        before, begun, used = waits(), time.monotonic(), time.thread_time()
        flags = hear(self, *args)
        found.append(time.monotonic() - begun if waits() > before
                     else time.thread_time() - used)
        return flags
    monkeypatch.setattr(Recording, 'hear', timed)
    return found


def test_where_nothing_is_written_behind_the_callback_waits_for_the_disk(bench, tmp_path, disk):
    stage = Stage(bench, tmp_path, queue_mb=1, write_behind=False)
    steps, most = 100, 0
    stage.open()
    disk.clear()
    threading.Timer(0.5, disk.set).start()
    begun = time.monotonic()
    for step in range(steps):
        stage.say(EpisodeStatus, step)
        stage.say(Observation, step)
        stage.say(Executed, step, command=LARGE)
        assert bench.until(lambda: stage.heard('executed') == step + 1)
        most = max(most, stage.recorder._recording.writer.backlog)
    assert time.monotonic() - begun >= 0.5 and most == 0
    stage.end(steps)
    receipt = stage.receipt()
    assert (receipt.steps, receipt.dropped, receipt.flags) == (steps, 0, 0)


@pytest.mark.parametrize('blocked_s', [0.5, pytest.param(2.0, marks=pytest.mark.drill)])
def test_a_disk_that_stands_still_blocks_no_callback_and_costs_no_message(
        bench, tmp_path, disk, durations, blocked_s):
    stage = Stage(bench, tmp_path)
    stage.open()
    disk.clear()
    step, until = 0, time.monotonic() + blocked_s
    while time.monotonic() < until:
        stage.say_step(step)
        step += 1
        bench.until(lambda: False, timeout_s=0.002)
    assert bench.until(lambda: stage.heard('executed') == step)
    assert stage.recorder._recording.writer.backlog > 0
    _, message, values = Reports(stage).now()
    assert message == 'recording' and int(values['backlog_bytes']) > 0
    disk.set()
    stage.end(step)
    receipt = stage.receipt()
    assert (receipt.steps, receipt.dropped, receipt.flags) == (step, 0, 0)
    print(f'blocked {blocked_s} s, {len(durations)} callbacks: p99 '
          f'{1e3 * np.quantile(durations, 0.99):.2f} ms, max {1e3 * max(durations):.2f} ms')
    # A busy machine holds one or the other up for longer than the disk does.
    assert np.quantile(durations, 0.95) <= 0.005
    assert max(durations) < min(0.1, blocked_s / 4)


def test_what_a_slow_disk_costs_is_counted_by_topic_exactly_and_left_out_of_training(
        bench, tmp_path, disk):
    stage = Stage(bench, tmp_path, queue_mb=1)
    reports, steps, most = Reports(stage), 160, 0
    stage.open()
    for step in range(steps):
        if step == 20:
            disk.clear()
        if step == 120:
            level, message, _ = reports.now()
            assert level == DiagnosticStatus.WARN
            assert 'dropped, the disk is too slow' in message
            disk.set()
            assert bench.until(lambda: not stage.recorder._recording.writer.backlog)
        stage.say(EpisodeStatus, step)
        stage.say(Observation, step)
        stage.say(Executed, step, command=LARGE)
        assert bench.until(lambda: all(stage.heard(topic) == step + 1 for topic in RECORDED))
        most = max(most, stage.recorder._recording.writer.backlog)
    watches = stage.recorder._recording.watch.topics
    dropped = {topic: watch.dropped for topic, watch in watches.items()}
    stage.end(steps)
    receipt = stage.receipt()
    path = stage.folder / f'{episode().episode_id}.mcap'
    file = read_mcap(path)
    recorded = {topic: len(file.messages(kind)[1]) for topic, kind in RECORDED.items()}
    published = {'observation': steps + 1, 'executed': steps, 'episode': steps + 1}
    assert published == {topic: recorded[topic] + dropped[topic] for topic in published}
    assert receipt.dropped == sum(dropped.values()) > 0
    assert receipt.flags & DROPS and verify(path) == receipt
    assert MIB <= most < MIB + 4 * 20_000
    with pytest.raises(DatasetError, match='no episode'):
        aggregate(tmp_path / 'data.hdf5', [(path, ['all'])])


@pytest.fixture
def small_files():
    """Yield the function that lets no file grow beyond 40 kB, as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)

    @contextlib.contextmanager
    def limited():
        resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, hard))
        yield
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    yield limited
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    signal.signal(signal.SIGXFSZ, handler)


@pytest.fixture
def tiny_disk(tmp_path):
    """Return a disk of 2 MiB."""
    folder = tmp_path / 'disk'
    folder.mkdir()
    mount = ['mount', '-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', str(folder)]
    if not shutil.which('mount') or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip('a tmpfs cannot be mounted here: make test, as root')
    yield folder
    subprocess.run(['umount', '-l', str(folder)], check=True)


def fill(stage: Stage, number: int, steps: int):
    """Record until the recorder gives up, and demand that it says so in time."""
    reports = Reports(stage)
    assert stage.open(episode(number)).error_code == 0
    for step in range(steps):
        stage.say(EpisodeStatus, step, episode(number).episode_id)
        stage.say(Observation, step, episode(number).episode_id)
        stage.say(Executed, step, episode(number).episode_id, command=LARGE)
        if stage.bench.until(lambda: stage.receipts, timeout_s=1e-3):
            break
    receipt = stage.receipt()
    failed = time.monotonic()
    assert receipt.error_code == OpenEpisode.Response.DISK_FULL
    assert 'cannot be recorded' in receipt.error_msg
    assert stage.bench.until(lambda: reports.heard and reports.last()[0] == DiagnosticStatus.ERROR)
    assert time.monotonic() - failed < 1.0
    assert reports.last()[1] == receipt.error_msg


def record_three(stage: Stage, number: int):
    """Record a short episode."""
    assert stage.open(episode(number)).error_code == 0
    stage.play(3, episode_id=episode(number).episode_id)
    assert stage.receipt().error_code == 0


def test_a_file_that_cannot_grow_is_reported_and_the_same_recorder_goes_on(stage, small_files):
    record_three(stage, 1)
    with small_files():
        fill(stage, 2, 400)
    assert stage.files() == [f'{episode(1).episode_id}.{ending}' for ending in ('json', 'mcap')]
    record_three(stage, 3)
    for number in (1, 3):
        assert verify(stage.folder / f'{episode(number).episode_id}.mcap').flags == 0


def test_a_disk_that_fills_up_is_reported_and_the_same_recorder_goes_on(bench, tiny_disk):
    stage = Stage(bench, tiny_disk, min_free_mb=1)
    record_three(stage, 1)
    fill(stage, 2, 400)
    (tiny_disk / 'other').write_bytes(bytes(1_200_000))
    response = stage.open(episode(4))
    assert response.error_code == OpenEpisode.Response.DISK_FULL
    assert 'MiB left; 1 are wanted' in response.error_msg
    (tiny_disk / 'other').unlink()
    record_three(stage, 3)
    for number in (1, 3):
        assert verify(stage.folder / f'{episode(number).episode_id}.mcap').flags == 0


@pytest.fixture
def stage(bench, tmp_path) -> Stage:
    """Return a recorder and the topics around it."""
    return Stage(bench, tmp_path)
