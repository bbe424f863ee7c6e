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
Create or complete an environment of the project; what is done already is not done again.

Each step leaves a stamp with the hash of its inputs when it has succeeded. A step that was
interrupted has none and is done anew by the next call.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import hashlib
import os
from pathlib import Path
import shutil
import signal
import subprocess
import sys
import sysconfig

ROOT = Path(__file__).resolve().parent.parent
INTERFACES = ROOT / 'il_ros_interfaces'
INTERFACE_SOURCES = [
    INTERFACES / name for name in ('CMakeLists.txt', 'package.xml', 'msg', 'srv', 'action')]
OLDEST_PYTHON = (3, 11)
FOREIGN_VARIABLES = (
    'AMENT_PREFIX_PATH', 'CMAKE_PREFIX_PATH', 'COLCON_PREFIX_PATH', 'LD_LIBRARY_PATH',
    'PYTHONHOME', 'PYTHONPATH', '_ROS_WHEELS_BOOTSTRAP_COMPLETE')
"""What a shell with another ROS sourced would smuggle into this environment."""


class SetupError(Exception):
    """What stands in the way, in one line."""


def missing_from_machine() -> list[tuple[str, str]]:
    """Return what the machine lacks: pairs of what it is and Debian's package with it."""
    missing = []
    if sys.version_info < OLDEST_PYTHON:
        found = '.'.join(str(part) for part in sys.version_info[:2])
        return [('Python 3.11 or later (this is {}; name another with make PYTHON=...)'.format(
            found), 'python3')]
    if not (Path(sysconfig.get_path('include')) / 'Python.h').is_file():
        missing.append(("Python's headers", 'python3-dev'))
    try:
        import ensurepip  # noqa: F401
        import venv  # noqa: F401
    except ImportError:
        missing.append(("Python's venv module", 'python3-venv'))
    compilers = (os.environ.get('CXX', ''), 'c++', 'g++', 'clang++')
    if not any(shutil.which(compiler) for compiler in compilers if compiler):
        missing.append(('a C++ compiler', 'g++'))
    return missing


def check_machine() -> None:
    """Stop with one line that names everything the machine lacks."""
    missing = missing_from_machine()
    if missing:
        things = ', '.join('{} ({})'.format(*pair) for pair in missing)
        packages = ' '.join(package for _, package in missing)
        raise SetupError('missing: {}; on Debian: apt-get install {}'.format(things, packages))


def clean_environment() -> dict[str, str]:
    """Return this process's variables without those of another ROS or Python."""
    return {name: value for name, value in os.environ.items() if name not in FOREIGN_VARIABLES}


def call(*command: object) -> None:
    """Run ``command`` quietly unless it fails; then show its last words and stop."""
    words = [str(word) for word in command]
    # Open descriptors pass on: should this process be killed, its child keeps the lock.
    done = subprocess.run(words, cwd=str(ROOT), env=clean_environment(), text=True,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, close_fds=False)
    if done.returncode:
        sys.stderr.write(done.stdout[-4000:])
        raise SetupError('{} {} failed with code {}; its last words stand above'.format(
            Path(words[0]).name, words[1], done.returncode))


def digest(*inputs: object) -> str:
    """Return one hash over words, files and folders (names and contents)."""
    total = hashlib.sha256()
    for item in inputs:
        files = [item] if isinstance(item, Path) and item.is_file() else []
        if isinstance(item, Path) and item.is_dir():
            files = sorted(path for path in item.rglob('*') if path.is_file())
        for path in files:
            total.update(str(path.relative_to(ROOT)).encode() + b'\0' + path.read_bytes() + b'\0')
        if not isinstance(item, Path):
            total.update(str(item).encode() + b'\0')
    return total.hexdigest()


def pin_files(requirements: list[Path]) -> list[Path]:
    """Return the requirements files and the constraints that they name."""
    named = {path.parent / line.split()[1] for path in requirements
             for line in path.read_text().splitlines() if line.startswith('-c ')}
    return [*requirements, *sorted(named)]


class Environment:
    """A virtual environment of the project and the stamps of the steps done in it."""

    def __init__(self, folder: Path, requirements: list[Path]):
        self.folder = folder
        self.requirements = requirements
        self.python = folder / 'bin' / 'python'
        self._stamps = folder / '.il_ros'

    def once(self, name: str, key: str, work) -> None:
        """Do ``work`` unless the stamp ``name`` says that it was done for this ``key``."""
        stamp = self._stamps / name
        if stamp.is_file() and stamp.read_text() == key:
            return
        with contextlib.suppress(FileNotFoundError):
            stamp.unlink()
        work()
        fresh = stamp.with_suffix('.tmp')
        fresh.write_text(key)
        fresh.replace(stamp)

    def create(self) -> None:
        """Create the environment; anew where it is broken or an installation was cut off."""
        half_installed = self._stamps / 'installing'
        if half_installed.exists() or not self._works():
            say('creating {}'.format(self.folder.name))
            call(sys.executable, '-m', 'venv', '--clear', self.folder)
        self._stamps.mkdir(exist_ok=True)

    def _works(self) -> bool:
        try:
            done = subprocess.run([str(self.python), '-c', 'import pip'],
                                  env=clean_environment(), stdout=subprocess.DEVNULL,
                                  stderr=subprocess.DEVNULL)
        except OSError:
            return False
        return done.returncode == 0

    def install_requirements(self) -> None:
        """Install the pinned requirements in one call of pip."""
        say('installing {} into {} (one to three minutes)'.format(
            ', '.join(path.name for path in self.requirements), self.folder.name))
        arguments = [word for path in self.requirements for word in ('-r', path)]
        marker = self._stamps / 'installing'
        marker.touch()
        try:
            self.pip('install', *arguments)
        except SetupError:
            # pip itself gave up and left the environment as it was: no reason to start anew.
            marker.unlink()
            raise
        marker.unlink()

    def pip(self, *arguments: object) -> None:
        """Call this environment's pip."""
        call(self.python, '-m', 'pip', *arguments, '--disable-pip-version-check')

    def install_package(self) -> None:
        """Put the ``il_ros`` command into the environment; imports come from the tree."""
        say('linking il_ros into {}'.format(self.folder.name))
        self.pip('install', '--no-deps', '--no-build-isolation', '--use-pep517', '-e', ROOT)

    def build_interfaces(self) -> None:
        """Build il_ros_interfaces against the wheels and install it into the environment."""
        say('building il_ros_interfaces (one to two minutes)')
        build = ROOT / 'build' / 'il_ros_interfaces'
        self._configure(build)
        call(self.folder / 'bin' / 'cmake', '--build', build)
        self._remove_installed_interfaces()
        call(self.folder / 'bin' / 'cmake', '--install', build)
        shutil.copy(str(build / 'install_manifest.txt'), str(self._manifest))
        call(self.python, '-c', 'from il_ros_interfaces.msg import Action')

    def _configure(self, build: Path) -> None:
        """Configure the build folder, anew where the last configuration was another or cut."""
        arguments = [
            '-G', 'Ninja', '-S', INTERFACES, '-B', build, '-DBUILD_TESTING=OFF',
            '-DCMAKE_INSTALL_PREFIX={}'.format(self.folder),
            '-DCMAKE_PREFIX_PATH={}'.format(self.folder),
            '-DCMAKE_MAKE_PROGRAM={}'.format(self.folder / 'bin' / 'ninja'),
            '-DCMAKE_PROJECT_INCLUDE={}'.format(ROOT / 'cmake' / 'wheels.cmake'),
            '-DPython3_EXECUTABLE={}'.format(self.python),
            '-DPYTHON_EXECUTABLE={}'.format(self.python)]
        stamp = build / 'configured'
        key = digest(*[str(argument) for argument in arguments], *self.requirements)
        if not stamp.is_file() or stamp.read_text() != key:
            shutil.rmtree(str(build), ignore_errors=True)
        call(self.folder / 'bin' / 'cmake', *arguments)
        stamp.write_text(key)

    @property
    def _manifest(self) -> Path:
        return self._stamps / 'interfaces.manifest'

    def _remove_installed_interfaces(self) -> None:
        """
        Remove what the last build installed, so that a deleted message does not live on.

        In a copy of an environment the list names the files of the original: those stay.
        """
        if self._manifest.is_file():
            for line in self._manifest.read_text().splitlines():
                if self.folder in Path(line).parents:
                    with contextlib.suppress(FileNotFoundError):
                        Path(line).unlink()


def say(line: str) -> None:
    """Tell what happens, at once."""
    print('set-up: ' + line, flush=True)


@contextlib.contextmanager
def alone(folder: Path):
    """Let one set-up of ``folder`` run at a time; a second waits for the first."""
    locks = ROOT / 'build'
    locks.mkdir(exist_ok=True)
    with open(str(locks / (folder.name + '.lock')), 'w') as lock:
        os.set_inheritable(lock.fileno(), True)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say('waiting for another set-up of {}'.format(folder.name))
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def set_up(environment: Environment, package: bool) -> None:
    """Bring ``environment`` to what the tree asks for; with ``package``, il_ros itself too."""
    pins = digest(*pin_files(environment.requirements))
    environment.create()
    environment.once('requirements', pins, environment.install_requirements)
    if package:
        environment.once('interfaces', digest(*INTERFACE_SOURCES, ROOT / 'cmake', pins),
                         environment.build_interfaces)
        environment.once('package', digest(ROOT / 'setup.py', ROOT / 'setup.cfg', str(ROOT), pins),
                         environment.install_package)


def arguments_of(argv: list[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--venv', default='.venv', help='the environment (default: .venv)')
    parser.add_argument('--requirements', nargs='+', default=['run', 'build', 'test'],
                        help='files in requirements/, without .txt (default: run build test)')
    parser.add_argument('--without-package', action='store_true',
                        help='install the requirements alone: no il_ros, no interfaces')
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    """Run the set-up; return 0, or 1 with one line that says what stands in the way."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        check_machine()
        arguments = arguments_of(argv)
        requirements = [ROOT / 'requirements' / (name + '.txt') for name in arguments.requirements]
        environment = Environment(ROOT / arguments.venv, requirements)
        with alone(environment.folder):
            set_up(environment, package=not arguments.without_package)
    except SetupError as error:
        sys.stderr.write('set-up: {}\n'.format(error))
        return 1
    except KeyboardInterrupt:
        sys.stderr.write('set-up: interrupted; the next call goes on from here\n')
        return 130
    return 0


if __name__ == '__main__':
    sys.exit(main())
