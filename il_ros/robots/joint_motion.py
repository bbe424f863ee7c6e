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
The motion of an arm's joint targets: inside every limit, and always able to stop inside them.

Limits hold for finite differences of the targets at the control rate: ``|q[k+1] - q[k]| <= v T``
and ``|q[k+1] - 2 q[k] + q[k-1]| <= a T^2``. A target is sent only if the arm can then brake, on
its line in joint space and with its deceleration, without leaving the joint limits or the
workspace and without entering a keep-out box. So the brake of the step before is always a way on,
and no limit is ever traded for another one. A change of velocity is scaled for all joints alike,
which keeps the tool on its line.

The jerk limit holds because the acceleration is kept below half of what it allows in one step. It
changes nothing for a Panda below 250 Hz.

The ``ruckig`` library (0.19.4) was tried: the same bits in each run, 25 to 40 us a call. It knows
joints alone: it brakes neither for a workspace nor for a box, and whether its next sample can
still stop would have to be asked here anyway. The closed form below needs no more than that.
"""

from collections.abc import Callable
import math

from il_ros.contract.episode_spec import CLAMPED_ACCELERATION, CLAMPED_POSITION, CLAMPED_VELOCITY
from il_ros.contract.episode_spec import CLAMPED_WORKSPACE
from il_ros.robots.model import RobotModel
import numpy as np

TOLERANCE_M = 1e-3
"""How far a commanded tool may be beyond the workspace: a straight line of joints is a curve."""

_INSIDE = 1.0 - 1e-9
"""Limits are kept by this factor, so that rounding never breaks them."""

_ROUNDING_RAD = 1e-12
_HALVINGS = 4


class JointMotion:
    """
    Where the targets of the arm's joints are, and how fast they move.

    :ivar q: the target that was sent last, shape ``(arm_joints,)``, rad
    :ivar tool: where the tool is at that target, m in the base frame
    :param forward: returns the tool's position of joint positions, shape ``(arm_joints,)``
    """

    def __init__(self, robot: RobotModel, period_s: float,
                 forward: Callable[[np.ndarray], tuple[float, ...]]):
        arm = robot.arm
        self._forward = forward
        self._lower, self._upper = robot.lower[arm], robot.upper[arm]
        self._least, self._most = self._lower - _ROUNDING_RAD, self._upper + _ROUNDING_RAD
        self._longest = robot.velocity[arm] * period_s * _INSIDE
        # A change from full speed to full speed backwards is no limit, and finite.
        self._faster, self._slower = (
            np.minimum(robot.change(limit, period_s)[arm] * _INSIDE, 2.0 * self._longest)
            for limit in (robot.acceleration, robot.deceleration))
        self._is_even = bool((self._faster == self._slower).all())
        self._box = ((robot.workspace_lower - TOLERANCE_M).tolist(),
                     (robot.workspace_upper + TOLERANCE_M).tolist())
        self._keep_out = [((lower - TOLERANCE_M).tolist(), (upper + TOLERANCE_M).tolist())
                          for lower, upper in robot.keep_out]

    def start(self, q: np.ndarray):
        """Stand still at joint positions, shape ``(arm_joints,)``: the tool may return there."""
        self.q, self._step = q.copy(), np.zeros_like(q)
        self.tool = self._forward(q)
        self._low, self._high = self._box
        self._admit(self.tool)

    def _admit(self, tool: tuple[float, ...]):
        """Widen the workspace by a place at which the tool is."""
        self._low = [min(low, value) for low, value in zip(self._low, tool)]
        self._high = [max(high, value) for high, value in zip(self._high, tool)]

    @property
    def is_moving(self) -> bool:
        """Tell whether the last target was another one than that before it."""
        return bool(self._step.any())

    def advance(self, wanted: np.ndarray, speed_scale: float = 1.0) -> int:
        """
        Go on to joint positions, shape ``(arm_joints,)``, as far as the limits let it.

        :param speed_scale: share of the speed limits that is used
        :returns: bits of what was limited, as in ``contract/episode_spec.py``
        """
        step, limits = wanted - self.q, 0
        excess = float((np.abs(step) / self._longest).max())
        if excess > speed_scale:
            step, limits = step * (speed_scale / excess), CLAMPED_VELOCITY
        change = step - self._step
        excess = float((np.abs(change) / self._allowed(change)).max())
        if excess > 1.0:
            step, limits = self._step + change / excess, limits | CLAMPED_ACCELERATION
        return limits | self._take(step)

    def approach(self, place: np.ndarray, speed_scale: float = 1.0) -> int:
        """
        Go to joint positions and come to rest there; takes and returns what ``advance`` does.

        They are where the arm stands: outside the workspace, too, it is not pulled from there.
        """
        self._admit(self._forward(place))
        away = place - self.q
        far, most = np.abs(away), self._slower
        braked = most * (np.sqrt(0.25 + 2.0 * far / most) - 0.5)
        return self.advance(self.q + np.sign(away) * np.where(far <= most, far, braked),
                            speed_scale)

    def brake(self) -> int:
        """Slow down as fast as may be; returns what ``advance`` does, 0 when it stands still."""
        self._go(self._braked())
        return CLAMPED_ACCELERATION if self.is_moving else 0

    def _allowed(self, change: np.ndarray) -> np.ndarray:
        """Return how far each joint's step may change; beyond a stop it accelerates."""
        if self._is_even:
            return self._faster
        slowing = np.minimum(self._slower, np.maximum(self._faster, np.abs(self._step)))
        return np.where(change * self._step < 0.0, slowing, self._faster)

    def _steps_to_stop(self, step: np.ndarray) -> float:
        return float((np.abs(step) / self._slower).max())

    def _braked(self) -> np.ndarray:
        steps = self._steps_to_stop(self._step)
        return self._step * (1.0 - 1.0 / steps if steps > 1.0 else 0.0)

    def _take(self, step: np.ndarray) -> int:
        """Take a step, or as much of it as lets the arm brake; return what was in the way."""
        blocked, tool = self._blocked(step)
        if not blocked:
            self._go(step, tool)
            return 0
        braked = self._braked()
        more, share = step - braked, 0.0
        for halving in range(1, _HALVINGS + 1):
            tried = share + 0.5 ** halving
            if not self._blocked(braked + tried * more)[0]:
                share = tried
        self._go(braked + share * more)
        return blocked

    def _go(self, step: np.ndarray, tool: tuple[float, ...] | None = None):
        q = np.minimum(np.maximum(self.q + step, self._lower), self._upper)
        self._step, self.q = q - self.q, q
        self.tool = tool or self._forward(q)

    def _blocked(self, step: np.ndarray) -> tuple[int, tuple[float, ...] | None]:
        """Return the bit of what the arm could no longer avoid (0: nothing), and the tool."""
        steps = self._steps_to_stop(step)
        whole = math.floor(steps)
        braking = whole - 0.5 * whole * (whole + 1) / steps if whole else 0.0
        q = self.q + step
        end = q + braking * step
        if (end < self._least).any() or (end > self._most).any():
            return CLAMPED_POSITION, None
        path = [self._forward(q)]
        if braking > 0.0:
            last = self._forward(end)
            path += [_between(self.tool, path[0], last, braking), last]
        return CLAMPED_WORKSPACE if self._leaves(path) else 0, path[0]

    def _leaves(self, path: list[tuple[float, ...]]) -> bool:
        """Tell whether the tool, from where it is, would leave the workspace or enter a box."""
        for point in path:
            for value, low, high in zip(point, self._low, self._high):
                if not low <= value <= high:
                    return True
        return any(_meets(start, end, box) for box in self._keep_out
                   for start, end in zip([self.tool, *path], path))


def _between(before: tuple[float, ...], now: tuple[float, ...], last: tuple[float, ...],
             ahead: float) -> tuple[float, ...]:
    """
    Return the middle of the way from ``now`` to ``last``, on the parabola through three points.

    :param ahead: how many times as long that way is as the one from ``before`` to ``now``
    """
    share = 0.25 * ahead / (1.0 + ahead)
    return tuple(b + 0.5 * (c - b) - share * ((c - b) - ahead * (b - a))
                 for a, b, c in zip(before, now, last))


def _meets(start: tuple[float, ...], end: tuple[float, ...],
           box: tuple[list[float], list[float]]) -> bool:
    """Tell whether the line between two points meets a box."""
    enter, leave = 0.0, 1.0
    for a, b, low, high in zip(start, end, *box):
        if a == b:
            if not low <= a <= high:
                return False
            continue
        first, last = sorted(((low - a) / (b - a), (high - a) / (b - a)))
        enter, leave = max(enter, first), min(leave, last)
    return enter <= leave
