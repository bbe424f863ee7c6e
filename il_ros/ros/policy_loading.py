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
Loading beside the loop, with a deadline: a disk or a mount may not answer at all.

A thread that hangs in a read cannot be ended. It is given up: what it brings later is dropped, and
as a daemon it does not keep the process from ending.
"""

from collections.abc import Callable
import os
import queue
import threading
import time
from typing import Any

from il_ros.errors import ImitationError
from il_ros_interfaces.srv import LoadPolicy

LOOK_S = 0.2
"""A service call waits so long to hear whether there is a folder at all."""

MOST_HANGING = 4
"""Loads that were given up and still hang, beyond which none is begun."""

JOIN_S = 2.0
_POLL_S = 0.05

Read = Callable[[str, str], Any]
"""From a path and the SHA-256 that is expected to what is to be taken; may hang."""

Done = Callable[[str, Any], None]
"""Is given the path, and what was read or the ``ImitationError`` that was raised."""


class LoadOverdueError(ImitationError):
    """A checkpoint that was not read in time, or not to the end."""

    code = LoadPolicy.Response.NOT_FOUND


class _Load(threading.Thread):
    """One load; it looks for the folder at once and goes on when it is told to."""

    def __init__(self, path: str, sha256: str, read: Read, done: Callable[['_Load', Any], None]):
        super().__init__(name='load policy', daemon=True)
        self.path, self.sha256 = path, sha256
        self.there = True
        self.looked, self.told = threading.Event(), threading.Event()
        self.overdue_at = float('inf')
        self._read, self._done = read, done

    def run(self):
        self.there = os.path.isdir(self.path)
        self.looked.set()
        self.told.wait()
        try:
            outcome = self._read(self.path, self.sha256)
        except ImitationError as error:
            outcome = error
        self._done(self, outcome)


class Loader:
    """
    One load at a time, each in a thread of its own.

    :param done: called in the load's thread, or in the one that calls ``check``
    :param timeout_s: deadline of a load, s
    """

    def __init__(self, read: Read, done: Done, timeout_s: float):
        self._read, self._done, self._timeout_s = read, done, timeout_s
        self._lock = threading.RLock()
        self._current: _Load | None = None
        self._hanging: list[_Load] = []

    @property
    def busy(self) -> str:
        """Return why no load can be begun; empty: one can."""
        if self._current is not None:
            return f'the load of {self._current.path} is still running'
        self._hanging = [load for load in self._hanging if load.is_alive()]
        if len(self._hanging) >= MOST_HANGING:
            return (f'{len(self._hanging)} loads hang, the last of {self._hanging[-1].path}; '
                    'restart the node')
        return ''

    def begin(self, path: str, sha256: str) -> bool:
        """Begin a load that waits for ``go``; False: there is no folder, and nothing is begun."""
        load = _Load(path, sha256, self._read, self._finish)
        load.start()
        if load.looked.wait(LOOK_S) and not load.there:
            load.told.set()  # it finds nothing, and is not listened to
            return False
        load.overdue_at = time.monotonic() + self._timeout_s
        self._current = load
        return True

    def go(self):
        """Let the load that was begun read."""
        self._current.told.set()

    def check(self):
        """Give the load up that is overdue; its outcome is then a ``LoadOverdueError``."""
        with self._lock:
            load = self._current
            if load is None or time.monotonic() < load.overdue_at:
                return
            self._current = None
            self._hanging.append(load)
            self._done(load.path, overdue(load.path, self._timeout_s))

    def close(self):
        """Give up the load that is under way; it may end, but is not listened to any more."""
        with self._lock:
            load, self._current = self._current, None
        if load is not None:
            load.join(JOIN_S)

    def _finish(self, load: _Load, outcome: Any):
        with self._lock:
            if load is self._current:
                self._current = None
                self._done(load.path, outcome)


def overdue(path: str, timeout_s: float) -> LoadOverdueError:
    """Return the error of a path that was not read in time."""
    return LoadOverdueError(f'{path} was not loaded within {timeout_s:g} s; look whether its disk '
                            'or mount answers, then load it again')


def read_in_time(read: Read, path: str, timeout_s: float, stopped: Callable[[], bool]) -> Any:
    """
    Return what ``read`` makes of a path, or give it up.

    :param stopped: whether the process is asked to end
    :raises LoadOverdueError: after ``timeout_s``, or as soon as ``stopped`` says so
    :raises ImitationError: what ``read`` raises
    """
    outcomes: queue.SimpleQueue = queue.SimpleQueue()
    load = _Load(path, '', read, lambda _, outcome: outcomes.put(outcome))
    load.told.set()
    load.start()
    overdue_at = time.monotonic() + timeout_s
    while load.is_alive() and not stopped():
        if time.monotonic() > overdue_at:
            raise overdue(path, timeout_s)
        load.join(_POLL_S)
    if outcomes.empty():
        raise LoadOverdueError(f'{path} was not loaded to the end')
    outcome = outcomes.get()
    if isinstance(outcome, ImitationError):
        raise outcome
    return outcome
