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
from typing import Annotated

from il_ros.robots.model import RobotModel
from il_ros.ros import runtime
from il_ros.ros.commands.adapters import COMMANDS
from il_ros.ros.commands.gripper import GRIPPERS
from il_ros.ros.parameters import bounded, choice, flag, ParameterError, text
import msgspec
import numpy as np

_Corners = Annotated[list[float], msgspec.Meta(min_length=6, max_length=6)]


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
        'episode; the arm holds where it is measured; realtime: a protective hold [rad]')
    blend_gates: str = choice(
        'auto', ('auto', 'on', 'off'), 'blend hand-overs of a gate between expert and policy as '
        'those of a person; auto: in realtime')
    speed_scale: float = bounded(
        1.0, 0.0, 1.0, 'share of full speed; the topic speed_scale may lower it', read_only=False)
    keep_out: str = text(
        '', "boxes that the tool never enters, beside the robot's own: JSON, "
        '[[x, y, z, x, y, z], ...], lower and upper corner of each in the base frame [m]')
    effort_share: float = bounded(
        1.0, 0.0, 10.0, "realtime: an effort above this share of the robot's limit is a "
        'protective hold; 0, or joint_states without efforts: none')
    wrench_topic: str = text(
        '', 'realtime: WrenchStamped topic whose limits are watched; empty: none')
    force_limit_n: float = bounded(
        40.0, 0.0, 1e4, 'force on wrench_topic that is a protective hold [N]')
    torque_limit_nm: float = bounded(
        10.0, 0.0, 1e4, 'torque on wrench_topic that is a protective hold [Nm]')
    go_home: bool = flag(
        False, 'realtime: move the arm home after each episode, and arm none before it is there')
    home_speed: float = bounded(
        0.25, 0.01, 1.0, "share of the joints' speeds on the way home; speed_scale may lower it")
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
        'auto', 'file that keeps a press of the emergency stop, and with another ending a '
        'protective hold, over a restart; auto: under the ROS home, by domain and namespace; '
        'empty: none')
    estop_heartbeat_s: float = bounded(
        0.0, 0.0, 60.0, 'silence on the topic estop for so long is a press; 0: it is not [s]')
    executor: str = choice('events', runtime.EXECUTORS, 'executor of the process')

    @property
    def blends_gates(self) -> bool:
        """Tell whether hand-overs of a gate are blended."""
        return self.blend_gates == 'on' or (
            self.blend_gates == 'auto' and self.mode == 'realtime')


def with_keep_out(robot: RobotModel, boxes: str) -> RobotModel:
    """
    Return a robot with more keep-out boxes.

    :param boxes: the parameter ``keep_out``
    :raises ImitationError: if it describes no boxes
    """
    if not boxes:
        return robot
    try:
        corners = np.array(msgspec.json.decode(boxes, type=list[_Corners])).reshape(-1, 2, 3)
    except msgspec.MsgspecError as error:
        raise ParameterError(
            f'keep_out is {boxes!r}; expected [[x, y, z, x, y, z], ...]: {error}') from error
    more = tuple((lower, upper) for lower, upper in corners)
    return dataclasses.replace(robot, keep_out=robot.keep_out + more)
