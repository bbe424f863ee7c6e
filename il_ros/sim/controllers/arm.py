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
A ros2_control arm without its hardware: controllers that share the joints, and what drives obey.

Messages are kept with their time and reach their controller at the physics step in which they
came, for an arm that is simulated beat by beat looks back on the period before each beat.
"""

from collections import deque
from collections.abc import Sequence
import dataclasses
from typing import Any

from il_ros.errors import ControllerError
from il_ros.robots.command_limits import MARGIN
from il_ros.robots.controllers import places_of, TOOL_CONTROLLERS
from il_ros.robots.kinematics import Kinematics
from il_ros.robots.model import RobotModel
from il_ros.sim.controllers.controller import Controller
from il_ros.sim.controllers.crisp import CrispPose
from il_ros.sim.controllers.forward import ForwardPosition, ForwardVelocity
from il_ros.sim.controllers.joint_trajectory import JointTrajectoryController
from il_ros.sim.controllers.servo import ServoTwist, TWIST
import numpy as np


@dataclasses.dataclass(frozen=True)
class Claim:
    """A controller and the joints that it claims, as places in the robot's joint vector."""

    controller: Controller
    joints: tuple[int, ...]


class StandInArm:
    """
    Controllers with one set of drives.

    The drives refuse to go faster than the joints can, and out of their limits; joints that no
    controller claims stay where they are.

    :ivar refusals: why messages were ignored, as sentences; whoever reads them forgets them
    :ivar accepted: how many messages were not
    """

    def __init__(self, robot: RobotModel, claims: Sequence[Claim]):
        self._robot, self._claims = robot, claims
        self._waiting: deque[tuple[int, int, Any]] = deque()
        self.refusals: list[str] = []
        self.accepted = 0

    def restart(self, positions: np.ndarray, now_ns: int):
        """Activate all controllers where the arm stands; older messages are forgotten."""
        self._waiting.clear()
        self._commanded = np.array(positions)
        for claim in self._claims:
            claim.controller.start(positions[list(claim.joints)], now_ns)

    def receive(self, claim: int, message: Any, now_ns: int):
        """Keep the content of a message for a claim's controller."""
        self._waiting.append((now_ns, claim, message))

    def update(self, now_ns: int, period_ns: int, positions: np.ndarray,
               velocities: np.ndarray) -> np.ndarray:
        """
        Return what the drives are told for one physics step from now, shape ``(n,)``.

        :param positions: measured, shape ``(n,)``
        :param velocities: measured, shape ``(n,)``
        """
        while self._waiting and self._waiting[0][0] <= now_ns:
            self._take(*self._waiting.popleft())
        targets = np.array(self._commanded)
        for claim in self._claims:
            joints = list(claim.joints)
            targets[joints] = claim.controller.update(
                now_ns, period_ns, positions[joints], velocities[joints])
        reach = MARGIN * self._robot.velocity * (period_ns * 1e-9)
        targets = np.clip(targets, self._commanded - reach, self._commanded + reach)
        self._commanded = np.clip(targets, self._robot.lower, self._robot.upper)
        return self._commanded

    def _take(self, now_ns: int, claim: int, message: Any):
        try:
            self._claims[claim].controller.take(message, now_ns)
            self.accepted += 1
        except ControllerError as error:
            self.refusals.append(str(error))


def make_claims(name: str, robot: RobotModel, kinematics: Kinematics, joints: Sequence[str] = (),
                timeout_s: float = 0.5) -> list[Claim]:
    """
    Return the claims of an arm: the named controller and, for the joints left over, a gripper's.

    :param name: one of ``CONTROLLERS``
    :param joints: of the controller, in its order; none: all joints, or the arm's for the tool
    :param timeout_s: how long velocities count
    :raises ControllerError: if a tool's controller is to have other joints than the arm's
    :raises RobotError: if a joint is unknown, or named twice
    """
    own = robot.joint_names[robot.arm] if name in TOOL_CONTROLLERS else robot.joint_names
    chosen = tuple(joints) or own
    if name in TOOL_CONTROLLERS and chosen != own:
        raise ControllerError(f'{name} moves {list(own)}; expected no other list of joints')
    places = places_of(robot, chosen)
    claims = [Claim(_make(name, kinematics, chosen, timeout_s), places)]
    rest = tuple(place for place in range(len(robot.joint_names)) if place not in places)
    if rest:
        claims.append(Claim(ForwardPosition(), rest))
    return claims


def _make(name: str, kinematics: Kinematics, joints: tuple[str, ...],
          timeout_s: float) -> Controller:
    if name == 'joint_trajectory':
        return JointTrajectoryController(joints)
    if name == 'forward_position':
        return ForwardPosition()
    if name == 'forward_velocity':
        return ForwardVelocity(timeout_s)
    if name == 'pose':
        return CrispPose(kinematics)
    servo = ServoTwist(kinematics)
    servo.switch_command_type(TWIST)
    return servo
