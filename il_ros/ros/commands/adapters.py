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

"""Command adapters by name, and which joints each of them moves."""

from collections.abc import Sequence
import importlib
from typing import Any

from il_ros.errors import ControllerError
from il_ros.robots.controllers import places_of
from il_ros.robots.model import RobotModel
from il_ros.ros.commands.adapter import CommandAdapter, Wiring
from il_ros.ros.commands.forward_position import ForwardPositionAdapter
from il_ros.ros.commands.forward_velocity import ForwardVelocityAdapter
from il_ros.ros.commands.joint_trajectory import JointTrajectoryAdapter
from il_ros.ros.commands.pose import PoseAdapter
from il_ros.ros.commands.twist import TwistAdapter

JOINT_STATE = 'joint_state'
"""The command as it is recorded: ``sensor_msgs/JointState`` on ``joint_command``."""

_ADAPTERS: dict[str, type[CommandAdapter]] = {
    'joint_trajectory': JointTrajectoryAdapter, 'forward_position': ForwardPositionAdapter,
    'forward_velocity': ForwardVelocityAdapter, 'twist': TwistAdapter, 'pose': PoseAdapter}

COMMANDS = (JOINT_STATE, *_ADAPTERS, 'joint_jog')


def adapter_class(name: str) -> type[CommandAdapter]:
    """
    Return an adapter by its name, one of ``COMMANDS`` but ``joint_state``.

    :raises ControllerError: if the package of its messages is not installed
    """
    if name in _ADAPTERS:
        return _ADAPTERS[name]
    try:
        return importlib.import_module('il_ros.ros.commands.joint_jog').JointJogAdapter
    except ImportError as error:
        raise ControllerError(f'command {name} needs the package control_msgs, which is not '
                              f'installed ({error})') from error


def joint_list(text: str) -> tuple[str, ...]:
    """Return the joints that a parameter lists, by commas."""
    return tuple(filter(None, map(str.strip, text.split(','))))


def refuse_lockstep(field: str, parameters: Any):
    """
    Refuse another command than joint_state in lockstep.

    :param field: the parameter that names the controller; ``mode`` stands beside it
    :raises ControllerError: naming both
    """
    if parameters.mode == 'lockstep' and getattr(parameters, field) != JOINT_STATE:
        raise ControllerError(
            f'{field} is {getattr(parameters, field)}; lockstep takes {JOINT_STATE} alone, for no '
            'controller waits for a command: use mode realtime')


def wire(robot: RobotModel, joints: Sequence[str], period_s: float) -> Wiring:
    """
    Return the wiring of these joints of a robot.

    :raises RobotError: if the robot has no such joint, or one is named twice
    """
    return Wiring(tuple(joints), places_of(robot, joints), robot.base_frame,
                  round(period_s * 1e9))
