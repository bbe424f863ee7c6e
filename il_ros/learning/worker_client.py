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
The parent's side of the training worker, for a node or a command that must stay responsive.

Nothing here imports torch or NumPy. The worker is a process of its own session; it dies with its
parent, also when that is killed: its input ends, and Linux sends it a signal.
"""

import collections
from collections.abc import Callable
import contextlib
import dataclasses
import os
from pathlib import Path
import queue
import signal
import subprocess
import sys
import threading
import time

import il_ros
from il_ros.children import ONE_THREAD
from il_ros.learning.errors import BusyError, CanceledError, JobError, WorkerDiedError
from il_ros.learning.protocol import Cancel, Event, from_line, Job, JobDone, JobFailed, to_line

CANCEL_DEADLINE_S = 3.0
"""A worker that has not confirmed a cancellation by then is killed."""

_MODULE = 'il_ros.learning.worker'


def _to_stderr(line: str):
    sys.stderr.write(f'{line}\n')


class WorkerClient:
    """
    One warm worker process and at most one job in it.

    Use it from one thread. Every job that `submit` took ends in exactly one `JobDone` or
    `JobFailed` of `poll`, whatever becomes of the process; after a death the next `submit` starts
    a fresh one.
    """

    def __init__(self, nice: int = 10, log: Callable[[str], None] = _to_stderr):
        """
        Describe the worker; `start` or the first `submit` starts it.

        :param nice: how much the worker gives way to the control loop, 0 to 19
        :param log: gets the lines that the worker writes to its standard error, in another thread
        """
        self._nice, self._log = nice, log
        self._process: _Process | None = None
        self._job: Job | None = None
        self._jobs = 0
        self._cancel_by: float | None = None

    @property
    def busy(self) -> bool:
        """Tell whether a job waits for its end."""
        return self._job is not None

    @property
    def pid(self) -> int:
        """Return the worker's process id; 0: none runs."""
        return self._process.pid if self.alive() else 0

    def alive(self) -> bool:
        """Tell whether the worker runs."""
        return self._process is not None and self._process.alive()

    def start(self):
        """
        Start the worker if none runs; it gets ready while the caller goes on.

        :raises WorkerDiedError: if no process can be started
        """
        if not self.alive():
            self._process = _Process(self._nice, self._log)

    def submit(self, job: Job) -> int:
        """
        Hand in a job.

        :returns: its number, which its events carry
        :raises BusyError: if the last one has not ended
        :raises WorkerDiedError: if no process can be started
        """
        if self.busy:
            raise BusyError(f'training job {self._job.number} is still running; cancel it or '
                            'wait for its end')
        self.start()
        self._jobs += 1
        self._job = dataclasses.replace(job, number=self._jobs)
        self._process.send(to_line(self._job))
        return self._jobs

    def cancel(self):
        """Ask for the end of the job; `poll` gives its `JobFailed` within `CANCEL_DEADLINE_S`."""
        if self.busy and self._cancel_by is None:
            self._cancel_by = time.monotonic() + CANCEL_DEADLINE_S
            self._process.send(to_line(Cancel(self._job.number)))

    def poll(self, timeout_s: float = 0.0) -> list[Event]:
        """
        Return what happened since the last call, without waiting unless asked to.

        :param timeout_s: how long to wait for a first event, on the steady clock
        """
        if self._process is None:
            return []
        if self._cancel_by is not None and time.monotonic() > self._cancel_by:
            self._process.kill()
        events = []
        for event in self._process.take(timeout_s):
            if event is None:
                event = self._death()
            if event is not None:
                events.append(event)
            if isinstance(event, (JobDone, JobFailed)) and event.number == self._number():
                self._job = self._cancel_by = None
        return events

    def close(self, deadline_s: float = 3.0):
        """End the worker: its input ends, and after ``deadline_s`` it is killed."""
        if self._process is not None:
            self._process.close(deadline_s)

    def __enter__(self):
        """Start the worker."""
        self.start()
        return self

    def __exit__(self, *_):
        """End the worker."""
        self.close()

    def _number(self) -> int:
        return 0 if self._job is None else self._job.number

    def _death(self) -> JobFailed | None:
        if self._job is None:
            return None
        if self._cancel_by is not None:
            return JobFailed(self._job.number, CanceledError.code,
                             'the fit was cancelled; its worker ended')
        return JobFailed(self._job.number, WorkerDiedError.code, self._process.obituary())


class _Process:
    """
    A worker process and the two threads that listen to it.

    The thread that starts the process is the one that waits for its end: Linux sends the death
    signal of `PR_SET_PDEATHSIG` when the *thread* that started the child ends.
    """

    def __init__(self, nice: int, log: Callable[[str], None]):
        self._events: queue.SimpleQueue[Event | None] = queue.SimpleQueue()
        self._started: queue.SimpleQueue[subprocess.Popen | OSError] = queue.SimpleQueue()
        self._log, self._last_lines = log, collections.deque(maxlen=5)
        command = [sys.executable, '-m', _MODULE, '--parent', str(os.getpid()), '--nice',
                   str(nice)]
        self._owner = threading.Thread(target=self._own, args=(command,), daemon=True,
                                       name='training worker')
        self._owner.start()
        started = self._started.get()
        if isinstance(started, OSError):
            raise WorkerDiedError(f'no training worker can be started: {started}') from started
        self._popen = started

    @property
    def pid(self) -> int:
        return self._popen.pid

    def alive(self) -> bool:
        return self._popen.returncode is None

    def send(self, line: bytes):
        # A worker that is gone shows in the events.
        with contextlib.suppress(BrokenPipeError, ValueError):
            self._popen.stdin.write(line)

    def take(self, timeout_s: float) -> list[Event | None]:
        """Return the events so far; None: the process has ended."""
        events = []
        with contextlib.suppress(queue.Empty):
            if timeout_s > 0.0:
                events.append(self._events.get(timeout=timeout_s))
            while True:
                events.append(self._events.get_nowait())
        return events

    def kill(self):
        if self.alive():
            self._popen.kill()

    def close(self, deadline_s: float):
        with contextlib.suppress(BrokenPipeError):
            self._popen.stdin.close()
        self._owner.join(deadline_s)
        self.kill()
        self._owner.join()

    def obituary(self) -> str:
        code = self._popen.returncode
        how = (f'was killed by {signal.Signals(-code).name}' if code < 0
               else f'ended with exit code {code}')
        last = f': {self._last_lines[-1]}' if self._last_lines else ''
        return f'the training worker (pid {self.pid}) {how}{last}'

    def _own(self, command: list[str]):
        try:
            process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                bufsize=0, start_new_session=True, env=_environment())
        except OSError as error:
            self._started.put(error)
            return
        self._started.put(process)
        listener = threading.Thread(target=self._listen, args=(process,), daemon=True)
        listener.start()
        with process.stdout:
            for line in process.stdout:
                self._events.put(self._event(line))
        process.wait()
        listener.join()
        self._events.put(None)

    def _event(self, line: bytes) -> Event:
        try:
            return from_line(line)
        except JobError as error:
            return JobFailed(-1, JobError.code, str(error))

    def _listen(self, process: subprocess.Popen):
        with process.stderr:
            for raw in process.stderr:
                line = raw.decode(errors='replace').rstrip()
                self._last_lines.append(line)
                self._log(line)


def _environment() -> dict[str, str]:
    """Return this process's environment with our package found first and one thread a process."""
    root = str(Path(il_ros.__file__).parent.parent)
    path = [root, *filter(None, [os.environ.get('PYTHONPATH')])]
    return {**os.environ, 'PYTHONPATH': os.pathsep.join(path), 'PYTHONSAFEPATH': '1',
            **ONE_THREAD}
