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
Going home between two episodes (real time): after an end, before an episode is armed, or asked.

The arm moves at ``home_speed`` inside its limits, on the beat of ``joint_states``. It brakes where
nothing may move it, and goes on only when it is asked again. An arm that does not follow is held
(``protection.py``).
"""

import array
from collections.abc import Callable
import time

from il_ros.contract.contract import Contract
from il_ros.errors import ControllerError
from il_ros.robots.joint_motion import JointMotion
from il_ros.robots.joint_watch import JointWatch
from il_ros.robots.kinematics import Kinematics
from il_ros.robots.model import RobotModel
from il_ros.robots.way_home import farthest, is_home, WayHome
from il_ros.ros.conversion.messages import NS, to_stamp
from il_ros.ros.conversion.pairing import Cadence
from il_ros.ros.node import GraphNode
from il_ros.ros.supervision.command_output import CommandOutput
from il_ros.ros.supervision.protection import Protection
from il_ros.ros.supervision.speed_scale import SpeedScale
import numpy as np
from sensor_msgs.msg import JointState
from std_srvs.srv import Trigger

ON_ITS_WAY = 'the arm is on its way home'


class GoingHome:
    """
    Moves the arm home; serves ``go_home``.

    :param commands: publishes to the arm
    :param why_not: says why the arm may not move now; empty: it may
    """

    def __init__(self, node: GraphNode, robot: RobotModel, kinematics: Kinematics,
                 commands: CommandOutput, why_not: Callable[[], str], protection: Protection,
                 speed_scale: SpeedScale):
        self._node, self._robot, self._kinematics = node, robot, kinematics
        self._commands, self._why_not = commands, why_not
        self._message = JointState(name=list(robot.joint_names))
        self._protection, self._speed_scale = protection, speed_scale
        self._contract: Contract | None = None
        self._measured: np.ndarray | None = None
        self._way: WayHome | None = None
        self._went_at = 0.0
        self._each = node.parameters.go_home and node.parameters.mode == 'realtime'
        self._asked = False
        self._stopped = ''
        node.create_service(Trigger, 'go_home', self._on_go_home)

    @property
    def listens(self) -> bool:
        """Tell whether it has to know where the arm is."""
        return self._asked or self._each

    def set_contract(self, contract: Contract):
        """Take in the contract, whose control rate counts."""
        self._contract, self._period_s = contract, 1.0 / contract.rate
        self._cadence = Cadence(round(NS / contract.rate))
        self._watch = JointWatch(self._robot, self._period_s)

    def rest(self):
        """Stop an arm that would move on without further messages, unless it goes home."""
        if not self._asked or self._is_late():
            self._commands.rest()

    def _is_late(self) -> bool:
        """Tell whether joint_states paused: nobody knows how the arm moved meanwhile."""
        return time.monotonic() - self._went_at > self._node.parameters.observation_timeout_s

    def _begin(self, way: WayHome | None = None):
        """Go home, from the next measured joints on, or by a way that has begun."""
        self._asked, self._way, self._stopped = True, way, ''
        self._went_at = time.monotonic()

    def after_episode(self, stamp_ns: int, motion: JointMotion | None):
        """
        Go home if that is wanted after each episode, and the arm may move.

        :param stamp_ns: of the last state, for which no command was sent
        :param motion: of the arm, which may still move; None: it was not moved
        """
        if not self._each or self._measured is None or self._why_not():
            return
        self._begin(None if motion is None else WayHome(
            self._robot, self._period_s, motion, self._measured))
        self._cadence = Cadence(round(NS * self._period_s))
        self._cadence.takes(stamp_ns)
        self._go_on(stamp_ns, self._measured)

    def refusal(self) -> str:
        """Return why no episode can be armed; empty: the arm is at home, or need not be."""
        if self._asked:
            return ON_ITS_WAY
        if not self._each:
            return ''
        if self._measured is None:
            return 'there are no joint_states yet; is the driver of the arm running?'
        if is_home(self._robot, self._measured):
            return ''
        stopped = self._stopped
        self._begin()
        return f'{ON_ITS_WAY}; before, {stopped}' if stopped else ON_ITS_WAY

    def measure(self, stamp_ns: int, measured: np.ndarray):
        """
        Take in joint positions, shape ``(n,)``, and go on.

        :raises RobotError: for a jump that no arm can have made
        """
        if self._contract is None or not self.listens:
            return
        self._watch.take(stamp_ns, measured, self._way is not None)
        self._measured = measured
        if self._asked and self._cadence.takes(stamp_ns):
            self._go_on(stamp_ns, measured)

    def _go_on(self, stamp_ns: int, measured: np.ndarray):
        reason = self._why_not()
        assert self._contract is not None, 'measure() returns before there is one'
        if self._way is None or self._is_late():
            try:
                self._commands.start(self._contract)
            except ControllerError as error:
                self._stop(str(error))
                return
            motion = JointMotion(self._robot, self._period_s, self._kinematics.tool_position)
            motion.start(np.clip(measured, self._robot.lower, self._robot.upper)[self._robot.arm])
            self._way = WayHome(self._robot, self._period_s, motion, measured)
        self._went_at = time.monotonic()
        way, home = self._way, self._robot.home
        lag_rad, joint = farthest(self._robot, measured, way.q)
        if lag_rad > self._node.parameters.tracking_limit_rad:
            self._protection.hold(f'{joint} is {lag_rad:.2f} rad from where it was sent on the '
                                  'way home: is the arm blocked?')
            reason = self._why_not()
        if reason:
            targets = way.brake()
        else:
            targets = way.advance(
                min(self._node.parameters.home_speed, self._speed_scale.value))
        self._message.header.stamp = to_stamp(stamp_ns)
        self._message.position = array.array('d', targets.tobytes())
        # Also at the end, until it is there: velocities then close what is left.
        moves = way.is_moving or not (reason or is_home(self._robot, measured))
        self._commands.go(targets, measured, moves, self._message)
        self._commands.publish()
        if reason and not way.is_moving:
            self._stop(reason)
        elif way.is_over and not moves:
            self._commands.grip(self._robot.opening(home))
            self._asked, self._way = False, None
        elif way.is_stuck:
            far_rad, joint = farthest(self._robot, measured, home)
            self._stop(f'something is in the way, and {joint} is {far_rad:.2f} rad from home; '
                       'move the arm by hand')

    def _stop(self, reason: str):
        self._asked, self._way = False, None
        self._stopped = f'the arm stopped on its way home: {reason}'
        self._node.get_logger().error(self._stopped)

    def _on_go_home(self, _request, response):
        reason = self._why_not()
        if not reason and self._node.parameters.mode != 'realtime':
            reason = 'the arm goes home in mode realtime alone; in lockstep a reset moves it'
        if not reason and self._contract is None:
            reason = 'there is no contract yet; is the observer running?'
        response.success, response.message = not reason, reason or ON_ITS_WAY
        if not reason:
            self._begin()
        return response
