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
The simulator's state as the standard messages of an arm, and the commands back.

The messages are made once and filled anew at every step: they are gone over the wire before the
next one is due.
"""

import array

from geometry_msgs.msg import Pose, PoseArray, PoseStamped
from il_ros.errors import ImitationError
from il_ros.ros.conversion.messages import to_stamp
from il_ros.tasks.protocol import Status
from il_ros_interfaces.msg import EpisodeStatus
import numpy as np
from sensor_msgs.msg import CameraInfo, Image, JointState


class CommandError(ImitationError):
    """A joint command that names the wrong joints, or whose targets cannot be used."""


class StateMessages:
    """The messages of one state, by topic, refilled by ``fill``."""

    def __init__(self, joint_names: tuple[str, ...], objects: int, frame_id: str):
        self.joint_states = JointState(name=list(joint_names))
        self.tool_pose = PoseStamped()
        self.object_poses = PoseArray(poses=[Pose() for _ in range(objects)])
        self.goal_pose = PoseStamped()
        self.episode = EpisodeStatus()
        self._stamped = (
            self.joint_states, self.tool_pose, self.object_poses, self.goal_pose, self.episode)
        for message in self._stamped:
            message.header.frame_id = frame_id

    def fill(self, stamp_ns: int, state, status: Status):
        """
        Fill every message from a ``sim.simulation.State`` and a ``Status``.

        :param stamp_ns: the stamp that all of them get, ns
        """
        stamp = to_stamp(stamp_ns)
        for message in self._stamped:
            message.header.stamp = stamp
        self.joint_states.position = array.array('d', state.joint_position.tobytes())
        self.joint_states.velocity = array.array('d', state.joint_velocity.tobytes())
        _fill_pose(self.tool_pose.pose, state.tool_position, state.tool_orientation)
        for pose, position, orientation in zip(
                self.object_poses.poses, state.object_positions, state.object_orientations):
            _fill_pose(pose, position, orientation)
        _fill_pose(self.goal_pose.pose, state.goal_position, state.goal_orientation)
        fill_status(self.episode, status)


def fill_status(message: EpisodeStatus, status: Status):
    """Fill a message from a status; its header stays."""
    for field in status.__dataclass_fields__:
        setattr(message, field, getattr(status, field))


def _fill_point(point, values):
    point.x, point.y, point.z = map(float, values)


def _fill_pose(pose, position, orientation):
    _fill_point(pose.position, position)
    quaternion = pose.orientation
    quaternion.x, quaternion.y, quaternion.z, quaternion.w = map(float, orientation)


class CommandReader:
    """Reads joint targets by name, whatever the order in the message."""

    def __init__(self, joint_names: tuple[str, ...]):
        self._joint_names = joint_names
        self._names: list[str] | None = None
        self._order: list[int] = []

    def __call__(self, message: JointState) -> np.ndarray:
        """
        Return the targets in the robot's joint order, shape ``(joints,)``, float64.

        :raises CommandError: if a joint is missing, unknown or named twice, or a target
            is missing or not finite
        """
        if message.name != self._names:
            if sorted(message.name) != sorted(self._joint_names):
                raise CommandError(
                    f'joint_command names {list(message.name)}; expected each of '
                    f'{list(self._joint_names)} once')
            self._names = list(message.name)
            self._order = [self._names.index(joint) for joint in self._joint_names]
        if len(message.position) != len(self._order):
            raise CommandError(
                f'joint_command has {len(message.position)} positions for {len(self._order)} '
                'joints')
        targets = np.array([message.position[i] for i in self._order], np.float64)
        if not np.isfinite(targets).all():
            raise CommandError(f'joint_command has targets that are not finite: {targets}')
        return targets


def image_message(pixels: np.ndarray, stamp_ns: int, frame_id: str) -> Image:
    """Return an ``rgb8`` image message of pixels, shape ``(height, width, 3)``, uint8."""
    height, width, _ = pixels.shape
    message = Image(height=height, width=width, encoding='rgb8', step=3 * width)
    message.header.stamp = to_stamp(stamp_ns)
    message.header.frame_id = frame_id
    message.data = array.array('B', np.ascontiguousarray(pixels).tobytes())
    return message


def camera_info(image: Image, focal_px: float) -> CameraInfo:
    """Return the intrinsics of an ideal camera for an image, with its stamp and frame."""
    cx, cy = image.width / 2.0, image.height / 2.0
    return CameraInfo(
        header=image.header, height=image.height, width=image.width,
        distortion_model='plumb_bob', d=[0.0] * 5,
        k=[focal_px, 0.0, cx, 0.0, focal_px, cy, 0.0, 0.0, 1.0],
        r=[1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0],
        p=[focal_px, 0.0, cx, 0.0, 0.0, focal_px, cy, 0.0, 0.0, 0.0, 1.0, 0.0])
