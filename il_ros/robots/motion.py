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

"""From joint targets to what other controllers want: velocities, the tool's pose and its twist."""

import dataclasses

from il_ros.robots.kinematics import Kinematics
from il_ros.robots.rotations import rotation_between
import numpy as np

GAIN_PER_S = 2.0
"""Share of the measured position error that a velocity command closes in a second."""


@dataclasses.dataclass(frozen=True, eq=False)
class Motion:
    """What the arm is to do in the coming control step."""

    positions: np.ndarray
    """Joint targets, shape ``(n,)``, rad (fingers: m)."""
    velocities: np.ndarray
    """Joint velocities on arrival: the step of the targets over the period, shape ``(n,)``."""
    corrected: np.ndarray
    """Joint velocities that also close the measured error, inside the limits, shape ``(n,)``."""
    tool_position: np.ndarray
    """Of the targets, shape ``(3,)``, m in the base frame."""
    tool_orientation: np.ndarray
    """Of the targets, shape ``(4,)``, x y z w."""
    twist: np.ndarray
    """Linear and angular velocity of the tool that also closes the measured error, ``(6,)``."""


class MotionReckoner:
    """
    Reckons the motion between one joint target and the next, for one episode after the other.

    :param period_s: length of a control step
    """

    def __init__(self, kinematics: Kinematics, period_s: float):
        self._kinematics, self._period_s = kinematics, period_s
        self._last: np.ndarray | None = None

    def reckon(self, sent: np.ndarray, measured: np.ndarray, holding: bool) -> Motion:
        """
        Return the motion to the next joint targets.

        While the arm holds, no measured error is closed: it brakes, and then stands still.

        :param sent: joint targets after all limits, shape ``(n,)``
        :param measured: joint positions now, shape ``(n,)``
        """
        last, self._last = measured if self._last is None else self._last, sent
        position, orientation = self._kinematics.forward(sent)
        velocities = (sent - last) / self._period_s
        if holding:
            return Motion(sent, velocities, velocities, position, orientation,
                          self._twist(position, orientation, last, last))
        corrected = self._inside_limits(velocities + GAIN_PER_S * (last - measured), measured)
        return Motion(sent, velocities, corrected, position, orientation,
                      self._twist(position, orientation, last, measured))

    def _inside_limits(self, velocities: np.ndarray, measured: np.ndarray) -> np.ndarray:
        robot, period_s = self._kinematics.robot, self._period_s
        limited = np.clip(velocities, -robot.velocity, robot.velocity)
        limited = np.minimum(limited, np.maximum(robot.upper - measured, 0.0) / period_s)
        return np.maximum(limited, np.minimum(robot.lower - measured, 0.0) / period_s)

    def _twist(self, position, orientation, last: np.ndarray, measured: np.ndarray) -> np.ndarray:
        before, turned = self._kinematics.forward(last)
        here, here_turned = self._kinematics.forward(measured)
        linear = (position - before) / self._period_s + GAIN_PER_S * (before - here)
        angular = (rotation_between(turned, orientation) / self._period_s
                   + GAIN_PER_S * rotation_between(here_turned, turned))
        return np.concatenate((linear, angular))
