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
Measuring processes: each request is a line of JSON, and so is its answer.

Each loop is measured in a process of its own, which stays warm while the others take their turn.
"""

from collections.abc import Callable, Iterator
import json
import sys

from il_ros.errors import ImitationError
from il_ros.processes.conversation import Answers, Conversation, lines_of

_ANSWER_S = 3600.0
_END_S = 15.0


class ChildError(ImitationError):
    """A measuring process that failed; the sentence has its last words."""


class Child(Conversation):
    """
    A measuring process; a context manager that ends it.

    :param arguments: for Python, e.g. ``('-m', 'benchmarks.loop')``
    """

    def __init__(self, arguments: tuple[str, ...]):
        super().__init__(' '.join(arguments[:2]), (sys.executable, *arguments), json.loads)
        self._unread: list[dict | None] = []

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if kind is not None:
            self.kill()
        self.close(_END_S)

    def ask(self, **request) -> dict:
        """
        Let the process do something and return its answer.

        :raises ChildError: if it failed or ended instead, or takes an hour
        """
        self.send(_line(request))
        self._unread += self.take(0.0 if self._unread else _ANSWER_S)
        answer = self._unread.pop(0) if self._unread else {'error': 'no answer within an hour'}
        if answer is None:
            raise ChildError(self.exit_message())
        if 'error' in answer:
            raise ChildError(f'{self._name}: {answer["error"]}')
        return answer


class Parent:
    """The child's end; make it before anything can print: libraries do so when imported."""

    def __init__(self):
        self._answers = Answers()

    def requests(self) -> Iterator[dict]:
        """Return the requests until the parent closes."""
        yield from map(json.loads, lines_of(0))

    def answer(self, **answer):
        """Answer the last request."""
        self._answers.put(_line(answer))

    def serve(self, do: Callable[[dict], dict]) -> int:
        """Answer all requests, and return the exit code."""
        try:
            for request in self.requests():
                self.answer(**do(request))
        except ImitationError as error:
            self.answer(error=str(error))
            return 1
        return 0


def _line(fields: dict) -> bytes:
    return f'{json.dumps(fields)}\n'.encode()
