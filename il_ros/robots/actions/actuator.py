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

from il_ros.contract.contract import Contract
from il_ros.contract.episode_spec import CLAMPED_POSITION, CLAMPED_VELOCITY
from il_ros.contract.episode_spec import REFUSED_MISSING, REFUSED_NOT_FINITE
from il_ros.errors import RobotError
from il_ros.robots.actions.joint_space import JointSpace
from il_ros.robots.actions.space import GRIPPER_ELEMENT, MAX_LEAD_STEPS, Space
from il_ros.robots.actions.tool_space import ToolSpace
from il_ros.robots.joint_motion import JointMotion, TOLERANCE_M
from il_ros.robots.kinematics import Kinematics
from il_ros.robots.model import RobotModel, START_TOLERANCE_M
import numpy as np

TRACKING_LIMIT_RAD = 0.35
"""An arm so far from where it was sent does not follow; experts stay below 0.03 in all tasks."""


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
    Actions of any action space to joint targets, for one episode after the other.

    The target moves on from the last one *sent*, no farther than a step and a half ahead of where
    the arm is measured, so that it does not wind up against a contact. A gripper element asks for
    a width; the fingers go there at their own speed, which is no limit on the action.

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
        self._robot = robot
        self._kinematics = kinematics or Kinematics(robot)
        self._motion = JointMotion(robot, period_s, self._kinematics.tool_position)
        kind = ToolSpace if contract.action_space in ToolSpace.SPACES else JointSpace
        self._space: Space = kind(robot, contract, period_s, self._kinematics, self._motion)
        self._bounds = tuple(zip(contract.lower.tolist(), contract.upper.tolist()))
        self._longest = robot.velocity * period_s
        self._ahead = MAX_LEAD_STEPS * self._longest
        self._sent: np.ndarray | None = None
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
        self._motion.start(self._sent[self._robot.arm])
        self._space.start(self._sent)
        width = self._robot.opening(self._sent)
        self._grip = next((min(max(width, low), high) for (low, high), element
                           in zip(self._bounds, self._space.elements)
                           if element == GRIPPER_ELEMENT), 0.0)

    def _refuse_outside(self, measured: np.ndarray):
        """Refuse a start from which the arm would move without being asked to."""
        robot = self._robot
        beyond = robot.beyond_start(measured)
        worst = int(beyond.argmax())
        if beyond[worst] > 0.0:
            raise RobotError(
                f'{robot.joint_names[worst]} is at {measured[worst]:.3f}; an episode begins '
                f'between {robot.lower[worst]:.3f} and {robot.upper[worst]:.3f}: move the arm '
                'there first')
        tool, _ = self._kinematics.forward(measured)
        far_m = float(np.maximum(robot.workspace_lower - tool, tool - robot.workspace_upper).max())
        if far_m > START_TOLERANCE_M:
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
        if len(asked) != len(self._bounds):
            return self.hold(measured, REFUSED_MISSING)
        if not all(map(math.isfinite, asked)) or not self._usable(measured):
            return self.hold(measured, REFUSED_NOT_FINITE)
        wanted, limits = self._inside_bounds(asked)
        place, more = self._space.place(wanted, measured, self._last_sent())
        limits |= more
        if place is None:
            return self.hold(measured, limits)
        place, behind = self._near(place, measured)
        limits |= behind | self._motion.advance(place, self.speed_scale)
        self._grip = next((width for width, element in zip(wanted, self._space.elements)
                           if element == GRIPPER_ELEMENT), self._grip)
        return self._send(self._next_fingers(measured), wanted, limits)

    def hold(self, measured: np.ndarray, limits: int = 0) -> Command:
        """
        Brake, and then repeat the last target.

        :param limits: bits that say why
        """
        fingers = self._last_sent()[self._robot.fingers]
        return self._send(fingers, None, limits | self._motion.brake())

    def hold_at(self, place: np.ndarray, limits: int = 0) -> Command:
        """
        Move the arm to a place inside the limits, and stay there; the fingers keep their grip.

        :param place: joint positions, shape ``(n,)``, float64
        :param limits: bits that say why
        """
        robot, fingers = self._robot, self._last_sent()[self._robot.fingers]
        limits |= self._motion.approach(np.clip(place, robot.lower, robot.upper)[robot.arm])
        command = self._send(fingers, None, limits)
        self._space.forget()
        return command

    def _send(self, fingers: np.ndarray, wanted: list[float] | None, limits: int) -> Command:
        """
        Return the command for where the arm's targets are now.

        :param wanted: the action inside the contract's bounds; None: to rest
        """
        values = wanted or self._space.resting(self._grip)
        if limits:
            values = [min(max(value, low), high) for value, (low, high) in zip(
                self._space.values(self._grip), self._bounds)]
        self._space.sent(wanted is not None, limits)
        self._sent = np.concatenate((self._motion.q, fingers))
        return Command(self._sent.copy(), np.array(values, np.float32), limits)

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
                limits |= (CLAMPED_POSITION if index not in self._space.speeds
                           else CLAMPED_VELOCITY)
        if self.speed_scale < 1.0:
            scaled = [value * self.speed_scale if index in self._space.speeds else value
                      for index, value in enumerate(wanted)]
            limits |= CLAMPED_VELOCITY if scaled != wanted else 0
            wanted = scaled
        return wanted, limits

    def _near(self, place: np.ndarray, measured: np.ndarray) -> tuple[np.ndarray, int]:
        """Return the arm's place, no farther ahead of the measured joints than may be."""
        arm = self._robot.arm
        ahead, now = self._ahead[arm], measured[arm]
        if (np.abs(place - now) <= ahead).all():
            return place, 0
        return np.clip(place, now - ahead, now + ahead), CLAMPED_VELOCITY

    def _next_fingers(self, measured: np.ndarray) -> np.ndarray:
        """Return the fingers' targets, moved towards the width that is asked for."""
        fingers = self._robot.fingers
        sent, step = self._last_sent()[fingers], self._longest[fingers]
        if GRIPPER_ELEMENT not in self._space.elements:
            return sent
        actual = float(measured[fingers].sum()) / len(sent)
        target = np.clip(self._robot.finger_position(self._grip), actual - step, actual + step)
        target = np.clip(target, sent - step, sent + step)
        return np.clip(target, self._robot.lower[fingers], self._robot.upper[fingers])
