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
Limits of joint commands: what the driver of an arm refuses, whoever sends it.

The supervisor keeps closer limits (``joint_motion.py``). These stand at the arm's end, against a
sender that does not: a target outside the joint limits, or one that no joint can reach in time, by
its speed and its acceleration.
"""

from collections.abc import Sequence
import math

from il_ros.errors import RobotError
from il_ros.robots.model import RobotModel
import numpy as np

MARGIN = 1.5
"""Times a limit: in real time two commands may come less than their period apart."""

_ROUNDING = 1e-6
"""What a target may exceed a joint limit by, rad (fingers: m)."""

_LATE = 0.25
"""A command later than this share of a period may follow one that was lost."""

_LONGEST_GAP_S = 0.5
"""Time since the last command that counts at most: after a silence no jump is allowed, either."""


class CommandLimits:
    """
    Joint limits, speeds and accelerations, checked against the commands before.

    A command that comes late may be the next one, or one after others that were lost: whatever a
    sender inside the limits can have come to by then is taken. The first one after a reset or a
    hold is measured by its speed alone.
    """

    def __init__(self, robot: RobotModel, period_ns: int):
        """
        Prepare for an arm.

        :param period_ns: length of a control step
        """
        self._robot = robot
        self._period_ns = period_ns
        self._longest_ns = max(period_ns, round(_LONGEST_GAP_S * 1e9))
        self._reach = MARGIN * period_ns * 1e-9 * robot.velocity
        change = MARGIN * np.maximum(robot.acceleration, robot.deceleration) * (
            period_ns * 1e-9) ** 2
        # At most from full speed to full speed backwards: finite where there is no limit.
        self._changes: list[float] = np.minimum(change, 2.0 * self._reach)[robot.arm].tolist()
        self._bounds = tuple(zip((robot.lower - _ROUNDING).tolist(),
                                 (robot.upper + _ROUNDING).tolist(), self._reach.tolist()))
        self._steps: list[tuple[float, float]] = []
        """Between what each arm joint's last step lay, in one period; empty: not known."""
        self._answered = False

    def restart(self, positions: np.ndarray, stamp_ns: int):
        """
        Take the place where the arm stands for the command before: a reset, or a hold.

        :param positions: measured, shape ``(n,)``
        """
        self._last, self._stamp_ns, self._answered = positions.tolist(), stamp_ns, False
        self._steps = []

    def take(self, stamp_ns: int, targets: np.ndarray):
        """
        Take a command, as the one that the next is measured against.

        :param targets: shape ``(n,)``, float64, rad (fingers: m)
        :raises RobotError: naming the joint and the limit that it breaks; nothing is then taken
        """
        elapsed_ns = min(max(stamp_ns - self._stamp_ns, self._period_ns), self._longest_ns)
        periods, wanted = elapsed_ns / self._period_ns, targets.tolist()
        for target, last, (lower, upper, reach) in zip(wanted, self._last, self._bounds):
            # So written that a target that is no number is refused, too.
            if not (lower <= target <= upper and abs(target - last) <= periods * reach):
                raise self._refusal(targets, periods)
        self._steps = self._changed(wanted, max(1, math.ceil(periods - _LATE)))
        self._last, self._stamp_ns, self._answered = wanted, stamp_ns, True

    def _changed(self, wanted: list[float], count: int) -> list[tuple[float, float]]:
        """
        Return between what each joint's last step lay, if it was the last of 1 to ``count``.

        :raises RobotError: naming a joint that no such steps bring there from the ones before
        """
        now, rising = [], 0.5 * count * (count + 1)
        befores: Sequence = self._steps or [None] * len(self._changes)
        for index, (target, last, before, change) in enumerate(
                zip(wanted, self._last, befores, self._changes)):
            step = target - last
            if before is None:
                now.append((min(step, 0.0), max(step, 0.0)))
                continue
            low, high = before
            if not (min(low - change, count * low - rising * change) <= step
                    <= max(high + change, count * high + rising * change)):
                raise RobotError(
                    f'the target of {self._robot.joint_names[index]} is {target:.3f}, {step:.3f} '
                    f'from the command before, after a step of {low:.3f} to {high:.3f}; expected '
                    f'a change of at most {change:.3f} a period, by its acceleration limit')
            mean, spread = step / count, 0.5 * (count - 1) * change
            now.append((min(step, mean - spread), max(step, mean + spread)))
        return now

    def contradicts(self, stamp_ns: int, targets: np.ndarray) -> bool:
        """Tell whether this is a second, different command for the stamp of the last one."""
        return (self._answered and stamp_ns == self._stamp_ns
                and targets.tolist() != self._last)

    def within_reach(self, targets: np.ndarray, commanded: np.ndarray) -> np.ndarray:
        """
        Return how far the arm goes towards targets in one control step.

        :param commanded: where it was sent in the step before
        """
        return np.clip(targets, commanded - self._reach, commanded + self._reach)

    def _refusal(self, targets: np.ndarray, periods: float) -> RobotError:
        robot, reach = self._robot, periods * self._reach
        for joint, target, last, lower, upper, far in zip(
                robot.joint_names, targets, self._last, robot.lower, robot.upper, reach):
            if not lower - _ROUNDING <= target <= upper + _ROUNDING:
                return RobotError(f'the target of {joint} is {target:.6g}; expected {lower:.3f} '
                                  f'to {upper:.3f}')
            if not abs(target - last) <= far:
                return RobotError(
                    f'the target of {joint} is {target:.3f}, {abs(target - last):.3f} from the '
                    f'command before; expected at most {far:.3f}, by its speed limit')
        raise AssertionError('no joint breaks a limit')
