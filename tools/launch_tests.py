#!/usr/bin/env python3
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
Run pytest with ``launch_ros``: with an installed ROS, or with its fetched sources.

Without ``--sources`` it runs with the ROS and the workspace that are sourced in the shell. With
it, in ``.venv``, and the sources are used where they lie; nothing is installed. All further
arguments are for pytest.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path
import subprocess
import sys

from environment import clean_environment, ROOT

FETCHED = {
    'launch': 'ros2/launch', 'launch_xml': 'ros2/launch', 'launch_yaml': 'ros2/launch',
    'launch_ros': 'ros2/launch_ros', 'osrf_pycommon': 'osrf/osrf_pycommon'}
"""Packages that are taken from the sources, and the repository of each."""

HOW = ('source an installed ROS and a workspace with il_ros, or clone ros2/launch, '
       'ros2/launch_ros (branch jazzy of both) and osrf/osrf_pycommon into one folder and say '
       'make test-launch LAUNCH_SOURCES=FOLDER')
COMPOSITION = """class LoadNode:
    class Request:
        pass
"""
"""Stands in for composition_interfaces, which launch_ros names and no launch file here uses."""


class LaunchError(Exception):
    """What is missing, in one sentence."""


def source_paths(folder: Path) -> list[Path]:
    """
    Return the folders to put on PYTHONPATH, found anywhere in the folder of the clones.

    :raises LaunchError: if a package is missing
    """
    if not folder.is_dir():
        raise LaunchError(f'LAUNCH_SOURCES is {folder}, which is no folder; {HOW}')
    found = {}
    for path in sorted(folder.rglob('__init__.py'), key=lambda path: len(path.parts)):
        if path.parent.name in FETCHED and (path.parents[1] / 'package.xml').is_file():
            found.setdefault(path.parent.name, path.parents[1])
    missing = [f'{name} ({FETCHED[name]})' for name in FETCHED if name not in found]
    if missing:
        raise LaunchError(f'{folder} lacks {", ".join(missing)}; {HOW}')
    return [found[name] for name in FETCHED]


def stand_in() -> Path:
    """Write the package that stands in for composition_interfaces; return its parent."""
    folder = ROOT / 'build' / 'test-launch'
    package = folder / 'composition_interfaces'
    package.mkdir(parents=True, exist_ok=True)
    (package / '__init__.py').touch()
    (package / 'srv.py').write_text(COMPOSITION)
    return folder


def with_sources(folder: Path) -> tuple[str, dict[str, str]]:
    """Return the Python of .venv, made if need be, and the environment for the sources."""
    paths = [*source_paths(folder), stand_in()]
    done = subprocess.run([sys.executable, str(ROOT / 'tools' / 'environment.py')], cwd=ROOT)
    if done.returncode:
        raise LaunchError('the set-up of .venv failed; what it says stands above')
    joined = os.pathsep.join(str(path) for path in paths)
    return str(ROOT / '.venv' / 'bin' / 'python'), {**clean_environment(), 'PYTHONPATH': joined}


def installed() -> tuple[str, dict[str, str]]:
    """
    Return the Python of the shell and its environment, if they have all that is needed.

    :raises LaunchError: if they do not
    """
    code = 'import launch_ros, rclpy, il_ros_interfaces.msg, pytest'
    done = subprocess.run([sys.executable, '-c', code], cwd='/', capture_output=True, text=True)
    if done.returncode:
        reason = (done.stderr.splitlines() or ['no reason given'])[-1]
        raise LaunchError(f'{sys.executable} does not find launch_ros ({reason}); {HOW}')
    return sys.executable, dict(os.environ)


def main(argv: list[str] | None = None) -> int:
    """Run the tests; return pytest's exit code, or 1 with one sentence that says what to do."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--sources', default='', help='folder that holds the fetched sources')
    words, rest = parser.parse_known_args(argv)
    try:
        python, environment = (
            with_sources(Path(words.sources).resolve()) if words.sources else installed())
    except LaunchError as error:
        sys.stderr.write(f'test-launch: {error}\n')
        return 1
    return subprocess.run(
        [python, '-m', 'pytest', *rest], cwd=ROOT, env=environment).returncode


if __name__ == '__main__':
    sys.exit(main())
