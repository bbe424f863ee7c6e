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

"""Lay: grasp a bar across its width, turn it, and lay it down at a place and a yaw."""

import math

from il_ros.contract.layout import GoalOrientation, GoalPosition, ObjectPose, ToolVelocity
from il_ros.tasks import cubes
from il_ros.tasks.base import near, OPEN, Scene, Task, TaskResult, uniform
from il_ros.tasks.scene import Shape
from il_ros.tasks.yaw import about_z, within_half_turn, yaw_of
import numpy as np

_HALF_LENGTH_M = 0.07

_YAW_TOLERANCE_RAD = math.radians(8.0)

_LOWER_M = (0.42, -0.18)
_UPPER_M = (0.58, 0.18)
_LEAST_WAY_M = 0.12
_FARTHEST_WAY_M = 0.4
_CLEAR_OF_HAND_M = 0.12
_TOOL_YAW_RAD = math.radians(45.0)
"""The tool starts turned by so much at most, in either direction."""


class Lay(Task):
    """
    Lay a bar down at a goal and a yaw; success within 2 cm and 8 degrees.

    The bar is as wide and high as a cube is, and the same after half a turn. It must also be
    released and at rest for 5 steps.
    """

    name = 'lay'
    features = (ObjectPose('object'), GoalPosition(), GoalOrientation())
    actions = ToolVelocity('xyz', gripper=True, turns='z')
    horizon = 150
    goal_radius_m = 0.02
    goal_on_table = True
    shapes = (Shape('box', (_HALF_LENGTH_M, cubes.EDGE_M / 2, cubes.EDGE_M / 2), mass_kg=0.1,
                    friction=1.0, colour=(0.9, 0.5, 0.1, 1.0)),)

    def __init__(self):
        self._rest, self._goal_yaw = cubes.Rest(), 0.0

    def sample(self, rng):
        bar = uniform(rng, _LOWER_M, _UPPER_M)
        return self._scene(rng, cubes.tool_start(rng), bar, _yaw(rng, _TOOL_YAW_RAD))

    def resample(self, rng, reading):
        hand = reading.tool_position
        bar = near(rng, hand[:2], _CLEAR_OF_HAND_M, math.inf, _LOWER_M, _UPPER_M)
        return self._scene(rng, hand, bar, 0.0)

    def evaluate(self, reading, goal):
        bar, turned = (rows[0].tolist() for rows in (reading.object_positions,
                                                     reading.object_orientations))
        lost = cubes.is_lost(bar) or (_stands(turned) and reading.opening_m > cubes.RELEASED_M)
        off = within_half_turn(yaw_of(turned) - self._goal_yaw)
        there = (not lost and math.dist(bar, goal.tolist()) < self.goal_radius_m
                 and abs(off) < _YAW_TOLERANCE_RAD)
        return TaskResult(self._rest.lasts(reading, there), lost)

    def _scene(self, rng, tool, bar, tool_yaw) -> Scene:
        goal = near(rng, bar, _LEAST_WAY_M, _FARTHEST_WAY_M, _LOWER_M, _UPPER_M)
        self._rest, self._goal_yaw = cubes.Rest(), _yaw(rng, math.pi / 2)
        return Scene(tool, OPEN, np.array([[*bar, cubes.RESTING_M]]),
                     about_z(_yaw(rng, math.pi / 2))[None], np.array([*goal, cubes.RESTING_M]),
                     about_z(self._goal_yaw), tool_yaw)


def _stands(quaternion: list[float]) -> bool:
    """Tell whether a bar is upright: on its end nobody grasps it across its width."""
    x, y, z, w = quaternion
    return abs(2.0 * (x * z - y * w)) > 0.9


def _yaw(rng: np.random.Generator, most_rad: float) -> float:
    return most_rad * (2.0 * rng.random() - 1.0)
