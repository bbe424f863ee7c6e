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
"""The control loop at 50 Hz in real time, alone and beside a fit (drill D4)."""

import contextlib

from il_ros.dataset.aggregation import aggregate
from il_ros.episodes.reader import read_episode
from il_ros.learning.training_worker.protocol import Job, JobFailed, JobProgress
from il_ros.learning.training_worker.worker_client import WorkerClient
from il_ros.ros import qos
from il_ros_interfaces.msg import EpisodeStatus, RecordedEpisode
import numpy as np
import pytest
from seam import Bench, episode, Graph, Process
from sensor_msgs.msg import JointState

pytestmark = [pytest.mark.drill, pytest.mark.timeout(200)]

RATE_HZ, SECONDS = 50.0, 30
MARK_S = 1.25 / RATE_HZ
CONFIG = """
inputs: ['goal_position - tool_position', joint_position]
hidden: [256, 256]
steps: 1000000
"""


class Loop(Graph):
    """The hot nodes at 50 Hz, a process each, and when their commands came."""

    def __init__(self, bench: Bench, runs):
        self.bench, self.runs = bench, runs
        self.statuses = bench.listen(EpisodeStatus, 'episode', qos.RECORD_STATUS)
        self.recorded = bench.listen(RecordedEpisode, 'recorded', qos.RECEIPTS)
        self.commands = bench.listen_timed(JointState, 'joint_command', qos.COMMAND)

    def drive(self, number: int) -> tuple[RecordedEpisode, float, float]:
        """Run an episode; return its receipt, and the 99th percentile of both periods, s."""
        self.commands.clear()
        spec = episode(number, horizon=int(SECONDS * RATE_HZ))
        for ask in (self.open, self.arm, self.reset):  # processes that have just started
            assert self.bench.until(lambda: not ask(spec).error_code, 10.0), ask  # noqa: B023
        assert self.bench.until(lambda: len(self.recorded) == number, 2.0 * SECONDS)
        receipt = self.recorded[-1]
        assert not receipt.flags and receipt.steps == SECONDS * RATE_HZ, receipt.error_msg
        came_s = np.diff([at for at, _ in self.commands])
        steps_s = np.diff(read_episode(self.path(receipt)).stamps_ns) / 1e9
        return receipt, *(float(np.percentile(apart_s, 99)) for apart_s in (came_s, steps_s))


@contextlib.contextmanager
def fitting(job: Job, bench: Bench):
    """Let the trainer's worker fit as long as the block lasts; it takes steps to the end."""
    worker, heard = WorkerClient(), []

    def steps() -> bool:
        heard.extend(worker.poll())
        assert not any(isinstance(event, JobFailed) for event in heard), heard
        return any(isinstance(event, JobProgress) for event in heard)
    worker.start()
    try:
        worker.submit(job)
        assert bench.until(steps, 60.0)
        yield
        worker.poll()
        heard.clear()
        assert bench.until(steps, 10.0)
    finally:
        worker.close(0.0)


def test_a_fit_leaves_the_control_loop_its_beat(tmp_path):
    config = tmp_path / 'config.yaml'
    config.write_text(CONFIG)
    with contextlib.ExitStack() as running:
        bench = running.enter_context(Bench('events'))
        for name, *parameters in (
                ('simulator', 'task:=reach', 'mode:=realtime', f'rate_hz:={RATE_HZ}'),
                ('observer', 'contract:=reach', 'pairing:=as_of', f'rate_hz:={RATE_HZ}'),
                ('expert', 'task:=reach', 'mode:=realtime'), ('supervisor', 'mode:=realtime'),
                ('recorder', f'runs:={tmp_path}')):
            running.enter_context(Process(name, *parameters))
        loop = Loop(bench, tmp_path)
        assert bench.until(lambda: loop.statuses and bench.probe.count_publishers(
            'expert/action') and bench.probe.count_publishers('observation'), 30.0)
        receipt, *alone_s = loop.drive(1)
        aggregate(tmp_path / 'dataset.hdf5', [(loop.path(receipt), ('all',))])
        with fitting(Job(str(tmp_path / 'dataset.hdf5'), 'all', str(config),
                         str(tmp_path / 'policy')), bench):
            _, *beside_s = loop.drive(2)
    print(f'p99 of the periods of commands and steps: alone {np.round(alone_s, 4)} s, '
          f'beside a fit {np.round(beside_s, 4)} s')
    if max(alone_s) > MARK_S:
        pytest.skip('the loop misses the mark without a fit, too: make drills on an idle machine')
    assert max(beside_s) <= MARK_S
