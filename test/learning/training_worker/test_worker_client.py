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

"""The client of the training worker: its worker may hang, die or be deaf. The worker is fake."""

import os
import signal
import threading
import time

from il_ros.errors import BusyError, WorkerDiedError
from il_ros.learning.training_worker import worker_client
from il_ros.learning.training_worker.protocol import Job, JobDone, JobFailed, JobProgress, Ready
import pytest
from worker_listener import end_of, gone, Listener

ENDS = Job('data', 'key', 'ends', 'output')
GOES_ON = Job('data', 'key', 'goes on', 'output')
STANDS_STILL = Job('data', 'key', 'stands still', 'output')


@pytest.fixture
def listen(monkeypatch):
    """Return the function that makes a client of a fake worker; all are closed afterwards."""
    monkeypatch.setattr(worker_client, '_MODULE', 'fake_worker')
    clients = []

    def make(**settings) -> Listener:
        clients.append(Listener(nice=0, **settings))
        clients[-1].start()
        clients[-1].wait_for(Ready)
        return clients[-1]
    yield make
    for client in clients:
        client.close(0.0)


def under_way(client: Listener) -> int:
    """Hand in a job that goes on; return the worker's process id."""
    client.submit(GOES_ON)
    client.wait_for(JobProgress)
    return client.pid


@pytest.mark.parametrize('idle', [False, True])
def test_a_worker_that_hangs_fails_its_job_with_a_reason_and_the_next_gets_a_fresh_one(
        listen, idle):
    client = listen(silence_s=1.0)
    pid = client.pid if idle else under_way(client)
    os.kill(pid, signal.SIGSTOP)
    if idle:
        client.submit(GOES_ON)
    began = time.monotonic()
    failed = client.wait_for(JobFailed)
    assert 0.8 < time.monotonic() - began < 5.0
    assert failed.code == 704
    assert f'pid {pid}) hangs: its heartbeat has been silent for 1 s' in failed.message
    assert gone(pid)
    assert not client.busy and client.pid == 0
    assert isinstance(end_of(client, ENDS), JobDone)


def test_a_job_that_takes_no_step_fails_though_its_worker_lives(listen):
    client = listen(stuck_s=0.5)
    pid = client.pid
    failed = end_of(client, STANDS_STILL)
    assert failed.code == 704
    assert f'pid {pid}) hangs: its job has taken no step for' in failed.message
    assert gone(pid)


def test_a_long_fit_does_not_hang(listen):
    client = listen(silence_s=1.0, stuck_s=1.0)
    under_way(client)
    until = time.monotonic() + 1.5
    while time.monotonic() < until:
        client.wait_for(JobProgress)
    assert client.busy


def test_who_was_held_up_itself_blames_no_worker(listen):
    client = listen(silence_s=0.6)
    os.kill(under_way(client), signal.SIGSTOP)
    # As if both had been stopped: nobody listens meanwhile.
    threading.Event().wait(0.9)
    assert not any(isinstance(event, JobFailed) for event in client.poll())
    os.kill(client.pid, signal.SIGCONT)
    client.wait_for(JobProgress)
    assert client.busy


def test_a_second_job_is_refused_while_one_runs(listen):
    client = listen()
    under_way(client)
    with pytest.raises(BusyError):
        client.submit(ENDS)
    client.cancel()
    assert client.wait_for(JobFailed).code == 705
    assert isinstance(end_of(client, ENDS), JobDone)


def test_a_killed_worker_fails_its_job_and_the_next_gets_a_fresh_one(listen):
    client = listen()
    before = under_way(client)
    os.kill(before, signal.SIGKILL)
    failed = client.wait_for(JobFailed)
    assert failed.code == 704
    assert f'the training worker (pid {before}) was killed by SIGKILL' in failed.message
    assert not client.alive() and client.pid == 0
    assert isinstance(end_of(client, ENDS), JobDone)
    assert client.pid not in (0, before)


def test_a_worker_that_does_not_hear_a_cancellation_is_killed(listen, monkeypatch):
    monkeypatch.setattr(worker_client, 'CANCEL_DEADLINE_S', 0.2)
    client = listen()
    os.kill(under_way(client), signal.SIGSTOP)
    client.cancel()
    assert client.wait_for(JobFailed).code == 705
    assert not client.alive()


def test_closing_ends_a_worker_in_the_midst_of_a_job(listen):
    client = listen()
    pid = under_way(client)
    client.close()
    assert gone(pid)
    assert client.wait_for(JobFailed).code == 704
    client.close()


def test_without_a_process_the_reason_is_told(listen, monkeypatch):
    client = listen()
    client.close()
    monkeypatch.setattr(worker_client.sys, 'executable', '/nowhere/python')
    with pytest.raises(WorkerDiedError, match='no training worker can be started: .*nowhere'):
        client.submit(ENDS)
