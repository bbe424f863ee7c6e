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

"""The simulated camera's two topics."""

import math

from il_ros.bridge.robot_messages import camera_info, image_message
from il_ros.nodes import qos
from il_ros.sim.camera import FIELD_OF_VIEW_DEG
import numpy as np
from rclpy.node import Node
from sensor_msgs.msg import CameraInfo, Image

FRAME_ID = 'camera_optical'


class Camera:
    """Publishes ``camera/image_raw`` and ``camera/camera_info`` with equal stamps."""

    def __init__(self, node: Node):
        self._image = node.create_publisher(Image, 'camera/image_raw', qos.STREAM)
        self._info = node.create_publisher(CameraInfo, 'camera/camera_info', qos.STREAM)

    def publish(self, pixels: np.ndarray, stamp_ns: int):
        """Publish a picture, shape ``(height, width, 3)``, uint8, RGB."""
        image = image_message(pixels, stamp_ns, FRAME_ID)
        focal_px = image.height / (2.0 * math.tan(math.radians(FIELD_OF_VIEW_DEG) / 2.0))
        self._image.publish(image)
        self._info.publish(camera_info(image, focal_px))
