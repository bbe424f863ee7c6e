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

"""A trained policy: from an observation to an action that the contract accepts."""

from collections.abc import Mapping
import math

from il_ros.data.contract import Contract
from il_ros.learning.errors import LearningError, NotFiniteError, PolicyError
from il_ros.learning.inputs import Inputs
from il_ros.learning.mlp import Mlp
from il_ros.learning.normaliser import Normaliser
import numpy as np


class Policy:
    """
    A deterministic policy without memory; immutable, so that a node can swap it between two ticks.

    Its answers are finite and inside the contract's bounds, and the gripper element, if there is
    one, is its lower or its upper bound: the mean of an open and a closed hand is a hand half
    open.
    """

    def __init__(self, contract: Contract, inputs: Inputs, normaliser: Normaliser,
                 action_normaliser: Normaliser, net: Mlp, info: Mapping | None = None,
                 sha256: str = ''):
        """
        Put the parts together.

        :param contract: layout of observations and actions that it was trained on
        :param inputs: what it sees of an observation
        :param normaliser: of the inputs, ``inputs.width`` wide
        :param action_normaliser: of the actions, ``act_dim`` wide
        :param net: from normalised inputs to normalised actions
        :param info: how it was made, as JSON has it
        :param sha256: of the checkpoint, hex; empty: not saved yet
        :raises LearningError: if the widths do not fit
        """
        self.contract, self.inputs, self.net = contract, inputs, net
        self.info, self.sha256 = dict(info or {}), sha256
        self.normaliser, self.action_normaliser = normaliser, action_normaliser
        for what, found, expected in (
                ('normaliser', normaliser.width, inputs.width),
                ('net input', net.widths[0], inputs.width),
                ('action normaliser', action_normaliser.width, len(contract.actions)),
                ('net output', net.widths[-1], len(contract.actions))):
            if found != expected:
                raise LearningError(f'the {what} is {found} wide; expected {expected}')
        for name, array in (*net.tensors().items(), ('bounds of the actions', contract.lower),
                            ('bounds of the actions', contract.upper)):
            if not np.isfinite(array).all():
                raise NotFiniteError(f'{name}: some numbers are not finite')
        self._gripper = contract.gripper_index
        self._lower, self._upper = contract.lower, contract.upper
        self._middle = (self._lower + self._upper) / 2.0

    @property
    def policy_id(self) -> int:
        """Return the first 8 bytes (big endian) of ``sha256``; 0: not saved yet."""
        return int(self.sha256[:16] or '0', 16)

    def act(self, values: np.ndarray) -> np.ndarray:
        """
        Answer one observation.

        :param values: ``Observation.values``, shape ``(D,)``, float32
        :returns: shape ``(act_dim,)``, float32, in the contract's units and bounds
        :raises InputsError: if the observation has another width
        :raises PolicyError: if an input or the output is not finite
        """
        with np.errstate(over='ignore', invalid='ignore'):
            inputs = self.inputs.apply(values)
            action = self._answer(inputs)
            # A sum is finite only if its terms are; a -inf alone could vanish in a ReLU.
            checksum = float(inputs.sum()) + float(action.sum())
        if not math.isfinite(checksum):
            raise PolicyError(self._complaint(inputs))
        return self._bounded(action)

    def act_batch(self, values: np.ndarray) -> np.ndarray:
        """
        Answer many observations, as ``act`` does within float32 rounding.

        :param values: shape ``(N, D)``, float32
        :returns: shape ``(N, act_dim)``, float32
        :raises PolicyError: if an input or output of one of them is not finite
        """
        with np.errstate(over='ignore', invalid='ignore'):
            inputs = self.inputs.apply(values)
            actions = self._answer(inputs)
        finite = np.isfinite(inputs).all(axis=1) & np.isfinite(actions).all(axis=1)
        if not finite.all():
            row = int(np.argmin(finite))
            raise PolicyError(f'observation {row}: {self._complaint(inputs[row])}')
        return self._bounded(actions)

    def _answer(self, inputs: np.ndarray) -> np.ndarray:
        return self.action_normaliser.undo(self.net.forward(self.normaliser.apply(inputs)))

    def _bounded(self, actions: np.ndarray) -> np.ndarray:
        bounded = np.minimum(np.maximum(actions, self._lower), self._upper)
        at = self._gripper
        if at >= 0:
            bounded[..., at] = np.where(actions[..., at] > self._middle[at],
                                        self._upper[at], self._lower[at])
        return bounded

    def _complaint(self, inputs: np.ndarray) -> str:
        for name, value in zip(self.inputs.names, inputs):
            if not math.isfinite(value):
                return f'input {name} is {value}; expected a finite number'
        return 'the answer to these inputs is not finite; they lie far outside the training data'
