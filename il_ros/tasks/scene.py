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

"""A scene: the shapes of its objects, and what the physics says of them."""

import dataclasses

import numpy as np


@dataclasses.dataclass(frozen=True)
class Shape:
    """
    An object: a box (three half lengths), a cylinder (radius, height) or a socket, in m.

    A socket is a block with a square hole from top to bottom (half the hole's side, half the
    block's side, half the height). What has no mass is fixed where it is placed.
    """

    kind: str
    size_m: tuple[float, ...]
    mass_kg: float
    friction: float
    colour: tuple[float, float, float, float]
    linear_damping: float = 0.04
    angular_damping: float = 0.04


@dataclasses.dataclass(frozen=True)
class Reading:
    """What PyBullet says after a control step; see ``State`` for shapes and units."""

    joint_position: np.ndarray
    joint_velocity: np.ndarray
    opening_m: float
    """How far the hand is open."""
    tool_position: np.ndarray
    tool_orientation: np.ndarray
    object_positions: np.ndarray
    object_orientations: np.ndarray
