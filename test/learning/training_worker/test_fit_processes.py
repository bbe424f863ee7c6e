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

"""A fit by several processes that torchrun starts: it learns what one does, and resumes."""

import dataclasses
import os
from pathlib import Path
import re
import signal
import subprocess

from il_ros.learning import checkpoint
from il_ros.learning.training_worker.protocol import JobDone, JobFailed, JobProgress, Ready
import numpy as np
import pytest
from worker_listener import end_of, gone, Listener

pytestmark = [pytest.mark.system, pytest.mark.drill]

SETTINGS = "inputs: ['goal_position - tool_position', gripper_opening]\ndevice: cpu\n"
CONFIGS = {
    'one network': 'hidden: [64, 64]\nbatch: 33\nsteps: 600\n',
    'ensemble': 'hidden: [32, 32]\nensemble: 3\nloss: nll\nbatch: 32\nsteps: 600\n'}


def reports_of(client, job):
    """Run a job and return its reports and its end."""
    reports = []
    client.submit(job)
    while isinstance(event := client.wait_for(JobProgress, JobDone, JobFailed), JobProgress):
        reports.append((event.step, event.train_loss, event.held_out_loss))
    return reports, event


def children_of(pid: int) -> list[int]:
    """Return the processes that torchrun started, in their order."""
    found = subprocess.run(['ps', '-o', 'pid=', '--ppid', str(pid)], capture_output=True,
                           text=True).stdout.split()
    return sorted(map(int, found))


@pytest.mark.parametrize('name', CONFIGS)
def test_two_processes_learn_what_one_learns(name, job, tmp_path, record_property):
    Path(job.config).write_text(SETTINGS + CONFIGS[name])
    with Listener(nice=0) as client:
        expected, one = reports_of(client, job)
    with Listener(nice=0, processes=2) as client:
        found, two = reports_of(client, dataclasses.replace(job, output=str(tmp_path / 'two')))
    assert isinstance(two, JobDone), two
    np.testing.assert_allclose(found, expected, rtol=1e-3)
    assert two.train_loss == pytest.approx(one.train_loss, rel=1e-3)
    assert two.held_out_loss == pytest.approx(one.held_out_loss, rel=1e-3)
    alone, shared = (checkpoint.load(Path(done.path), done.sha256) for done in (one, two))
    assert (alone.info.get('processes'), shared.info['processes']) == (None, 2)
    difference = max(float(np.abs(array - shared.net.tensors()[tensor]).max())
                     for tensor, array in alone.net.tensors().items())
    record_property('largest difference of a weight', difference)
    record_property('largest difference of a loss', float(np.abs(
        np.array(found) - np.array(expected)).max()))
    assert difference < 1e-3


@pytest.mark.parametrize('rank', [0, 1])
def test_a_process_that_is_killed_ends_the_fit_which_resumes_to_the_same_bits(rank, job, tmp_path):
    Path(job.config).write_text(SETTINGS + 'hidden: [64, 64]\nsteps: 2000\n')
    if rank == 0:
        with Listener(nice=0, processes=2) as client:
            assert client.wait_for(Ready)
            whole = end_of(client, dataclasses.replace(job, output=str(tmp_path / 'whole')))
        assert isinstance(whole, JobDone), whole
    lines: list[str] = []
    with Listener(nice=0, processes=2, log=lines.append) as client:
        client.submit(job)
        while client.wait_for(JobProgress).step < 500 or not (tmp_path / '.policy.fit').exists():
            pass
        processes = children_of(client.pid)
        os.kill(processes[rank], signal.SIGKILL)
        failed = client.wait_for(JobFailed)
    assert failed.code == 704
    assert re.search(rf'process {rank} \(pid {processes[rank]}\), one of the 2 of this fit, was '
                     r'killed by SIGKILL; the same command resumes the fit$', failed.message)
    assert [line for line in lines if not line.startswith('il_ros: ')] == []
    assert all(gone(process) for process in processes)
    assert not Path(job.output).exists()
    with Listener(nice=0, processes=2) as client:
        reports, done = reports_of(client, job)
    assert isinstance(done, JobDone), done
    assert reports[0][0] > 50
    if rank == 0:
        assert done.sha256 == whole.sha256
    assert not list(tmp_path.glob('.policy.fit*'))


def test_all_processes_end_with_their_parent_and_listen_on_the_loopback_device_alone(long_job):
    with Listener(nice=0, processes=2) as client:
        client.submit(long_job)
        client.wait_for(JobProgress)
        processes = [client.pid, *children_of(client.pid)]
        assert len(processes) == 3
        heard = subprocess.run(['ss', '-Hltnp'], capture_output=True, text=True).stdout
        own = [line.split()[3] for line in heard.splitlines()
               if any(f'pid={process},' in line for process in processes)]
        assert all(address.startswith('127.') for address in own), own
        os.kill(client.pid, signal.SIGKILL)
        assert client.wait_for(JobFailed).code == 704
        assert all(gone(process) for process in processes)


def test_a_gpu_that_is_not_there_is_refused_before_the_fit(job):
    with Listener(nice=0, processes=2) as client:
        failed = end_of(client, dataclasses.replace(job, device='cuda:7'))
    assert isinstance(failed, JobFailed)
    assert "device is 'cuda:7'" in failed.message
