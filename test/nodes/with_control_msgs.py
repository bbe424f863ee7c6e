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
The gripper's action and joint_jog, with control_msgs on the path: a process of its own.

``python with_control_msgs.py``: prints what the servers of both types were asked for, and the
message of joint_jog, as JSON.
"""

import json
import sys

from control_msgs.action import GripperCommand, ParallelGripperCommand
from il_ros.nodes.gripper import GripperNode
from il_ros.robots.motion import Motion
from il_ros.ros import qos
from il_ros.ros.commands.adapters import adapter_class, wire
import numpy as np
from rclpy.action import ActionServer
from seam import Bench
from shipped_arms import PANDA
from std_msgs.msg import Float64

ACTION = 'gripper_controller/gripper_cmd'
OPEN_RAD, CLOSED_RAD = 0.0, 0.8
"""A gripper whose joint turns to close."""


def asked(kind, bench: Bench, widths) -> list[dict]:
    """Return the goals that a server of this type was given, one for each width."""
    commands, other = [], bench.beside()

    def carry_out(goal):
        commands.append(goal.request.command)
        goal.succeed()
        return kind.Result()
    server = ActionServer(other.probe, kind, ACTION, carry_out)
    for number, width in enumerate((0.08, 0.0), 1):
        widths.publish(Float64(data=width))
        assert bench.until(lambda: len(commands) == number, 10.0), kind  # noqa: B023
    server.destroy()
    other.close()
    return [described(command) for command in commands]


def described(command) -> dict:
    """Return a goal's command as plain data."""
    if hasattr(command, 'max_effort'):
        return {'position': command.position, 'effort': command.max_effort}
    return {'name': list(command.name), 'position': list(command.position)}


def jog() -> dict:
    """Return what joint_jog says of a motion."""
    adapter = adapter_class('joint_jog')(wire(PANDA, PANDA.joint_names[6::-1], 0.05))
    velocities = np.arange(9.0)
    motion = Motion(PANDA.home, velocities, velocities, np.zeros(3), np.zeros(4), np.zeros(6))
    message, rest = adapter.message(motion, 7_000_000_003), adapter.rest(5)
    return {'names': list(message.joint_names), 'velocities': list(message.velocities),
            'frame_id': message.header.frame_id, 'sec': message.header.stamp.sec,
            'rest': list(rest.velocities)}


def main() -> int:
    """Print what was asked for."""
    with Bench('single') as bench:
        bench.add(GripperNode, open_position=OPEN_RAD, closed_position=CLOSED_RAD,
                  joint='knuckle')
        widths = bench.talk(Float64, 'gripper_width', qos.LATCHED)
        print(json.dumps({
            'gripper': asked(GripperCommand, bench, widths),
            'parallel': asked(ParallelGripperCommand, bench, widths), 'jog': jog()}))
    return 0


if __name__ == '__main__':
    sys.exit(main())
