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

"""One action in the words of another action space, through the arm's kinematics."""

from il_ros.contract.contract import Contract, GRIPPER, JOINT_DELTA, JOINT_POSITION
from il_ros.contract.contract import JOINT_VELOCITY, TOOL_DELTA, TOOL_VELOCITY
from il_ros.contract.layout import ANGULAR, DELTA, LINEAR
from il_ros.errors import RobotError
from il_ros.robots.kinematics import Kinematics
from il_ros.robots.model import RobotModel
from il_ros.robots.rotations import rotated, rotation_between
import numpy as np

_TOOL = {TOOL_VELOCITY: (*LINEAR, *ANGULAR), TOOL_DELTA: DELTA}


class ActionConverter:
    """
    Converts actions of one contract into those of another one, on the same robot.

    An action is what the arm is to do in one control step from where it is measured. Axes that it
    does not command stay as they are; where it does not turn the tool, that points down.
    """

    def __init__(self, robot: RobotModel, source: Contract, target: Contract,
                 kinematics: Kinematics | None = None):
        """
        Prepare for two contracts.

        :raises RobotError: naming an axis that the source commands and the target cannot
        """
        self._robot, self._source, self._target = robot, source, target
        self._arm = robot.joint_names[robot.arm]
        self._period_s = 1.0 / target.rate
        self._kinematics = kinematics or Kinematics(robot)
        turns = _TOOL.get(source.action_space, ())[3:]
        self._turning = np.array([float(name in source.action_names) for name in turns])
        if {source.action_space, target.action_space} <= set(_TOOL):
            axes = _TOOL[target.action_space]
            missing = [name for name in source.action_names if name != GRIPPER
                       and axes[_TOOL[source.action_space].index(name)] not in target.action_names]
            if missing:
                raise RobotError(f'contract {target.name} has no action for {missing[0]}, which '
                                 'its expert commands')

    def convert(self, action: np.ndarray, measured: np.ndarray) -> list[float]:
        """
        Return the target contract's action.

        :param action: of the source contract, shape ``(source act_dim,)``
        :param measured: positions of the arm's joints, shape ``(arm_joints,)``, rad
        """
        entries = dict(zip(self._source.action_names, np.asarray(action, float).tolist()))
        found = {GRIPPER: entries.get(GRIPPER, 0.0)}
        if self._source.action_space in _TOOL:
            move = self._movement(entries)
            if self._target.action_space in _TOOL:
                found.update(self._as_tool(move))
            else:
                found.update(self._as_joints(self._reached(move, measured), measured))
        else:
            place = self._place(entries, measured)
            found.update(self._as_joints(place, measured)
                         if self._target.action_space not in _TOOL
                         else self._as_tool(self._moved(place, measured)))
        return [found[name] for name in self._target.action_names]

    def _movement(self, entries: dict[str, float]) -> np.ndarray:
        """Return how the tool moves in a step: m and rad, shape ``(6,)``."""
        factor = self._period_s if self._source.action_space == TOOL_VELOCITY else 1.0
        names = _TOOL[self._source.action_space]
        return np.array([entries.get(name, 0.0) for name in names]) * factor

    def _reached(self, move: np.ndarray, measured: np.ndarray) -> np.ndarray:
        q = self._whole(measured)
        position, quaternion = self._kinematics.forward(q)
        tilt = rotation_between(self._robot.tool_down, quaternion)
        quaternion = rotated(self._robot.tool_down, tilt * self._turning)
        found = self._kinematics.inverse(position + move[:3], rotated(quaternion, move[3:]), q)
        return found.q[self._robot.arm]

    def _moved(self, place: np.ndarray, measured: np.ndarray) -> np.ndarray:
        before, now = (self._kinematics.forward(self._whole(q)) for q in (measured, place))
        return np.concatenate((now[0] - before[0], rotation_between(before[1], now[1])))

    def _place(self, entries: dict[str, float], measured: np.ndarray) -> np.ndarray:
        """Return where an action of a joint space wants the arm's joints."""
        if self._source.action_space == JOINT_POSITION:
            return np.array([entries.get(name, float(now))
                             for name, now in zip(self._arm, measured)])
        factor = self._period_s if self._source.action_space == JOINT_VELOCITY else 1.0
        return measured + factor * np.array([entries.get(name, 0.0) for name in self._arm])

    def _as_tool(self, move: np.ndarray) -> dict[str, float]:
        factor = self._period_s if self._target.action_space == TOOL_VELOCITY else 1.0
        names = _TOOL[self._target.action_space]
        return dict(zip(names, (move / factor).tolist()))

    def _as_joints(self, place: np.ndarray, measured: np.ndarray) -> dict[str, float]:
        if self._target.action_space == JOINT_POSITION:
            return dict(zip(self._arm, place.tolist()))
        factor = 1.0 if self._target.action_space == JOINT_DELTA else self._period_s
        return dict(zip(self._arm, ((place - measured) / factor).tolist()))

    def _whole(self, arm: np.ndarray) -> np.ndarray:
        q = self._robot.home.copy()
        q[self._robot.arm] = arm
        return q
