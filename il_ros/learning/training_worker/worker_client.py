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

Nothing here imports torch or NumPy. The worker dies with its parent, also when that is killed.
"""

from collections.abc import Callable
import dataclasses
import sys
import time
from typing import Any

from il_ros.errors import BusyError, CanceledError, JobError, WorkerDiedError
from il_ros.learning.training_worker.protocol import Alive, Cancel, Event, from_line, Job, JobDone
from il_ros.learning.training_worker.protocol import JobFailed, Ready, to_line
from il_ros.processes.conversation import Conversation

_MODULE = 'il_ros.learning.training_worker.worker'
_LAUNCHER = 'il_ros.learning.training_worker.launcher'

CANCEL_DEADLINE_S = 3.0
"""A worker that has not confirmed a cancellation by then is killed."""

SILENCE_S = 10.0
"""A worker with a job whose heartbeat, one a second, is silent for so long hangs."""

STUCK_S = 600.0
"""A job that takes no step for so long hangs, though its worker's heart beats."""

START_S = 120.0
"""The same until the worker is ready: it loads torch, perhaps from a cold disk."""


def _to_stderr(line: str):
    if not line.startswith('il_ros: '):  # that one is a part of the failure
        sys.stderr.write(f'{line}\n')


class _Pulse:
    """State of one worker, from its lines."""

    def __init__(self):
        self.ready = False
        """Whether it has loaded what it needs."""

        self.heard_s = self.stepped_s = time.monotonic()
        """When it said something, and when its job took a step, on the steady clock."""

    def hear(self, line: bytes) -> Event | None:
        """Return the event that somebody waits for; of heartbeats the last one counts."""
        try:
            event: Any = from_line(line)
        except JobError as error:
            event = JobFailed(-1, JobError.code, str(error))
        self.heard_s = time.monotonic()
        self.ready = self.ready or isinstance(event, Ready)
        if isinstance(event, Alive):
            self.stepped_s = self.heard_s - event.still_s
            return None
        return event


class WorkerClient:
    """
    One warm worker process and at most one job in it.

    Use it from one thread. Every job that `submit` took ends in exactly one `JobDone` or
    `JobFailed` of `poll`, whatever becomes of the process: one that hangs is killed. After a
    death the next `submit` starts a fresh one.
    """

    def __init__(self, nice: int = 10, log: Callable[[str], None] = _to_stderr,
                 silence_s: float = SILENCE_S, stuck_s: float = STUCK_S, processes: int = 1):
        """
        Describe the worker; `start` or the first `submit` starts it.

        :param nice: how much the worker gives way to the control loop, 0 to 19
        :param log: gets the lines that the worker writes to its standard error, in another thread
        :param silence_s: how long a worker with a job may be silent, s
        :param stuck_s: how long its job may take no step, s
        :param processes: of the fit; more than one serve one job, and end with it
        """
        self._nice, self._log = nice, log
        self._silence_s, self._stuck_s = silence_s, stuck_s
        self._processes = processes
        self._process: Conversation | None = None
        self._pulse = _Pulse()
        self._job: Job | None = None
        self._jobs = 0
        self._cancel_by: float | None = None
        self._listened_s = self._excused_s = 0.0

    @property
    def busy(self) -> bool:
        """Tell whether a job waits for its end."""
        return self._job is not None

    @property
    def pid(self) -> int:
        """Return the worker's process id; 0: none runs."""
        return self._process.pid if self._process is not None and self.alive() else 0

    def alive(self) -> bool:
        """Tell whether the worker runs."""
        return self._process is not None and self._process.alive()

    def start(self) -> Conversation:
        """
        Start the worker if none runs, and return it; it gets ready while the caller goes on.

        :raises WorkerDiedError: if no process can be started
        """
        if self._process is not None and self._process.alive():
            return self._process
        self._pulse = _Pulse()
        command = [sys.executable, '-m', _MODULE, '--nice', str(self._nice)]
        if self._processes > 1:
            command[2:3] = (_LAUNCHER, '--processes', str(self._processes))
        try:
            self._process = Conversation('the training worker', command, self._pulse.hear,
                                         self._log)
        except OSError as error:
            raise WorkerDiedError(f'no training worker can be started: {error}') from error
        return self._process

    def submit(self, job: Job) -> int:
        """
        Hand in a job.

        :returns: its number, which its events carry
        :raises BusyError: if the last one has not ended
        :raises WorkerDiedError: if no process can be started
        """
        if self._job is not None:
            raise BusyError(f'training job {self._job.number} is still running; cancel it or '
                            'wait for its end')
        process = self.start()
        self._jobs += 1
        self._job = dataclasses.replace(job, number=self._jobs)
        self._listened_s = self._excused_s = time.monotonic()
        process.send(to_line(self._job))
        return self._jobs

    def cancel(self):
        """Ask for the end of the job; `poll` gives its `JobFailed` within `CANCEL_DEADLINE_S`."""
        if self._process is not None and self._job is not None and self._cancel_by is None:
            self._cancel_by = time.monotonic() + CANCEL_DEADLINE_S
            self._process.send(to_line(Cancel(self._job.number)))

    def poll(self, timeout_s: float = 0.0) -> list[Event]:
        """
        Return what happened since the last call, without waiting unless asked to.

        :param timeout_s: how long to wait for a first event, on the steady clock
        """
        process = self._process
        if process is None:
            return []
        events: list[Event] = []
        for event in process.take(timeout_s):
            if event is None:
                event = self._death(process)
            if event is not None:
                events.append(event)
            if isinstance(event, (JobDone, JobFailed)) and event.number == self._number():
                self._job = self._cancel_by = None
        reason = self._hangs()
        if self._job is not None and reason:
            events.append(self._give_up(self._job, process, reason))
        return events

    def _hangs(self) -> str:
        """Return in which way a worker with a job hangs; empty: it does not."""
        now = time.monotonic()
        if now - self._listened_s > self._silence_s / 2.0:
            # Held up ourselves, perhaps stopped together: that is no silence of the worker's.
            self._excused_s = now
        self._listened_s = now
        if self._job is None:
            return ''
        if self._cancel_by is not None and now > self._cancel_by:
            return f'did not stop its job within {CANCEL_DEADLINE_S:g} s'
        limit_s = self._silence_s if self._pulse.ready else max(START_S, self._silence_s)
        silent_s = now - max(self._pulse.heard_s, self._excused_s)
        if silent_s > limit_s:
            return f'hangs: its heartbeat has been silent for {silent_s:.0f} s'
        still_s = now - max(self._pulse.stepped_s, self._excused_s)
        if self._pulse.ready and still_s > self._stuck_s:
            return f'hangs: its job has taken no step for {still_s:.0f} s'
        return ''

    def _give_up(self, failed: Job, process: Conversation, reason: str) -> JobFailed:
        """Kill a worker that hangs; its job has failed, whenever the process is gone."""
        code = WorkerDiedError.code if self._cancel_by is None else CanceledError.code
        self._process = self._job = self._cancel_by = None
        process.kill()
        return JobFailed(failed.number, code,
                         f'the training worker (pid {process.pid}) {reason}; it was killed')

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

    def _death(self, process: Conversation) -> JobFailed | None:
        if self._job is None:
            return None
        if self._cancel_by is not None:
            return JobFailed(self._job.number, CanceledError.code,
                             'the fit was cancelled; its worker ended')
        return JobFailed(self._job.number, WorkerDiedError.code, process.exit_message())
