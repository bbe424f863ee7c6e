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

"""HDF5 files on a disk that may be full: the library crashes where a write fails, so none does."""

from collections.abc import Callable, Iterator
import contextlib
import os
from pathlib import Path
import shutil

import h5py
from il_ros.errors import DatasetBusyError, DatasetError
from il_ros.files.regular import NotRegularError

_MARGIN_BYTES = 64 << 10
_MARKED = 'already open for write'
"""What HDF5 says of a file whose writer marked it, and closed it not."""


def unreadable(path: Path, error: Exception) -> DatasetError:
    """
    Return the error for a data set that could not be opened or read.

    One that another program has open, or that cannot be reached, is never called damaged: whoever
    deletes it loses the filter keys that were drawn.
    """
    if isinstance(error, FileNotFoundError):
        return DatasetError(f'{path} is not there; expected the data set of a run')
    if isinstance(error, BlockingIOError):
        return DatasetBusyError(f'{path} is open in another program; close it and try again')
    if _MARKED in str(error):
        return DatasetBusyError(f'{path} is open in another program, or one was killed that wrote '
                                f'it; close it, or unmark it: h5clear -s {path}')
    if isinstance(error, OSError) and error.errno and not isinstance(error, NotRegularError):
        return DatasetBusyError(f'{path} cannot be read: {os.strerror(error.errno)}')
    return DatasetError(f'{path} cannot be read as a data set ({error}); it is derived: deleted, '
                        'it is rebuilt from the episodes')


@contextlib.contextmanager
def written(path: Path, **options) -> Iterator[tuple[h5py.File, Callable[[], None]]]:
    """
    Yield an HDF5 file for writing, and what raises where the disk has taken no more.

    The file that is there is added to; else a new one is made. HDF5 cannot close a file whose
    writes failed, and takes the process with it: what the disk refuses is kept in memory until
    then. Ask every so often, so that this stays little.

    :param options: of ``h5py.File``
    :raises OSError: if the disk refused anything; what the file holds then is of no use
    """
    disk = _Disk(path)
    try:
        with h5py.File(disk, 'r+' if disk.size else 'w', **options) as file:
            yield file, disk.check
        disk.check()
    except Exception as error:
        if disk.error is not None and error is not disk.error:
            raise disk.error from error
        raise
    finally:
        disk.close()


def require_room(folder: Path, least: int):
    """
    Refuse a disk that is too full before anything is written.

    :param least: bytes that will be written at least
    :raises OSError: saying how much there is and how much it takes
    """
    free, least = shutil.disk_usage(folder).free, least + _MARGIN_BYTES
    if free < least:
        raise OSError(f'{free >> 10} KiB are free and at least {least >> 10} KiB needed; make '
                      'room on the disk')


class _Disk:
    """What HDF5 takes for a file, and in which no write ever fails."""

    def __init__(self, path: Path):
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        self._position = 0
        self._refused: list[tuple[int, bytes]] = []
        self.size = os.fstat(self._descriptor).st_size
        self.error: OSError | None = None

    def check(self):
        """Raise what the disk has said, if it has refused anything."""
        if self.error is not None:
            raise self.error

    def close(self):
        """Close the file; what the disk refused is gone."""
        os.close(self._descriptor)

    def flush(self):
        """Do nothing: there is no buffer."""

    def tell(self) -> int:
        """Return the position."""
        return self._position

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to a position and return it."""
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self.size}[whence]
        self._position = start + offset
        return self._position

    def read(self, size: int = -1) -> bytes:
        """Return what stands at the position."""
        buffer = bytearray(self.size - self._position if size < 0 else size)
        return bytes(buffer[:self.readinto(buffer)])

    def readinto(self, buffer) -> int:
        """Fill a buffer with what stands at the position; nothing stands there as zeros."""
        view, start = memoryview(buffer).cast('B'), self._position
        found = os.pread(self._descriptor, len(view), start)
        view[:] = found + bytes(len(view) - len(found))
        for at, data in self._refused:
            first, last = max(at, start), min(at + len(data), start + len(view))
            if first < last:
                view[first - start:last - start] = data[first - at:last - at]
        self._position += len(view)
        return len(view)

    def write(self, data) -> int:
        """Write at the position, or keep in memory what the disk refuses."""
        view = memoryview(data).cast('B')
        done = 0
        try:
            while done < len(view) and self.error is None:
                done += os.pwrite(self._descriptor, view[done:], self._position + done)
        except OSError as error:
            self.error = error
        if done < len(view):
            self._refused.append((self._position + done, bytes(view[done:])))
        self._position += len(view)
        self.size = max(self.size, self._position)
        return len(view)

    def truncate(self, size: int | None = None) -> int:
        """Set the length."""
        self.size = self._position if size is None else size
        try:
            if self.error is None:
                os.ftruncate(self._descriptor, self.size)
        except OSError as error:
            self.error = error
        return self.size
