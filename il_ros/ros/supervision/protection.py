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
The protective hold of real time: something is wrong with the arm, and a person has to look.

It is latched by an arm that does not follow, by efforts above the robot's, and by a wrench above
its limits; the service ``protective_reset`` alone releases it. It outlives what the emergency
stop outlives, and nothing more.
"""

from collections.abc import Callable
import math

from geometry_msgs.msg import WrenchStamped
from il_ros.errors import BadMessageError
from il_ros.robots.model import RobotModel
from il_ros.ros import qos
from il_ros.ros.conversion.assembly import JointReader
from il_ros.ros.listening import listen
from il_ros.ros.supervision.latch import kept_at, Latch
from il_ros.ros.supervision.parameters import SupervisorParameters
import numpy as np
from rclpy.node import Node
from sensor_msgs.msg import JointState
from std_srvs.srv import Trigger


class Protection:
    """
    Watches efforts and wrench, and holds the latch.

    :param on_hold: called with the reason when it is latched
    """

    def __init__(self, node: Node, robot: RobotModel, parameters: SupervisorParameters,
                 on_hold: Callable[[str], None]):
        self._node, self._on_hold, self._parameters = node, on_hold, parameters
        self._names = robot.joint_names[robot.arm]
        self._most = parameters.effort_share * robot.effort[robot.arm]
        self._efforts = JointReader(self._names, 'effort')
        self._latch = Latch(node, kept_at(node, parameters.estop_file, 'protective_hold'))
        node.create_service(Trigger, 'protective_reset', self._on_reset)
        if parameters.wrench_topic and parameters.mode == 'realtime':
            listen(node, WrenchStamped, parameters.wrench_topic, self._on_wrench,
                   qos.FOREIGN_SENSOR)
        if self.reason:
            node.get_logger().error(f'from before this start, {self.reason}; protective_reset '
                                    'releases it')

    @property
    def reason(self) -> str:
        """Return what holds the arm, and why, for people; empty: nothing does."""
        return self._latch.reason

    def hold(self, reason: str):
        """Latch the hold, unless it is latched."""
        if not self.reason:
            self._latch.reason = f'protective hold: {reason}'
            self._on_hold(self.reason)
            self._latch.keep(self.reason)
            self._node.get_logger().error(f'{self.reason}; protective_reset releases it')

    def check_efforts(self, message: JointState):
        """Hold when a joint's effort exceeds its limit; an arm may measure none."""
        if self._parameters.effort_share == 0.0 or not message.effort:
            return
        efforts = np.abs(self._efforts(message))
        beyond = efforts - self._most
        worst = int(beyond.argmax())
        if beyond[worst] > 0.0:
            self.hold(f'the effort of {self._names[worst]} is {efforts[worst]:.1f}; at most '
                      f'{self._most[worst]:.1f} is accepted')

    def _on_wrench(self, message: WrenchStamped):
        for name, unit, most, vector in (
                ('force', 'N', self._parameters.force_limit_n, message.wrench.force),
                ('torque', 'Nm', self._parameters.torque_limit_nm, message.wrench.torque)):
            size = math.hypot(vector.x, vector.y, vector.z)
            if not math.isfinite(size):
                raise BadMessageError(f'the {name} is not finite')
            if size > most:
                self.hold(f'the {name} on {self._parameters.wrench_topic} is {size:.1f} {unit}; '
                          f'at most {most:g} is accepted')

    def _on_reset(self, _request, response):
        response.message = self._latch.release()
        response.success = not response.message
        response.message = response.message or 'released'
        return response
