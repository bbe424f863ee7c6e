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
From a contract's action to joint targets that the arm may be sent.

The one place where that happens: the supervisor and the Gymnasium environment use the same
object, so that an episode is the same in both, bit for bit.
"""

import dataclasses
import math

from il_ros.contract.contract import Contract, GRIPPER, TOOL_VELOCITY
from il_ros.contract.episode_spec import CLAMPED_POSITION, CLAMPED_VELOCITY, CLAMPED_WORKSPACE
from il_ros.contract.episode_spec import NO_SOLUTION, REFUSED_MISSING, REFUSED_NOT_FINITE
from il_ros.errors import RobotError
from il_ros.robots.kinematics import Kinematics
from il_ros.robots.model import RobotModel
import numpy as np

_AXES = ('linear_x', 'linear_y', 'linear_z')

TRACKING_LIMIT_RAD = 0.35
"""An arm so far from where it was sent does not follow; experts stay below 0.03 in all tasks."""

_MAX_LEAD_STEPS = 1.5
"""How far targets may run ahead of the measured tool and joints, in steps at full speed."""

_START_TOLERANCE_RAD = 0.05
_START_TOLERANCE_M = 0.01
"""How far outside its limits (fingers, workspace) an arm may stand when an episode begins."""

_TOLERANCE_M = 1e-3
_TOLERANCE_RAD = 1e-2


@dataclasses.dataclass(frozen=True)
class Command:
    """What goes to the arm in one control step."""

    positions: np.ndarray
    """Joint targets, shape ``(n,)``, float64, rad (fingers: m); finite and inside the limits."""
    values: np.ndarray
    """The same as an action, shape ``(act_dim,)``, float32: what remained after the limits."""
    limits: int
    """As in ``contract/episode_spec.py``; zero: sent as intended."""


class Actuator:
    """
    Tool velocity to joint targets, for one episode after the other.

    The target moves on from the last one *sent*, kept within a step and a half of the measured
    tool, so that it does not wind up against a contact. Axes without an action element stay
    where they were when the episode began. A gripper element asks for a width; the fingers go
    there at their own speed, which is no limit on the action.
    """

    def __init__(self, robot: RobotModel, contract: Contract, period_s: float,
                 kinematics: Kinematics | None = None):
        """
        Prepare for a contract's actions.

        :param period_s: length of a control step
        :param kinematics: of the same robot, to share; None: an own one is made
        :raises RobotError: if the contract's actions are not for this class
        """
        if contract.action_space != TOOL_VELOCITY:
            raise RobotError(f'contract {contract.name}: action space {contract.action_space} is '
                             'not tool velocity')
        if contract.action_frame_id != robot.base_frame:
            raise RobotError(f'contract {contract.name}: actions are in frame '
                             f'{contract.action_frame_id}; expected {robot.base_frame}')
        self._robot = robot
        self._kinematics = kinematics or Kinematics(robot)
        self._period_s = period_s
        self._axes = tuple(_axis(contract, name) for name in contract.action_names)
        self._bounds = tuple(zip(contract.lower.tolist(), contract.upper.tolist()))
        self._box = tuple(zip(robot.workspace_lower.tolist(), robot.workspace_upper.tolist()))
        self._longest = robot.velocity * period_s
        self._ahead = _MAX_LEAD_STEPS * self._longest
        self._sent: np.ndarray | None = None

    def start(self, measured: np.ndarray):
        """
        Begin an episode: the target is where the arm is.

        :param measured: joint positions, shape ``(n,)``, float64
        :raises RobotError: if they are not finite or not as many as the robot has joints, or if
            the arm stands outside its joint limits or its workspace: nothing is then sent
        """
        if not self._usable(measured):
            raise RobotError(f'measured joint positions {measured} are not '
                             f'{len(self._longest)} finite numbers')
        self._refuse_outside(measured)
        self._sent = np.clip(measured, self._robot.lower, self._robot.upper)
        position, self._quaternion = self._kinematics.forward(self._sent)
        self._position = position.tolist()
        width = self._robot.opening(self._sent)
        self._resting = [min(max(width, low), high) if axis < 0 else 0.0
                         for axis, (low, high) in zip(self._axes, self._bounds)]

    def _refuse_outside(self, measured: np.ndarray):
        """Refuse a start from which the arm would move without being asked to."""
        robot = self._robot
        outside = np.maximum(robot.lower - measured, measured - robot.upper)
        outside[robot.arm] -= _START_TOLERANCE_RAD
        outside[robot.fingers] -= _START_TOLERANCE_M
        worst = int(outside.argmax())
        if outside[worst] > 0.0:
            raise RobotError(
                f'{robot.joint_names[worst]} is at {measured[worst]:.3f}; an episode begins '
                f'between {robot.lower[worst]:.3f} and {robot.upper[worst]:.3f}: move the arm '
                'there first')
        tool, _ = self._kinematics.forward(measured)
        far_m = float(np.maximum(robot.workspace_lower - tool, tool - robot.workspace_upper).max())
        if far_m > _START_TOLERANCE_M:
            raise RobotError(
                f'the tool is {far_m:.3f} m outside the workspace, at '
                f'{np.round(tool, 3).tolist()}; expected {robot.workspace_lower.tolist()} to '
                f'{robot.workspace_upper.tolist()}: move the arm there first')

    def step(self, action: np.ndarray, measured: np.ndarray) -> Command:
        """
        Turn an action into the next joint targets.

        :param action: shape ``(act_dim,)``, float32, in the contract's units
        :param measured: joint positions now, shape ``(n,)``, float64
        """
        self._last_sent()
        asked = np.asarray(action, np.float32).ravel().tolist()
        if len(asked) != len(self._axes):
            return self.hold(measured, REFUSED_MISSING)
        if not all(map(math.isfinite, asked)) or not self._usable(measured):
            return self.hold(measured, REFUSED_NOT_FINITE)
        wanted, limits = self._inside_bounds(asked)
        position, workspace = self._next_position(wanted, measured)
        q, moved = self._next_arm(position)
        limits |= workspace | moved
        if moved & NO_SOLUTION:
            return self.hold(measured, limits)
        if self._runs_ahead(q, measured):
            q, moved = self._held_back(q, measured), CLAMPED_VELOCITY
            limits |= moved
        if moved & CLAMPED_VELOCITY:
            reached, _ = self._kinematics.forward(q)
            for axis in self._axes:
                if axis >= 0:
                    position[axis] = float(reached[axis])
        self._move_fingers(q, wanted, measured)
        values = self._as_values(wanted, position) if limits else wanted
        self._position, self._sent = position, q
        self._resting = [w if axis < 0 else 0.0 for axis, w in zip(self._axes, wanted)]
        return Command(q.copy(), np.array(values, np.float32), limits)

    def hold(self, measured: np.ndarray, limits: int = 0) -> Command:
        """
        Repeat the last target.

        :param limits: bits that say why
        """
        return Command(self._last_sent().copy(), np.array(self._resting, np.float32), limits)

    def _last_sent(self) -> np.ndarray:
        if self._sent is None:
            raise RobotError('the actuator has not been started')
        return self._sent

    def tracking_error(self, measured: np.ndarray) -> tuple[float, str]:
        """
        Return how far the arm is from where it was sent last, and its joint that is farthest off.

        :param measured: joint positions now, shape ``(n,)``, float64
        :returns: rad, and the joint's name; the fingers do not count, for they close on objects
        """
        if self._sent is None:
            return 0.0, ''
        errors = np.abs(measured - self._sent)[self._robot.arm]
        worst = int(errors.argmax())
        return float(errors[worst]), self._robot.joint_names[worst]

    def hold_at(self, measured: np.ndarray, limits: int = 0) -> Command:
        """
        Take the measured place as the target, and stay there.

        :param measured: joint positions now, shape ``(n,)``, float64
        :param limits: bits that say why
        """
        self._sent = np.clip(measured, self._robot.lower, self._robot.upper)
        position, _ = self._kinematics.forward(self._sent)
        self._position = position.tolist()
        return self.hold(measured, limits)

    def _usable(self, measured: np.ndarray) -> bool:
        return measured.shape == self._longest.shape and math.isfinite(float(measured.sum()))

    def _inside_bounds(self, asked: list[float]) -> tuple[list[float], int]:
        wanted, limits = asked, 0
        for index, (value, (low, high)) in enumerate(zip(asked, self._bounds)):
            if not low <= value <= high:
                wanted = list(wanted)
                wanted[index] = min(max(value, low), high)
                limits |= CLAMPED_VELOCITY if self._axes[index] >= 0 else CLAMPED_POSITION
        return wanted, limits

    def _next_position(self, wanted, measured) -> tuple[list[float], int]:
        tool, _ = self._kinematics.forward(measured)
        position, limits = list(self._position), 0
        for axis, value, (low, high) in zip(self._axes, wanted, self._bounds):
            if axis < 0:
                continue
            target = position[axis] + value * self._period_s
            lead = _MAX_LEAD_STEPS * max(-low, high) * self._period_s
            position[axis] = min(max(target, float(tool[axis]) - lead), float(tool[axis]) + lead)
            if position[axis] != target:
                limits |= CLAMPED_POSITION
        for axis, (low, high) in enumerate(self._box):
            if not low <= position[axis] <= high:
                # An arm that stands outside is not pulled in; it only gets no farther out.
                low, high = min(low, self._position[axis]), max(high, self._position[axis])
                position[axis] = min(max(position[axis], low), high)
                limits |= CLAMPED_WORKSPACE
        return position, limits

    def _next_arm(self, position) -> tuple[np.ndarray, int]:
        sent = self._last_sent()
        solution = self._kinematics.inverse(position, self._quaternion, sent)
        if solution.error_m > _TOLERANCE_M or solution.error_rad > _TOLERANCE_RAD:
            return sent, NO_SOLUTION
        step = solution.q - sent
        excess = float((np.abs(step) / self._longest).max())
        if excess <= 1.0:
            return solution.q, 0
        return sent + step * ((1.0 - 1e-9) / excess), CLAMPED_VELOCITY

    def _runs_ahead(self, q: np.ndarray, measured: np.ndarray) -> bool:
        arm = self._robot.arm
        return bool((np.abs(q - measured)[arm] > self._ahead[arm]).any())

    def _held_back(self, q: np.ndarray, measured: np.ndarray) -> np.ndarray:
        """Return targets near the measured joints, as far as the speed limits let them go."""
        arm, sent, longest = self._robot.arm, self._last_sent(), self._longest * (1.0 - 1e-9)
        near = np.clip(q, measured - self._ahead, measured + self._ahead)
        near = np.clip(near, sent - longest, sent + longest)
        near = np.clip(near, self._robot.lower, self._robot.upper)
        return np.concatenate((near[arm], q[self._robot.fingers]))

    def _move_fingers(self, q, wanted, measured):
        """Move the fingers' targets in ``q`` towards half of the width that is asked for."""
        sent = self._last_sent()
        for axis, width in zip(self._axes, wanted):
            if axis >= 0:
                continue
            first, wide = self._robot.arm_joints, self._robot.finger_position(width)
            actual = float(measured[first:].sum()) / (len(q) - first)
            for index in range(first, len(q)):
                step, last = float(self._longest[index]), float(sent[index])
                target = min(max(wide, actual - step), actual + step)
                target = min(max(target, last - step), last + step)
                q[index] = min(max(target, float(self._robot.lower[index])),
                               float(self._robot.upper[index]))

    def _as_values(self, wanted, position) -> list[float]:
        """Return the action that leads from the last sent target to ``position``."""
        values = list(wanted)
        for index, (axis, (low, high)) in enumerate(zip(self._axes, self._bounds)):
            if axis >= 0:
                speed = (position[axis] - self._position[axis]) / self._period_s
                values[index] = min(max(speed, low), high)
        return values


def _axis(contract: Contract, name: str) -> int:
    """Return 0, 1, 2 for a linear axis and -1 for the gripper."""
    if name == GRIPPER:
        return -1
    if name not in _AXES:
        raise RobotError(f'contract {contract.name}: no way to execute {name}; known are '
                         f'{", ".join((*_AXES, GRIPPER))}')
    return _AXES.index(name)
