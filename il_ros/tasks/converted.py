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

"""An expert whose labels are wanted in another action space than its own."""

import dataclasses

from il_ros.contract.contract import Contract, TOOL_VELOCITY
from il_ros.robots.model import find_robot
from il_ros.tasks.contracts import contract_name, find_contract
from il_ros.tasks.expert import Expert
import numpy as np

JOINTS = 'joint_position'
"""Feature that says where the arm's joints are."""


def own_contract(task: str, contract: Contract) -> Contract:
    """Return a contract with the same observations and the actions of the task itself."""
    plain, _ = find_contract(contract_name(task, contract.robot))
    return dataclasses.replace(contract, action_space=TOOL_VELOCITY, actions=plain.actions,
                               action_frame_id=plain.action_frame_id)


class ConvertedExpert(Expert):
    """
    An expert that acts in its own space; each answer is converted at the measured joints.

    :param law: class of the expert
    :param task: its task's name
    :param contract: of the wanted actions
    :raises MissingFeatureError: if the observations lack the joints' positions
    :raises RobotError: if the wanted actions cannot do what the expert commands
    """

    def __init__(self, law: type[Expert], task: str, contract: Contract):
        self.task, self.version, self.action_names = law.task, law.version, contract.action_names
        super().__init__(contract)
        robot = find_robot(contract.robot)
        own = own_contract(task, contract)
        self._law = law(own)
        start = self.index_of(JOINTS, robot.arm_joints)
        self._joints = slice(start, start + robot.arm_joints)
        # Imported here: whoever labels in the expert's own space needs no PyBullet.
        from il_ros.robots.actions.conversion import ActionConverter
        self._converter = ActionConverter(robot, own, contract)

    @property
    def name(self) -> str:
        """Return who labels, with the law's version."""
        return self._law.name

    def control(self, values: list[float]) -> tuple[float, ...]:
        """Return the law's answer, in the contract's action space."""
        action = self._law.act(np.array(values, np.float32))
        assert action is not None, 'the values are finite'
        return tuple(self._converter.convert(action, np.array(values[self._joints])))
