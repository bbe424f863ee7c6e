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
Child processes that end with their parent: start one, end several, say how one ended.

Run as a script, this file is the parent watch: between the two processes it asks Linux for a
signal at the parent's end, then becomes the command.
"""

from collections.abc import Collection, Sequence
import ctypes
import os
import signal
import subprocess
import sys
import time

ONE_THREAD = {'OMP_NUM_THREADS': '1', 'OPENBLAS_NUM_THREADS': '1', 'MKL_NUM_THREADS': '1'}
"""Environment: several processes with many threads each would only be in each other's way."""

_PR_SET_PDEATHSIG = 1


def start(command: Sequence[str], at_parent_end: int = signal.SIGKILL,
          environment: dict[str, str] | None = None, **options) -> subprocess.Popen:
    """
    Start a process with one thread for arithmetic, which finds the modules that this one finds.

    It has a session of its own: Ctrl-C at the terminal meets the parent alone, which passes it on.

    :param at_parent_end: signal that it gets when the thread that started it ends, however it does
    :param environment: variables to add
    :param options: of ``subprocess.Popen``
    :raises OSError: if no process can be started
    """
    modules = os.pathsep.join(os.path.abspath(path) for path in sys.path)
    inherited = {**os.environ, **ONE_THREAD, 'PYTHONPATH': modules, 'PYTHONSAFEPATH': '1'}
    return subprocess.Popen(watched(command, at_parent_end), start_new_session=True,
                            env={**inherited, **(environment or {})}, **options)


def watched(command: Sequence[str], at_parent_end: int = signal.SIGKILL) -> tuple[str, ...]:
    """Return the command for a child that gets a signal when the thread that starts it ends."""
    return (sys.executable, '-I', '-S', __file__, str(os.getpid()), str(int(at_parent_end)),
            *command)


def end(processes: Collection[subprocess.Popen], deadline_s: float, how: int = signal.SIGINT):
    """
    Wait for the end of processes, and kill them after the deadline.

    :param how: signal that they get first; 0: none, they end by themselves
    """
    for process in processes:
        process.send_signal(how)
    until = time.monotonic() + deadline_s
    for process in processes:
        try:
            process.wait(max(0.1, until - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def exit_message(name: str, exit_code: int, output: Sequence[str]) -> str:
    """
    Return how a process ended, with its error message or else its last line.

    :param exit_code: as ``subprocess`` has it: negative for a signal
    :param output: lines that it wrote, in order
    """
    how = (f'was killed by {signal.Signals(-exit_code).name}' if exit_code < 0
           else f'ended with exit code {exit_code}')
    lines = [line.strip() for line in output if line.strip()]
    errors = [line for line in lines if line.startswith('il_ros: ')]
    last = (errors or lines or [''])[-1].removeprefix('il_ros: ')
    return f'{name} {how}' + (f'; last output: {last}' if last else '')


def _main(words: Sequence[str]):
    parent, at_parent_end, *command = words
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(at_parent_end), 0, 0, 0)
    if os.getppid() != int(parent):
        sys.exit(f'the parent of this command, process {parent}, is gone')
    os.execv(command[0], command)


if __name__ == '__main__':
    _main(sys.argv[1:])
