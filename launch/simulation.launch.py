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

"""The arm's task, the arm if it is simulated, and the observer: all that a driver needs to see."""

from il_ros.graph.launching import flag, node, number, process_arguments, text, whole
from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument
from launch.conditions import IfCondition, UnlessCondition
from launch.substitutions import EqualsSubstitution, IfElseSubstitution, LaunchConfiguration


def generate_launch_description() -> LaunchDescription:
    """Return simulator and observer, and the arguments of every process."""
    pairing = IfElseSubstitution(
        EqualsSubstitution(LaunchConfiguration('mode'), 'realtime'), 'as_of', 'exact')
    is_real = EqualsSubstitution(LaunchConfiguration('arm'), 'real')
    return LaunchDescription([
        *process_arguments(),
        DeclareLaunchArgument(
            'task', default_value='push', description='task: reach, push or pick_place'),
        DeclareLaunchArgument(
            'contract', default_value=LaunchConfiguration('task'),
            description='what is observed: a contract file, or the name of a task, as push_image '
                        'with _image behind it for camera images'),
        DeclareLaunchArgument(
            'robot', default_value='',
            description='robot: a name of il_ros list robots, or a robot file; empty: the '
                        "contract's, or the first one"),
        DeclareLaunchArgument(
            'arm', default_value='simulated', choices=['simulated', 'real'],
            description='simulated: PyBullet; real: an arm whose driver runs beside, with a '
                        'person who puts the objects back and judges'),
        DeclareLaunchArgument(
            'horizon', default_value='0',
            description='real: time limit of an episode that names no other [control steps]; 0: '
                        'that of the registered task'),
        DeclareLaunchArgument(
            'tool_pose_from', default_value=IfElseSubstitution(is_real, 'joints', 'topic'),
            description='topic: tool_pose is heard; joints: computed from joint_states by the '
                        "robot's kinematics; default: joints for a real arm"),
        DeclareLaunchArgument(
            'mode', default_value=IfElseSubstitution(is_real, 'realtime', 'lockstep'),
            choices=['lockstep', 'realtime'],
            description='lockstep: step when the command is there, deterministic; realtime: at '
                        'the rate; default: lockstep, and realtime for a real arm'),
        DeclareLaunchArgument(
            'rate', default_value='0.0', description="control rate [Hz]; 0: the contract's"),
        DeclareLaunchArgument(
            'gui', default_value='false', choices=['true', 'false'],
            description='open the window of PyBullet'),
        node('operator_task', condition=IfCondition(is_real), task=text('task'),
             contract=text('contract'), robot=text('robot'), rate_hz=number('rate'),
             horizon=whole('horizon')),
        node('simulator', condition=UnlessCondition(is_real), task=text('task'),
             mode=text('mode'), rate_hz=number('rate'), gui=flag('gui'),
             contract=text('contract'), robot=text('robot')),
        node('observer', contract=text('contract'), robot=text('robot'), pairing=pairing,
             rate_hz=number('rate'), tool_pose_from=text('tool_pose_from'),
             beat=IfElseSubstitution(is_real, 'episode', 'joint_states')),
    ])
