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
A handicapped expert: any task's law that misreads the state by a constant.

``{"expert": {"bias": {"goal_position": [0.0, 0.03, 0.0]}}}`` in an episode's options: the law
takes the goal to be 3 cm to the left of where it is (another feature: an object is grasped or
pushed beside its middle). It stays a smooth function of the state, without memory; what a learner
of its labels inherits, and where it cannot get beyond its teacher, can so be seen.
"""

import dataclasses
import json
from typing import Annotated

from il_ros.contract.contract import Contract
from il_ros.contract.options import read_options
from il_ros.errors import ImitationError
from il_ros.settings import Settings
from il_ros.tasks.expert import Expert
from msgspec import Meta

OPTION = 'expert'
"""The key of an episode's options that is the expert's own."""


class BiasError(ImitationError):
    """A handicap that is not one; the sentence says what was expected."""

    code = 404


_Offsets = Annotated[list[float], Meta(
    min_length=1, description='a list of finite numbers')]


@dataclasses.dataclass(frozen=True)
class _Asked(Settings, refusal=BiasError, title=f'option {OPTION}.'):
    """The option."""

    bias: Annotated[dict[str, _Offsets], Meta(
        min_length=1, description='an object of features and their offsets')]


def bias_of(options: str) -> dict[str, list[float]]:
    """
    Return what the expert is to misread, and by how much; empty: nothing.

    :param options: canonical JSON of an episode's options; '': none. Those of the task are left
        to the task
    :returns: feature names to offsets, in the features' units
    :raises BiasError: naming what is wrong
    """
    known = read_options(options, BiasError)
    if OPTION not in known:
        return {}
    return _Asked.from_dict(known[OPTION]).bias


class BiasedExpert(Expert):
    """
    An expert that misreads some features by constant offsets.

    :param bias: feature names to offsets, one number an element, in the feature's unit
    :raises MissingFeatureError: if the contract has no such feature, or one of another width
    """

    def __init__(self, expert: Expert, contract: Contract, bias: dict[str, list[float]]):
        self.task, self.version = expert.task, expert.version
        self.action_names = expert.action_names
        super().__init__(contract)
        self._expert, self._bias = expert, bias
        self._offsets = [0.0] * contract.width
        for name, offsets in bias.items():
            start = self.index_of(name, len(offsets))
            self._offsets[start:start + len(offsets)] = map(float, offsets)

    @property
    def name(self) -> str:
        """Return who labels, with the law's version and what it misreads."""
        return f'{self._expert.name} with bias {json.dumps(self._bias, sort_keys=True)}'

    def control(self, values: list[float]) -> tuple[float, ...]:
        misread = [value + offset for value, offset in zip(values, self._offsets)]
        return self._expert.control(misread)
