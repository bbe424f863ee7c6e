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

"""Stack: put one cube onto another."""

from il_ros.contract.layout import ObjectPose, ToolVelocity
from il_ros.tasks import cubes
from il_ros.tasks.base import Scene, Task, TaskResult
import numpy as np


class Stack(Task):
    """
    Put a cube on another one, within 2 cm of its middle, released and at rest.

    Both start anywhere on the table, with their sides along x and y, since the hand of this task
    does not turn. Where the lower one lies at the moment is what counts: it may be pushed, but
    out of the hand's reach either of them is lost. An episode that continues scatters both anew.
    """

    name = 'stack'
    features = (ObjectPose('object'), ObjectPose('base'))
    actions = ToolVelocity(gripper=True)
    horizon = 150
    goal_radius_m = cubes.CENTRED_M
    shapes = (cubes.cube(0.9, 0.3, 0.1), cubes.cube(0.2, 0.35, 0.8))

    def __init__(self):
        self._rest = cubes.Rest()

    def sample(self, rng):
        tool = cubes.tool_start(rng)
        return self._scene(tool, cubes.scattered(rng, 2))

    def resample(self, rng, reading):
        tool = reading.tool_position
        return self._scene(tool, cubes.scattered(rng, 2, (tool,)))

    def evaluate(self, reading, goal):
        upper, lower = reading.object_positions.tolist()
        if cubes.is_lost(upper) or cubes.is_lost(lower):
            return TaskResult(lost=True)
        return TaskResult(success=self._rest.lasts(reading, cubes.stands_on(upper, lower)))

    def _scene(self, tool, places) -> Scene:
        self._rest = cubes.Rest()
        return cubes.lying(tool, places, np.array([*places[1], cubes.RESTING_M + cubes.EDGE_M]))
