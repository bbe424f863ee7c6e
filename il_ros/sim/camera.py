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
A picture of the scene by PyBullet's tiny renderer, from a fixed camera in front of the arm.

It stands low enough to look under the hand, which would otherwise hide what it works on.
"""

import numpy as np
import pybullet

_EYE_M = (1.4, -0.3, 0.55)
_LOOK_AT_M = (0.46, 0.0, 0.12)
FIELD_OF_VIEW_DEG = 30.0
_NEAR_M, _FAR_M = 0.1, 4.0


def picture(client: int, width: int, height: int) -> np.ndarray:
    """Return what the camera sees, shape ``(height, width, 3)``, uint8, RGB."""
    view = pybullet.computeViewMatrix(_EYE_M, _LOOK_AT_M, (0.0, 0.0, 1.0))
    projection = pybullet.computeProjectionMatrixFOV(
        FIELD_OF_VIEW_DEG, width / height, _NEAR_M, _FAR_M)
    _, _, pixels, _, _ = pybullet.getCameraImage(
        width, height, view, projection, renderer=pybullet.ER_TINY_RENDERER,
        flags=pybullet.ER_NO_SEGMENTATION_MASK, physicsClientId=client)
    return np.asarray(pixels, np.uint8).reshape(height, width, 4)[:, :, :3].copy()
