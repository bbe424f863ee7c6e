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
A process that measures, and its conversation with the one that asks: JSON, a line at a time.

Each loop is measured in a process of its own, which stays warm while the others take their turn.
"""

from collections.abc import Iterator
import contextlib
from functools import partial
import json
import os
from pathlib import Path
import signal
import subprocess
import sys

from il_ros.errors import ImitationError
from il_ros.processes.child import end_with_parent

_END_S = 15.0


class ChildError(ImitationError):
    """A measuring process that failed; the sentence has its last words."""


class Child:
    """
    A measuring process; a context manager that ends it.

    :param arguments: for Python, e.g. ``('-m', 'benchmarks.loop')``
    :param log: file for what it says beside its answers
    """

    def __init__(self, arguments: tuple[str, ...], log: Path):
        self._name = ' '.join(arguments[:2])
        self._log = log
        with open(log, 'wb') as errors:
            self._process = subprocess.Popen(
                [sys.executable, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                stderr=errors, text=True, bufsize=1, start_new_session=True,
                preexec_fn=partial(end_with_parent, signal.SIGTERM))

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        if kind is not None:
            self._process.terminate()
        end(self._process, _END_S)
        self._process.stdout.close()

    def ask(self, **request) -> dict:
        """
        Let the process do something and return its answer.

        :raises ChildError: if it ended instead
        """
        try:
            self._process.stdin.write(json.dumps(request) + '\n')
            line = self._process.stdout.readline()
        except BrokenPipeError:
            line = ''
        if not line:
            words = self._log.read_text(errors='replace').strip().splitlines() or ['nothing']
            raise ChildError(f'{self._name} ended before it answered; it said: {words[-1]}')
        answer = json.loads(line)
        if 'error' in answer:
            raise ChildError(f'{self._name}: {answer["error"]}')
        return answer


def end(process: subprocess.Popen, deadline_s: float):
    """Wait for the end of a process that was asked to; after the deadline it is killed."""
    try:
        process.wait(deadline_s)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


class Conversation:
    """The child's end; make it before anything can print: libraries do so when imported."""

    def __init__(self):
        self._answers = os.fdopen(os.dup(1), 'w')
        os.dup2(2, 1)

    def requests(self) -> Iterator[dict]:
        """Return the requests until the parent closes."""
        for line in sys.stdin:
            yield json.loads(line)

    def answer(self, **answer):
        """Answer the last request."""
        self._answers.write(json.dumps(answer) + '\n')
        self._answers.flush()
