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

"""Commands to the arm: joint targets as the messages that its controllers take."""

from il_ros.contract.contract import Contract, GRIPPER
from il_ros.contract.episode_spec import HOLD
from il_ros.driving.arbiter import Step
from il_ros.errors import ControllerError
from il_ros.robots.controllers import TOOL_CONTROLLERS
from il_ros.robots.kinematics import Kinematics
from il_ros.robots.motion import MotionReckoner
from il_ros.ros import qos
from il_ros.ros.commands.adapter import CommandAdapter
from il_ros.ros.commands.adapters import adapter_class, joint_list, JOINT_STATE
from il_ros.ros.commands.adapters import refuse_lockstep, wire
from il_ros.ros.commands.gripper import ACTION, COMMANDS, GripperCommandsAdapter
from il_ros.ros.commands.gripper import LEAST_CHANGE_M, SAME, WIDTH_TOPIC
from il_ros.ros.node import ManagedNode
from il_ros.ros.publishing import sending
from il_ros.ros.supervision.parameters import SupervisorParameters
import numpy as np
from sensor_msgs.msg import JointState
from std_msgs.msg import Float64

RECORDED_TOPIC = 'joint_command'


class CommandOutput:
    """
    The publishers to the arm; what is recorded stays the joint targets, whatever goes out.

    :ivar topic: of the arm's commands
    :raises ControllerError: if the parameters contradict each other, or a package is missing
    :raises RobotError: if the robot does not have a joint that is to be commanded
    """

    def __init__(self, node: ManagedNode, parameters: SupervisorParameters,
                 kinematics: Kinematics):
        self._node, self._kinematics = node, kinematics
        self._name, self._gripper = parameters.command, parameters.gripper
        self._is_recorded_form = self._name == JOINT_STATE
        self._refuse(parameters)
        robot = kinematics.robot
        whole = self._gripper == SAME and self._name not in TOOL_CONTROLLERS
        self._joints = joint_list(parameters.command_joints) or (
            robot.joint_names if whole else robot.joint_names[robot.arm])
        self._fingers = robot.joint_names[robot.fingers] if self._gripper == COMMANDS else ()
        wire(robot, (*self._joints, *self._fingers), 1.0)
        kind, topic = JointState, RECORDED_TOPIC
        if not self._is_recorded_form:
            kind, topic = adapter_class(self._name).kind, adapter_class(self._name).topic
        self.topic = parameters.command_topic or topic
        self._sends = [sending(node.create_lifecycle_publisher(kind, self.topic, qos.COMMAND))]
        if self._fingers:
            self._sends.append(sending(node.create_lifecycle_publisher(
                GripperCommandsAdapter.kind,
                parameters.gripper_topic or GripperCommandsAdapter.topic, qos.COMMAND)))
        self._widths = (node.create_lifecycle_publisher(Float64, WIDTH_TOPIC, qos.LATCHED)
                        if self._gripper == ACTION else None)
        self._width: float | None = None
        self._adapters: list[CommandAdapter] = []
        self._messages: list = []
        self._moves = False

    def _refuse(self, parameters: SupervisorParameters):
        refuse_lockstep('command', parameters)
        if self._is_recorded_form and (self._gripper != SAME or parameters.command_joints):
            raise ControllerError(
                'command joint_state commands all joints of the robot; leave gripper and '
                'command_joints as they are')

    def start(self, contract: Contract):
        """
        Begin an episode.

        :raises ControllerError: if the contract is for another command, or moves the gripper, and
            no message does; or if the controller does not take commands at its rate
        """
        if (contract.command or JOINT_STATE) != self._name:
            raise ControllerError(
                f'contract {contract.name} is for command {contract.command or JOINT_STATE}, the '
                f'supervisor for {self._name}; start observer and supervisor with one command')
        if self._is_recorded_form:
            return
        robot, period_s = self._kinematics.robot, 1.0 / contract.rate
        self._grip = (contract.action_names.index(GRIPPER) if GRIPPER in contract.action_names
                      else None)
        fingers = set(robot.joint_names[robot.fingers])
        moved = self._widths is not None or fingers & {*self._joints, *self._fingers}
        if self._grip is not None and not moved:
            raise ControllerError(
                f'contract {contract.name} moves the gripper, and command {self._name} with '
                f'gripper {self._gripper} does not; set gripper to {COMMANDS} or {ACTION}')
        self._width = None
        self._reckoner = MotionReckoner(self._kinematics, period_s)
        self._adapters = [adapter_class(self._name)(wire(robot, self._joints, period_s))]
        if self._fingers:
            self._adapters.append(GripperCommandsAdapter(wire(robot, self._fingers, period_s)))

    def take(self, step: Step, measured: np.ndarray, recorded: JointState):
        """
        Take what a step came to.

        :param measured: joint positions, shape ``(n,)``
        :param recorded: the step's joint targets as they are recorded
        """
        self.go(step.sent.positions, measured, step.driver != HOLD, recorded)
        if self._widths is not None and self._grip is not None:
            self.grip(float(step.sent.values[self._grip]))

    def go(self, targets: np.ndarray, measured: np.ndarray, moves: bool, recorded: JointState):
        """
        Take joint targets, shape ``(n,)``; the gripper's width stays.

        :param moves: whether they go on, or hold the arm
        """
        if self._is_recorded_form:
            self._messages = [recorded]
            return
        motion = self._reckoner.reckon(targets, measured, not moves)
        self._messages = [adapter.message(motion, self._now_ns()) for adapter in self._adapters]
        self._moves = moves or bool(motion.velocities.any())

    def grip(self, width_m: float):
        """Ask the node ``gripper`` for a width, if it is the one that moves the fingers."""
        if self._widths is None:
            return
        if self._width is None or abs(width_m - self._width) > LEAST_CHANGE_M:
            self._width = width_m
            self._widths.publish(Float64(data=width_m))

    def publish(self):
        """Publish what the newest step came to; again, if it was published before."""
        for send, message in zip(self._sends, self._messages):
            send(message)

    def rest(self):
        """Stop an arm that would move on without further messages."""
        if not self._moves:
            return
        self._moves = False
        for send, adapter in zip(self._sends, self._adapters):
            message = adapter.rest(self._now_ns())
            if message is not None:
                send(message)

    def _now_ns(self) -> int:
        return self._node.get_clock().now().nanoseconds
