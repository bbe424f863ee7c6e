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

"""A hold that stays until a service releases it, and that outlives its node by a file."""

from pathlib import Path

from il_ros.files.atomic import write_atomically
from il_ros.ros.presence.occupancy import lock_folder
from rclpy.node import Node

AUTO = 'auto'


def kept_at(node: Node, file: str, name: str = 'pressed') -> Path | None:
    """
    Return where a hold is kept.

    :param file: a path; ``auto``: under the ROS home, by domain and namespace; empty: nowhere
    :param name: the ending of the file's name; of a path that is given only if another one
    """
    if file != AUTO:
        return Path(file if name == 'pressed' else f'{file}.{name}') if file else None
    place = node.resolve_topic_name('estop').strip('/').replace('/', '.')
    try:
        return lock_folder() / f'domain-{node.context.get_domain_id()}' / f'{place}.{name}'
    except RuntimeError:
        return None


class Latch:
    """
    A reason to hold the arm, kept in a file while it stands.

    :ivar reason: for people; empty: there is none
    """

    def __init__(self, node: Node, path: Path | None):
        self._node, self._path = node, path
        self.reason = self._read()

    def _read(self) -> str:
        if self._path is None or not self._path.exists():
            return ''
        try:
            return self._path.read_text(errors='replace').strip() or 'from before this start'
        except OSError as error:
            return f'{self._path} cannot be read: {error.strerror}'

    def keep(self, reason: str):
        """Hold from now on."""
        self.reason = reason
        if self._path is None:
            return
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(self._path, f'{reason}\n'.encode())
        except OSError as error:
            self._node.get_logger().error(
                f'{self._path}: {error.strerror}; the hold ends with this process')

    def release(self) -> str:
        """Hold no longer; return why it still does, if it does."""
        try:
            if self._path is not None:
                self._path.unlink(missing_ok=True)
        except OSError as error:
            return f'not released: {self._path} cannot be removed: {error.strerror}'
        self.reason = ''
        return ''
