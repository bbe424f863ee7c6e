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

"""Facts of this machine: installed versions, sockets, shared memory, cores, disks."""

from collections.abc import Iterable
import importlib
from importlib import metadata
import os
from pathlib import Path
import shutil
import socket
import tempfile
from typing import NamedTuple

DISTRIBUTIONS = ('il_ros', 'rclpy', 'rmw_fastrtps_cpp', 'numpy', 'pybullet', 'torch')


def versions() -> dict[str, str]:
    """Return the versions of what is installed; nothing is imported."""
    found = {}
    for name in DISTRIBUTIONS:
        # The wheels of ROS are called after the distribution, apt's packages are not.
        for candidate in (name, f'ros-jazzy-{name.replace("_", "-")}'):
            try:
                found[name] = metadata.version(candidate)
            except metadata.PackageNotFoundError:
                continue
    return found


def interfaces_error() -> str:
    """Return why the interfaces cannot be imported; empty: they can."""
    try:
        # The bare package "imports" from the repository's root even where it was never built.
        importlib.import_module('il_ros_interfaces.msg')
    except ImportError as error:
        return str(error)
    return ''


class Socket(NamedTuple):
    """A port of this machine that something may be sent to."""

    address: str
    port: int
    process: str
    """Name and id of who holds it; empty: a process of somebody else."""


def udp_sockets(proc: Path = Path('/proc')) -> list[Socket]:
    """Return the UDP ports of this machine (of IPv4: that is what Fast DDS binds)."""
    owners = _socket_owners(proc)
    found = []
    for line in (proc / 'net' / 'udp').read_text().splitlines()[1:]:
        words = line.split()
        address, _, port = words[1].partition(':')
        found.append(Socket(socket.inet_ntoa(bytes.fromhex(address)[::-1]), int(port, 16),
                            owners.get(words[9], '')))
    return found


def _socket_owners(proc: Path) -> dict[str, str]:
    """Return who holds a socket, by its inode, as far as this user may know."""
    found = {}
    for process in proc.glob('[0-9]*'):
        try:
            name = f'{(process / "comm").read_text().strip()} ({process.name})'
            for descriptor in (process / 'fd').iterdir():
                link = os.readlink(descriptor)
                if link.startswith('socket:['):
                    found[link[8:-1]] = name
        except OSError:
            continue  # of another user, or gone
    return found


class SharedMemory(NamedTuple):
    """What participants of Fast DDS have in the shared memory."""

    participants: int
    dead: tuple[str, ...]
    """Files that dead ones have left."""
    dead_bytes: int
    free_bytes: int


def shared_memory(folder: Path = Path('/dev/shm'), locks: Path = Path('/proc/locks')
                  ) -> SharedMemory:
    """Return what lies in shared memory: a participant that lives holds the lock of its file."""
    held = {line.split()[5].rpartition(':')[2] for line in locks.read_text().splitlines()
            if len(line.split()) > 5}
    markers = [path for path in folder.glob('fastrtps_*_el') if 'port' not in path.name]
    dead = [path for path in markers if str(_stat(path).st_ino) not in held]
    left = [name for path in dead for name in (path.name, path.name.removesuffix('_el'))]
    size = sum(_stat(folder / name).st_blocks * 512 for name in left)
    return SharedMemory(len(markers), tuple(left), size, shutil.disk_usage(folder).free)


def _stat(path: Path) -> os.stat_result:
    """Return what a file is; of one that has just gone: an empty one."""
    try:
        return path.stat()
    except FileNotFoundError:
        return os.stat_result([0] * 20)


class Folder(NamedTuple):
    """A folder that is to be written to."""

    path: Path
    problem: str
    """Why nothing can be written; empty: it can."""
    free_bytes: int


def folder(path: Path) -> Folder:
    """Return whether files can be made in a folder, or where it would be made."""
    place = path.absolute()
    while not place.exists() and place != place.parent:
        place = place.parent
    try:
        with tempfile.TemporaryFile(dir=place):
            problem = ''
    except OSError as error:
        problem = error.strerror or str(error)
    return Folder(path, problem, shutil.disk_usage(place).free)


def graphics_cards(proc: Path = Path('/proc')) -> list[str]:
    """Return the names of the NVIDIA cards, as their driver says them."""
    return [line.partition(':')[2].strip() for line in _lines(
        (proc / 'driver' / 'nvidia' / 'gpus').glob('*/information')) if line.startswith('Model')]


def _lines(paths: Iterable[Path]) -> list[str]:
    return [line for path in paths for line in path.read_text().splitlines()]
