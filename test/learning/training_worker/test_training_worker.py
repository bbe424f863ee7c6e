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

"""The training process, started for real: jobs, cancellation, and every way to die."""

import dataclasses
import os
from pathlib import Path
import resource
import signal
import subprocess
import sys
import time

from il_ros.errors import BusyError
from il_ros.learning import checkpoint
from il_ros.learning.training_worker.protocol import Cancel, JobDone, JobFailed, JobProgress, Ready
from il_ros.learning.training_worker.protocol import to_line
import pytest
from worker_listener import end_of, gone, Listener

pytestmark = pytest.mark.system


@pytest.fixture(scope='module')
def client():
    """Yield a warm worker that the tests of this file share."""
    with Listener(nice=0) as client:
        client.wait_for(Ready)
        yield client


def test_a_job_ends_in_a_checkpoint_that_can_be_loaded(client, job):
    client.submit(job)
    progress = client.wait_for(JobProgress)
    assert (progress.step, progress.steps) == (50, 300)
    done = client.wait_for(JobDone, JobFailed)
    assert isinstance(done, JobDone), done
    policy = checkpoint.load(Path(done.path), done.sha256)
    assert policy.policy_id == done.policy_id
    assert policy.info['filter_key'] == 'round_0'
    assert done.labels == policy.info['labels'] == 150
    assert done.train_loss > 0.0
    assert done.held_out_loss > 0.0
    assert 0 <= done.epsilon_mistakes <= done.epsilon_states == 50
    assert not client.busy


def test_the_same_seed_gives_the_same_checkpoint(client, job, tmp_path):
    first = end_of(client, job)
    second = end_of(client, dataclasses.replace(job, output=str(tmp_path / 'again')))
    other = end_of(client, dataclasses.replace(job, output=str(tmp_path / 'other'), seed=1))
    assert first.sha256 == second.sha256 != other.sha256


@pytest.mark.parametrize('key', ['', 'never_recorded'])
def test_without_held_out_demonstrations_their_loss_is_unknown(client, job, key):
    done = end_of(client, dataclasses.replace(job, held_out_key=key))
    assert done.held_out_loss == -1.0
    assert done.epsilon_states == 0


@pytest.mark.parametrize('change, code, part', [
    ({'dataset': '/nowhere.hdf5'}, 701, 'nowhere.hdf5'),
    ({'filter_key': 'round_9'}, 701, "no filter key 'round_9'"),
    ({'config': '/nowhere.yaml'}, 701, 'nowhere.yaml')])
def test_a_job_that_cannot_be_run_says_why(client, job, change, code, part):
    failed = end_of(client, dataclasses.replace(job, **change))
    assert isinstance(failed, JobFailed)
    assert failed.code == code
    assert part in failed.message
    assert not Path(job.output).exists()


def test_an_input_that_the_contract_lacks_fails_the_job(client, job):
    Path(job.config).write_text('inputs: [puck_position]')
    failed = end_of(client, job)
    assert failed.code == 701
    assert "no feature 'puck_position'" in failed.message


def test_an_output_that_exists_is_refused_unless_replaced(client, job):
    first = end_of(client, job)
    refused = end_of(client, dataclasses.replace(job, seed=1))
    assert refused.code == 701
    assert 'exists already' in refused.message
    replaced = end_of(client, dataclasses.replace(job, seed=1, replace=True))
    assert checkpoint.load(Path(job.output)).sha256 == replaced.sha256 != first.sha256


def test_a_second_job_is_refused_while_one_runs(client, long_job):
    client.submit(long_job)
    with pytest.raises(BusyError):
        client.submit(long_job)
    client.cancel()
    assert client.wait_for(JobFailed).code == 705


def test_a_cancelled_job_ends_within_a_second_and_writes_nothing(client, long_job):
    client.submit(long_job)
    client.wait_for(JobProgress)
    started = time.monotonic()
    client.cancel()
    failed = client.wait_for(JobFailed)
    assert time.monotonic() - started < 1.0
    assert failed.code == 705
    assert 'cancelled at step' in failed.message
    assert not Path(long_job.output).exists()
    assert client.alive()


def test_a_cancellation_that_comes_late_does_not_stop_the_next_job(client, job, tmp_path):
    client.cancel()
    done = end_of(client, job)
    client._process.send(to_line(Cancel(done.number)))
    again = end_of(client, dataclasses.replace(job, output=str(tmp_path / 'again')))
    assert isinstance(again, JobDone)


def test_a_line_that_is_no_message_is_answered_and_the_worker_lives(client, job):
    client._process.send(b'import os\n')
    client._process.send(to_line(Ready(1)))
    for _ in range(2):
        assert client.wait_for(JobFailed).number == -1
    assert isinstance(end_of(client, job), JobDone)


def test_a_full_disk_fails_the_job_and_not_the_worker(client, job):
    limits = resource.prlimit(client.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(client.pid, resource.RLIMIT_FSIZE, (1000, limits[1]))
    failed = end_of(client, job)
    resource.prlimit(client.pid, resource.RLIMIT_FSIZE, limits)
    assert failed.code == 704
    assert 'File too large' in failed.message
    assert {path.name for path in Path(job.output).parent.iterdir()} == {
        'dataset.hdf5', 'training.yaml'}
    assert isinstance(end_of(client, job), JobDone)


def test_interrupting_the_terminal_does_not_stop_a_job(client, job):
    client.submit(job)
    os.kill(client.pid, signal.SIGINT)
    assert isinstance(client.wait_for(JobDone, JobFailed), JobDone)
    assert os.getsid(client.pid) == client.pid != os.getsid(0)


def test_a_killed_worker_fails_its_job_and_the_next_gets_a_fresh_one(client, long_job, job):
    client.submit(long_job)
    client.wait_for(JobProgress)
    before = client.pid
    os.kill(before, signal.SIGKILL)
    failed = client.wait_for(JobFailed)
    assert failed.code == 704
    assert f'pid {before}' in failed.message
    assert 'SIGKILL' in failed.message
    assert not client.alive()
    assert client.pid == 0
    assert isinstance(end_of(client, job), JobDone)
    assert client.pid not in (0, before)


def test_a_fit_whose_worker_is_killed_goes_on_and_ends_in_the_same_checkpoint(
        client, job, tmp_path):
    Path(job.config).write_text('inputs: [gripper_opening]\nhidden: [64, 64]\nsteps: 6000\n')
    whole = end_of(client, dataclasses.replace(job, output=str(tmp_path / 'whole')))
    saved = tmp_path / '.policy.fit'
    firsts = []
    for _ in range(2):
        client.submit(job)
        firsts.append(client.wait_for(JobProgress).step)
        before = saved.stat().st_mtime_ns if saved.exists() else 0
        while not saved.exists() or saved.stat().st_mtime_ns == before:
            client.wait_for(JobProgress)
        os.kill(client.pid, signal.SIGKILL)
        client.wait_for(JobFailed)
    client.submit(job)
    firsts.append(client.wait_for(JobProgress).step)
    again = client.wait_for(JobDone, JobFailed)
    assert again.sha256 == whole.sha256
    assert firsts == sorted(set(firsts)) and firsts[0] == 50
    assert not [path.name for path in tmp_path.iterdir() if path.name.startswith('.')]


def test_a_worker_without_memory_dies_with_a_reason(client, long_job):
    Path(long_job.config).write_text('inputs: [gripper_opening]\nhidden: [8192, 8192]\n')
    assert client.alive()
    size = int(Path(f'/proc/{client.pid}/statm').read_text().split()[0]) * resource.getpagesize()
    resource.prlimit(client.pid, resource.RLIMIT_AS, (size + (64 << 20),) * 2)
    failed = end_of(client, long_job)
    assert failed.code == 704
    assert 'memory' in failed.message
    assert not Path(long_job.output).exists()


def test_a_worker_that_does_not_hear_a_cancellation_is_killed(client, long_job, monkeypatch):
    monkeypatch.setattr('il_ros.learning.training_worker.worker_client.CANCEL_DEADLINE_S', 0.2)
    client.submit(long_job)
    client.wait_for(JobProgress)
    os.kill(client.pid, signal.SIGSTOP)
    client.cancel()
    failed = client.wait_for(JobFailed)
    assert failed.code == 705
    assert not client.alive()


def test_closing_ends_a_worker_in_the_midst_of_a_job(long_job):
    client = Listener()
    client.submit(long_job)
    client.wait_for(JobProgress)
    pid = client.pid
    client.close()
    assert gone(pid)
    assert client.wait_for(JobFailed).code in (704, 705)
    client.close()


PARENT = """
import sys, threading
from il_ros.learning.training_worker.protocol import from_line
from il_ros.learning.training_worker.worker_client import WorkerClient
client = WorkerClient()
client.submit(from_line(sys.argv[1].encode()))
kinds = set()
while 'JobProgress' not in kinds:
    events = client.poll(1.0)
    kinds |= {type(event).__name__ for event in events}
    assert 'JobFailed' not in kinds, events
assert not {'numpy', 'torch', 'rclpy'} & set(sys.modules)
print(client.pid, flush=True)
threading.Event().wait()
"""


@pytest.mark.parametrize('stopped', [False, True])
def test_a_worker_dies_with_a_parent_that_is_killed(long_job, stopped):
    path = os.pathsep.join(filter(None, sys.path))
    command = [sys.executable, '-c', PARENT, to_line(long_job).decode()]
    with subprocess.Popen(command, stdout=subprocess.PIPE,
                          env={**os.environ, 'PYTHONPATH': path}) as parent:
        try:
            worker = int(parent.stdout.readline())
            if stopped:
                # It cannot see its input end; only the signal reaches it.
                os.kill(worker, signal.SIGSTOP)
        finally:
            parent.kill()
    assert gone(worker)


def test_a_worker_whose_parent_is_another_refuses_to_start():
    ended = subprocess.run(
        [sys.executable, '-m', 'il_ros.learning.training_worker.worker', '--parent', '1'],
        stdin=subprocess.PIPE, capture_output=True, text=True, check=False,
        env={**os.environ, 'PYTHONPATH': os.pathsep.join(filter(None, sys.path))})
    assert ended.returncode == 1
    assert 'pid 1, is gone' in ended.stderr
