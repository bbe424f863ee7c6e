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

"""Tool spaces: the tool's velocity, or its change in a step, along and about up to six axes."""

from il_ros.contract.contract import Contract, TOOL_DELTA, TOOL_VELOCITY
from il_ros.contract.episode_spec import CLAMPED_POSITION, CLAMPED_WORKSPACE, NO_SOLUTION
from il_ros.contract.layout import ANGULAR, DELTA, LINEAR
from il_ros.errors import RobotError
from il_ros.robots.actions.space import GRIPPER_ELEMENT, MAX_LEAD_STEPS, Space
from il_ros.robots.rotations import rotated, rotation_between
import numpy as np


class ToolSpace(Space):
    """Axes, in the base frame, without an action element stay as they were at the beginning."""

    SPACES = (TOOL_VELOCITY, TOOL_DELTA)

    def __init__(self, robot, contract, period_s, kinematics, motion):
        super().__init__(robot, contract, period_s, kinematics, motion)
        if contract.action_frame_id != robot.base_frame:
            raise RobotError(f'contract {contract.name}: actions are in frame '
                             f'{contract.action_frame_id}; expected {robot.base_frame}')
        self._factor = period_s if contract.action_space == TOOL_VELOCITY else 1.0
        self._box = tuple(zip(robot.workspace_lower.tolist(), robot.workspace_upper.tolist()))
        self._linear = [axis for axis in self.elements if 0 <= axis < 3]
        self._turns = any(axis >= 3 for axis in self.elements)

    def _names(self, contract: Contract) -> tuple[str, ...]:
        velocity = contract.action_space == TOOL_VELOCITY
        return (*LINEAR, *ANGULAR) if velocity else DELTA

    def start(self, sent: np.ndarray):
        """Begin an episode: the target is where the tool is."""
        position, self._quaternion = self._kinematics.forward(sent)
        self._position, self._moved = position.tolist(), [0.0] * 3
        self._tool, self._turned = self._motion.tool, self._quaternion

    def place(self, wanted: list[float], measured: np.ndarray,
              sent: np.ndarray) -> tuple[np.ndarray | None, int]:
        """Return the joints of the tool's next pose."""
        self._asked, limits = self._next_position(wanted, measured)
        if self._turns:
            limits |= self._turn(wanted, measured)
        arm = self._kinematics.inverse(np.array(self._asked), self._quaternion, sent)
        if not arm.is_reached:
            return None, limits | NO_SOLUTION
        return arm.q[self._robot.arm], limits

    def _next_position(self, wanted: list[float],
                       measured: np.ndarray) -> tuple[list[float], int]:
        tool, _ = self._kinematics.forward(measured)
        position, limits = list(self._position), 0
        for axis, value, (low, high) in zip(self.elements, wanted, self._bounds):
            if not 0 <= axis < 3:
                continue
            target = position[axis] + value * self._factor
            lead = MAX_LEAD_STEPS * max(-low, high) * self._factor
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

    def _turn(self, wanted: list[float], measured: np.ndarray) -> int:
        """Turn the target, no farther ahead of the measured tool than may be."""
        turn, most = np.zeros(3), 0.0
        for axis, value, (low, high) in zip(self.elements, wanted, self._bounds):
            if axis >= 3:
                turn[axis - 3] = value * self._factor
                most = max(most, MAX_LEAD_STEPS * max(-low, high) * self._factor)
        self._quaternion = rotated(self._quaternion, turn)
        _, actual = self._kinematics.forward(measured)
        ahead = rotation_between(actual, self._quaternion)
        angle = float(np.linalg.norm(ahead))
        if angle <= most:
            return 0
        self._quaternion = rotated(actual, ahead * (most / angle))
        return CLAMPED_POSITION

    def resting(self, grip: float) -> list[float]:
        """Return no motion."""
        return [grip if axis == GRIPPER_ELEMENT else 0.0 for axis in self.elements]

    def values(self, grip: float) -> list[float]:
        """Return how the tool's targets have moved."""
        moved = [now - before for now, before in zip(self._motion.tool, self._tool)]
        if self._turns:
            moved += rotation_between(self._turned, self._orientation()).tolist()
        return [grip if axis == GRIPPER_ELEMENT else moved[axis] / self._factor
                for axis in self.elements]

    def sent(self, asked: bool, limits: int):
        """Take in where the tool was sent, and where the next action goes on from."""
        last, tool = self._position, self._motion.tool
        reached = list(self._asked if asked else last)
        if limits:
            for axis in self._linear:
                # Not where it was drawn aside: it comes back from there. But it brakes.
                ways = last[axis], reached[axis], last[axis] + self._moved[axis]
                reached[axis] = min(max(tool[axis], min(ways)), max(ways))
        self._moved = [now - before for now, before in zip(reached, last)]
        self._position, self._tool = reached, tool
        if self._turns:
            self._turned = self._orientation()
            if limits or not asked:
                self._quaternion = self._turned

    def forget(self):
        """Go on from where the tool was sent."""
        self._position = list(self._motion.tool)

    def _orientation(self) -> np.ndarray:
        return self._kinematics.forward(self._motion.q)[1]
