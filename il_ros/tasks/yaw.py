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

"""Yaws, which are angles about z, and of what looks the same after half a turn."""

from collections.abc import Sequence
import math

import numpy as np


def yaw_of(quaternion: Sequence[float]) -> float:
    """
    Return where the x axis of an orientation points, seen from above, rad.

    :param quaternion: x y z w, of either sign
    """
    x, y, z, w = quaternion
    return math.atan2(2.0 * (x * y + z * w), 1.0 - 2.0 * (y * y + z * z))


def about_z(yaw: float) -> np.ndarray:
    """Return the quaternion of an upright thing of this yaw, shape ``(4,)``, x y z w."""
    return np.array([0.0, 0.0, math.sin(yaw / 2.0), math.cos(yaw / 2.0)])


def within_half_turn(angle: float) -> float:
    """Return the angle that is the same but for half turns, from -90 to 90 degrees, in rad."""
    return math.remainder(angle, math.pi)
