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
A picture of the scene by PyBullet's tiny renderer, from a camera that stands still.

It stands low enough to look under the hand, which would otherwise hide what it works on.
"""

import dataclasses
import math

from il_ros.robots.bullet import pybullet
import numpy as np

_NEAR_M, _FAR_M = 0.1, 4.0


@dataclasses.dataclass(frozen=True)
class View:
    """Where a camera stands, in the base frame, and how wide it sees."""

    eye_m: tuple[float, float, float]
    look_at_m: tuple[float, float, float]
    field_of_view_deg: float
    """Vertical."""

    def focal_px(self, height: int) -> float:
        """Return the focal length in pixels of a picture so many pixels high."""
        return height / (2.0 * math.tan(math.radians(self.field_of_view_deg) / 2.0))


FRONT = View((1.4, -0.3, 0.55), (0.46, 0.0, 0.12), 30.0)
"""For people: the report's pictures."""

CAMERA = View((0.62, -1.1, 0.62), (0.49, 0.02, 0.08), 34.0)
"""
The camera of ``camera/image_raw``, from the side, where the hand is narrow.

In 64x64 pixels it hides puck or goal in less than 2 % of the expert's steps.
"""


def picture(client: int, width: int, height: int, view: View = FRONT) -> np.ndarray:
    """Return what the camera sees, shape ``(height, width, 3)``, uint8, RGB."""
    matrix = pybullet.computeViewMatrix(view.eye_m, view.look_at_m, (0.0, 0.0, 1.0))
    projection = pybullet.computeProjectionMatrixFOV(
        view.field_of_view_deg, width / height, _NEAR_M, _FAR_M)
    _, _, pixels, _, _ = pybullet.getCameraImage(
        width, height, matrix, projection, renderer=pybullet.ER_TINY_RENDERER,
        flags=pybullet.ER_NO_SEGMENTATION_MASK, physicsClientId=client)
    return np.asarray(pixels, np.uint8).reshape(height, width, 4)[:, :, :3].copy()
