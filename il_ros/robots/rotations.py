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

"""Rotations as quaternions (x, y, z, w) and rotation vectors, in the base frame."""

import numpy as np


def product(second: np.ndarray, first: np.ndarray) -> np.ndarray:
    """Return the rotation that is ``first`` and then ``second``, shape ``(4,)``."""
    vector = (second[3] * first[:3] + first[3] * second[:3] + np.cross(second[:3], first[:3]))
    return np.append(vector, second[3] * first[3] - second[:3] @ first[:3])


def rotated(quaternion: np.ndarray, vector: np.ndarray) -> np.ndarray:
    """
    Turn an orientation by a rotation vector.

    :param vector: axis times angle, shape ``(3,)``, rad
    """
    half = float(np.linalg.norm(vector)) / 2.0
    # sinc keeps it exact at no rotation at all.
    turn = np.append(vector / 2.0 * np.sinc(half / np.pi), np.cos(half))
    return product(turn, quaternion)


def rotation_between(start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """Return the shortest rotation vector from one orientation to another, shape ``(3,)``, rad."""
    turn = product(end, start * (-1.0, -1.0, -1.0, 1.0))
    turn = turn if turn[3] >= 0.0 else -turn
    length = float(np.linalg.norm(turn[:3]))
    if length < 1e-12:
        return 2.0 * turn[:3]
    return turn[:3] * (2.0 * np.arctan2(length, turn[3]) / length)
