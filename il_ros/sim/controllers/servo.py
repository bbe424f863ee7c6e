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

"""Stand-in for the twist input of MoveIt Servo."""

import dataclasses

from il_ros.errors import ControllerError
from il_ros.robots.controllers import SERVO_TIMEOUT_S
from il_ros.robots.kinematics import Kinematics
from il_ros.robots.rotations import rotated
from il_ros.sim.controllers.controller import as_finite
from il_ros.sim.controllers.tool import ToolController
import numpy as np

JOINT_JOG, TWIST, POSE = 0, 1, 2
"""Command types, as in ``moveit_msgs/srv/ServoCommandType``."""

LINEAR_SCALE_M_S, ROTATIONAL_SCALE_RAD_S = 0.4, 0.8
"""Servo's ``scale``: the largest speeds with ``command_in_type: speed_units``."""


@dataclasses.dataclass(frozen=True)
class Twist:
    """The content of a ``geometry_msgs/TwistStamped``."""

    frame_id: str
    stamp_ns: int
    values: tuple[float, ...]
    """Linear x y z, m/s, and angular x y z, rad/s."""


class ServoTwist(ToolController):
    """
    Twists with ``command_in_type: speed_units``, as far as Servo documents what it does with them.

    It wants the command type switched to twists first, the frame named (here: the base frame, for
    there is no tf), and a fresh stamp: a twist counts until it is ``SERVO_TIMEOUT_S``
    old by its own stamp. Servo's smoothing and its slowing down near singularities are left out.
    """

    def __init__(self, kinematics: Kinematics):
        super().__init__(kinematics)
        self._command_type = JOINT_JOG

    def switch_command_type(self, command_type: int):
        """Choose the kind of command that is listened to: the service of that name."""
        self._command_type = command_type

    def start(self, positions: np.ndarray, now_ns: int):
        """Activate: hold these positions."""
        super().start(positions, now_ns)
        self._twist: Twist | None = None

    def take(self, message: Twist, now_ns: int):
        """Take a twist."""
        base_frame = self._kinematics.robot.base_frame
        if self._command_type != TWIST:
            raise ControllerError('the command type is not twist; call switch_command_type first')
        if message.frame_id != base_frame:
            raise ControllerError(f'frame_id is {message.frame_id!r}; expected {base_frame}')
        as_finite(message.values, 6, 'components of the twist')
        self._twist = message

    def _advance(self, now_ns: int, cycle_s: float) -> bool:
        twist = self._twist
        if twist is None or (now_ns - twist.stamp_ns) * 1e-9 >= SERVO_TIMEOUT_S:
            return False
        values = np.array(twist.values)
        self._position = self._position + _at_most(values[:3], LINEAR_SCALE_M_S) * cycle_s
        self._orientation = rotated(
            self._orientation, _at_most(values[3:], ROTATIONAL_SCALE_RAD_S) * cycle_s)
        return bool(values.any())


def _at_most(vector: np.ndarray, length: float) -> np.ndarray:
    return vector / max(1.0, float(np.linalg.norm(vector)) / length)
