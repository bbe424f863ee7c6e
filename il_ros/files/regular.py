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

"""Reading regular files alone: a pipe or a device under a file's name would be waited for."""

import errno
import os
from pathlib import Path
import stat
from typing import BinaryIO


class NotRegularError(OSError):
    """A path that leads to a pipe, a socket, a device or a folder; ``strerror`` says which."""


_KINDS = ((stat.S_ISFIFO, 'a named pipe'), (stat.S_ISSOCK, 'a socket'),
          (stat.S_ISCHR, 'a device'), (stat.S_ISBLK, 'a device'), (stat.S_ISDIR, 'a folder'))


def require_regular(path: Path | str) -> os.stat_result:
    """
    Return the status of a regular file, without opening it.

    :raises NotRegularError: if it is anything else
    :raises OSError: if there is nothing, or it cannot be reached
    """
    status = os.stat(path)
    _refuse_others(path, status)
    return status


def open_regular(path: Path | str) -> BinaryIO:
    """
    Open a regular file for reading, without a buffer; it never waits for a writer.

    :raises NotRegularError: if it is anything else
    :raises OSError: if there is nothing, or it cannot be opened
    """
    require_regular(path)
    # Perhaps exchanged since then: a pipe is not waited for, and looked at once more.
    file = open(path, 'rb', buffering=0, opener=_without_waiting)
    try:
        _refuse_others(path, os.fstat(file.fileno()))
    except NotRegularError:
        file.close()
        raise
    return file


def read_bytes(path: Path | str) -> bytes:
    """
    Return the content of a regular file.

    :raises OSError: as ``open_regular``, or if it cannot be read
    """
    with open_regular(path) as file:
        return file.read()


def read_text(path: Path | str) -> str:
    """
    Return the text of a regular file, UTF-8.

    :raises OSError: as ``read_bytes``, or if it is no text
    """
    try:
        return read_bytes(path).decode()
    except UnicodeDecodeError as error:
        raise OSError(errno.EILSEQ, f'no text in UTF-8 at byte {error.start}',
                      str(path)) from error


def _without_waiting(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NONBLOCK)


def _refuse_others(path: Path | str, status: os.stat_result):
    if not stat.S_ISREG(status.st_mode):
        kind = next((name for test, name in _KINDS if test(status.st_mode)), 'something else')
        raise NotRegularError(errno.EINVAL, f'it is {kind}, no regular file', str(path))
