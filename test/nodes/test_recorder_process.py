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

"""The recorder as a process of its own, asked to end or killed in the midst of an episode."""

import contextlib
import random
import signal
import subprocess
import sys
import time

from il_ros.episodes.receipts import INCOMPLETE, verify
from il_ros.runs.shard import episode_paths
from il_ros_interfaces.msg import EpisodeStatus
from il_ros_interfaces.srv import OpenEpisode
import pytest
from recording_stage import PERIOD_NS, Wire
from seam import Bench, episode

pytestmark = pytest.mark.system

CODE = 'import sys; from il_ros.graph import executables; sys.exit(executables.recorder())'
KILLS = 10
START_S, LEAVE_S, MAX_LOST_STEPS, MAX_LOST_S = 20.0, 4.0, 32, 1.0
RATE_HZ = 1e9 / PERIOD_NS


@contextlib.contextmanager
def recorder(runs):
    """Yield the process of a recorder; it is killed in the end if it still runs."""
    process = subprocess.Popen(
        [sys.executable, '-c', CODE, '--ros-args', '-p', f'runs:={runs}'],
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def wire_to(bench: Bench, runs) -> Wire:
    """Return the topics around the recorder, once its process is there."""
    assert bench.until(lambda: bench.probe.count_subscribers('observation'), START_S)
    return Wire(bench, runs)


def opened(wire: Wire, number: int):
    """Open an episode as soon as the recorder is ready to."""
    until = time.monotonic() + START_S
    while (response := wire.open(episode(number))).error_code == OpenEpisode.Response.BUSY:
        assert time.monotonic() < until, response.error_msg
    assert response.error_code == 0, response.error_msg


def played(wire: Wire, number: int, for_s: float) -> list[float]:
    """Play an episode in real time for a while; return when each step was said."""
    said, begun = [], time.monotonic()
    while time.monotonic() < begun + for_s:
        wire.say_step(len(said), episode(number).episode_id)
        said.append(time.monotonic())
        wire.bench.until(lambda: False, timeout_s=1.0 / RATE_HZ)
    return said


@pytest.mark.parametrize('number', [
    signal.SIGTERM, pytest.param(signal.SIGINT, marks=pytest.mark.drill)])
def test_a_recorder_that_is_asked_to_end_writes_the_last_message_first(tmp_path, number):
    with Bench('events') as bench, recorder(tmp_path) as process:
        wire = wire_to(bench, tmp_path)
        opened(wire, 1)
        said = played(wire, 1, 0.5)
        assert bench.until(lambda: wire.publishers[EpisodeStatus].wait_for_all_acked())
        begun = time.monotonic()
        process.send_signal(number)
        _, err = process.communicate(timeout=START_S)
        assert process.returncode == 0 and 'Traceback' not in err, err
        assert time.monotonic() - begun < LEAVE_S
        receipt = verify(wire.folder / f'{episode(1).episode_id}.mcap')
        assert receipt.flags & INCOMPLETE and 'stopped' in receipt.error_msg
        assert receipt.steps >= len(said) - 2


@pytest.mark.timeout(900)
@pytest.mark.drill
def test_a_recorder_that_is_killed_is_started_again_and_goes_on_without_a_hand(tmp_path):
    chance, acknowledged, lost, starts, number = random.Random(11), [], [], [], 0
    for _ in range(KILLS):
        begun = time.monotonic()
        with Bench('events') as bench, recorder(tmp_path) as process:
            wire = wire_to(bench, tmp_path)
            number += 1
            opened(wire, number)
            starts.append(time.monotonic() - begun)
            assert len(list(wire.folder.glob('*.tmp'))) == 1
            wire.play(3, episode_id=episode(number).episode_id)
            acknowledged.append(wire.receipt().spec.episode_id)
            number += 1
            opened(wire, number)
            said = played(wire, number, chance.uniform(0.0, 2.0))
            killed = time.monotonic()
            process.kill()
            process.wait()
        lost.append(len(said) - steps_after(tmp_path, wire, number))
        assert lost[-1] <= min(MAX_LOST_STEPS, sum(killed - s <= MAX_LOST_S for s in said))
    print(f'{KILLS} kills, {len(acknowledged)} acknowledged, at most {max(lost)} steps lost, '
          f'slowest start {max(starts):.2f} s')
    for episode_id in acknowledged:
        receipt = verify(wire.folder / f'{episode_id}.mcap')
        assert (receipt.flags, receipt.steps) == (0, 3)
    assert all(verify(path) for path in episode_paths(wire.folder))


def steps_after(runs, wire: Wire, number: int) -> int:
    """Start a recorder, and return how many steps of the open episode it has recovered."""
    with Bench('events') as bench, recorder(runs):
        later = wire_to(bench, runs)
        opened(later, 90_000 + number)
        path = wire.folder / f'{episode(number).episode_id}.mcap'
        if not path.exists():
            return 0
        receipt = verify(path)
        assert receipt.flags & INCOMPLETE
        return receipt.steps
