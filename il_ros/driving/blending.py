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

"""Hand-overs between two drivers without a jump of the tool's velocity."""

from collections.abc import Collection

from il_ros.contract.contract import Contract
from il_ros.contract.episode_spec import HOLD, TELEOP
import numpy as np

_SPEED_UNIT = 'm/s'
_ROUNDING = 1e-4


class Blending:
    """
    From a hand-over on, the velocity goes to that of the new driver at a limited rate.

    It starts from what was really sent last, changes by at most ``acceleration * period`` a step
    (the norm over the linear axes), and ends when it has caught up with the driver. The gripper
    is not led. Steps of the new driver count from the first one: they are his, and his label is
    what he wanted.

    :param acceleration: m/s^2
    :param of_gates: between expert and policy, too; else only to and from a person
    """

    def __init__(self, contract: Contract, acceleration: float, of_gates: bool = False):
        self._of_gates = of_gates
        self._axes = [index for index, element in enumerate(contract.actions)
                      if element.unit == _SPEED_UNIT]
        self._width = len(contract.actions)
        self._most = acceleration / contract.rate
        self._last = np.zeros(len(self._axes))
        self._driver = HOLD
        self._leading = False

    def limit_rate(self, driver: int, action: np.ndarray) -> tuple[np.ndarray, bool]:
        """
        Return the action that may be sent now, and whether it differs from the driver's.

        :param action: of the driver, shape ``(act_dim,)``; not finite, or of another width:
            returned as it is
        """
        both = driver, self._driver
        if driver != self._driver and (TELEOP in both or self._of_gates and HOLD not in both):
            self._leading = True
        self._driver = driver
        if not self._leading or len(action) != self._width or not np.isfinite(action).all():
            return action, False
        change = action[self._axes] - self._last
        size = float(np.linalg.norm(change))
        if size <= self._most * (1.0 + _ROUNDING):
            self._leading = False
            return action, False
        led = np.array(action, np.float32)
        led[self._axes] = self._last + change * (self._most / size)
        return led, True

    def sent(self, values: np.ndarray, driver: int | None = None):
        """
        Take in what was sent after all limits, shape ``(act_dim,)``; zero while it holds.

        :param driver: who really drove: after a hold it begins from rest; None: who was led
        """
        self._last = np.asarray(values, np.float64)[self._axes]
        if driver == HOLD and self._driver != HOLD:
            self._leading = self._leading or self._driver == TELEOP
            self._driver = HOLD


def blending_of(contract: Contract, required: Collection[int], acceleration: float,
                of_gates: bool) -> Blending | None:
    """
    Return the blending of an episode; None: its hand-overs need none.

    :param required: the drivers, a person perhaps among them
    :param acceleration: m/s^2
    """
    return Blending(contract, acceleration, of_gates) if (
        of_gates or TELEOP in required) else None
