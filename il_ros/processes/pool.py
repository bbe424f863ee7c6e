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
Work over several processes: each builds what it works with once, then takes one job at a time.

A process knows nothing of this one but the arguments that it is given.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence, Sized
from concurrent.futures import ThreadPoolExecutor
import contextlib
from multiprocessing.connection import Connection, Pipe, wait
import signal
import subprocess
import sys
import tempfile
from typing import Any, cast, NamedTuple

from il_ros.errors import ImitationError
from il_ros.processes.child import end, exit_message, start

_END_S = 5.0
_LOOK_S = 0.2


class ProcessError(ImitationError):
    """A worker process that ended too early, or refused its work; the sentence says why."""


class Job(NamedTuple):
    """What a worker is given, and how often it was begun before."""

    job: Any
    tries: int


class Workers:
    """
    Processes that work until ``close``; one that dies is started again and its job dealt again.

    A job goes to whoever is free, so that their order says nothing.

    :ivar lost: sentences of those that died and were replaced
    """

    def __init__(self, make: Callable[..., Callable[[Any], Any]], arguments: Iterable[Sequence],
                 tries: int = 3):
        """
        Describe the workers; they start with the first jobs.

        :param make: at the top of a module; called once in each process with its arguments, it
            returns the function that a job is given to; its ``close``, if any, is called last
        :param arguments: plain values for each process, as many as there are to be processes
        :param tries: times that a job, or the start of a process, is begun before it has failed
        """
        self._make, self._tries = make, tries
        self._absent = [_Absent(tuple(one)) for one in arguments][::-1]
        self._starting: dict[Connection, _Worker] = {}
        self._free: list[_Worker] = []
        self._busy: dict[Connection, tuple[_Worker, Job]] = {}
        self._starter: ThreadPoolExecutor | None = None
        self.lost: list[str] = []

    def __enter__(self) -> 'Workers':
        """Use them until the end of a block."""
        return self

    def __exit__(self, *_):
        """End them."""
        self.close()

    def close(self):
        """End all processes; with new jobs others start."""
        running = [*self._free, *self._starting.values(),
                   *(worker for worker, _ in self._busy.values())]
        for known in (self._free, self._starting, self._busy):
            known.clear()
        for worker in running:
            worker.connection.close()
        try:
            end([worker.process for worker in running], _END_S, signal.SIGTERM)
        finally:
            for worker in running:
                worker.output.close()
                self._absent.append(_Absent(worker.arguments))
            if self._starter is not None:
                self._starter.shutdown()
                self._starter = None

    def run(self, jobs: Iterable[Any], check: Callable[[], None] = lambda: None,
            left: Callable[[], bool] = lambda: True) -> Iterator[tuple[Any, Any]]:
        """
        Yield jobs and their results, in the order in which they are finished.

        :param jobs: plain values; each is taken when somebody is free for it
        :param check: called several times a second; what it raises ends the work
        :param left: False: somebody else has taken all other jobs
        :raises ProcessError: if a process raises an error of ours, or the last try dies; all
            processes are ended then
        """
        waiting = Waiting(jobs)
        try:
            while self._deal(waiting, left):
                for ready in wait([*self._starting, *self._busy], _LOOK_S):
                    done = self._take_in(cast(Connection, ready), waiting)
                    if done is not None:
                        self._deal(waiting, left)
                        yield done
                check()
        except BaseException:
            self.close()
            raise

    def _deal(self, waiting: 'Waiting', left: Callable[[], bool]) -> bool:
        """Give jobs to those that are free, start others; tell whether there is more to do."""
        while self._free and (job := waiting.take()) is not None:
            worker = self._free.pop()
            self._busy[worker.connection] = (worker, job)
            worker.send(job.job)
        more = waiting.count if left() else 0
        while self._absent and not self._free and len(self._starting) < more:
            self._start(self._absent.pop())
        return bool(self._busy or more)

    def _start(self, absent: '_Absent'):
        # A process ends with the thread that started it; who asks for work may be another one.
        self._starter = self._starter or ThreadPoolExecutor(1, 'workers')
        worker = self._starter.submit(_Worker, self._make, absent).result()
        self._starting[worker.connection] = worker

    def _take_in(self, connection: Connection, waiting: 'Waiting') -> tuple[Any, Any] | None:
        """Take in what a process says; return a job and its result, if that is what it was."""
        starting = self._starting.pop(connection, None)
        worker, job = (starting, None) if starting else self._busy.pop(connection)
        try:
            result = worker.receive()
        except _WorkerDied as died:
            worker.output.close()
            failures = worker.failures + 1 if job is None else job.tries + 1
            self._absent.append(_Absent(worker.arguments, failures if job is None else 0))
            if failures >= self._tries:
                raise ProcessError(str(died)) from died
            self.lost.append(str(died))
            if job is not None:
                waiting.again(job)
            return None
        except ProcessError:
            self._free.append(worker)  # it ends by itself, and is waited for with the others
            raise
        self._free.append(worker)
        return None if job is None else (job.job, result)


class Waiting:
    """Jobs that nobody has yet."""

    def __init__(self, jobs: Iterable[Any]):
        """Begin with these; each is taken from them when somebody asks."""
        self._jobs, self._again = iter(jobs), list[Job]()
        self._left = len(jobs) if isinstance(jobs, Sized) else sys.maxsize

    @property
    def count(self) -> int:
        """Return how many there are at most."""
        return self._left + len(self._again)

    def again(self, job: Job):
        """Take back a job whose worker died."""
        self._again.append(job._replace(tries=job.tries + 1))

    def take(self) -> Job | None:
        """Return the next one; None: there is none."""
        if self._again:
            return self._again.pop()
        try:
            job = Job(next(self._jobs), 0)
            self._left -= 1
            return job
        except StopIteration:
            self._left = 0
            return None


class _Absent(NamedTuple):
    """A process that does not run."""

    arguments: tuple
    failures: int = 0
    """Starts that failed."""


class _WorkerDied(ImitationError):
    """A process that ended by itself."""


class _Worker:
    """One process and this end of its connection."""

    def __init__(self, make: Callable, absent: _Absent):
        self.arguments, self.failures = absent
        self.connection, workers_end = Pipe()
        # What libraries print when they are imported has no place in a progress bar.
        self.output = tempfile.TemporaryFile('a+b')
        descriptor = workers_end.fileno()
        command = (sys.executable, '-m', 'il_ros.processes.pool', str(descriptor))
        with workers_end:
            self.process: subprocess.Popen = start(
                command, stdin=subprocess.DEVNULL, stdout=self.output, stderr=self.output,
                pass_fds=(descriptor,))
        self.send((make, self.arguments))

    def send(self, value: Any):
        # A process that is gone shows when its result is asked for.
        with contextlib.suppress(BrokenPipeError):
            self.connection.send(value)

    def receive(self) -> Any:
        try:
            error, result = self.connection.recv()
        except (EOFError, ConnectionError) as lost:
            self.connection.close()
            end([self.process], _END_S, how=0)
            self.output.seek(0)
            lines = self.output.read().decode(errors='replace').splitlines()
            raise _WorkerDied(exit_message('a worker process', self.process.returncode,
                                           lines)) from lost
        if error:
            raise ProcessError(error)
        return result


def map_processes(make: Callable[..., Callable[[Any], Any]], arguments: Sequence,
                  jobs: Sequence, processes: int,
                  look: Callable[[], None] = lambda: None) -> Iterator[tuple[Any, Any]]:
    """
    Yield jobs and their results, in the order in which they are finished.

    :param make: at the top of a module; called once in each process with ``arguments``, it
        returns the function that a job is given to
    :param jobs: plain values
    :param processes: how many, at most one a job
    :param look: called several times a second
    :raises ProcessError: if one of them ends or raises an error of ours; all are ended then
    """
    with Workers(make, [arguments] * processes, tries=1) as workers:
        yield from workers.run(jobs, look)


def _work(connection: Connection):
    """Do jobs until the parent closes its end."""
    with contextlib.suppress(EOFError, ConnectionError), contextlib.ExitStack() as undo:
        try:
            make, arguments = connection.recv()
            work = make(*arguments)
            connection.send(('', None))
            undo.callback(getattr(work, 'close', lambda: None))
            while True:
                connection.send(('', work(connection.recv())))
        except ImitationError as error:
            connection.send((str(error), None))


if __name__ == '__main__':
    _work(Connection(int(sys.argv[1])))
