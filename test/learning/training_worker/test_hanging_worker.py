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

"""The training process that hangs: it is found out, ended, and its job fails with a reason."""

import dataclasses
import os
import signal
import threading
import time

from il_ros.learning.training_worker.protocol import JobDone, JobFailed, JobProgress, Ready
import pytest
from worker_listener import end_of, gone, Listener

pytestmark = pytest.mark.system


@pytest.mark.parametrize('idle', [False, True])
def test_a_worker_that_hangs_fails_its_job_with_a_reason_and_the_next_gets_a_fresh_one(
        long_job, job, idle):
    with Listener(nice=0, silence_s=3.0) as client:
        client.wait_for(Ready)
        pid = client.pid
        if idle:
            os.kill(pid, signal.SIGSTOP)
        client.submit(long_job)
        if not idle:
            client.wait_for(JobProgress)
            os.kill(pid, signal.SIGSTOP)
        began = time.monotonic()
        failed = client.wait_for(JobFailed)
        assert 2.0 < time.monotonic() - began < 8.0
        assert failed.code == 704
        assert f'pid {pid}) hangs: its heartbeat has been silent for 3 s' in failed.message
        assert gone(pid)
        assert not client.busy and client.pid == 0
        if not idle:
            assert isinstance(end_of(client, job), JobDone)


def test_a_job_that_takes_no_step_fails_though_its_worker_lives(job, tmp_path):
    config = tmp_path / 'slow.yaml'
    config.write_text('inputs: [gripper_opening]\nhidden: [4096, 4096, 4096]\nbatch: 65536\n'
                      'steps: 1000\n')
    with Listener(nice=0, stuck_s=1.0) as client:
        client.wait_for(Ready)
        pid = client.pid
        failed = end_of(client, dataclasses.replace(job, config=str(config)))
        assert failed.code == 704
        assert f'pid {pid}) hangs: its job has taken no step for' in failed.message
        assert gone(pid)


def test_a_long_fit_does_not_hang(long_job):
    with Listener(nice=0, silence_s=4.0, stuck_s=4.0) as client:
        client.wait_for(Ready)
        client.submit(long_job)
        until = time.monotonic() + 6.0
        while time.monotonic() < until:
            client.wait_for(JobProgress)
        assert client.busy


def test_who_was_held_up_itself_blames_no_worker(long_job):
    with Listener(nice=0, silence_s=2.0) as client:
        client.wait_for(Ready)
        client.submit(long_job)
        client.wait_for(JobProgress)
        os.kill(client.pid, signal.SIGSTOP)
        # As if both had been stopped: nobody listens meanwhile.
        threading.Event().wait(3.0)
        assert not any(isinstance(event, JobFailed) for event in client.poll())
        os.kill(client.pid, signal.SIGCONT)
        client.wait_for(JobProgress)
        assert client.busy
