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
from il_ros.robots.joint_motion import JointMotion, TOLERANCE_M
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

    The target moves on from the last one *sent*, drawn to within a step and a half of the measured
    tool, so that it does not wind up against a contact. Axes without an action element stay
    where they were when the episode began. A gripper element asks for a width; the fingers go
    there at their own speed, which is no limit on the action.

    :ivar speed_scale: factor of all speeds but the fingers', [0, 1]
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
        self._motion = JointMotion(robot, period_s, self._kinematics.tool_position)
        self.speed_scale = 1.0

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
        self._motion.start(self._sent[self._robot.arm])
        self._position, self._moved, self._tool = position.tolist(), [0.0] * 3, self._motion.tool
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
        for lower, upper in robot.keep_out:
            if (tool >= lower - TOLERANCE_M).all() and (tool <= upper + TOLERANCE_M).all():
                raise RobotError(
                    f'the tool is in a keep-out box, at {np.round(tool, 3).tolist()}; the box '
                    f'is {lower.tolist()} to {upper.tolist()}: move the arm out first')

    @property
    def motion(self) -> JointMotion | None:
        """Return where the arm's targets are and how fast they move; None: not started."""
        return None if self._sent is None else self._motion

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
        arm = self._kinematics.inverse(
            np.array(position), self._quaternion, self._last_sent())
        if arm.error_m > _TOLERANCE_M or arm.error_rad > _TOLERANCE_RAD:
            return self.hold(measured, limits | workspace | NO_SOLUTION)
        place, behind = self._near(arm.q, measured)
        limits |= workspace | behind | self._motion.advance(place, self.speed_scale)
        self._resting = [w if axis < 0 else 0.0 for axis, w in zip(self._axes, wanted)]
        fingers = self._next_fingers(wanted, measured)
        return self._send(fingers, wanted, limits, position)

    def hold(self, measured: np.ndarray, limits: int = 0) -> Command:
        """
        Brake, and then repeat the last target.

        :param limits: bits that say why
        """
        fingers = self._last_sent()[self._robot.fingers]
        return self._send(fingers, self._resting, limits | self._motion.brake())

    def hold_at(self, place: np.ndarray, limits: int = 0) -> Command:
        """
        Move the arm to a place inside the limits, and stay there; the fingers keep their grip.

        :param place: joint positions, shape ``(n,)``, float64
        :param limits: bits that say why
        """
        robot, fingers = self._robot, self._last_sent()[self._robot.fingers]
        limits |= self._motion.approach(np.clip(place, robot.lower, robot.upper)[robot.arm])
        command = self._send(fingers, self._resting, limits)
        self._position = list(self._motion.tool)
        return command

    def _send(self, fingers: np.ndarray, wanted: list[float], limits: int,
              position: list[float] | None = None) -> Command:
        """
        Return the command for where the arm's targets are now.

        :param position: where the tool was asked to be; None: where it is
        """
        last, tool = self._position, self._motion.tool
        reached = list(position or last)
        if limits:
            wanted = self._as_values(wanted, tool)
            for axis in self._axes:
                if axis >= 0:
                    # Not where it was drawn aside: it comes back from there. But it brakes.
                    ways = last[axis], reached[axis], last[axis] + self._moved[axis]
                    reached[axis] = min(max(tool[axis], min(ways)), max(ways))
        self._moved = [now - before for now, before in zip(reached, last)]
        self._position, self._tool = reached, tool
        self._sent = np.concatenate((self._motion.q, fingers))
        return Command(self._sent.copy(), np.array(wanted, np.float32), limits)

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

    def _usable(self, measured: np.ndarray) -> bool:
        return measured.shape == self._longest.shape and math.isfinite(float(measured.sum()))

    def _inside_bounds(self, asked: list[float]) -> tuple[list[float], int]:
        """Return what is asked for inside the contract's bounds, with scaled speeds."""
        wanted, limits = asked, 0
        for index, (value, (low, high)) in enumerate(zip(asked, self._bounds)):
            if not low <= value <= high:
                wanted = list(wanted)
                wanted[index] = min(max(value, low), high)
                limits |= CLAMPED_VELOCITY if self._axes[index] >= 0 else CLAMPED_POSITION
        if self.speed_scale < 1.0:
            scaled = [value * self.speed_scale if axis >= 0 else value
                      for axis, value in zip(self._axes, wanted)]
            limits |= CLAMPED_VELOCITY if scaled != wanted else 0
            wanted = scaled
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

    def _near(self, q: np.ndarray, measured: np.ndarray) -> tuple[np.ndarray, int]:
        """Return the arm's part of ``q``, no farther ahead of the measured joints than may be."""
        arm = self._robot.arm
        place, ahead, now = q[arm], self._ahead[arm], measured[arm]
        if (np.abs(place - now) <= ahead).all():
            return place, 0
        return np.clip(place, now - ahead, now + ahead), CLAMPED_VELOCITY

    def _next_fingers(self, wanted: list[float], measured: np.ndarray) -> np.ndarray:
        """Return the fingers' targets, moved towards half of the width that is asked for."""
        fingers = self._robot.fingers
        sent, step = self._last_sent()[fingers], self._longest[fingers]
        for axis, width in zip(self._axes, wanted):
            if axis < 0:
                wide = self._robot.finger_position(width)
                actual = float(measured[fingers].sum()) / len(sent)
                target = np.clip(wide, actual - step, actual + step)
                target = np.clip(target, sent - step, sent + step)
                return np.clip(target, self._robot.lower[fingers], self._robot.upper[fingers])
        return sent

    def _as_values(self, wanted: list[float], tool: tuple[float, ...]) -> list[float]:
        """Return the action that leads the tool from the last target to where it is now."""
        values = list(wanted)
        for index, (axis, (low, high)) in enumerate(zip(self._axes, self._bounds)):
            if axis >= 0:
                speed = (tool[axis] - self._tool[axis]) / self._period_s
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
