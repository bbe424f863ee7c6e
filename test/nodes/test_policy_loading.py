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

"""Loads that hang or are overdue: refused in time, given up, and no bar to the next one."""

import os
import signal
import subprocess
import sys
import threading
import time

from il_ros.learning import checkpoint
from il_ros.nodes.policy import PolicyNode
from il_ros.ros import qos
from il_ros.ros.policy_loading import MOST_HANGING
from il_ros_interfaces.msg import PolicyStatus
from il_ros_interfaces.srv import LoadPolicy
import pytest
from test_policy_node import Loop, save

END_S = 10.0
HANGING = """
import os, sys
from il_ros.learning import checkpoint
from il_ros.graph import executables
checkpoint.load = lambda path, *_: os.read(os.open(path / 'pipe', os.O_RDONLY), 1)
sys.exit(executables.policy())
"""
"""A policy node whose checkpoints lie on a mount that does not answer."""


@pytest.fixture
def hung(monkeypatch):
    """Let loads of folders called ``hung`` wait; yield the event that lets them go on."""
    go, load = threading.Event(), checkpoint.load

    def slow(folder, *args):
        if folder.name == 'hung':
            go.wait()
        return load(folder, *args)
    monkeypatch.setattr(checkpoint, 'load', slow)
    yield go
    go.set()


@pytest.fixture
def loop(bench) -> Loop:
    """Return the surroundings of a policy node whose loads have a short deadline."""
    bench.add(PolicyNode, load_timeout_s=1.0)
    return Loop(bench)


def test_a_checkpoint_that_is_a_pipe_is_refused_and_the_next_one_is_loaded(loop, tmp_path):
    os.mkdir(tmp_path / 'pipe')
    os.mkfifo(tmp_path / 'pipe' / 'policy.json')
    status = loop.loaded(tmp_path / 'pipe')
    assert (status.state, status.error_code) == (PolicyStatus.REFUSED, PolicyStatus.DAMAGED)
    assert 'policy.json: cannot be read: it is a named pipe' in status.error_msg
    save(tmp_path / 'good', 1)
    assert loop.loaded(tmp_path / 'good').state == PolicyStatus.READY


def test_a_load_that_hangs_is_refused_after_its_deadline_and_dropped(loop, tmp_path, hung):
    os.mkdir(tmp_path / 'hung')
    status = loop.loaded(tmp_path / 'hung')
    assert (status.state, status.error_code) == (
        PolicyStatus.REFUSED, LoadPolicy.Response.NOT_FOUND)
    assert 'hung was not loaded within 1 s; look whether its disk' in status.error_msg
    good = save(tmp_path / 'good', 2)
    assert loop.loaded(tmp_path / 'good').state == PolicyStatus.READY
    count = len(loop.statuses)
    hung.set()
    assert loop.bench.until(lambda: not any(
        thread.name == 'load policy' for thread in threading.enumerate()))
    assert loop.ask(0).policy_id == good.policy_id
    assert len(loop.statuses) == count


def test_after_too_many_loads_that_hang_none_is_begun(loop, tmp_path, hung):
    os.mkdir(tmp_path / 'hung')
    for _ in range(MOST_HANGING):
        assert loop.loaded(tmp_path / 'hung').state == PolicyStatus.REFUSED
    response = loop.load(tmp_path / 'hung')
    assert response.error_code == LoadPolicy.Response.BUSY
    assert f'{MOST_HANGING} loads hang' in response.error_msg


@pytest.fixture
def pipe(tmp_path):
    """Yield a function that tells whether somebody reads a pipe; nothing comes through it."""
    path, writers = tmp_path / 'pipe', []
    os.mkfifo(path)

    def is_read() -> bool:
        try:
            writers.append(os.open(path, os.O_WRONLY | os.O_NONBLOCK))
        except OSError:
            return False
        return True
    yield is_read
    for writer in writers:
        os.close(writer)


@pytest.mark.parametrize('at_start', [True, False])
def test_a_node_whose_load_hangs_ends_in_time_on_a_signal(bench, tmp_path, pipe, at_start):
    words = ['-p', f'checkpoint:={tmp_path}'] if at_start else []
    process = subprocess.Popen(
        [sys.executable, '-c', HANGING, '--ros-args', '-p', 'load_timeout_s:=600.0', *words],
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    try:
        if at_start:
            assert bench.until(pipe, timeout_s=30.0)
        else:
            statuses = bench.listen(PolicyStatus, 'policy_status', qos.LATCHED)
            assert bench.until(lambda: statuses, timeout_s=30.0)
            response = bench.call(LoadPolicy, 'load_policy',
                                  LoadPolicy.Request(path=str(tmp_path)))
            assert response.error_code == 0, response.error_msg
        began = time.monotonic()
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=30.0)
        assert process.returncode == 0, err
        assert 'Traceback' not in err
        assert time.monotonic() - began < END_S
    finally:
        if process.poll() is None:
            process.kill()
            process.communicate()
