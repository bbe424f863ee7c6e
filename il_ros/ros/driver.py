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
What policy and expert have in common: each required observation is answered once.

A driver answers when ``drive`` of the observation's episode requires it, keeps its last
observation until then, repeats its cached answer for a repeated stamp, and ignores what is not
RUNNING (``docs/architecture.md``, lockstep, rules 5 to 8).
"""

from collections.abc import Callable

from il_ros.contract.contract import Contract
from il_ros.contract.episode_spec import RUNNING, TELEOP
from il_ros.errors import BadMessageError
from il_ros.ros import qos
from il_ros.ros.conversion.checks import check_drive, check_observation
from il_ros.ros.conversion.messages import float32s, to_ns
from il_ros.ros.listening import listen, listen_to_contract
from il_ros.ros.publishing import sending
from il_ros.ros.refusals import refusals_of
from il_ros_interfaces.msg import Action, Drive, Observation
import numpy as np
from rclpy.node import Node


class Driver:
    """
    The topics of one driver: ``contract``, ``drive`` and ``observation`` in, actions out.

    :param source: ``Action.EXPERT`` or ``Action.POLICY``
    :param topic: where the actions go, e.g. ``policy/action``
    :param act: an observation and its float32 values, shape ``(D,)``, to an action, shape
        ``(A,)``, or None
    :param is_ready: whether ``act`` may answer this observation yet; who says no calls ``resume``
    :param realtime: after a delay answer only the newest observation, not all that came
    """

    def __init__(self, node: Node, source: int, topic: str,
                 act: Callable[[Observation, np.ndarray], np.ndarray | None],
                 on_contract: Callable[[Contract], None] | None = None,
                 realtime: bool = False,
                 is_ready: Callable[[Observation], bool] = lambda observation: True):
        self._node = node
        self._source = source
        self._act = act
        self._on_contract = on_contract
        self._is_ready = is_ready
        self.contract: Contract | None = None
        self._drive: Drive | None = None
        self._last: Observation | None = None
        self.repeated = False
        """Whether the newest observation came before: then no more news of the last step will."""
        self._answered_ns = -1
        self.answered = 0
        self.unanswered = 0
        self.answer = Action(source=source, engaged=True, uncertainty=-1.0)
        self._actions = node.create_publisher(Action, topic, qos.STREAM)
        self._send = sending(self._actions)
        listen_to_contract(node, self._keep_contract)
        self._drives = listen(node, Drive, 'drive', self._keep_drive, qos.LATCHED)
        self._observations = listen(node, Observation, 'observation', self._on_observation,
                                    qos.NEWEST if realtime else qos.STREAM)

    @property
    def is_connected(self) -> bool:
        """Return whether every topic has a publisher, and the answers a subscriber."""
        return all((self._drives.get_publisher_count(), self._observations.get_publisher_count(),
                    self._actions.get_subscription_count()))

    def _keep_contract(self, contract: Contract):
        self.contract = contract
        if self._on_contract is not None:
            self._on_contract(contract)
        last, self._last = self._last, None
        if last is not None:
            self._on_observation(last)
            return
        self._try_answer()

    def _keep_drive(self, message: Drive):
        check_drive(message)
        self._drive = message
        # Also what is answered already: whoever asks anew may have refused the answer before.
        self._try_answer()

    def resume(self):
        """Answer the newest observation if it has no answer yet."""
        if self._last is not None and to_ns(self._last.header.stamp) != self._answered_ns:
            self._try_answer()

    def _on_observation(self, message: Observation):
        try:
            if self.contract is not None:
                check_observation(message, self.contract)
        except BadMessageError as error:
            self._refuse(message, error)
            return
        self.repeated = self._last is not None and self._last.header.stamp == message.header.stamp
        self._last = message
        self._try_answer()

    def _refuse(self, observation: Observation, error: BadMessageError):
        """Say why an observation is none of the contract; a required one gets no values."""
        refusals_of(self._node).add('observation', error)
        if observation.phase == RUNNING and self._is_required(observation):
            # The arm holds. Not remembered: another observation of that stamp may be good.
            self.unanswered += 1
            self._send(Action(
                header=observation.header, contract_id=observation.contract_id,
                source=self._source, engaged=self._source != TELEOP, uncertainty=-1.0))

    def _is_required(self, observation: Observation) -> bool:
        drive = self._drive
        return (drive is not None and drive.episode_id == observation.episode_id
                and self._source in drive.required
                and to_ns(observation.header.stamp) >= to_ns(drive.header.stamp))

    def _try_answer(self):
        observation = self._last
        if (observation is None or observation.phase != RUNNING or self.contract is None
                or not self._is_required(observation)):
            return
        stamp_ns = to_ns(observation.header.stamp)
        if stamp_ns != self._answered_ns:
            if not self._is_ready(observation):
                return
            self._fill(observation)
            self._answered_ns = stamp_ns
        self._send(self.answer)

    def _fill(self, observation: Observation):
        answer = self.answer
        answer.header = observation.header
        answer.contract_id = observation.contract_id
        action = self._act(observation, np.frombuffer(observation.values, np.float32))
        if action is None:
            self.unanswered += 1
            answer.values = float32s(())
        else:
            self.answered += 1
            answer.values = float32s(action)
