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
Bumps: seeded pushes on an object or the tool while an episode runs, an option of every task.

``{"bumps": {"rate": 0.04, "speed": 0.5}}`` in an episode's options: in 4 % of the control steps
one of the objects that lie free is kicked to 0.5 m/s more, in a random horizontal direction. Where
there is none (reach, or a peg that is in the hand from the start) the tool is shoved aside at that
speed for the length of the step. The episode's seed says when and where, whoever drives.
"""

import dataclasses
import math
from typing import Annotated

from il_ros.errors import SimulationError
from il_ros.settings import Settings
from msgspec import Meta
import numpy as np

_STREAM = 1
"""Tells this generator from that of the start and the goals, which has the same seed."""


@dataclasses.dataclass(frozen=True)
class _Asked(Settings, refusal=SimulationError, title='option bumps.'):
    """The option."""

    rate: Annotated[float, Meta(
        ge=0.0, le=1.0, description='a probability in [0, 1]')]
    """Probability of a bump in a control step."""

    speed: Annotated[float, Meta(gt=0.0, le=2.0)]
    """How much faster an object or the tool is, m/s."""


class Bumps:
    """The bumps of one episode, a draw a step."""

    def __init__(self, rate: float, speed_m_s: float, seed: int):
        """
        Start an episode.

        :param rate: probability of a bump in a control step
        :param speed_m_s: how much faster an object or the tool is
        """
        self._rate, self._speed_m_s = rate, speed_m_s
        self._rng = np.random.default_rng((seed, _STREAM))

    def draw(self) -> tuple[np.ndarray, float] | None:
        """
        Return this step's bump: a velocity, shape ``(3,)``, m/s, and a number in [0, 1).

        The number chooses among the objects. Each step draws as often, bumped or not.
        """
        chance, turn, choice = self._rng.random(3).tolist()
        if chance >= self._rate:
            return None
        angle = 2.0 * math.pi * turn
        return self._speed_m_s * np.array([math.cos(angle), math.sin(angle), 0.0]), choice


def bumps_of(options: dict, seed: int) -> Bumps | None:
    """
    Return the bumps that an episode's options ask for; None: none.

    :raises SimulationError: naming the part of the option that is wrong
    """
    if 'bumps' not in options:
        return None
    asked = _Asked.from_dict(options['bumps'])
    return Bumps(asked.rate, asked.speed, seed)
