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

from collections.abc import Callable, Iterator, Sequence
import contextlib
from multiprocessing.connection import Connection, Pipe, wait
import signal
import subprocess
import sys
import tempfile
from typing import Any, BinaryIO, cast

from il_ros.errors import ImitationError
from il_ros.processes.child import end, exit_message, start

_END_S = 5.0


class ProcessError(ImitationError):
    """A worker process that ended too early, or refused its work; the sentence says why."""


def map_processes(make: Callable[..., Callable[[Any], Any]], arguments: Sequence,
                  jobs: Sequence, processes: int) -> Iterator[tuple[Any, Any]]:
    """
    Yield jobs and their results, in the order in which they are finished.

    :param make: at the top of a module; called once in each process with ``arguments``, it
        returns the function that a job is given to
    :param jobs: plain values
    :param processes: how many, at most one a job
    :raises ProcessError: if one of them ends or raises an error of ours; all are ended then
    """
    waiting = list(reversed(jobs))
    workers: dict[Connection, subprocess.Popen] = {}
    busy: dict[Connection, Any] = {}
    # What libraries print when they are imported has no place in a progress bar.
    with tempfile.TemporaryFile('a+b') as output:
        try:
            for _ in range(min(processes, len(waiting))):
                connection, workers_end = Pipe()
                workers[connection] = _start(workers_end, output)
                _send(connection, (make, tuple(arguments)))
                _hand_out(connection, waiting, busy)
            while busy:
                for ready in wait(list(busy)):
                    connection = cast(Connection, ready)
                    job = busy.pop(connection)
                    result = _result_of(connection, workers[connection], output)
                    _hand_out(connection, waiting, busy)
                    yield job, result
        finally:
            for connection in workers:
                connection.close()
            end(workers.values(), _END_S, signal.SIGTERM)


def _start(workers_end: Connection, output: BinaryIO) -> subprocess.Popen:
    descriptor = workers_end.fileno()
    command = (sys.executable, '-m', 'il_ros.processes.pool', str(descriptor))
    with workers_end:
        return start(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                     pass_fds=(descriptor,))


def _hand_out(connection: Connection, waiting: list, busy: dict[Connection, Any]):
    if waiting:
        busy[connection] = waiting.pop()
        _send(connection, busy[connection])


def _send(connection: Connection, value: Any):
    # A process that is gone shows when its result is asked for.
    with contextlib.suppress(BrokenPipeError):
        connection.send(value)


def _result_of(connection: Connection, process: subprocess.Popen, output: BinaryIO) -> Any:
    try:
        error, result = connection.recv()
    except (EOFError, ConnectionError) as lost:
        end([process], _END_S, how=0)
        output.seek(0)
        lines = output.read().decode(errors='replace').splitlines()
        raise ProcessError(exit_message('a worker process', process.returncode,
                                        lines)) from lost
    if error:
        raise ProcessError(error)
    return result


def _work(connection: Connection):
    """Do jobs until the parent closes its end."""
    with contextlib.suppress(EOFError, ConnectionError):
        try:
            make, arguments = connection.recv()
            work = make(*arguments)
            while True:
                connection.send(('', work(connection.recv())))
        except ImitationError as error:
            connection.send((str(error), None))


if __name__ == '__main__':
    _work(Connection(int(sys.argv[1])))
