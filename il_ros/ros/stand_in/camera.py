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

from collections.abc import Callable
import dataclasses

from il_ros.contract.contract import ContractError, IMAGE
from il_ros.ros import qos
from il_ros.ros.conversion.robot_messages import camera_info, image_message
from il_ros.sim.camera import CAMERA
from il_ros.sim.observation import CAMERA_TOPIC, refuse_missing_objects
from il_ros.tasks.base import Task
from il_ros.tasks.contracts import find_contract
import numpy as np
from rclpy.node import Node
from sensor_msgs.msg import CameraInfo, Image

FRAME_ID = 'camera_optical'


@dataclasses.dataclass(frozen=True)
class CameraMode:
    """How large the images are, and how often one comes."""

    width: int
    height: int
    every: int = 1
    """Control steps from one image to the next."""


def mode_of(name: str, task: Task) -> CameraMode | None:
    """
    Return how the camera has to run for a contract; None: the contract has no image of it.

    :param name: a contract file, or a task's name, with _image for images
    :raises ContractError: if it is none, or wants images that this camera does not take
    :raises SimulationError: if it wants an object that the task does not have
    """
    contract, sources = find_contract(name)
    refuse_missing_objects(sources, task)
    modes = set()
    for feature, source in zip(contract.features, sources):
        if feature.kind == IMAGE and source.topic == CAMERA_TOPIC:
            if feature.encoding != 'rgb8':
                raise ContractError(f'contract {name}: feature {feature.name} is '
                                    f'{feature.encoding}; the simulated camera takes rgb8')
            modes.add(CameraMode(feature.width, feature.height, source.every))
    if len(modes) > 1:
        raise ContractError(f'contract {name} wants images of {CAMERA_TOPIC} in more than one '
                            'way; the simulated camera takes one')
    return modes.pop() if modes else None


class Camera:
    """
    Publishes ``camera/image_raw`` and ``camera/camera_info`` with equal stamps.

    :param take: width and height to a picture, shape ``(height, width, 3)``, uint8, RGB
    """

    def __init__(self, node: Node, mode: CameraMode, take: Callable[[int, int], np.ndarray]):
        self._mode = mode
        self._take = take
        self._image = node.create_publisher(Image, CAMERA_TOPIC, qos.STREAM)
        self._info = node.create_publisher(CameraInfo, 'camera/camera_info', qos.STREAM)
        self._last: Image | None = None
        self._stamp_ns = -1

    def publish(self, stamp_ns: int, step: int):
        """Publish the image of this step, if one is due; repeat it with a repeated state."""
        if stamp_ns != self._stamp_ns:
            self._stamp_ns = stamp_ns
            if step % self._mode.every:
                return
            pixels = self._take(self._mode.width, self._mode.height)
            self._last = image_message(pixels, stamp_ns, FRAME_ID)
        if self._last is None:
            return
        self._image.publish(self._last)
        self._info.publish(camera_info(self._last, CAMERA.focal_px(self._last.height)))
