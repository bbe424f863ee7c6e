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
The process of the training worker, and the threads that listen to it.

Nothing here imports torch or NumPy; what its answers mean stands in `worker_client.py`.
"""

import collections
from collections.abc import Callable
import contextlib
import os
from pathlib import Path
import queue
import signal
import subprocess
import sys
import threading
import time

import il_ros
from il_ros.errors import JobError, WorkerDiedError
from il_ros.learning.training_worker.protocol import Alive, Event, from_line, JobFailed, Ready
from il_ros.processes.child import ONE_THREAD

END_S = 1.0
"""How long a killed process may take to be gone."""

_MODULE = 'il_ros.learning.training_worker.worker'


class WorkerProcess:
    """
    A worker process and the two threads that listen to it.

    The thread that starts the process is the one that waits for its end: Linux sends the death
    signal of `PR_SET_PDEATHSIG` when the *thread* that started the child ends.
    """

    def __init__(self, nice: int, log: Callable[[str], None]):
        """
        Start it.

        :raises WorkerDiedError: if no process can be started
        """
        self._events: queue.SimpleQueue[Event | None] = queue.SimpleQueue()
        self._started: queue.SimpleQueue[subprocess.Popen | OSError] = queue.SimpleQueue()
        self._log, self._last_lines = log, collections.deque(maxlen=5)
        self.ready = False
        """Whether it has loaded what it needs."""

        self.heard_s = self.stepped_s = time.monotonic()
        """When it said something, and when its job took a step, on the steady clock."""

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
        """Return its process id."""
        return self._popen.pid

    def alive(self) -> bool:
        """Tell whether it runs."""
        return self._popen.returncode is None

    def send(self, line: bytes):
        """Write one line to its input."""
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
        """End it at once, whatever it does; one that hangs in the kernel is left behind."""
        if self.alive():
            self._popen.kill()
        self._owner.join(END_S)

    def close(self, deadline_s: float):
        """End its input, and after ``deadline_s`` the process."""
        with contextlib.suppress(BrokenPipeError):
            self._popen.stdin.close()
        self._owner.join(deadline_s)
        self.kill()

    def obituary(self) -> str:
        """Return how it ended, with the last line that it wrote."""
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
                self._hear(self._event(line))
        process.wait()
        listener.join()
        self._events.put(None)

    def _hear(self, event: Event):
        """Queue what somebody waits for; of heartbeats the last one counts."""
        self.heard_s = time.monotonic()
        self.ready = self.ready or isinstance(event, Ready)
        if isinstance(event, Alive):
            self.stepped_s = self.heard_s - event.still_s
        else:
            self._events.put(event)

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
