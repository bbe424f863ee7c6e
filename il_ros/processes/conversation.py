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
Conversations with a child process: lines to its standard input, lines from its standard output.

`Conversation` is the parent's end; `Answers` and `lines_of` are the child's. Nothing here loads
NumPy or torch.
"""

import collections
from collections.abc import Callable, Iterator, Sequence
import contextlib
import os
import queue
import subprocess
import threading
from typing import Any, IO

from il_ros.processes.child import exit_message, start

KILL_S = 1.0
"""How long a killed process may take to be gone."""


def lines_of(descriptor: int) -> Iterator[bytes]:
    """Yield the lines that come, without their ends, until nobody writes any more."""
    # Not through sys.stdin: a daemon thread inside its lock breaks the interpreter's end.
    rest = b''
    while chunk := os.read(descriptor, 65536):
        *lines, rest = (rest + chunk).split(b'\n')
        yield from filter(None, lines)
    if rest:
        yield rest


class Answers:
    """
    Writes lines to what was standard output; from now on prints go to standard error.

    Make it before anything can print: libraries do so when they are imported.
    """

    def __init__(self):
        self._descriptor = os.dup(1)
        self._writing = threading.Lock()
        os.dup2(2, 1)

    def put(self, line: bytes):
        """Write one line, its end included; callable from any thread."""
        with contextlib.suppress(BrokenPipeError), self._writing:
            os.write(self._descriptor, line)


class Conversation:
    """
    A child process, and the two threads that listen to it.

    The thread that starts the process is the one that waits for its end, for the parent watch
    ends the process with the thread that started it.
    """

    def __init__(self, name: str, command: Sequence[str], hear: Callable[[bytes], Any],
                 log: Callable[[str], None] = lambda line: None):
        """
        Start the process.

        :param name: of the process, for messages
        :param hear: given each line, in another thread, it returns what `take` is to return for
            it; None: nothing
        :param log: given each line that the process writes to its standard error, in a third one
        :raises OSError: if no process can be started
        """
        self._name, self._hear, self._log = name, hear, log
        self._heard: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._last_lines: collections.deque[str] = collections.deque(maxlen=5)
        started: queue.SimpleQueue[subprocess.Popen | OSError] = queue.SimpleQueue()
        self._owner = threading.Thread(target=self._own, args=(command, started), daemon=True,
                                       name=name)
        self._owner.start()
        process = started.get()
        if isinstance(process, OSError):
            raise process
        self._process = process

    @property
    def pid(self) -> int:
        """Return the id of the process."""
        return self._process.pid

    def alive(self) -> bool:
        """Tell whether the process runs."""
        return self._process.returncode is None

    def send(self, line: bytes):
        """Write one line, its end included; a process that is gone shows in `take`."""
        with contextlib.suppress(BrokenPipeError, ValueError):
            _pipe(self._process.stdin).write(line)

    def take(self, timeout_s: float = 0.0) -> list:
        """
        Return what was heard since the last call; None in it: the process has ended.

        :param timeout_s: how long to wait for a first line
        """
        found = []
        with contextlib.suppress(queue.Empty):
            if timeout_s > 0.0:
                found.append(self._heard.get(timeout=timeout_s))
            while True:
                found.append(self._heard.get_nowait())
        return found

    def kill(self):
        """End it at once, whatever it does; one that hangs in the kernel is left behind."""
        if self.alive():
            self._process.kill()
        self._owner.join(KILL_S)

    def close(self, deadline_s: float):
        """End its input, and after ``deadline_s`` the process."""
        with contextlib.suppress(BrokenPipeError):
            _pipe(self._process.stdin).close()
        self._owner.join(deadline_s)
        self.kill()

    def exit_message(self) -> str:
        """Return how it ended, with the last line that it wrote to its standard error."""
        return exit_message(f'{self._name} (pid {self.pid})', self._process.returncode,
                            self._last_lines)

    def _own(self, command: Sequence[str], started: queue.SimpleQueue):
        try:
            process = start(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, bufsize=0)
        except OSError as error:
            started.put(error)
            return
        started.put(process)
        listener = threading.Thread(target=self._listen, args=(process,), daemon=True)
        listener.start()
        with _pipe(process.stdout) as output:
            for line in lines_of(output.fileno()):
                heard = self._hear(line)
                if heard is not None:
                    self._heard.put(heard)
        process.wait()
        listener.join()
        self._heard.put(None)

    def _listen(self, process: subprocess.Popen):
        with _pipe(process.stderr) as errors:
            for raw in lines_of(errors.fileno()):
                line = raw.decode(errors='replace').rstrip()
                self._last_lines.append(line)
                self._log(line)


def _pipe(stream: IO[bytes] | None) -> IO[bytes]:
    assert stream is not None, 'the process was started with three pipes'
    return stream
