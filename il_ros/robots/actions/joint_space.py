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

"""Joint spaces: speeds, changes in a step, or positions of the arm's joints, by name."""

from il_ros.contract.contract import Contract, JOINT_DELTA, JOINT_POSITION, JOINT_VELOCITY
from il_ros.errors import RobotError
from il_ros.robots.actions.space import GRIPPER_ELEMENT, Space
import numpy as np


class JointSpace(Space):
    """Joints without an action element stay where they were sent."""

    def __init__(self, robot, contract, period_s, kinematics, motion):
        super().__init__(robot, contract, period_s, kinematics, motion)
        factors = {JOINT_VELOCITY: period_s, JOINT_DELTA: 1.0, JOINT_POSITION: 0.0}
        if contract.action_space not in factors:
            raise RobotError(f'contract {contract.name}: its action space '
                             f'{contract.action_space} is not known')
        self._factor = factors[contract.action_space]
        if not self._factor:
            self.speeds = frozenset()

    def _names(self, contract: Contract) -> tuple[str, ...]:
        return self._robot.joint_names[self._robot.arm]

    def start(self, sent: np.ndarray):
        """Begin an episode."""
        self._before = self._motion.q

    def place(self, wanted: list[float], measured: np.ndarray,
              sent: np.ndarray) -> tuple[np.ndarray | None, int]:
        """Return the joints' targets moved on, or as they are given."""
        place = self._motion.q.copy()
        for joint, value in zip(self.elements, wanted):
            if joint != GRIPPER_ELEMENT:
                place[joint] = place[joint] + value * self._factor if self._factor else value
        return place, 0

    def resting(self, grip: float) -> list[float]:
        """Return zeros, or where the joints were sent."""
        return self._entries(0.0 * self._before if self._factor else self._motion.q, grip)

    def values(self, grip: float) -> list[float]:
        """Return how the targets have changed, or where they are."""
        if not self._factor:
            return self._entries(self._motion.q, grip)
        return self._entries((self._motion.q - self._before) / self._factor, grip)

    def sent(self, asked: bool, limits: int):
        """Take in where the joints were sent."""
        self._before = self._motion.q

    def _entries(self, joints: np.ndarray, grip: float) -> list[float]:
        return [grip if joint == GRIPPER_ELEMENT else float(joints[joint])
                for joint in self.elements]
