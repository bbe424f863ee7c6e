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

"""
What every test may rely on: a DDS domain of its own, one thread, and nothing left running.

Nothing here imports ROS before a test asks for it, so that the pure layer runs without.
"""

import contextlib
import ctypes
import importlib
import os
from pathlib import Path
import signal
import sys
import tempfile
import threading
import time

import pytest

# Two cores serve the whole graph; libraries read this when they are first imported.
os.environ.setdefault('OMP_NUM_THREADS', '1')

PR_SET_CHILD_SUBREAPER = 36
POLL_S = 0.02
LEAVE_TIME_S = 5.0
"""How long a process that a test has just asked to end may take."""

SIDE_BY_SIDE = 4
"""Graphs that one test may have at a time, each in a domain of its own."""

_session = contextlib.ExitStack()


def pytest_configure():
    """Hear Ctrl-C, also where a shell has begun us in the background: children inherit that."""
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_sessionstart(session):
    """Talk on this machine only, on a domain that no other test run holds; inherit orphans."""
    # Children of killed children then come to this process, where they are found.
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    os.environ['ROS_AUTOMATIC_DISCOVERY_RANGE'] = 'LOCALHOST'
    os.environ.pop('ROS_LOCALHOST_ONLY', None)
    # What one run leaves there, a protective hold for example, must not meet the next one.
    os.environ['ROS_HOME'] = _session.enter_context(tempfile.TemporaryDirectory(prefix='ros-'))
    with contextlib.suppress(ImportError):
        from domain_coordinator import domain_id
        # Commands that start several graphs give them the next domains: no other session's.
        tens = iter(range(10, 101, 10))
        first = _session.enter_context(domain_id(lambda: next(tens, 100)))
        for domain in range(first + 1, first + SIDE_BY_SIDE):
            _session.enter_context(domain_id(lambda domain=domain: domain))
        os.environ['ROS_DOMAIN_ID'] = str(first)


def pytest_sessionfinish(session):
    """Give the domain back."""
    _session.close()


@pytest.fixture
def context():
    """Yield a private ``rclpy.Context`` on the session's domain, shut down afterwards."""
    rclpy = pytest.importorskip('rclpy', reason='needs rclpy: make test')
    private = rclpy.Context()
    rclpy.init(context=private)
    yield private
    private.try_shutdown()


@pytest.fixture
def package(tmp_path, monkeypatch):
    """Return the function that writes a package which is found until the end of the test."""
    from il_ros import plugins
    from plugin_package import write_package
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv(plugins.TRUSTED, '')
    modules = set(sys.modules)

    def write(name: str, points: dict, **sources: str):
        write_package(tmp_path, name, points, sources)
        importlib.invalidate_caches()
        plugins.forget()
    yield write
    plugins.forget()
    for name in set(sys.modules) - modules:
        if str(tmp_path) in str(getattr(sys.modules[name], '__file__', '')):
            del sys.modules[name]


@pytest.fixture
def wait_until():
    """Return the function that spins until a condition holds, or its deadline passes."""
    return _wait_until


@pytest.fixture
def disk(monkeypatch):
    """Yield an event: while it is not set, the disk takes nothing of an episode."""
    from il_ros.episodes import output_file
    answers, write_all = threading.Event(), output_file.write_all
    answers.set()

    def slowly(descriptor, data):
        answers.wait()
        write_all(descriptor, data)
    monkeypatch.setattr(output_file, 'write_all', slowly)
    yield answers
    answers.set()


def _wait_until(executor, predicate, timeout_s: float = 5.0) -> bool:
    """
    Spin ``executor`` until ``predicate()`` holds, or the deadline passes on the steady clock.

    Without an executor the caller's nodes spin elsewhere, and this only looks again and again.

    :returns: whether the condition came to hold
    """
    pause = threading.Event()
    deadline = time.monotonic() + timeout_s
    while not predicate():
        if time.monotonic() >= deadline:
            return False
        if executor is None:
            pause.wait(POLL_S)
        else:
            executor.spin_once(timeout_sec=POLL_S)
    return True


def _status_of(process: Path) -> tuple[str, int]:
    """Read state and parent of ``/proc/<pid>``; an empty state where it is gone."""
    try:
        fields = (process / 'stat').read_text().rpartition(')')[2].split()
        return fields[0], int(fields[1])
    except OSError:
        return '', 0


def _command_of(pid: int) -> str:
    try:
        return Path(f'/proc/{pid}/cmdline').read_bytes().replace(b'\0', b' ').decode().strip()
    except OSError:
        return ''


def _children() -> dict[int, str]:
    """Return the living children of this process: their command lines by process id."""
    found = {}
    for process in Path('/proc').glob('[0-9]*'):
        state, parent = _status_of(process)
        if parent == os.getpid() and state not in ('', 'Z'):
            found[int(process.name)] = _command_of(int(process.name))
    # The standard library keeps its own tracker until the interpreter ends.
    return {pid: command for pid, command in found.items() if 'resource_tracker' not in command}


@pytest.fixture(scope='module', autouse=True)
def _nothing_left_running():
    """Fail a module whose tests leave child processes behind, and end those."""
    before = _children()

    def left():
        return {pid: command for pid, command in _children().items() if pid not in before}

    yield
    if not _wait_until(None, lambda: not left(), LEAVE_TIME_S):
        rest = left()
        for pid in rest:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        pytest.fail(f'left running: {rest}')
