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
Heartbeat of a process on ``alive``: its identity and its nodes.

A thread says it, so that neither a slow disk nor a long load makes a node seem dead.
"""

import functools
import os
from pathlib import Path
import socket
import threading

from il_ros.ros import qos
from il_ros.ros.presence.peer_watch import Beat, BEAT_S, Process
from rclpy.node import Node
from std_msgs.msg import String

TOPIC = 'alive'
_PROCESSES = Path('/proc')


class Pulse:
    """Publishes ``alive`` for the nodes of a process, from the first of them on until ``stop``."""

    def __init__(self):
        self._parts: list[str] = []
        self._publisher = None
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None

    def add(self, part: str, node: Node):
        """Say from now on that this process plays a part, too."""
        name = node.get_name()
        self._parts.append(part if name == part else f'{part}:{name}')
        if self._publisher is None:
            self._publisher = node.create_publisher(String, TOPIC, qos.LATCHED)
        self._beat()
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name='pulse', daemon=True)
            self._thread.start()

    def _run(self):
        while not self._stopped.wait(BEAT_S):
            self._beat()

    def _beat(self):
        self._publisher.publish(String(data=str(Beat(own_process(), tuple(self._parts)))))

    def stop(self):
        """Say nothing more; before the nodes are destroyed."""
        self._stopped.set()
        if self._thread is not None:
            self._thread.join()


@functools.cache
def own_process() -> Process:
    """Return this process."""
    try:
        # Containers may share a host's name, each with process ids of its own.
        counted = os.readlink(_PROCESSES / 'self' / 'ns' / 'pid')
    except OSError:
        counted = ''
    return Process(f'{socket.gethostname()}/{counted}', os.getpid(), started(os.getpid()))


def runs(process: Process) -> bool:
    """Tell whether a process of this place still runs."""
    return 0 < started(process.pid) == process.started


def started(pid: int) -> int:
    """Return when a process was started, in the system's ticks; 0: it does not run."""
    try:
        words = (_PROCESSES / str(pid) / 'stat').read_text().rpartition(')')[2].split()
    except OSError:
        return 0
    state, ticks = words[0], int(words[19])
    return 0 if state in 'ZX' else ticks
