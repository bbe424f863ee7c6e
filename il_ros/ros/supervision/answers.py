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

"""Answers of the drivers in one armed episode: checked, and kept by step and node."""

from il_ros.contract.contract import Contract
from il_ros.errors import BadMessageError
from il_ros.ros.supervision.ending import ACTION_TOPICS
from il_ros.ros.supervision.neighbours import publishers
from il_ros_interfaces.msg import Action
from rclpy.node import Node


class Answers:
    """
    What the drivers answered.

    :ivar candidates: the accepted answers of the present step, by source
    """

    def __init__(self, node: Node, contract: Contract):
        self._node, self._contract = node, contract
        self.candidates: dict[int, Action] = {}
        self._newest: dict[int, Action] = {}
        self._early: dict[int, Action] = {}

    def check(self, source: int, message: Action):
        """
        Check that an answer is for the episode's contract, and comes from the driver of its topic.

        :raises BadMessageError: naming what it says and what is expected
        """
        if message.contract_id != self._contract.id or message.source != source:
            raise BadMessageError(
                f'contract_id is {message.contract_id} and source {message.source}; expected '
                f'{self._contract.id} ({self._contract.name}) and {source}')

    def accept(self, source: int, message: Action):
        """Keep the answer that counts in the present step."""
        self.candidates[source] = self._newest[source] = message

    def keep_early(self, source: int, message: Action):
        """Keep an answer that came before its observation: topics overtake each other."""
        self._early[source] = message

    def begin_step(self) -> list[tuple[int, Action]]:
        """Forget the candidates; return what came early, which may be for this step."""
        self.candidates.clear()
        early, self._early = self._early, {}
        return list(early.items())

    def second_driver(self, source: int, message: Action) -> str:
        """Return who answers for a source, if two nodes answer differently to the same step."""
        known = self._newest.get(source)
        if known is None or known.header.stamp != message.header.stamp or (
                known.values == message.values and known.policy_id == message.policy_id):
            return ''
        names = publishers(self._node, ACTION_TOPICS[source])
        return f'{" and ".join(names)} both answer on {ACTION_TOPICS[source]}' * (len(names) > 1)
