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

"""What the stand-ins of tool controllers have in common: joints that follow a pose of the tool."""

from il_ros.robots.kinematics import Kinematics
from il_ros.sim.controllers.controller import Controller
import numpy as np

CYCLE_NS = 10_000_000
"""How often such a controller computes joints: Servo's ``publish_period``; physics runs faster."""


class ToolController(Controller):
    """Joints of the arm alone, computed in cycles and joined by straight lines."""

    def __init__(self, kinematics: Kinematics):
        self._kinematics = kinematics

    def start(self, positions: np.ndarray, now_ns: int):
        """Activate: hold these positions."""
        self._from = self._to = np.array(positions)
        self._begin_ns = self._end_ns = now_ns
        self._position, self._orientation = self._kinematics.forward(self._whole())

    def update(self, now_ns: int, period_ns: int, positions: np.ndarray,
               velocities: np.ndarray) -> np.ndarray:
        """Return the joint targets for one period from now."""
        # A beat looks back: its first period may be before the activation.
        if now_ns >= self._end_ns or self._begin_ns == self._end_ns:
            cycle_ns = -(-CYCLE_NS // period_ns) * period_ns
            self._begin_ns, self._end_ns, self._from = now_ns, now_ns + cycle_ns, self._to
            if self._advance(now_ns, cycle_ns * 1e-9):
                self._to = self._kinematics.inverse(
                    self._position, self._orientation, self._whole()
                ).q[self._kinematics.robot.arm]
        share = (now_ns + period_ns - self._begin_ns) / (self._end_ns - self._begin_ns)
        return self._from + share * (self._to - self._from)

    def _advance(self, now_ns: int, cycle_s: float) -> bool:
        """Move on the tool's pose by one cycle; tell whether it moves at all."""
        raise NotImplementedError

    def _whole(self) -> np.ndarray:
        """Return the joints of the whole robot: its fingers move no tool."""
        whole = np.array(self._kinematics.robot.home)
        whole[self._kinematics.robot.arm] = self._to
        return whole
