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

"""The training process, started for real: jobs, cancellation, a full disk, no memory."""

import dataclasses
import os
from pathlib import Path
import resource
import signal
import time

from il_ros.learning import checkpoint
from il_ros.learning.training_worker.protocol import Cancel, JobDone, JobFailed, JobProgress, Ready
from il_ros.learning.training_worker.protocol import to_line
import pytest
from worker_listener import end_of, Listener

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


@pytest.mark.drill
def test_a_fit_whose_worker_is_killed_goes_on_and_ends_in_the_same_checkpoint(
        client, job, tmp_path):
    Path(job.config).write_text('inputs: [gripper_opening]\nhidden: [64, 64]\nsteps: 4000\n')
    whole = end_of(client, dataclasses.replace(job, output=str(tmp_path / 'whole')))
    saved = tmp_path / '.policy.fit'
    client.submit(job)
    assert client.wait_for(JobProgress).step == 50
    while not saved.exists():
        client.wait_for(JobProgress)
    os.kill(client.pid, signal.SIGKILL)
    client.wait_for(JobFailed)
    client.submit(job)
    assert client.wait_for(JobProgress).step > 50
    again = client.wait_for(JobDone, JobFailed)
    assert again.sha256 == whole.sha256
    assert not [path.name for path in tmp_path.iterdir() if path.name.startswith('.')]


@pytest.mark.drill
def test_a_worker_without_memory_dies_with_a_reason(client, long_job):
    Path(long_job.config).write_text('inputs: [gripper_opening]\nhidden: [8192, 8192]\n')
    assert client.alive()
    size = int(Path(f'/proc/{client.pid}/statm').read_text().split()[0]) * resource.getpagesize()
    resource.prlimit(client.pid, resource.RLIMIT_AS, (size + (64 << 20),) * 2)
    failed = end_of(client, long_job)
    assert failed.code == 704
    assert 'memory' in failed.message
    assert not Path(long_job.output).exists()
