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

"""What is asked of the drivers: a policy to load a checkpoint, an expert to label states."""

from collections.abc import Callable
from pathlib import Path
import time

from il_ros.episodes.episode import Episode
from il_ros.ros import qos
from il_ros.ros.calls import CallError, LostError, Waiter
from il_ros.ros.conversion.labels import make_requests, read_response
from il_ros.ros.listening import listen
from il_ros.ros.presence.peers import Peers
from il_ros_interfaces.msg import PolicyStatus
from il_ros_interfaces.srv import LoadPolicy
import numpy as np
from rclpy.node import Node

LOOK_S = 0.02


class PolicyClient:
    """
    The policy node as its clients see it.

    :ivar status: what it said last; None: nothing yet
    """

    def __init__(self, node: Node, waiter: Waiter, peers: Peers):
        self._waiter, self._peers = waiter, peers
        self._load = node.create_client(LoadPolicy, 'load_policy', callback_group=waiter.group)
        self.status: PolicyStatus | None = None
        listen(node, PolicyStatus, 'policy_status', self._on_status, qos.LATCHED,
               callback_group=waiter.group)

    def _on_status(self, status: PolicyStatus):
        self.status = status

    def runs(self, sha256: str) -> bool:
        """Tell whether it runs this checkpoint."""
        status = self.status
        return status is not None and status.state == status.READY and status.sha256 == sha256

    @property
    def reason(self) -> str:
        """Return its error message, as the end of a sentence; empty: there is none."""
        return f': {self.status.error_msg}' if self.status and self.status.error_msg else ''

    async def load(self, path: Path, deadline_s: float, sha256: str = '') -> str:
        """
        Let it run a checkpoint, and return the SHA-256 of what it runs.

        :param sha256: what the checkpoint must have; empty: any
        :raises CallError: with its sentence
        :raises LostError: if it ended meanwhile
        """
        response = await self._waiter.call(
            self._load, LoadPolicy.Request(path=str(path), sha256=sha256), deadline_s)
        if response.error_code:
            raise CallError(response.error_msg)
        until, before = time.monotonic() + deadline_s, self._peers.losses(('policy',))
        while time.monotonic() < until:
            if self._peers.lost_since(before):
                raise LostError('policy', 'policy ended while it loaded')
            status = self.status
            if status is not None and status.ticket >= response.ticket and (
                    status.state != status.LOADING):
                if status.state != status.READY:
                    raise CallError(f'policy refused: {status.error_msg}')
                return status.sha256
            await self._waiter.pause(LOOK_S)
        raise CallError(f'the policy did not report load {response.ticket} within {deadline_s} s')


async def ask_labels(waiter: Waiter, client, call_s: float, episode: Episode, steps: np.ndarray,
                     check: Callable[[], None] = lambda: None):
    """
    Ask what the expert would have done in some states of an episode.

    :param client: of ``label_observations``
    :param call_s: deadline of each call, s
    :param steps: ascending indices into ``episode.observations``, shape ``(N,)``
    :param check: called before each question; what it raises ends the asking
    :returns: actions, shape ``(N, act_dim)``, float32; which are valid, shape ``(N,)``; who
        answered; and the labeller's own time, s
    :raises CallError: if nobody serves it, or nobody answers in time
    :raises BadAnswerError: if the service refused, or answered something else
    """
    width = len(episode.contract.actions)
    actions, valid = [np.zeros((0, width), np.float32)], [np.zeros(0, bool)]
    labeller, seconds = '', 0.0
    for request in make_requests(episode, steps):
        check()
        response = await waiter.call(client, request, call_s)
        answer = read_response(request, response, episode.contract)
        actions.append(answer[0])
        valid.append(answer[1])
        labeller, seconds = response.labeller, seconds + response.seconds
    return np.concatenate(actions), np.concatenate(valid), labeller, seconds
