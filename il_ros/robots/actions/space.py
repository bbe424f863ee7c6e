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

"""What action spaces have in common: where an action leads the arm, and back."""

import abc

from il_ros.contract.contract import Contract, GRIPPER
from il_ros.errors import RobotError
from il_ros.robots.joint_motion import JointMotion
from il_ros.robots.kinematics import Kinematics
from il_ros.robots.model import RobotModel
import numpy as np

MAX_LEAD_STEPS = 1.5
"""How far targets may run ahead of the measured tool and joints, in steps at full speed."""

GRIPPER_ELEMENT = -1


class Space(abc.ABC):
    """
    One action space on one robot.

    :ivar elements: for each entry of the action its axis or joint, or ``GRIPPER_ELEMENT``
    :ivar speeds: entries that say how fast, not where; the speed scale holds for them
    """

    def __init__(self, robot: RobotModel, contract: Contract, period_s: float,
                 kinematics: Kinematics, motion: JointMotion):
        """
        Prepare for a contract.

        :param motion: of the arm's targets, which the space reads
        :raises RobotError: naming an entry that the space does not have
        """
        self._robot, self._kinematics, self._motion = robot, kinematics, motion
        self._period_s = period_s
        self._bounds = tuple(zip(contract.lower.tolist(), contract.upper.tolist()))
        known = self._names(contract)
        for name in contract.action_names:
            if name not in (*known, GRIPPER):
                raise RobotError(f'contract {contract.name}: no way to execute {name}; known are '
                                 f'{", ".join((*known, GRIPPER))}')
        self.elements = tuple(GRIPPER_ELEMENT if name == GRIPPER else known.index(name)
                              for name in contract.action_names)
        self.speeds: frozenset[int] = frozenset(
            index for index, element in enumerate(self.elements) if element != GRIPPER_ELEMENT)

    @abc.abstractmethod
    def _names(self, contract: Contract) -> tuple[str, ...]:
        """Return the names of the entries that an action may have, besides the gripper."""

    @abc.abstractmethod
    def start(self, sent: np.ndarray):
        """Begin an episode at joint positions, shape ``(n,)``."""

    @abc.abstractmethod
    def place(self, wanted: list[float], measured: np.ndarray,
              sent: np.ndarray) -> tuple[np.ndarray | None, int]:
        """
        Return where an action wants the arm's joints, and bits of what was limited.

        :param wanted: the action inside the contract's bounds
        :param measured: joint positions now, shape ``(n,)``
        :param sent: the last targets, shape ``(n,)``
        :returns: shape ``(arm_joints,)``; None: there is no way, the bits say why
        """

    @abc.abstractmethod
    def resting(self, grip: float) -> list[float]:
        """Return the action of an arm that stays where it was sent."""

    @abc.abstractmethod
    def values(self, grip: float) -> list[float]:
        """Return the action that leads from the targets before the last motion to those after."""

    @abc.abstractmethod
    def sent(self, asked: bool, limits: int):
        """Take in that the motion's targets were sent; ``asked``: ``place`` led there."""

    def forget(self):
        """Go on from the motion's targets, not from where the last action wanted to go."""
