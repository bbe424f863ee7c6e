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
What every expert has in common: pure state feedback, clipped to the contract, without memory.

A law sees one observation and nothing else: no phase that it entered, no step count. It can take
over anywhere, and the same state gets the same label, whoever drove there.
"""

import abc
import math

from il_ros.contract.contract import Contract, ContractError
from il_ros.errors import ImitationError
import numpy as np


class MissingFeatureError(ImitationError):
    """A contract without a feature or an action that the expert's law needs."""

    code = 401


class BadObservationError(ImitationError):
    """An observation of another width than the contract's."""

    code = 403


class WrongAnswerError(ImitationError):
    """An answer of an expert that is no action of its contract."""

    code = 404


class Expert(abc.ABC):
    """A state-feedback law for one task."""

    task = ''
    version = 1
    """Raised with every change of the law: labels of two versions are not the same labels."""

    action_names: tuple[str, ...] = ()
    """Names of the action entries that the law gives, in its order."""

    def __init__(self, contract: Contract):
        """
        Find in ``contract`` what the expert reads and commands.

        :raises MissingFeatureError: naming the feature or the actions that are not there
        """
        if contract.action_names != self.action_names:
            raise MissingFeatureError(
                f'the {self.task} expert commands {list(self.action_names)}; the contract '
                f'{contract.name} has {list(contract.action_names)}')
        self._contract = contract
        self._bounds = tuple((float(low), float(high))
                             for low, high in zip(contract.lower, contract.upper))

    @property
    def contract(self) -> Contract:
        """Return the layout of the observations that it reads."""
        return self._contract

    @property
    def name(self) -> str:
        """Return who labels, with the law's version."""
        return f'{self.task} expert {self.version}'

    def act(self, values: np.ndarray) -> np.ndarray | None:
        """
        Return the action for one observation.

        :param values: ``Observation.values``, shape ``(obs_dim,)``, float32
        :returns: action inside the contract's bounds, shape ``(act_dim,)``, float32; None where
            the expert has no answer (a number that is not finite)
        :raises BadObservationError: if the width is not the contract's
        :raises WrongAnswerError: if ``control`` gives another number of values
        """
        numbers = values.tolist()
        if len(numbers) != self._contract.width:
            raise BadObservationError(
                f'the {self.task} expert got {len(numbers)} values; the contract '
                f'{self._contract.name} has {self._contract.width}')
        if not math.isfinite(sum(numbers)):
            return None
        wanted = self.control(numbers)
        if len(wanted) != len(self.action_names):
            raise WrongAnswerError(f'control of the {self.task} expert gives {len(wanted)} '
                                   f'numbers; expected one for each of {self.action_names}')
        return np.array([min(max(value, low), high)
                         for value, (low, high) in zip(wanted, self._bounds)], np.float32)

    @abc.abstractmethod
    def control(self, values: list[float]) -> tuple[float, ...]:
        """Return the wanted action, one number for each entry of ``action_names``."""

    def index_of(self, feature: str, width: int) -> int:
        """Return where ``feature`` starts among the values; it must have ``width`` elements."""
        try:
            found = self._contract.feature(feature)
        except ContractError as error:
            raise MissingFeatureError(f'the {self.task} expert: {error}') from error
        if len(found.elements) != width:
            raise MissingFeatureError(
                f'the {self.task} expert reads {width} elements of {feature}, the contract '
                f'{self._contract.name} has {list(found.elements)}')
        return found.start
