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


"""Asking a labelling service about recorded states."""

from collections.abc import Callable

from il_ros.episodes.episode import Episode
from il_ros.ros.calls import Waiter
from il_ros.ros.conversion.labels import make_requests, read_response
import numpy as np


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
