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
One graph in a domain and namespace: a second node with the same part is refused.

Each part owns something that only one node may have: the supervisor writes ``joint_command``, the
simulator serves ``reset_task``. Before such a node is built a lock file is taken that is named by
domain and resource, under the ROS home: the operating system gives it to one process, whenever
both begin. A look at the ROS graph finds those that hold no lock here: another user's or another
machine's, and drivers of others. Nothing is published before both are done.
"""

from collections.abc import Collection
import dataclasses
import os
from pathlib import Path
import socket
import time

from il_ros.errors import ImitationError
from il_ros.files import lock
from il_ros.files.regular import read_text
from il_ros.ros.environment import user_home
import rclpy
from rclpy.node import Node

LOOK_S = 0.25
"""How long the graph is looked at: on one machine its nodes are found within half of that."""

POLL_S = 0.025
_NAMELESS = '_NODE_NAME_UNKNOWN_'


class OccupiedError(ImitationError):
    """A part that another node plays already."""


@dataclasses.dataclass(frozen=True)
class Part:
    """What one kind of node alone may have in its namespace."""

    resource: str
    """Name of the topic that it writes, or of the service or action that it serves."""

    kind: str
    """``topic``, ``service`` or ``action``."""


PARTS = {
    'supervisor': Part('joint_command', 'topic'), 'simulator': Part('reset_task', 'service'),
    'observer': Part('observation', 'topic'), 'recorder': Part('open_episode', 'service'),
    'policy': Part('policy/action', 'topic'), 'expert': Part('expert/action', 'topic'),
    'teleop': Part('teleop/action', 'topic'), 'collector': Part('collect_episodes', 'action'),
    'trainer': Part('train_policy', 'action'), 'coordinator': Part('run_dagger', 'action')}


class Claims:
    """The parts that the nodes of one context play; ``release`` them when these are gone."""

    def __init__(self, context: rclpy.Context):
        self._context = context
        self._held: dict[str, int] = {}

    def take(self, names: Collection[str]):
        """
        Claim the parts of nodes that are to be built; those without a part are left out.

        :param names: of the nodes, as in ``PARTS``
        :raises OccupiedError: naming the node that plays one of them already
        """
        wanted = [name for name in names if name in PARTS and name not in self._held]
        if not wanted:
            return
        # It has no end of its own: nobody sees more of it than its name.
        probe = Node(f'il_ros_look_{os.getpid()}', context=self._context, enable_rosout=False,
                     start_parameter_services=False)
        try:
            for name in wanted:
                self._lock(name, probe)
            self._look(wanted, probe)
        finally:
            probe.destroy_node()

    def release(self):
        """Release these parts."""
        for descriptor in self._held.values():
            if descriptor >= 0:
                os.close(descriptor)
        self._held.clear()

    def _lock(self, name: str, probe: Node):
        self._held[name] = -1
        resource, domain = _resolved(name, probe), self._context.get_domain_id()
        try:
            file = _lock_file(resource, domain)
            file.parent.mkdir(parents=True, exist_ok=True)
            self._held[name] = lock.take(
                file, OccupiedError, f'{_sentence(name, resource, domain)}. It is of this machine')
        except (OSError, KeyError):
            pass  # no home, or one that cannot be written: the look remains

    def _look(self, names: Collection[str], probe: Node):
        until = time.monotonic() + LOOK_S
        while True:
            late = time.monotonic() >= until
            for name in names:
                owner = _owner(name, probe)
                # An end may be known before the name of its node.
                if owner and (late or owner != _NAMELESS):
                    raise OccupiedError(_sentence(
                        name, _resolved(name, probe), self._context.get_domain_id(), owner))
            if late:
                return
            time.sleep(POLL_S)


def may_be_here(name: str, node: Node) -> bool:
    """
    Tell whether a process of this machine may play a part in a node's domain and namespace.

    Its lock file says so before discovery does, and is not touched. True: also where nobody knows.

    :param name: of the part, as in ``PARTS``
    """
    try:
        file = _lock_file(_resolved(name, node), node.context.get_domain_id())
        os.kill(int(read_text(file)), 0)
    except (FileNotFoundError, ProcessLookupError):
        return False
    except (OSError, KeyError, ValueError):
        pass  # no home, a process of another user, a file that is being written
    return True


def _lock_file(resource: str, domain: int) -> Path:
    name = resource.strip('/').replace('/', '.')
    return lock_folder() / f'domain-{domain}' / f'{name}.lock'


def lock_folder() -> Path:
    """
    Return where the lock files of this machine lie; a home may be shared by several.

    :raises KeyError: if there is no home
    """
    return user_home() / 'il_ros' / socket.gethostname()


def _sentence(name: str, resource: str, domain: int, owner: str = '') -> str:
    node = name if owner in ('', _NAMELESS) else owner
    return (f'ROS domain {domain} already has a node for {resource}: {node}; end that graph, use '
            'it (--attach), or set another ROS_DOMAIN_ID or namespace')


def _resolved(name: str, probe: Node) -> str:
    part = PARTS[name]
    resolve = (probe.resolve_topic_name if part.kind == 'topic' else probe.resolve_service_name)
    return resolve(part.resource)


def _owner(name: str, probe: Node) -> str:
    """Return the node that plays a part, as far as it is known; empty: nobody does."""
    part, resource = PARTS[name], _resolved(name, probe)
    if part.kind == 'topic':
        found = probe.get_publishers_info_by_topic(resource)
        return found[0].node_name if found else ''
    served = f'{resource}/_action/send_goal' if part.kind == 'action' else resource
    return name if probe.count_services(served) else ''
