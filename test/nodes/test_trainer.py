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

"""The trainer as a node: a goal is one job of the worker, and the node never waits for it."""

from action_msgs.msg import GoalStatus
from il_ros.learning.training_worker.protocol import JobDone, JobFailed, JobProgress
from il_ros.nodes.trainer import TrainerNode
from il_ros_interfaces.action import TrainPolicy
import pytest
from rclpy.action import ActionClient

Result = TrainPolicy.Result


class Worker:
    """A worker that does what the test says."""

    made = None
    busy = False

    def __init__(self, nice, log, silence_s, stuck_s):
        Worker.made = self
        self.limits_s = (silence_s, stuck_s)
        self.nice, self.jobs, self.events, self.log = nice, [], [], []

    def start(self):
        """Start."""
        self.log.append('start')

    def submit(self, job):
        """Take a job."""
        self.jobs.append(job)
        return len(self.jobs)

    def cancel(self):
        """Confirm a cancellation."""
        self.log.append('cancel')
        self.events.append(JobFailed(1, Result.CANCELED, 'the fit was cancelled'))

    def poll(self, timeout_s=0.0):
        """Return what happened."""
        events, self.events = self.events, []
        return events

    def close(self, deadline_s=3.0):
        """End."""
        self.log.append('close')


class Hall:
    """A trainer with a fake worker, and its client."""

    def __init__(self, bench):
        self.bench = bench
        bench.add(TrainerNode, runs='runs', nice=7, silence_s=4.0)
        self.worker = Worker.made
        self.client = ActionClient(bench.probe, TrainPolicy, 'train_policy')
        assert bench.until(self.client.server_is_ready)

    def send(self, feedback=None):
        """Send a goal and return its handle."""
        return self.bench.send(self.client, TrainPolicy.Goal(
            run='demo', filter_key='round_2', config='push.yaml', seed=5, output='out'), feedback)


@pytest.fixture
def hall(slow_bench, monkeypatch) -> Hall:
    """Return a trainer with a fake worker."""
    monkeypatch.setattr('il_ros.nodes.trainer.WorkerClient', Worker)
    return Hall(slow_bench)


def test_the_worker_is_started_before_the_first_goal(hall):
    assert (hall.worker.log, hall.worker.nice) == (['start'], 7)
    assert hall.worker.limits_s == (4.0, 600.0)


def test_a_goal_becomes_a_job_on_the_runs_own_data_and_its_answer_the_result(hall):
    said = []
    handle = hall.send(said.append)
    assert hall.bench.until(lambda: hall.worker.jobs)
    job = hall.worker.jobs[0]
    assert (job.dataset, job.filter_key, job.config, job.seed, job.output, job.held_out_key) == (
        'runs/demo/dataset.hdf5', 'round_2', 'push.yaml', 5, 'out', 'held_out')
    done = {'number': 1, 'path': 'out', 'sha256': 'ab', 'policy_id': 9, 'labels': 40,
            'train_loss': 0.5, 'held_out_loss': 0.25, 'seconds': 2.0}
    extra = {name: 0 for name in JobDone.__dataclass_fields__ if name not in done}
    hall.worker.events.append(JobDone(**done, **extra))
    status, result = hall.bench.outcome(handle)
    assert (status, result.error_code) == (GoalStatus.STATUS_SUCCEEDED, 0)
    assert (result.path, result.sha256, result.policy_id, result.labels, result.train_loss,
            result.held_out_loss, result.seconds) == ('out', 'ab', 9, 40, 0.5, 0.25, 2.0)


def test_progress_is_passed_on(hall, monkeypatch):
    monkeypatch.setattr('il_ros.nodes.trainer.FEEDBACK_S', 0.0)
    said = []
    hall.send(said.append)
    assert hall.bench.until(lambda: hall.worker.jobs)
    hall.worker.events.append(JobProgress(1, 50, 100, 0.5, -1.0))
    assert hall.bench.until(lambda: said)
    step = said[0].feedback
    assert (step.step, step.steps, step.train_loss, step.held_out_loss) == (50, 100, 0.5, -1.0)


@pytest.mark.parametrize('code', [Result.NO_DATA, Result.NOT_FINITE, Result.WORKER_DIED])
def test_a_failed_fit_aborts_the_goal_with_its_code_and_sentence(hall, code):
    handle = hall.send()
    hall.worker.events.append(JobFailed(1, code, 'why it failed'))
    status, result = hall.bench.outcome(handle)
    assert (status, result.error_code, result.error_msg) == (
        GoalStatus.STATUS_ABORTED, code, 'why it failed')
    handle = hall.send()
    assert hall.bench.until(lambda: len(hall.worker.jobs) == 2), 'it takes no other goal'


def test_a_checkpoint_that_its_run_speaks_of_is_never_trained_over(hall, tmp_path):
    (tmp_path / 'run.json').write_text('{"r01-train": {"path": "checkpoints/round_01"}}')
    handle = hall.bench.send(hall.client, TrainPolicy.Goal(
        run='demo', filter_key='round_2', output=str(tmp_path / 'checkpoints' / 'round_01')))
    status, result = hall.bench.outcome(handle)
    assert (status, result.error_code) == (GoalStatus.STATUS_ABORTED, Result.BAD_GOAL)
    assert 'round_01, a checkpoint that its run is done with' in result.error_msg
    assert not hall.worker.jobs


def test_a_second_goal_is_refused_while_the_first_goes_on(hall):
    first = hall.send()
    status, result = hall.bench.outcome(hall.send())
    assert (status, result.error_code) == (GoalStatus.STATUS_ABORTED, Result.BUSY)
    assert len(hall.worker.jobs) == 1
    hall.worker.events.append(JobFailed(1, Result.NO_DATA, 'none'))
    assert hall.bench.outcome(first)[1].error_code == Result.NO_DATA


def test_a_cancel_reaches_the_worker_once(hall):
    handle = hall.send()
    assert hall.bench.until(lambda: hall.worker.jobs)
    canceled = handle.cancel_goal_async()
    assert hall.bench.until(canceled.done, timeout_s=1.0)
    status, result = hall.bench.outcome(handle)
    assert (status, result.error_code) == (GoalStatus.STATUS_CANCELED, Result.CANCELED)
    assert hall.worker.log.count('cancel') == 1


def test_the_worker_ends_with_the_node(hall):
    hall.bench.close()
    assert hall.worker.log[-1] == 'close'
