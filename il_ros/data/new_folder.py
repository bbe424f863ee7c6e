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
import os
from pathlib import Path
import shutil

from il_ros.data.atomic import sync_file, sync_folder
from il_ros.errors import ImitationError


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
