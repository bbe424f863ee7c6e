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

"""Stand-in for the ``target_pose`` of CRISP's Cartesian controllers."""

import dataclasses

from il_ros.errors import ControllerError
from il_ros.robots.rotations import rotated, rotation_between
from il_ros.sim.controllers.controller import as_finite
from il_ros.sim.controllers.tool import ToolController
import numpy as np

FILTER = 0.1
"""CRISP's ``filter.target_pose``: share of the way to the target in each of its cycles."""

FILTER_HZ = 1000.0
"""Rate of these cycles on the arm that it is mostly used with."""

_ARRIVED = 1e-5
"""What is left of the way, m and rad, that is no longer worth a step."""


@dataclasses.dataclass(frozen=True)
class Pose:
    """The content of a ``geometry_msgs/PoseStamped``."""

    position: tuple[float, ...]
    """m in the base frame."""
    orientation: tuple[float, ...]
    """x y z w."""
    publishers: int = 1
    """How many nodes publish the topic."""


class CrispPose(ToolController):
    """
    Poses of the tool; the newest one counts for ever, and is approached exponentially.

    A message is ignored while more than one node publishes the topic. Stamp and frame are not
    looked at. The real controller is compliant: it pulls the tool with a spring, so that the arm
    stays behind by its weight and by contacts; here the drives hold it.
    """

    def start(self, positions: np.ndarray, now_ns: int):
        """Activate: hold these positions."""
        super().start(positions, now_ns)
        self._target = self._position, self._orientation

    def take(self, message: Pose, now_ns: int):
        """Take a pose."""
        if message.publishers > 1:
            raise ControllerError(
                f'{message.publishers} nodes publish target_pose; expected one alone')
        position = as_finite(message.position, 3, 'coordinates of the pose')
        orientation = as_finite(message.orientation, 4, 'components of the orientation')
        length = float(np.linalg.norm(orientation))
        if abs(length - 1.0) > 1e-3:
            raise ControllerError(f'the orientation has length {length:.3f}; expected 1')
        self._target = position, orientation / length

    def _advance(self, now_ns: int, cycle_s: float) -> bool:
        position, orientation = self._target
        way, turn = position - self._position, rotation_between(self._orientation, orientation)
        share = 1.0 - (1.0 - FILTER) ** (cycle_s * FILTER_HZ)
        self._position = self._position + share * way
        self._orientation = rotated(self._orientation, share * turn)
        return max(np.abs(way).max(), np.abs(turn).max()) > _ARRIVED
