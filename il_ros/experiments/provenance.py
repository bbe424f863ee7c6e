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

"""Provenance of results: command, commit, versions of the libraries."""

from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
import platform
import subprocess
from typing import Mapping

from il_ros.files.atomic import write_atomically

_VERSIONS = ('il_ros', 'numpy', 'torch', 'pybullet', 'gymnasium', 'ros-jazzy-rclpy', 'matplotlib')
_UNKNOWN = 'unknown'


def made(about: Mapping) -> list[str]:
    """
    Return the sentences that say how to repeat an experiment, the command left out.

    :param about: ``commits``, ``versions`` and ``conditions``
    """
    found = ', '.join(f'{name} {number}' for name, number in about['versions'].items())
    return [f'Commit: {", ".join(about["commits"])}', f'Versions: {found}', about['conditions']]


def versions() -> dict[str, str]:
    """Return the versions of the libraries that the numbers depend on."""
    found = {'python': platform.python_version()}
    for name in _VERSIONS:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = _UNKNOWN
    return found


def commit_of_this() -> str:
    """Return the commit of the running source tree, marked if the tree has changes."""
    root = str(Path(__file__).resolve().parents[2])
    try:
        commit, changes = (subprocess.run(
            ['git', '-C', root, *words], capture_output=True, text=True, check=True,
            timeout=20.0).stdout.strip() for words in (
                ('rev-parse', 'HEAD'), ('status', '--porcelain', '--untracked-files=no')))
    except (OSError, subprocess.SubprocessError):
        return _UNKNOWN
    return f'{commit} with changes' if changes else commit


def write_files(folder: Path, files: Mapping[str, str]):
    """Write texts by the names of their files, each whole or not at all."""
    for name, content in files.items():
        write_atomically(folder / name, content.encode())
