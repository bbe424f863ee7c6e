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

"""One recorded episode as arrays: ``T`` actions between ``T + 1`` observations."""

import dataclasses
import hashlib
import json

from il_ros.contract.contract import Contract
from il_ros.contract.episode_spec import EpisodeSpec
import numpy as np


@dataclasses.dataclass(frozen=True)
class Answers:
    """What one driver answered to each observation of an episode."""

    actions: np.ndarray
    """Shape ``(T, act_dim)``, float32, by the contract; zero where ``valid`` is false."""

    valid: np.ndarray
    """Shape ``(T,)``, bool; false: not asked, or an answer that cannot be used."""

    @classmethod
    def none(cls, steps: int, width: int) -> 'Answers':
        """Return the actions of a driver that was never asked."""
        return cls(np.zeros((steps, width), np.float32), np.zeros(steps, bool))


@dataclasses.dataclass(frozen=True)
class Episode:
    """An episode without gaps, as far as its file has one; checked when it is built."""

    spec: EpisodeSpec
    contract: Contract

    stamps_ns: np.ndarray
    """Shape ``(T + 1,)``, int64: when each state was true, strictly increasing."""

    observations: np.ndarray
    """Shape ``(T + 1, obs_dim)``, float32; row ``t`` precedes action ``t``."""

    executed: np.ndarray
    """Shape ``(T, act_dim)``, float32: what was sent after limits."""

    driver: np.ndarray
    """Shape ``(T,)``, uint8: who drove (HOLD, EXPERT, POLICY, TELEOP)."""

    chosen: np.ndarray
    """Shape ``(T,)``, uint8: whom the mixture or the gate chose, before refusals."""

    limits: np.ndarray
    """Shape ``(T,)``, uint32: bits of ``Executed.msg``."""

    beta: np.ndarray
    """Shape ``(T,)``, float32: probability that the expert drives."""

    gate: np.ndarray
    """Shape ``(T,)``, float32: what the gate compared with its threshold; -1: no gate."""

    expert: Answers
    policy: Answers
    teleop: Answers

    policy_ids: np.ndarray
    """Shape ``(T,)``, uint64: which checkpoint answered; 0: none."""

    commands: np.ndarray
    """Shape ``(T, joints)``, float64, rad and m: the joint targets as sent."""

    joint_names: tuple[str, ...] = ()
    end: int = 0
    cause: int = 0
    success: bool = False
    goals_reached: int = 0
    horizon: int = 0
    """Steps after which the task truncates, as it said itself; 0: not known."""

    dropped: int = 0
    """How many messages the file lacks; the arrays stop before the first gap."""

    refused_labels: int = 0
    """Answers of expert or person outside the contract's bounds; not valid, and no labels."""

    complete: bool = True
    """The file has the episode's end, and nothing before it is missing."""

    images: dict[str, np.ndarray] = dataclasses.field(default_factory=dict)
    """
    By the names of the contract's image features, in its order.

    Shape ``(T + 1, height, width, channels)``, uint8; row ``t`` precedes action ``t``.
    """

    def __post_init__(self):
        steps = len(self.executed)
        if len(self.observations) != steps + 1:
            raise ValueError(f'{len(self.observations)} observations do not bracket {steps} '
                             'actions; expected one more observation')
        for name in ('driver', 'chosen', 'limits', 'beta', 'gate', 'policy_ids', 'commands'):
            if len(getattr(self, name)) != steps:
                raise ValueError(f'{name} has {len(getattr(self, name))} rows; expected {steps}')
        if self.observations.shape[1] != self.contract.width:
            raise ValueError(f'observations are {self.observations.shape[1]} wide; the contract '
                             f'{self.contract.name} says {self.contract.width}')
        for feature in self.contract.images:
            found = self.images.get(feature.name)
            if found is None or found.shape != (steps + 1, *feature.shape):
                raise ValueError(f'images {feature.name} have shape '
                                 f'{None if found is None else found.shape}; expected '
                                 f'{(steps + 1, *feature.shape)}')
        if self.executed.shape[1] != len(self.contract.actions):
            raise ValueError(f'actions are {self.executed.shape[1]} wide; the contract '
                             f'{self.contract.name} says {len(self.contract.actions)}')
        if (np.diff(self.stamps_ns) <= 0).any():
            raise ValueError('the stamps are not strictly increasing')

    @property
    def steps(self) -> int:
        """Return how many actions there are."""
        return len(self.executed)

    def content_sha256(self) -> str:
        """
        Return the hash of what happened, in hexadecimal digits; equal for equal seeds.

        It covers steps, observations, images, executed actions, drivers, outcome, and the stamps
        relative to step 0: nothing of when or where the episode was recorded.
        """
        outcome = json.dumps([self.observations.shape, self.executed.shape, self.end, self.cause,
                              self.success, self.goals_reached])
        digest = hashlib.sha256(outcome.encode())
        for array, form in ((self.stamps_ns - self.stamps_ns[0], '<i8'),
                            (self.observations, '<f4'), (self.executed, '<f4'),
                            (self.driver, '<u1')):
            digest.update(np.ascontiguousarray(array, form).tobytes())
        for feature in self.contract.images:
            digest.update(np.ascontiguousarray(self.images[feature.name]).data)
        return digest.hexdigest()
