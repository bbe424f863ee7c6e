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

"""An arm's driver by a script: it says where its joints are, and goes where it is sent."""

import array
import time

from il_ros.ros import qos
from il_ros.ros.conversion.robot_messages import CommandReader
from il_ros.ros.listening import every
import numpy as np
from sensor_msgs.msg import JointState
from std_msgs.msg import Float64MultiArray

RATE_HZ = 100.0


class FakeArm:
    """Publishes ``joint_states`` at 100 Hz, and follows ``joint_command``, or velocities."""

    def __init__(self, node, robot, start: np.ndarray):
        self.q, self._robot, self._node = start.copy(), robot, node
        self.blocked = self.silent = False
        self._target = start.copy()
        self.velocities: np.ndarray | None = None
        self._read = CommandReader(robot.joint_names)
        self._publisher = node.create_publisher(JointState, 'joint_states', qos.STREAM)
        node.create_subscription(JointState, 'joint_command', self._on_command, qos.COMMAND)
        node.create_subscription(Float64MultiArray, 'forward_velocity_controller/commands',
                                 self._on_velocities, qos.COMMAND)
        self._moved_at = time.monotonic()
        every(node, 1.0 / RATE_HZ, self._on_time)

    def _on_command(self, message: JointState):
        self._target = self._read(message)

    def _on_velocities(self, message: Float64MultiArray):
        self.velocities = np.array(message.data)

    def _on_time(self):
        if self.silent:
            return
        passed_s, self._moved_at = time.monotonic() - self._moved_at, time.monotonic()
        if self.velocities is not None:
            self.q = self.q + self.velocities * passed_s
        elif not self.blocked:
            self.q = self.q + 0.4 * (self._target - self.q)
        message = JointState(
            name=list(self._robot.joint_names), position=array.array('d', self.q.tobytes()),
            velocity=[0.0] * len(self.q))
        message.header.stamp = self._node.get_clock().now().to_msg()
        self._publisher.publish(message)
