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

"""Parameters of the supervisor node."""

import dataclasses

from il_ros.ros import runtime
from il_ros.ros.commands.adapters import COMMANDS
from il_ros.ros.commands.gripper import GRIPPERS
from il_ros.ros.parameters import bounded, choice, flag, text


@dataclasses.dataclass(frozen=True)
class SupervisorParameters:
    """Parameters of the supervisor node."""

    autostart: bool = flag(True, 'configure and activate at start')
    mode: str = choice('lockstep', ('lockstep', 'realtime'),
                       'lockstep: wait for every required driver; realtime: for one period')
    robot: str = text('', 'robot: a name, module:Object or a robot file; empty: the first one')
    silence_s: float = bounded(
        2.0, 0.1, 60.0, 'a required driver silent for so long ends the episode [s]')
    observation_timeout_s: float = bounded(
        0.2, 0.02, 5.0, 'realtime: hold when no observation came for so long [s]')
    takeover_acceleration: float = bounded(
        2.0, 0.1, 20.0, "how fast the tool's velocity goes to that of a new driver, where one of "
        'the two is a person [m/s^2]')
    tracking_limit_rad: float = bounded(
        0.35, 0.01, 3.0, 'an arm joint so far from where it was sent ends the '
        'episode; the arm holds where it is measured [rad]')
    rejected_in_a_row: int = bounded(
        5, 1, 1000, 'actions in a row that cannot be used, after which the episode ends')
    command: str = choice(
        'joint_state', COMMANDS, 'message that the arm takes; lockstep takes joint_state alone')
    command_topic: str = text('', "topic of these messages; empty: the adapter's own")
    command_joints: str = text(
        '', "joints in the controller's order, by commas; empty: those of the robot, without the "
        'fingers where the gripper has a message of its own')
    gripper: str = choice(
        'same', GRIPPERS, "how the fingers are moved: same: by the arm's message; commands: by "
        'positions on a topic of their own; action: by the node gripper; none: not at all')
    gripper_topic: str = text(
        '', 'topic of commands; empty: gripper_controller/commands')
    estop_file: str = text(
        'auto', 'file that keeps a press of the emergency stop over a restart; auto: under the '
        'ROS home, by domain and namespace; empty: none')
    estop_heartbeat_s: float = bounded(
        0.0, 0.0, 60.0, 'silence on the topic estop for so long is a press; 0: it is not [s]')
    executor: str = choice('events', runtime.EXECUTORS, 'executor of the process')
