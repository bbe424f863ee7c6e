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

"""Hostile actions, a plant that follows them with a lag, and the limits that must hold."""

import itertools

import numpy as np

TINY, HUGE = np.float32(1e-45), np.finfo(np.float32).max
BAD = (np.nan, np.inf, -np.inf, HUGE, -HUGE, 1e308, TINY, -TINY, 0.0)


def hostile_actions(seed: int, lower: np.ndarray, upper: np.ndarray):
    """
    Yield actions without end, as a broken or malicious driver might send them.

    Held extremes, sudden reversals, random walks, numbers that are not finite or beyond any
    bound, subnormal ones, and vectors of a wrong length.

    :param lower: of the contract, shape ``(act_dim,)``
    :param upper: the same
    """
    rng, width = np.random.default_rng(seed), len(lower)
    kinds = (_held, _reversed, _noisy, _bad, _wide)
    while True:
        kind = kinds[rng.integers(len(kinds))]
        for action in itertools.islice(kind(rng, lower, upper), int(rng.integers(1, 25))):
            if rng.random() < 0.02:
                action = np.resize(action, rng.choice([0, width - 1, width + 1]))
            with np.errstate(over='ignore'):
                yield np.asarray(action).astype(np.float32)


def _held(rng, lower, upper):
    yield from itertools.repeat(np.where(rng.random(len(lower)) < 0.5, lower, upper))


def _reversed(rng, lower, upper):
    signs, every = rng.random(len(lower)) < 0.5, int(rng.integers(1, 6))
    for step in itertools.count():
        yield np.where(signs ^ (step // every % 2 == 1), lower, upper)


def _noisy(rng, lower, upper):
    while True:
        yield rng.uniform(lower, upper)


def _bad(rng, lower, upper):
    while True:
        action = rng.uniform(lower, upper)
        action[rng.integers(len(action))] = rng.choice(BAD)
        yield action


def _wide(rng, lower, upper):
    held = rng.normal(size=len(lower)) * 10.0 ** rng.uniform(-45, 38)
    yield from itertools.repeat(held)


class Plant:
    """
    Joints that go a share of the way to their targets in each step; at times an obstacle blocks.

    :param measured: where they are, shape ``(n,)``, rad (fingers: m)
    """

    def __init__(self, seed: int, measured: np.ndarray):
        self._rng = np.random.default_rng(seed)
        self.measured = measured.copy()
        self._share, self._blocked = 0.6, 0

    def follow(self, targets: np.ndarray):
        """Go on by a control step."""
        if self._rng.random() < 0.01:
            self._blocked, self._share = int(self._rng.integers(20)), self._rng.uniform(0.1, 1.0)
        if self._blocked:
            self._blocked -= 1
        else:
            self.measured += self._share * (targets - self.measured)


class Watch:
    """
    Holds each command against the limits of a robot, and counts.

    :ivar worst: the largest share of its limit that each quantity has reached
    """

    def __init__(self, robot, period_s: float, forward, start: np.ndarray, tolerance_m: float):
        self._robot, self._forward = robot, forward
        self._low = robot.workspace_lower - tolerance_m
        self._high = robot.workspace_upper + tolerance_m
        self._velocity = robot.velocity * period_s
        self._period_s, arm = period_s, robot.arm
        self._speeding = robot.acceleration[arm] * period_s ** 2
        self._slowing = robot.deceleration[arm] * period_s ** 2
        self._last = np.clip(start, robot.lower, robot.upper)
        self._step = self._change = np.zeros(robot.arm_joints)
        self.worst = {'velocity': 0.0, 'acceleration': 0.0, 'jerk': 0.0,
                      'outside_m': -1.0}

    def held_at(self, place: np.ndarray):
        """Take in where an arm is held: outside the workspace, too, it may go there."""
        tool = self._forward(place)[0]
        self._low, self._high = np.minimum(self._low, tool), np.maximum(self._high, tool)

    def check(self, positions: np.ndarray, where: str):
        """Check one command; ``where`` is said if it breaks a limit."""
        robot, arm = self._robot, self._robot.arm
        assert np.isfinite(positions).all(), where
        assert (positions >= robot.lower).all() and (positions <= robot.upper).all(), where
        step = positions - self._last
        self._note('velocity', float((np.abs(step) / self._velocity).max()))
        change = step[arm] - self._step
        most = np.where(change * self._step < 0.0, np.minimum(self._slowing, np.maximum(
            self._speeding, np.abs(self._step))), self._speeding)
        self._note('acceleration', float((np.abs(change) / most).max()))
        jerk = np.abs(change - self._change) / self._period_s ** 3
        self._note('jerk', float((jerk / robot.jerk[arm]).max()))
        tool = self._forward(positions)[0]
        outside = float(np.maximum(self._low - tool, tool - self._high).max())
        self._note('outside_m', outside)
        for name in ('velocity', 'acceleration', 'jerk'):
            assert self.worst[name] <= 1.0 + 1e-9, f'{where}: {self.worst}'
        assert outside <= 0.0, f'{where}: {outside} m outside the workspace and its tolerance'
        for lower, upper in robot.keep_out:
            assert not ((tool > lower) & (tool < upper)).all(), f'{where}: in a keep-out box'
        self._last, self._step, self._change = positions, step[arm], change

    def _note(self, name: str, value: float):
        self.worst[name] = max(self.worst[name], value)
