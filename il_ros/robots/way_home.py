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
The way home between two episodes: joint targets, one each control step, inside the limits.

The arm goes first, with the fingers as they are; they open where its home is.
"""

from il_ros.robots.joint_motion import JointMotion
from il_ros.robots.model import RobotModel
import numpy as np

NEAR_RAD = 0.05
"""An arm so near its home is there; as far outside its limits an episode may begin."""

STANDING_S = 2.0
"""Targets that stand still for so long, short of the home, will not reach it."""


def farthest(robot: RobotModel, q: np.ndarray, place: np.ndarray) -> tuple[float, str]:
    """
    Return how far the arm is from a place, rad, and the joint that is farthest.

    :param q: and ``place``: joint positions, shape ``(n,)``; fingers do not count
    """
    away = np.abs(q - place)[robot.arm]
    worst = int(away.argmax())
    return float(away[worst]), robot.joint_names[worst]


def is_home(robot: RobotModel, measured: np.ndarray) -> bool:
    """Tell whether the arm is at home, whatever its fingers hold."""
    return farthest(robot, measured, robot.home)[0] <= NEAR_RAD


class WayHome:
    """
    One way.

    :ivar q: the joint targets that are due, shape ``(n,)``
    :ivar is_moving: they are other ones than those before
    :param motion: of the arm until now, which may still move; its control step is ``period_s``
    :param measured: joint positions, shape ``(n,)``, of which the fingers' count
    """

    def __init__(self, robot: RobotModel, period_s: float, motion: JointMotion,
                 measured: np.ndarray):
        self._robot = robot
        self._longest = robot.velocity[robot.fingers] * period_s
        self._most_standing = round(STANDING_S / period_s)
        self._standing, self.is_moving = 0, motion.is_moving
        self._motion = motion
        fingers = np.clip(measured, robot.lower, robot.upper)[robot.fingers]
        self.q = np.concatenate((motion.q, fingers))

    @property
    def is_over(self) -> bool:
        """Tell whether all targets are those of the home."""
        return bool((self.q == self._robot.home).all())

    @property
    def is_stuck(self) -> bool:
        """Tell whether something is in the way: the targets have stood still for a while."""
        return self._standing >= self._most_standing

    def advance(self, speed_scale: float) -> np.ndarray:
        """
        Return the next targets.

        :param speed_scale: share of the joints' speeds; 0: the arm waits
        """
        robot, before = self._robot, self.q
        self._motion.approach(robot.home[robot.arm], speed_scale)
        fingers = before[robot.fingers]
        if (self._motion.q == robot.home[robot.arm]).all():
            fingers = fingers + np.clip(
                robot.home[robot.fingers] - fingers, -self._longest, self._longest)
        self.q = np.concatenate((self._motion.q, fingers))
        self.is_moving = bool((self.q != before).any())
        self._standing = 0 if self.is_moving or speed_scale == 0.0 else self._standing + 1
        return self.q

    def brake(self) -> np.ndarray:
        """Return the next targets of an arm that is to stop."""
        self._motion.brake()
        self.is_moving = self._motion.is_moving
        self.q = np.concatenate((self._motion.q, self.q[self._robot.fingers]))
        return self.q
