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
Work spread over processes: each builds what it works with once, then takes one job at a time.

A process that is started anew knows nothing of this one but its arguments. It ignores Ctrl-C,
which its parent answers, and ends when its parent does, however that happened.
"""

from collections.abc import Callable, Iterator, Sequence
import contextlib
import multiprocessing
from multiprocessing.connection import Connection, wait
import os
import signal
import sys
import tempfile
import threading
from typing import Any, BinaryIO

from il_ros.errors import ImitationError
from il_ros.processes.child import ONE_THREAD

_END_S = 5.0


class ProcessError(ImitationError):
    """A process that ended in the midst of its work, or refused it; the sentence says why."""


def spread(make: Callable[..., Callable[[Any], Any]], arguments: Sequence, jobs: Sequence,
           workers: int) -> Iterator[tuple[Any, Any]]:
    """
    Yield jobs and their results, in the order in which they are finished.

    :param make: at the top of a module; called once in each process with ``arguments``, it
        returns the function that a job is given to
    :param jobs: plain values
    :param workers: processes, at most one a job
    :raises ProcessError: if one of them ends or raises an error of ours; all are ended then
    """
    with tempfile.TemporaryFile() as said:
        yield from _spread(make, arguments, list(reversed(jobs)), workers, said)


def _spread(make: Callable, arguments: Sequence, waiting: list, workers: int,
            said: BinaryIO) -> Iterator[tuple[Any, Any]]:
    team: dict[Connection, multiprocessing.Process] = {}
    busy: dict[Connection, Any] = {}
    try:
        with _for_the_children(said):
            for _ in range(min(workers, len(waiting))):
                connection, process = _start(make, arguments)
                team[connection] = process
        for connection in team:
            _hand_out(connection, waiting, busy)
        while busy:
            for connection in wait(list(busy)):
                job = busy.pop(connection)
                result = _result_of(connection, team[connection], said)
                _hand_out(connection, waiting, busy)
                yield job, result
    finally:
        _end(team)


def _start(make: Callable, arguments: Sequence) -> tuple[Connection, multiprocessing.Process]:
    context = multiprocessing.get_context('spawn')
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(theirs, make, tuple(arguments)), daemon=True)
    process.start()
    theirs.close()
    return ours, process


@contextlib.contextmanager
def _for_the_children(said: BinaryIO) -> Iterator[None]:
    """
    Set up what a new process inherits: it ignores Ctrl-C from its first moment.

    What it prints goes to the file ``said``: libraries print when they are imported, and that
    has no place in a progress bar.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    ours = os.dup(1), os.dup(2)
    for stream in (1, 2):
        os.dup2(said.fileno(), stream)
    before = {name: os.environ.get(name) for name in ONE_THREAD}
    os.environ.update(ONE_THREAD)
    in_main = threading.current_thread() is threading.main_thread()
    handler = signal.signal(signal.SIGINT, signal.SIG_IGN) if in_main else None
    try:
        yield
    finally:
        for stream, kept in zip((1, 2), ours):
            os.dup2(kept, stream)
            os.close(kept)
        if in_main:
            signal.signal(signal.SIGINT, handler)
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _hand_out(connection: Connection, waiting: list, busy: dict[Connection, Any]):
    if waiting:
        job = waiting.pop()
        busy[connection] = job
        with contextlib.suppress(BrokenPipeError):
            connection.send(job)


def _result_of(connection: Connection, process: multiprocessing.Process, said: BinaryIO) -> Any:
    try:
        error, result = connection.recv()
    except (EOFError, ConnectionError) as lost:
        process.join(_END_S)
        said.seek(0)
        lines = said.read().decode(errors='replace').split('\n')
        last = next((line for line in reversed(lines) if line.strip()), 'nothing')
        raise ProcessError(f'a process ended in the midst of its work, with exit code '
                           f'{process.exitcode}; the last that was said: {last}') from lost
    if error:
        raise ProcessError(error)
    return result


def _serve(connection: Connection, make: Callable, arguments: tuple):
    """Work until the parent closes its end, or is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with contextlib.suppress(EOFError, ConnectionError):
        try:
            work = make(*arguments)
            while True:
                job = connection.recv()
                connection.send(('', work(job)))
        except ImitationError as error:
            connection.send((str(error), None))


def _end(team: dict[Connection, multiprocessing.Process]):
    for connection, process in team.items():
        connection.close()
        process.terminate()
    for process in team.values():
        process.join(_END_S)
        if process.is_alive():
            process.kill()
            process.join()
        process.close()
