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


"""A folder that appears under its name when it is whole, or not at all."""

from collections.abc import Iterator
import contextlib
import ctypes
import os
from pathlib import Path
import shutil
import tempfile

from il_ros.errors import ImitationError
from il_ros.files.atomic import sync_file, sync_folder

_AT_FDCWD = -100
_RENAME_EXCHANGE = 2


def write_folder(folder: Path, files: dict[str, bytes], replace: bool = False):
    """
    Write a folder under a hidden name beside it, sync it, and rename it into place.

    What a killed writer left under the hidden names is swept away first: a folder has one writer.

    :param folder: where it is to be; parents are made
    :param files: content by name
    :param replace: exchange a folder that is there already
    :raises FileExistsError: if there is one and ``replace`` is false
    :raises OSError: if the disk refuses; nothing is left then
    """
    folder = Path(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    sweep(folder)
    if folder.exists() and not replace:
        raise FileExistsError(f'{folder} exists already')
    fresh = folder.parent / f'.{folder.name}.tmp-{os.getpid()}'
    try:
        fresh.mkdir()
        for name, content in files.items():
            (fresh / name).write_bytes(content)
            sync_file(fresh / name)
        sync_folder(fresh)
        if folder.exists():
            _exchange(fresh, folder)
        else:
            fresh.rename(folder)
        sync_folder(folder.parent)
    finally:
        sweep(folder)


def sweep(folder: Path):
    """Remove what an unfinished `write_folder` left beside ``folder``."""
    folder = Path(folder)
    prefix = f'.{folder.name}.tmp-'
    if folder.parent.is_dir():
        for orphan in [path for path in folder.parent.iterdir() if path.name.startswith(prefix)]:
            shutil.rmtree(orphan, ignore_errors=True)


def _exchange(fresh: Path, folder: Path):
    """
    Swap two folders in one step of the file system.

    POSIX renames no folder over a full one; Linux can exchange them. Where the file system
    cannot, the old one is moved aside for an instant.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.renameat2(_AT_FDCWD, os.fsencode(fresh), _AT_FDCWD, os.fsencode(folder),
                      _RENAME_EXCHANGE) == 0:
        return
    aside = fresh.with_name(f'{fresh.name}-old')
    folder.rename(aside)
    fresh.rename(folder)


def require_writable(folder: Path, error: type[ImitationError]):
    """
    Make sure that files can be written into a folder, which need not exist; nothing is left.

    :raises error: naming the folder and the reason
    """
    made: list[Path] = []
    try:
        missing = [place for place in (folder, *folder.parents) if not place.exists()]
        for place in reversed(missing):
            with contextlib.suppress(FileExistsError):  # somebody else made it meanwhile
                place.mkdir()
                made.append(place)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as problem:
        raise error(f'{folder} cannot be written into: {problem.strerror or problem}; choose '
                    'another folder') from problem
    finally:
        for place in reversed(made):
            with contextlib.suppress(OSError):  # somebody else uses it already
                place.rmdir()


def require_place(file: Path, option: str, error: type[ImitationError]):
    """
    Make sure that a file can be written where an option of the command line says.

    :raises error: naming the option, or the folder and the reason
    """
    if not file.parent.is_dir():
        raise error(f'{option} is {str(file)!r}; there is no such folder, create it first')
    if file.is_dir():
        raise error(f'{option} is {str(file)!r}, which is a folder; expected a file')
    require_writable(file.parent, error)


@contextlib.contextmanager
def new_folder(output: Path, error: type[ImitationError]) -> Iterator[Path]:
    """
    Yield an empty folder that gets the name ``output`` at the end; nothing is overwritten.

    :param error: raised, naming ``output``, if it exists or cannot be written
    """
    output = Path(output)
    if output.exists():
        raise error(f'{output} exists already; nothing is overwritten: give another name')
    partial = output.with_name(f'.{output.name}.partial')
    try:
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        yield partial
        _sync_all(partial)
        os.rename(partial, output)
        sync_folder(output.parent)
    except OSError as problem:
        raise error(f'{output} cannot be written: {problem.strerror or problem}') from problem
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _sync_all(place: Path):
    for folder, _, names in os.walk(place):
        for name in names:
            sync_file(Path(folder, name))
        sync_folder(Path(folder))
