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

"""Operator commands for episodes: start, success, failure, discard, redo, as service calls."""

from collections.abc import Callable

from il_ros.contract.episode_spec import OPERATOR
from il_ros.ros import qos
from il_ros.ros.conversion.checks import check_status
from il_ros.ros.listening import listen
from il_ros.teleop import control
from il_ros.teleop.control import ControlError, EpisodeControl, Request
from il_ros_interfaces.msg import EpisodeStatus
from il_ros_interfaces.srv import Discard, EndEpisode
from rclpy.node import Node
from std_srvs.srv import Trigger


class Operator:
    """
    The clients of ``start_episode``, ``end_episode`` and ``discard``, and the current episode.

    No call blocks the node; ``said`` has the outcome later.

    :param on_episode: called when another episode has begun
    :param on_said: called when ``said`` has changed
    """

    def __init__(self, node: Node, on_episode: Callable[[], None], on_said: Callable[[], None]):
        self.said = ''
        self.control = EpisodeControl()
        self._node = node
        self._on_episode = on_episode
        self._on_said = on_said
        self._services = {
            control.START: node.create_client(Trigger, control.START),
            control.END: node.create_client(EndEpisode, control.END),
            control.MARK: node.create_client(Discard, control.MARK)}
        listen(node, EpisodeStatus, 'episode', self._on_status, qos.STATUS, check_status)

    def _on_status(self, status: EpisodeStatus):
        if self.control.status(status.episode_id, status.phase):
            self._on_episode()

    def obey(self, command: str):
        """Carry out a command, or report why not."""
        try:
            requests = self.control.requests(command)
        except ControlError as error:
            self._say(str(error))
            return
        self._call(requests)

    def _call(self, requests: tuple[Request, ...]):
        request, *others = requests
        client = self._services[request.service]
        if not client.service_is_ready():
            self._say(f'no server for {request.service}')
            return

        def on_done(future):
            refusal = _refusal(future.result())
            self._say(f'refused: {refusal}' if refusal else request.said)
            if others and not refusal:
                self._call(tuple(others))
        client.call_async(_message(request)).add_done_callback(on_done)

    def _say(self, sentence: str):
        self.said = sentence
        self._node.get_logger().info(sentence)
        self._on_said()


def _message(request: Request):
    if request.service == control.START:
        return Trigger.Request()
    if request.service == control.END:
        return EndEpisode.Request(
            episode_id=request.episode_id, end=request.end, cause=OPERATOR,
            success=request.success, reason=request.said)
    return Discard.Request(episode_id=request.episode_id, first_step=request.first_step,
                           last_step=request.last_step)


def _refusal(response) -> str:
    """Return why a call was refused; empty: it was not."""
    if response is None:
        return 'no answer'
    if isinstance(response, Trigger.Response):
        return '' if response.success else response.message
    return response.error_msg if response.error_code else ''
