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
Stand-ins for the forward command controllers: numbers without names, handed on as they are.

They stand for ``forward_command_controller`` and the ``JointGroupPositionController`` and
``JointGroupVelocityController`` that are made of it.
"""

from collections.abc import Sequence
import math

from il_ros.sim.controllers.controller import as_finite, Controller
import numpy as np


class ForwardPosition(Controller):
    """
    Positions, in the order of the controller's own list of joints: nothing else says whose.

    The newest ones count for ever, as in the real controller.
    """

    def start(self, positions: np.ndarray, now_ns: int):
        """Activate: hold these positions."""
        self._targets = np.array(positions)

    def take(self, message: Sequence[float], now_ns: int):
        """Take one number a joint."""
        self._targets = as_finite(message, len(self._targets), 'positions')

    def update(self, now_ns: int, period_ns: int, positions: np.ndarray,
               velocities: np.ndarray) -> np.ndarray:
        """Return the newest positions."""
        return self._targets


class ForwardVelocity(Controller):
    """
    Velocities, in the order of the controller's own list of joints.

    The real controller has no timeout: without a message the joints move on. Here they stop after
    a while, as behind a drive with a watchdog, for a stand-in shall not teach that this is safe.

    :param timeout_s: how long the newest velocities count; infinite: for ever, as in the real one
    """

    def __init__(self, timeout_s: float = math.inf):
        self._timeout_s = timeout_s

    def start(self, positions: np.ndarray, now_ns: int):
        """Activate: hold these positions."""
        self._commanded = np.array(positions)
        self._velocities = np.zeros(len(positions))
        self._taken_ns = now_ns

    def take(self, message: Sequence[float], now_ns: int):
        """Take one number a joint."""
        self._velocities = as_finite(message, len(self._velocities), 'velocities')
        self._taken_ns = now_ns

    def update(self, now_ns: int, period_ns: int, positions: np.ndarray,
               velocities: np.ndarray) -> np.ndarray:
        """Return where the velocities lead to."""
        if (now_ns - self._taken_ns) * 1e-9 <= self._timeout_s:
            self._commanded = self._commanded + self._velocities * (period_ns * 1e-9)
        return self._commanded
