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

"""Rotations as quaternions (x, y, z, w) and as rotation vectors (rad, in the base frame)."""

import math

import numpy as np


def rotated(quaternion: np.ndarray, vector: np.ndarray) -> np.ndarray:
    """
    Return an orientation turned by a rotation vector.

    :param quaternion: shape ``(4,)``, x y z w
    :param vector: shape ``(3,)``, rad, in the frame in which the quaternion is given
    """
    angle = float(np.linalg.norm(vector))
    if angle == 0.0:
        return quaternion
    x, y, z = (math.sin(0.5 * angle) / angle * vector).tolist()
    w = math.cos(0.5 * angle)
    a, b, c, d = quaternion.tolist()
    turned = np.array([w * a + x * d + y * c - z * b, w * b - x * c + y * d + z * a,
                       w * c + x * b - y * a + z * d, w * d - x * a - y * b - z * c])
    return turned / np.linalg.norm(turned)


def rotation_vector(start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """Return the shortest rotation from one orientation to another, shape ``(3,)``, rad."""
    a, b, c, d = start.tolist()
    x, y, z, w = end.tolist()
    # (end) * (start)^-1
    vector = np.array([d * x - w * a - y * c + z * b, d * y - w * b - z * a + x * c,
                       d * z - w * c - x * b + y * a])
    real = w * d + x * a + y * b + z * c
    length = float(np.linalg.norm(vector))
    if length == 0.0:
        return np.zeros(3)
    angle = 2.0 * math.atan2(length, abs(real))
    return vector * (math.copysign(angle, real) / length)
