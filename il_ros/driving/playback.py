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

"""Playback of a recorded episode, only from where it began."""

from il_ros.contract.contract import Contract
from il_ros.episodes.deviation import farthest
from il_ros.episodes.episode import Episode
import numpy as np


class Playback:
    """
    Answers the observations of an episode with what was executed in a recorded one.

    :param tolerance: how far any value may be from where the recording began, in its unit
    """

    def __init__(self, recorded: Episode, tolerance: float):
        self._recorded, self._tolerance = recorded, tolerance
        self._last_step = -1
        self.refusal = ''
        """Why nothing is sent any more; empty: nobody asked, or something was."""

    def act(self, step: int, values: np.ndarray, contract: Contract,
            alone: bool = True) -> np.ndarray | None:
        """
        Answer the observation of a step; None: there is nothing to be sent.

        :param values: shape ``(obs_dim,)``, float32
        :param contract: of the graph
        :param alone: whether nobody else drives in this place
        :returns: shape ``(act_dim,)``, float32
        """
        recorded = self._recorded
        if self._last_step < 0 or step <= self._last_step:
            # It begins, or begins again: an attempt that was discarded.
            self.refusal = self.refusal or self._objection(step, values, contract, alone)
        if self.refusal or step >= recorded.steps:
            return None
        self._last_step = step
        return recorded.executed[step]

    def _objection(self, step: int, values: np.ndarray, contract: Contract, alone: bool) -> str:
        recorded = self._recorded
        beginning = f'{recorded.spec.episode_id} is not replayed: '
        if contract.id != recorded.contract.id:
            return (f'{beginning}it was recorded with another contract than {contract.name!r} is '
                    'now')
        if not alone:
            return (f'{beginning}a policy node drives here, too; start the graph without one, '
                    'e.g. record.launch.py')
        if step:
            return f'{beginning}the first {step} steps went by unheard; try again'
        element, apart = farthest(recorded, values)
        if not apart <= self._tolerance:
            return (f'{beginning}{element} is {apart:.3g} from where the recording begins; '
                    f'expected {self._tolerance:g} at most (--tolerance)')
        return ''
