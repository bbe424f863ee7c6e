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

"""Press a button: come down on it from above with the closed hand."""

import math

from il_ros.contract.layout import ObjectPose, ToolVelocity
from il_ros.tasks.base import near, Scene, Task, TaskResult, uniform, UPRIGHT
from il_ros.tasks.expert import Expert
from il_ros.tasks.scene import Shape
from il_ros.tasks.smooth import capped_gain, rising
import numpy as np

RADIUS_M, HEIGHT_M = 0.03, 0.03
PRESSED_M = 0.01  # of the tool above the top: the fingertips, 7 mm below it, touch
BUTTON_LOWER_M, BUTTON_UPPER_M = (0.4, -0.2), (0.6, 0.2)
TOOL_LOWER_M, TOOL_UPPER_M = (0.36, -0.25, 0.1), (0.64, 0.25, 0.3)


class PressExpert(Expert):
    """Hovers over the button until it is above it, then comes down; it remembers nothing."""

    task = 'press_button'
    action_names = ('linear_x', 'linear_y', 'linear_z')

    def __init__(self, contract):
        super().__init__(contract)
        self._tool = self.index_of('tool_position', 3)
        self._button = self.index_of('button_position', 3)

    def control(self, values):
        x, y, z = (values[self._button + axis] - values[self._tool + axis] for axis in range(3))
        beside = math.hypot(x, y)
        z += HEIGHT_M / 2 + 0.08 * rising(beside, 0.02, 0.003)
        sideways = capped_gain(beside, 5.0, 0.4)
        return sideways * x, sideways * y, capped_gain(abs(z), 5.0, 0.3) * z


class PressButton(Task):
    """The button is 8 to 35 cm away, beside and below the tool."""

    name = 'press_button'
    features = (ObjectPose('button'),)
    actions = ToolVelocity('xyz')
    horizon = 80
    goal_radius_m = 0.02
    shapes = (Shape('cylinder', (RADIUS_M, HEIGHT_M), mass_kg=0.0, friction=0.8,
                    colour=(0.2, 0.5, 0.9, 1.0)),)
    expert = PressExpert

    def sample(self, rng):
        return self._scene(rng, uniform(rng, TOOL_LOWER_M, TOOL_UPPER_M))

    def resample(self, rng, reading):
        return self._scene(rng, reading.tool_position)

    def _scene(self, rng, tool):
        button = near(rng, tool[:2], 0.08, 0.35, BUTTON_LOWER_M, BUTTON_UPPER_M)
        return Scene(tool, 0.0, np.array([[*button, HEIGHT_M / 2]]), UPRIGHT[None],
                     np.array([*button, HEIGHT_M]))

    def evaluate(self, reading, goal):
        x, y, z = (reading.tool_position - goal).tolist()
        return TaskResult(success=math.hypot(x, y) < self.goal_radius_m and z < PRESSED_M)
