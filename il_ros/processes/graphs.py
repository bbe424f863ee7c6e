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
``il_ros`` commands that need the graph, in processes of their own, so many side by side.

Each gets a ROS domain of its own, for two graphs in one would steer each other's arm, and one
thread for arithmetic. What it says goes to a log file.
"""

from collections.abc import Callable, Sequence
import os
from pathlib import Path
import signal
import subprocess
import sys
import time
from typing import NamedTuple

from il_ros.errors import ImitationError
from il_ros.processes.child import ONE_THREAD

LOOK_S = 0.2
_END_S = 20.0
_DOMAIN = 'ROS_DOMAIN_ID'
_LAST_DOMAIN = 232
"""The ports of higher ones do not exist."""


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
    slot: int
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
    environment(workers - 1)  # a domain too high for the last slot is told before any starts
    logs.mkdir(parents=True, exist_ok=True)
    waiting, slots = list(reversed(commands)), list(reversed(range(workers)))
    running: list[_Running] = []
    try:
        while waiting or running:
            while waiting and slots:
                command, slot = waiting.pop(), slots.pop()
                running.append(_start(command, slot, logs))
            time.sleep(LOOK_S)
            for one in [one for one in running if one.process.poll() is not None]:
                running.remove(one)
                slots.append(one.slot)
                if one.process.returncode:
                    raise GraphError(_obituary(one, logs))
            look()
    finally:
        _end(running)


def _start(command: Command, slot: int, logs: Path) -> _Running:
    python = (sys.executable, '-m')
    with open(logs / f'{command.name}.log', 'ab') as log:
        said_before = log.tell()
        # In a session of its own: Ctrl-C at the terminal meets the parent alone, which passes
        # it on when it is ready to wait.
        process = subprocess.Popen(
            (*python, 'il_ros.processes.child', str(os.getpid()), *python, 'il_ros.cli',
             *command.words),
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
            env=environment(slot))
        return _Running(command, process, slot, said_before)


def environment(slot: int) -> dict[str, str]:
    """
    Return the environment of the command in a slot.

    A domain that the user chose is the first slot's, the next ones are the others'; without one
    each command finds a free one by itself.

    :raises GraphError: if the variable is no domain, or the slot's would be none
    """
    found = {**os.environ, **ONE_THREAD}
    if found.get(_DOMAIN):
        try:
            domain = int(found[_DOMAIN]) + slot
        except ValueError as error:
            raise GraphError(f'{_DOMAIN} is {found[_DOMAIN]!r}; expected a number') from error
        if not slot <= domain <= _LAST_DOMAIN:
            raise GraphError(f'{_DOMAIN} is {found[_DOMAIN]}; expected 0 to '
                             f'{_LAST_DOMAIN - slot}, for {slot + 1} graphs side by side')
        found[_DOMAIN] = str(domain)
    return found


def _obituary(one: _Running, logs: Path) -> str:
    log = logs / f'{one.command.name}.log'
    text = log.read_bytes()[one.said_before:].decode(errors='replace')
    lines = [line for line in text.splitlines() if line.strip()]
    said = [line for line in lines if line.startswith('il_ros: ')] or lines or ['nothing']
    return (f'{one.command.name} ended with exit code {one.process.returncode}; it said: '
            f'{said[-1].removeprefix("il_ros: ")}; more in {log}')


def _end(running: list[_Running]):
    for one in running:
        one.process.send_signal(signal.SIGINT)
    until = time.monotonic() + _END_S
    for one in running:
        try:
            one.process.wait(max(0.1, until - time.monotonic()))
        except subprocess.TimeoutExpired:
            one.process.kill()
            one.process.wait()
