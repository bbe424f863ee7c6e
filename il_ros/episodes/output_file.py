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

"""What an episode is written into: nothing of it is held back where a kill could reach it."""

from collections import deque
import os
from pathlib import Path
import threading
import time

from il_ros.files.atomic import write_all

PATIENCE_S, BETWEEN_S = 0.003, 0.001
"""How long a write waits for a thread that has fallen behind, and how long no other one does."""

BEHIND = 4
"""Blocks that may be unwritten before the thread has fallen behind: two chunks, 12 steps."""

AT_ONCE = 1 << 20
"""Bytes after which no further block joins a write."""

SLOW_S = 0.1
"""After so long without an answer it is the disk that is slow, and nothing waits for it."""


class UnbufferedFile:
    """
    A file whose writes reach the operating system before they return.

    ``mcap`` wraps every ``RawIOBase`` in a buffer of its own, which a killed process takes with
    it; this is none.
    """

    backlog = 0
    """Nothing ever waits."""

    def __init__(self, path: Path):
        """Create ``path``, or empty it."""
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
        self._position = 0

    def write(self, data: bytes) -> int:
        """Write the whole of ``data``."""
        write_all(self._descriptor, data)
        self._position += len(data)
        return len(data)

    def tell(self) -> int:
        """Return how many bytes were written."""
        return self._position

    def flush(self):
        """Do nothing: there is no buffer."""

    def close(self, sync: bool = True):
        """Close the file, synced to the disk; a second call does nothing."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor < 0:
            return
        try:
            if sync:
                os.fsync(descriptor)
        finally:
            os.close(descriptor)


class QueuedFile:
    """
    A file whose ``write`` returns soon, whatever the disk does.

    A thread writes at once, so that the data soon are where a kill cannot reach them; on a busy
    machine ``write`` waits a little until it has had its turn. When the disk does not answer,
    the data wait in a queue, whose length is ``backlog``; whoever writes keeps that short.
    """

    def __init__(self, path: Path):
        """Create ``path``, or empty it."""
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
        self._changed = threading.Condition()
        self._blocks: deque[bytes] = deque()
        self._error: OSError | None = None
        self._closed = self._sync = False
        self._position = 0
        self._answered_s = time.monotonic()
        self._waits_from_s = 0.0
        self._unwritten = 0
        self.backlog = 0
        """Bytes that are not written yet."""
        self._thread = threading.Thread(target=self._run, name='episode file', daemon=True)
        self._thread.start()

    def write(self, data: bytes) -> int:
        """
        Have the whole of ``data`` written.

        :raises OSError: if this write or an earlier one failed
        """
        if not data:
            return 0
        with self._changed:
            self._raise_error()
            if not self.backlog:
                self._answered_s = time.monotonic()
            self._blocks.append(bytes(data))
            self.backlog += len(data)
            self._changed.notify_all()
            self._unwritten += 1
            if self._unwritten > BEHIND:
                self._let_it_catch_up()
            self._raise_error()
        self._position += len(data)
        return len(data)

    def _let_it_catch_up(self):
        now_s = time.monotonic()
        if now_s - self._answered_s < SLOW_S and now_s > self._waits_from_s and (
                not self._changed.wait_for(lambda: not self.backlog, PATIENCE_S)):
            self._waits_from_s = time.monotonic() + BETWEEN_S

    def tell(self) -> int:
        """Return how many bytes were handed over."""
        return self._position

    def flush(self):
        """Do nothing: whatever was handed over is on its way."""

    def close(self, sync: bool = True):
        """
        Close the file; a second call does nothing.

        :param sync: wait until everything is on the disk; else what waits is given up
        :raises OSError: if a write failed; only with ``sync``
        """
        with self._changed:
            if self._closed:
                return
            self._closed, self._sync = True, sync
            if not sync:
                self._blocks.clear()
            self._changed.notify_all()
        if sync:
            self._thread.join()
            self._raise_error()

    def _raise_error(self):
        if self._error is not None:
            raise OSError(self._error.errno, self._error.strerror)

    def _run(self):
        try:
            while taken := self._next():
                data = b''.join(taken)
                write_all(self._descriptor, data)
                with self._changed:
                    self._unwritten -= len(taken)
                    self.backlog -= len(data)
                    self._answered_s = time.monotonic()
                    self._changed.notify_all()
            if self._sync:
                os.fsync(self._descriptor)
        except OSError as error:
            self._fail(error)
        finally:
            os.close(self._descriptor)

    def _next(self) -> list[bytes]:
        """
        Wait for what to write next; empty: the file is closed, and nothing is left.

        Many blocks at once: in a busy process this thread's turns are few.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._blocks or self._closed)
            taken, size = [], 0
            while self._blocks and size < AT_ONCE:
                taken.append(self._blocks.popleft())
                size += len(taken[-1])
            return taken

    def _fail(self, error: OSError):
        with self._changed:
            self._error = error
            self._blocks.clear()
            self.backlog = 0
            self._changed.notify_all()
