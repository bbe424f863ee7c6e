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

import math

from il_ros.errors import SimulationError
import numpy as np

_STREAM = 1
"""Tells this generator from that of the start and the goals, which has the same seed."""

_KEYS = ('rate', 'speed')
_FASTEST_M_S = 2.0


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
    asked = options['bumps']
    if not isinstance(asked, dict) or set(asked) != set(_KEYS):
        raise SimulationError(f'option bumps is {asked}; expected an object with the keys rate '
                              'and speed')
    rate, speed_m_s = (asked[key] for key in _KEYS)
    if not (_is_number(rate) and 0.0 <= rate <= 1.0):
        raise SimulationError(f'option bumps: rate is {rate!r}; expected a probability in [0, 1]')
    if not (_is_number(speed_m_s) and 0.0 < speed_m_s <= _FASTEST_M_S):
        raise SimulationError(f'option bumps: speed is {speed_m_s!r}; expected a number above 0 '
                              f'and up to {_FASTEST_M_S} m/s')
    return Bumps(rate, speed_m_s, seed)


def _is_number(value) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
