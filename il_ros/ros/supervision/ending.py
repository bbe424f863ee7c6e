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

"""Ending an episode at the task, for who watches over it, and the names of its drivers."""

from collections.abc import Callable

from il_ros.contract.episode_spec import EXPERT, POLICY, TELEOP
from il_ros.driving.arbiter import Arbiter
from il_ros_interfaces.srv import EndEpisode
from rclpy.node import Node

ACTION_TOPICS = {EXPERT: 'expert/action', POLICY: 'policy/action', TELEOP: 'teleop/action'}


class EpisodeEnd:
    """
    The client of ``end_episode``.

    :ivar client: of the service
    :param on_answer: called with the episode's id, and whether the task runs no such episode
    """

    def __init__(self, node: Node,
                 on_answer: Callable[[str, bool], None] = lambda *_: None):
        self._on_answer = on_answer
        self.client = node.create_client(EndEpisode, 'end_episode')

    def ask(self, episode_id: str, end: int, cause: int, reason: str):
        """Ask for the end of an episode; nothing waits here."""
        future = self.client.call_async(EndEpisode.Request(
            episode_id=episode_id, end=end, cause=cause, success=False, reason=reason))
        future.add_done_callback(
            lambda done: self._on_answer(episode_id, bool(done.result().error_code)))


def driver_name(node: Node, source: int) -> str:
    """Return the node that publishes a source's actions, with the topic; or the topic alone."""
    topic = ACTION_TOPICS[source]
    for info in node.get_publishers_info_by_topic(topic):
        return f'{info.node_name} ({topic})'
    return topic


def silence(node: Node, arbiter: Arbiter, within_s: float) -> str:
    """Return, as a sentence, who did not answer the present step, or which topic is silent."""
    names = ', '.join(driver_name(node, source) for source in arbiter.missing())
    names = names or ('joint_states' if arbiter.waiting and arbiter.paired else 'observation')
    return f'{names} did not answer step {arbiter.step} within {within_s} s'
