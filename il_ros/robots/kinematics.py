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

"""Forward and inverse kinematics on a private PyBullet model, without memory between calls."""

import dataclasses
import math
import weakref

from il_ros.errors import RobotError
from il_ros.robots.bullet import pybullet
from il_ros.robots.model import RobotModel
from il_ros.robots.urdf import loadable
import numpy as np

_ITERATIONS = 10
"""Newton steps at most; two are the rule for a target one control step away."""

_CLOSE_ENOUGH_M = 2e-5
_CLOSE_ENOUGH_RAD = 1e-4

_REACHED_M = 1e-3
_REACHED_RAD = 1e-2
"""Beyond it an arm is not moved."""

_DAMPING = 1e-6
"""Added to the diagonal of J J^T: keeps the step finite where the arm is singular."""

_REST_PULL = 0.1
"""Share of the way to the rest position that the redundant motion goes in one call."""

_SETTLING_PULL = 0.5
_SETTLED_RAD = 1e-6
_SETTLING_CALLS = 100

_UNREACHED_CALLS = 10
"""After these a place that is not reached is given up; the first call reaches what can be."""

_LONGEST_STEP_RAD = 0.5


@dataclasses.dataclass(frozen=True)
class Solution:
    """What inverse kinematics found, and how far the tool would be from where it was asked."""

    q: np.ndarray
    """Joint positions, shape ``(n,)``, inside the limits; the fingers as in the start."""
    error_m: float
    error_rad: float

    @property
    def is_reached(self) -> bool:
        """Tell whether the tool would be where it was asked, closely enough to go there."""
        return self.error_m <= _REACHED_M and self.error_rad <= _REACHED_RAD


class Kinematics:
    """One arm's kinematics; a call's result depends on its arguments alone."""

    def __init__(self, robot: RobotModel):
        """Load the URDF into a PyBullet of its own, which no simulation ever sees."""
        self.robot = robot
        self._client = pybullet.connect(pybullet.DIRECT)
        self._disconnect = weakref.finalize(self, pybullet.disconnect, self._client)
        self._body = load_arm(robot, self._client)
        joints, self._tool = find_joints(self._body, robot, self._client)
        self._arm = joints[robot.arm]
        self._arm_joints = robot.arm_joints
        movable = movable_joints(self._body, self._client)
        self._columns = [movable.index(joint) for joint in self._arm]
        self._zeros = [0.0] * len(movable)
        self._lower, self._upper = robot.lower[robot.arm], robot.upper[robot.arm]
        self._home = robot.home[robot.arm]
        self._diagonal = _DAMPING * np.eye(6)

    def forward(self, q: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """
        Return the tool's pose in the base frame.

        :param q: joint positions, shape ``(n,)``, rad (fingers: m)
        :returns: position, shape ``(3,)``, m, and quaternion, shape ``(4,)``, x y z w
        """
        position, quaternion = self._forward(q[:self._arm_joints].tolist())
        return np.array(position), np.array(quaternion)

    def tool_position(self, arm: np.ndarray) -> tuple[float, ...]:
        """Return where the tool is at joint positions, shape ``(arm_joints,)``, m."""
        return self._forward(arm.tolist())[0]

    def inverse(self, position: np.ndarray, quaternion: np.ndarray,
                q_start: np.ndarray) -> Solution:
        """
        Find joint positions for a tool pose near ``q_start`` (damped Newton steps).

        The seventh degree of freedom is drawn towards the robot's rest position, so that a
        long way round brings the elbow back to where it was.

        :param position: of the tool, shape ``(3,)``, m in the base frame
        :param quaternion: of the tool, shape ``(4,)``, x y z w
        :param q_start: joint positions to start from, shape ``(n,)``
        """
        return self._solve(position, quaternion, q_start, _REST_PULL)

    def settled(self, position: np.ndarray, quaternion: np.ndarray) -> Solution:
        """
        Find the joint positions for a tool pose at which the redundant motion has come to rest.

        It starts from the robot's rest position, and is what an episode begins with.
        """
        q = self.robot.home
        for call in range(_SETTLING_CALLS):
            solution = self._solve(position, quaternion, q, _SETTLING_PULL)
            given_up = call == _UNREACHED_CALLS and not solution.is_reached
            if given_up or np.abs(solution.q - q).max() < _SETTLED_RAD:
                break
            q = solution.q
        return solution

    def between_fingers(self, opening_m: float) -> np.ndarray | None:
        """
        Return the way from one finger to the other at an opening of the hand.

        :returns: shape ``(3,)``, m, between their centres of mass; None unless two fingers slide
        """
        robot, by_name = self.robot, {
            info[1].decode(): info for info in (
                pybullet.getJointInfo(self._body, index, physicsClientId=self._client)
                for index in range(pybullet.getNumJoints(
                    self._body, physicsClientId=self._client)))}
        q = robot.home.copy()
        q[robot.fingers] = robot.finger_position(opening_m)
        moved = dict(zip(robot.joint_names[robot.fingers], q[robot.fingers], strict=True))
        for one in robot.followers:
            moved[one.name] = one.offset + one.multiplier * q[one.leader]
        if len(moved) != 2 or any(by_name[name][2] != pybullet.JOINT_PRISMATIC for name in moved):
            return None
        places = []
        for name, position in moved.items():
            pybullet.resetJointState(self._body, by_name[name][0], position,
                                     physicsClientId=self._client)
            places.append(pybullet.getLinkState(self._body, by_name[name][0], True,
                                                computeForwardKinematics=True,
                                                physicsClientId=self._client)[0])
        return np.subtract(*places)

    def _solve(self, position, quaternion, q_start, pull_share) -> Solution:
        position = tuple(map(float, position))
        quaternion = tuple(map(float, quaternion))
        arm = q_start[:self._arm_joints]
        pull = pull_share * (self._home - arm)
        error, off_m, off_rad = self._error(arm, position, quaternion)
        for _ in range(_ITERATIONS):
            arm = self._newton_step(arm, error, pull)
            pull = None
            error, off_m, off_rad = self._error(arm, position, quaternion)
            if off_m < _CLOSE_ENOUGH_M and off_rad < _CLOSE_ENOUGH_RAD:
                break
        q = np.array(q_start, float)
        q[:self._arm_joints] = arm
        return Solution(q, off_m, off_rad)

    def close(self):
        """Give PyBullet's memory back; the object is of no use afterwards."""
        self._disconnect()
        self._client = -1

    def _forward(self, arm: list[float]):
        pybullet.resetJointStatesMultiDof(self._body, self._arm, [(q,) for q in arm],
                                          physicsClientId=self._client)
        state = pybullet.getLinkState(self._body, self._tool, computeForwardKinematics=1,
                                      physicsClientId=self._client)
        return state[4], state[5]

    def _error(self, arm, position, quaternion):
        """Return the twist (6,) that is missing, and its lengths in m and rad."""
        (x, y, z), (bx, by, bz, bw) = self._forward(arm.tolist())
        dx, dy, dz = position[0] - x, position[1] - y, position[2] - z
        ax, ay, az, aw = quaternion
        # Vector part of (wanted) * (actual)^-1, twice: the rotation vector for small angles.
        sign = 2.0 if aw * bw + ax * bx + ay * by + az * bz >= 0.0 else -2.0
        rx = sign * (ax * bw - aw * bx - ay * bz + az * by)
        ry = sign * (ay * bw - aw * by - az * bx + ax * bz)
        rz = sign * (az * bw - aw * bz - ax * by + ay * bx)
        return (np.array((dx, dy, dz, rx, ry, rz)), math.sqrt(dx * dx + dy * dy + dz * dz),
                math.sqrt(rx * rx + ry * ry + rz * rz))

    def _newton_step(self, arm, error, pull):
        q = self._zeros.copy()
        for column, position in zip(self._columns, arm.tolist()):
            q[column] = position
        linear, angular = pybullet.calculateJacobian(
            self._body, self._tool, (0.0, 0.0, 0.0), q, self._zeros, self._zeros,
            physicsClientId=self._client)
        jacobian = np.array(linear + angular)[:, self._columns]
        square = jacobian @ jacobian.T + self._diagonal
        if pull is None:
            step = jacobian.T @ np.linalg.solve(square, error)
        else:
            step = pull + jacobian.T @ np.linalg.solve(square, error - jacobian @ pull)
        length = math.sqrt(float(step @ step))
        if length > _LONGEST_STEP_RAD:
            step *= _LONGEST_STEP_RAD / length
        return np.minimum(np.maximum(arm + step, self._lower), self._upper)


def load_arm(robot: RobotModel, client: int, coarse: bool = False) -> int:
    """
    Load a robot where it stands, with its tool, and return PyBullet's number of it.

    :param coarse: as in ``urdf.loadable``
    :raises RobotError: naming a file that PyBullet does not read
    """
    with loadable(robot.urdf, robot.mount, coarse) as file:
        try:
            return pybullet.loadURDF(file, robot.base_position.tolist(), useFixedBase=True,
                                     physicsClientId=client)
        except pybullet.error as error:
            raise RobotError(f'PyBullet cannot load {robot.urdf}: a file that it names, as a '
                             'mesh, may be missing') from error


def movable_joints(body: int, client: int) -> list[int]:
    """Return the joints that PyBullet counts as degrees of freedom, in its order."""
    return [index for index in range(pybullet.getNumJoints(body, physicsClientId=client))
            if pybullet.getJointInfo(body, index, physicsClientId=client)[3] > -1]


def find_joints(body: int, robot: RobotModel, client: int) -> tuple[list[int], int]:
    """
    Find PyBullet's indices of the robot's joints, by name, and of its tool link.

    :raises RobotError: naming the joint or link that the URDF lacks
    """
    joints, links = {}, {}
    for index in range(pybullet.getNumJoints(body, physicsClientId=client)):
        info = pybullet.getJointInfo(body, index, physicsClientId=client)
        joints[info[1].decode()] = index
        links[info[12].decode()] = index
    for name in robot.joint_names:
        if name not in joints:
            raise RobotError(f'{robot.urdf} has no joint {name}; it has {", ".join(joints)}')
    if robot.tool_link not in links:
        raise RobotError(f'{robot.urdf} has no link {robot.tool_link}')
    return [joints[name] for name in robot.joint_names], links[robot.tool_link]
