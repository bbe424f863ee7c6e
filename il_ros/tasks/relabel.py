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

"""Labels for states that were recorded earlier, whoever drove there."""

from il_ros.tasks.expert import Expert
import numpy as np


def relabel(expert: Expert, observations: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """
    Ask the expert what it would have done in each of the states.

    :param observations: rows of ``Observation.values``, shape ``(N, obs_dim)``, float32
    :returns: actions of shape ``(N, act_dim)``, float32, and which of them are answers, shape
        ``(N,)``, bool; rows without an answer are zero
    :raises BadObservationError: if the width is not the contract's
    """
    actions = np.zeros((len(observations), len(expert.action_names)), np.float32)
    valid = np.zeros(len(observations), bool)
    for row, values in enumerate(observations):
        answer = expert.act(values)
        if answer is not None:
            actions[row], valid[row] = answer, True
    return actions, valid
