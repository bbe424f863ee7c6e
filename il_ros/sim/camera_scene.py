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

"""
The scene once more, only to be looked at: the simulated camera's world.

It has the coarse meshes that the arm's collision model consists of, which the tiny renderer draws
ten times as fast as the fine ones. What the camera sees depends on the state alone: the graph and
the Gymnasium environment see the same, bit for bit.
"""

from il_ros.robots.model import RobotModel
from il_ros.sim.camera import CAMERA, picture
from il_ros.sim.state import State
from il_ros.sim.world import World
from il_ros.tasks.base import Task
import numpy as np


class CameraScene:
    """Poses the arm, the objects and the goal's marker of a state, and takes a picture."""

    def __init__(self, robot: RobotModel, task: Task, physics_hz: float):
        """Build a world of its own for the scene of a task."""
        self._world = World(robot, task.shapes, task.goal_radius_m, physics_hz,
                            goal_plate_m=task.goal_plate_m, coarse=True)

    def image(self, state: State, width: int, height: int) -> np.ndarray:
        """Return what the camera sees of a state, shape ``(height, width, 3)``, uint8, RGB."""
        self._world.reset(state.joint_position, state.object_positions,
                          state.object_orientations, state.goal_position, state.goal_orientation)
        return picture(self._world.client, width, height, CAMERA)

    def close(self):
        """Give PyBullet's memory back."""
        self._world.close()
