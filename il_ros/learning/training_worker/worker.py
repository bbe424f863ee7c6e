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
The warm training process: ``python -m il_ros.learning.training_worker.worker``.

Jobs come as JSON lines on standard input, answers go as JSON lines to standard output
(`protocol.py`). It knows nothing of ROS. It ignores Ctrl-C, which its parent answers, gives way to
the control loop, and ends when its input ends or its parent dies. Its heartbeat says how long ago
the job took a step, so that its parent can tell a slow fit from a worker that hangs.

Where torchrun started several for one fit (`launcher.py`), the first of them is that worker; the
others get the job from it, say nothing, and end with the fit.
"""

import argparse
from collections.abc import Callable
import contextlib
import functools
import os
from pathlib import Path
import queue
import signal
import sys
import threading
import time
from typing import Any

from il_ros.errors import ImitationError, JobError, WorkerDiedError
from il_ros.learning.training_worker.protocol import Alive, Cancel, Event, from_line, Job, JobDone
from il_ros.learning.training_worker.protocol import JobFailed, Ready, to_line
from il_ros.processes.conversation import Answers, lines_of

_GRACE_S = 2.0
_BEAT_S = 1.0


class _Inbox(threading.Thread):
    """Reads the input: jobs are queued, cancellations noted at once."""

    def __init__(self):
        super().__init__(name='inbox', daemon=True)
        self.jobs: queue.SimpleQueue[Job | JobError | None] = queue.SimpleQueue()
        self._cancelled: set[int] = set()
        self._closed = threading.Event()

    def cancelled(self, number: int) -> bool:
        """Tell whether that job is to stop."""
        return number in self._cancelled or self._closed.is_set()

    def run(self):
        for line in lines_of(0):
            self._take(line)
        self._closed.set()
        self.jobs.put(None)
        threading.Event().wait(_GRACE_S)
        os._exit(1)

    def _take(self, line: bytes):
        try:
            message = from_line(line)
            if isinstance(message, Cancel):
                self._cancelled.add(message.number)
            elif isinstance(message, Job):
                self.jobs.put(message)
            else:
                raise JobError(f'{line[:80]!r} is no message to a training worker')
        except JobError as error:
            self.jobs.put(error)


class _Outbox:
    """Writes events to standard output."""

    def __init__(self):
        self._answers = Answers()

    def put(self, event: Event):
        """Write one line; callable from any thread."""
        self._answers.put(to_line(event))


class _Heart(threading.Thread):
    """Says once a second that this process runs, and when its job took its last step."""

    def __init__(self, outbox: _Outbox):
        super().__init__(name='heart', daemon=True)
        self._outbox = outbox
        self._stepped_s = time.monotonic()

    def step(self):
        """Note that the job goes on."""
        self._stepped_s = time.monotonic()

    def run(self):
        pause = threading.Event()
        while True:
            self._outbox.put(Alive(time.monotonic() - self._stepped_s))
            pause.wait(_BEAT_S)


def _work(inbox: _Inbox, outbox: _Outbox, heart: _Heart, meet: str):
    # Only now: torch takes seconds to load, and the heart beats meanwhile.
    from il_ros.learning.compute import ranks
    from il_ros.learning.training_worker import job as jobs
    import torch
    torch.set_num_threads(1)
    jobs.warm_up()
    team = ranks.Ranks.of_torchrun(Path(meet)) if meet else ranks.ALONE
    fit = functools.partial(jobs.run, ranks=team)
    outbox.put(Ready(os.getpid()))
    with contextlib.suppress(ranks.PeerLostError):
        while (job := inbox.jobs.get()) is not None:
            if isinstance(job, JobError):
                outbox.put(JobFailed(-1, job.code, str(job)))
            else:
                team.tell(to_line(job).decode())
                _run(fit, job, inbox, outbox, heart)


def _follow(meet: str):
    """Do a share of one fit; its job comes from the process that leads, which answers."""
    from il_ros.learning.compute import ranks
    from il_ros.learning.training_worker import job as jobs
    import torch
    torch.set_num_threads(1)
    team = ranks.Ranks.of_torchrun(Path(meet))
    job: Any = from_line(team.hear())
    try:
        jobs.take_part(job, team)
    except ranks.PeerLostError:
        pass
    except (ImitationError, OSError, MemoryError) as error:
        sys.exit(f'il_ros: {error or type(error).__name__}')


def _run(fit: Callable[..., JobDone], job: Job, inbox: _Inbox, outbox: _Outbox, heart: _Heart):
    def cancelled() -> bool:
        heart.step()
        return inbox.cancelled(job.number)

    heart.step()
    try:
        outbox.put(fit(job, outbox.put, cancelled))
    except ImitationError as error:
        outbox.put(JobFailed(job.number, error.code or JobError.code, str(error)))
    except (OSError, MemoryError) as error:
        outbox.put(JobFailed(job.number, WorkerDiedError.code,
                             f'the training failed: {type(error).__name__} {error}'))


def main(args: list[str] | None = None):
    """Run jobs until the input ends."""
    parser = argparse.ArgumentParser(prog='python -m il_ros.learning.training_worker.worker',
                                     description='Fit policies: jobs in, events out, JSON lines.')
    parser.add_argument('--nice', type=int, default=10, metavar='N',
                        help='how much to give way to other processes, 0 to 19')
    parser.add_argument('--meet', default='', metavar='FILE',
                        help='where the processes of one fit meet that torchrun started')
    options = parser.parse_args(args)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.nice(options.nice)
    if options.meet and os.environ['RANK'] != '0':
        Answers()  # standard output belongs to the process that leads
        _follow(options.meet)
        return
    outbox, inbox = _Outbox(), _Inbox()
    heart = _Heart(outbox)
    for thread in (inbox, heart):
        thread.start()
    _work(inbox, outbox, heart, options.meet)


if __name__ == '__main__':
    main()
