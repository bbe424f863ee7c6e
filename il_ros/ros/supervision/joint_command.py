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

"""Publishers of ``joint_command``: exactly one is allowed; its liveliness shows that it runs."""

from collections.abc import Callable

from il_ros.errors import ImitationError
from il_ros.ros import qos
from il_ros.ros.listening import listen
from rclpy.event_handler import SubscriptionEventCallbacks
from rclpy.node import Node
from rclpy.topic_endpoint_info import TopicEndpointInfo
from sensor_msgs.msg import JointState

ANOTHER = 'another node begins to write joint_command in an episode'

_PREFIX_BYTES = 12
"""Of an endpoint's id: the participant's part, by the DDS standard."""


class TwoWritersError(ImitationError):
    """More than one node writes commands to the arm."""


class CommandInput:
    """
    The subscription to ``joint_command``, deaf from the moment on that a second node writes there.

    The fault is latched: a dip of the count is never read as recovery, but ``check`` (at the
    next reset) clears it when only one is left. A second writer is known before its first message
    is obeyed, by how many the middleware has matched; so is one that takes the place of the first.

    :param in_episode: tells whether an episode is running; outside, a writer that is matched
        beside a dead one is no fault: a supervisor was started again
    :param on_second: called once when the fault is latched
    """

    def __init__(self, node: Node, on_command: Callable[[JointState], None],
                 in_episode: Callable[[], bool], on_second: Callable[[], None]):
        self._node = node
        self._on_command, self._in_episode, self._on_second = on_command, in_episode, on_second
        self._matched = self._matches = self._silent = 0
        self._had_one = False
        self._known = 1
        """Writers that an episode may have: its own, and dead ones that are still matched."""
        self.alive = 0
        """Writers whose liveliness is heard."""
        self.two_writers = False
        events = SubscriptionEventCallbacks(
            liveliness=self._on_liveliness, matched=self._on_matched,
            incompatible_qos=self._on_plain_writer)
        self._subscription = listen(
            node, JointState, 'joint_command', self._receive, qos.COMMAND, event_callbacks=events)
        self._topic = self._subscription.topic_name

    @property
    def is_obeyed(self) -> bool:
        """Tell whether a writer is there whose commands count."""
        if self.two_writers or not self._matched:
            return False
        return self._matched > self._silent or self._has_local_writer()

    def _has_local_writer(self) -> bool:
        """Tell whether this process writes: such a writer's liveliness ends with each pause."""
        here = {_participant(reader) for reader in
                self._node.get_subscriptions_info_by_topic(self._topic)
                if reader.node_name == self._node.get_name()}
        return any(_participant(writer) in here
                   for writer in self._node.get_publishers_info_by_topic(self._topic))

    def check(self):
        """
        Clear the fault if it can be cleared.

        :raises TwoWritersError: if more than one node still writes
        """
        # Neither heard nor known to be silent: a writer that has just come.
        unheard = self._matched - self.alive - self._silent if self._matched > 1 else 0
        writers = self.alive + max(unheard, 0)
        self.two_writers = writers > 1
        if self.two_writers:
            raise TwoWritersError(
                f'{writers} nodes write joint_command; stop all but the supervisor')
        self._had_one, self._known = self._matched > 0, max(1, self._matched)

    def accuse(self, reason: str):
        """Latch the fault: these commands cannot be of one publisher."""
        if self.two_writers:
            return
        self.two_writers = True
        self._node.get_logger().error(f'{reason}; holding the arm')
        self._on_second()

    def _receive(self, message: JointState):
        if self.two_writers:
            return
        # Before the event: this number is never behind the messages. It costs two microseconds.
        if self._subscription.get_publisher_count() > self._known and self._in_episode():
            self.accuse(ANOTHER)
        else:
            self._on_command(message)

    def _on_matched(self, event):
        has_come, self._matches = event.total_count > self._matches, event.total_count
        another, self._matched = self._had_one or event.current_count > 1, event.current_count
        self._had_one = True
        self._known = max(1, min(self._known, event.current_count))
        if has_come and another and self._in_episode():
            self.accuse(ANOTHER)

    def _on_liveliness(self, event):
        self.alive, self._silent = event.alive_count, event.not_alive_count
        if event.alive_count > 1:
            self.accuse(f'{event.alive_count} nodes write joint_command')

    def _on_plain_writer(self, _event):
        self._node.get_logger().warning(
            'a publisher of joint_command has no liveliness lease, unlike the supervisor; ignored')


def _participant(endpoint: TopicEndpointInfo) -> bytes:
    """Return what the endpoints of one process have in common: the first part of their ids."""
    return bytes(endpoint.endpoint_gid[:_PREFIX_BYTES])
