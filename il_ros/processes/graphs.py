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
``il_ros`` commands that need the graph, in processes of their own, several side by side.

Each gets a ROS domain of its own, for two graphs in one would steer each other's arm. Its output
goes to a log file.
"""

from collections.abc import Callable, Iterator, Sequence
import contextlib
import itertools
import os
from pathlib import Path
import signal
import socket
import subprocess
import sys
import time
from typing import NamedTuple

from il_ros.errors import ImitationError
from il_ros.processes.child import end, exit_message, start

LOOK_S = 0.2
_COMMAND = (sys.executable, '-m', 'il_ros.cli')
_END_S = 20.0
_DOMAIN = 'ROS_DOMAIN_ID'
_LAST_DOMAIN = 232
"""The ports of higher ones do not exist."""

_HOLDING_PORT = 32768
"""Whoever binds this port plus a domain holds the domain, as ``domain_coordinator`` has it."""


class GraphError(ImitationError):
    """A command that failed; the sentence is its own, and names its log."""


class Command(NamedTuple):
    """One call of ``il_ros``."""

    name: str
    """Of its log file."""
    words: tuple[str, ...]


class _Running(NamedTuple):
    command: Command
    process: subprocess.Popen
    environment: dict[str, str]
    said_before: int
    """Bytes of its log that earlier calls left."""


def run_commands(commands: Sequence[Command], logs: Path, workers: int,
                 look: Callable[[], None] = lambda: None):
    """
    Run commands until all are done; Ctrl-C ends them as it would end each.

    :param logs: folder of the log files, ``NAME.log``
    :param workers: commands side by side
    :param look: called several times a second
    :raises GraphError: if one fails; the others are interrupted then
    """
    with environments(workers) as free:
        logs.mkdir(parents=True, exist_ok=True)
        waiting = list(reversed(commands))
        running: list[_Running] = []
        try:
            while waiting or running:
                while waiting and free:
                    running.append(_start(waiting.pop(), free.pop(0), logs))
                time.sleep(LOOK_S)
                for one in [one for one in running if one.process.poll() is not None]:
                    running.remove(one)
                    free.append(one.environment)
                    if one.process.returncode:
                        raise GraphError(_failure(one, logs))
                look()
        finally:
            end([one.process for one in running], _END_S)


def _start(command: Command, environment: dict[str, str], logs: Path) -> _Running:
    with open(logs / f'{command.name}.log', 'ab') as log:
        said_before = log.tell()
        process = start((*_COMMAND, *command.words), signal.SIGINT, environment,
                        stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        return _Running(command, process, environment, said_before)


def _failure(one: _Running, logs: Path) -> str:
    log = logs / f'{one.command.name}.log'
    lines = log.read_bytes()[one.said_before:].decode(errors='replace').splitlines()
    return f'{exit_message(one.command.name, one.process.returncode, lines)}; more in {log}'


@contextlib.contextmanager
def environments(count: int) -> Iterator[list[dict[str, str]]]:
    """
    Yield what the environments of so many graphs side by side add: a ROS domain each.

    The domain that the user chose is the first one's; the others get the next ones that nobody
    holds, which are held meanwhile. Without a choice each graph finds a domain by itself.

    :raises GraphError: if the user's choice is no domain, or too few free ones follow
    """
    chosen = os.environ.get(_DOMAIN)
    if not chosen:
        yield [{} for _ in range(count)]
        return
    if not chosen.isdecimal() or int(chosen) > _LAST_DOMAIN:
        raise GraphError(f'{_DOMAIN} is {chosen!r}; expected a number from 0 to {_LAST_DOMAIN}')
    first = int(chosen)
    with contextlib.ExitStack() as held:
        free = (domain for domain in range(first + 1, _LAST_DOMAIN + 1) if _hold(domain, held))
        domains = [first, *itertools.islice(free, count - 1)]
        if len(domains) < count:
            raise GraphError(f'{_DOMAIN} is {first}, and too few free domains follow for {count} '
                             'graphs side by side; choose a lower one')
        yield [{_DOMAIN: str(domain)} for domain in domains]


def _hold(domain: int, held: contextlib.ExitStack) -> bool:
    """Hold a domain until ``held`` is closed, and tell whether nobody else does."""
    holder = held.enter_context(socket.socket())
    try:
        holder.bind(('', _HOLDING_PORT + domain))
    except OSError:
        return False
    return True
