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

"""From deflections to an action of the contract: speed, direction and the gripper's toggle."""

from collections.abc import Collection, Mapping

from il_ros.contract.contract import Contract
from il_ros.teleop.mapping import FASTER, GRIPPER, MappingError, SLOWER
import numpy as np

SPEED_FACTOR = 1.25
SLOWEST, FASTEST = 0.02, 1.0


class Steering:
    """
    What a person's input means for one contract.

    :param axes: action elements that the device has an axis for
    :param has_gripper: the device has a key or button for it
    :param speed: share of the contract's bounds at full deflection, (0, 1]
    :param name: the mapping's, for sentences
    :raises MappingError: if an element of the contract's action has no axis
    """

    def __init__(self, contract: Contract, axes: Collection[str], has_gripper: bool,
                 speed: float, name: str):
        self.speed = speed
        self._contract = contract
        self._gripper = contract.gripper_index
        missing = [action for index, action in enumerate(contract.action_names)
                   if index != self._gripper and action not in axes]
        if self._gripper >= 0 and not has_gripper:
            missing.append(GRIPPER)
        if missing:
            raise MappingError(f'mapping {name} has nothing for {", ".join(missing)}, which the '
                               f'contract {contract.name} acts on')
        self.restart()

    def restart(self):
        """Begin an episode: the gripper is open."""
        self._opening = self._contract.upper[self._gripper] if self._gripper >= 0 else 0.0

    def follow(self, values: np.ndarray):
        """Take in what another driver's action came to, so that a takeover keeps the grip."""
        if self._gripper >= 0 and len(values) > self._gripper:
            lower, upper = self._ends()
            self._opening = upper if values[self._gripper] > (lower + upper) / 2.0 else lower

    def change(self, command: str) -> bool:
        """Obey ``GRIPPER``, ``FASTER`` or ``SLOWER``; tell whether it was one of them."""
        if command == GRIPPER and self._gripper >= 0:
            lower, upper = self._ends()
            self._opening = lower if self._opening == upper else upper
        elif command == FASTER:
            self.speed = min(self.speed * SPEED_FACTOR, FASTEST)
        elif command == SLOWER:
            self.speed = max(self.speed / SPEED_FACTOR, SLOWEST)
        return command in (GRIPPER, FASTER, SLOWER)

    def action(self, deflections: Mapping[str, float]) -> np.ndarray:
        """
        Return the action, shape ``(act_dim,)``, float32, in the contract's units.

        :param deflections: by action element, [-1, 1]; what is not there is zero
        """
        contract = self._contract
        values = np.zeros(len(contract.actions), np.float32)
        for index, element in enumerate(contract.actions):
            part = deflections.get(element.name, 0.0) * self.speed
            values[index] = part * (element.upper if part > 0.0 else -element.lower)
        if self._gripper >= 0:
            values[self._gripper] = self._opening
        return values

    def _ends(self) -> tuple[float, float]:
        return self._contract.lower[self._gripper], self._contract.upper[self._gripper]
