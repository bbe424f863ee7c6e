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

"""Standard output and error that may end while a command runs: a full device, a closed pipe."""

from collections.abc import Iterator
import contextlib
import errno
import io
import os
import signal
import sys
from typing import cast

from il_ros.errors import ImitationError

CLOSED = 128 + signal.SIGPIPE
"""Exit code where nobody reads on, as shells have it."""


def sentence_of(error: ImitationError | OSError) -> str:
    """Return what a command says of an error: its own sentence, or the file and the reason."""
    if isinstance(error, ImitationError):
        return str(error)
    reason = error.strerror or str(error) or type(error).__name__
    return f'{error.filename}: {reason}' if error.filename is not None else reason


class OutputError(ImitationError):
    """
    Standard output takes no more.

    :param reason: what the operating system said
    """

    def __init__(self, reason: OSError):
        super().__init__(f'standard output cannot be written ({reason.strerror}); free some space '
                         'there, or write it elsewhere')
        self.is_closed = reason.errno == errno.EPIPE
        """Nobody reads on, as after ``| head``: that is no mistake."""


class Output:
    """
    A text stream that fails once, with ``OutputError``; what is written after that is dropped.

    :param quiet: it fails never: progress bars are not worth a command
    """

    def __init__(self, stream: io.TextIOBase, quiet: bool = False):
        self._stream = stream
        self._quiet = quiet
        self.failure: OutputError | None = None

    def __getattr__(self, name: str):
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        """Write a text, as a stream does."""
        self._do(self._stream.write, text)
        return len(text)

    def flush(self):
        """Flush, as a stream does."""
        self._do(self._stream.flush)

    def _do(self, what, *words):
        if self.failure is not None:
            return
        try:
            what(*words)
        except OSError as error:
            self.failure = OutputError(error)
            _discard(self._stream)
            if not self._quiet:
                raise self.failure from error


def _discard(stream: io.TextIOBase):
    """Lead what a stream still holds to nowhere: the interpreter writes that when it ends."""
    with contextlib.suppress(OSError, ValueError):  # a stream without a descriptor
        descriptor = stream.fileno()
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, descriptor)
        os.close(nowhere)


@contextlib.contextmanager
def standard_output() -> Iterator[Output]:
    """
    Watch standard output and error while a command runs, and flush them at its end.

    :raises OutputError: if standard output took not all
    """
    _open_all()
    streams = sys.stdout, sys.stderr
    sys.stdout = Output(cast(io.TextIOBase, sys.stdout))
    sys.stderr = Output(cast(io.TextIOBase, sys.stderr), quiet=True)
    output = sys.stdout
    try:
        yield output
        output.flush()
    except SystemExit:  # --help
        output.flush()
        raise
    finally:
        sys.stderr.flush()
        sys.stdout, sys.stderr = streams
    if output.failure is not None:
        raise output.failure


def _open_all():
    """Open the standard streams that a shell closed (``>&-``), or a file would get their place."""
    for descriptor, name in enumerate(('stdin', 'stdout', 'stderr')):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest that is free
        if getattr(sys, name) is None:
            setattr(sys, name, open(descriptor, 'w' if descriptor else 'r', closefd=False))
