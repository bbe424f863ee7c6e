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

"""Files that are either wholly there or not at all, also after a crash."""

import contextlib
import os
from pathlib import Path

from il_ros.errors import EpisodeWriteError


def sync_file(path: Path):
    """Make what was written to ``path`` survive a power cut, whoever wrote it."""
    _sync(path, os.O_RDONLY)


def sync_folder(folder: Path):
    """Make renames and removals in ``folder`` survive a power cut."""
    _sync(folder, os.O_RDONLY | os.O_DIRECTORY)


def _sync(path: Path, flags: int):
    descriptor = os.open(path, flags)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_all(descriptor: int, data: bytes):
    """Write the whole of ``data``; ``os.write`` alone may stop short."""
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view):]


def write_atomically(path: Path, data: bytes):
    """
    Write ``data`` to ``path`` so that readers see the old file or the new one.

    :raises EpisodeWriteError: naming the file, with nothing left behind
    """
    temporary = path.with_name(path.name + '.tmp')
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
        try:
            write_all(descriptor, data)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        os.replace(temporary, path)
        sync_folder(path.parent)
    except OSError as error:
        with contextlib.suppress(OSError):  # as where its folder is a file
            temporary.unlink(missing_ok=True)
        raise EpisodeWriteError(f'{path} cannot be written: {error.strerror or error}') from error
