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
How the launch files start a node: one process each, with the arguments that all of them share.

Launch files stay declarative; what they would otherwise repeat for every node stands here. Only
they import this module: ``launch`` and ``launch_ros`` come with an installed ROS.
"""

from collections.abc import Iterable
from pathlib import Path

from il_ros.ros.environment import LOCALHOST, RANGE
from launch import Condition, LaunchDescriptionEntity
from launch.actions import DeclareLaunchArgument, EmitEvent, IncludeLaunchDescription
from launch.conditions import UnlessCondition
from launch.events import Shutdown
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import EnvironmentVariable, LaunchConfiguration, PathJoinSubstitution
from launch_ros.actions import Node
from launch_ros.parameter_descriptions import ParameterValue
from launch_ros.substitutions import FindPackageShare

PACKAGE = 'il_ros'
RESPAWN_DELAY_S = 1.0


def process_arguments() -> Iterable[DeclareLaunchArgument]:
    """Return the arguments that concern every process."""
    return (
        DeclareLaunchArgument(
            'namespace', default_value='', description='namespace of every node and topic'),
        DeclareLaunchArgument(
            'params_file',
            default_value=PathJoinSubstitution(
                [FindPackageShare(PACKAGE), 'config', 'params.yaml']),
            description='YAML with the parameters of the nodes, by /**/NODE; arguments win'),
        DeclareLaunchArgument(
            'log_level', default_value='info', choices=['debug', 'info', 'warn', 'error', 'fatal'],
            description='what the nodes log at least'),
        DeclareLaunchArgument(
            'discovery_range',
            default_value=EnvironmentVariable(RANGE, default_value=LOCALHOST),
            description='how far the nodes find others and are found: LOCALHOST (this machine), '
                        'SUBNET, OFF or SYSTEM_DEFAULT; default: what the variable '
                        'ROS_AUTOMATIC_DISCOVERY_RANGE says, or else LOCALHOST'),
        DeclareLaunchArgument(
            'use_respawn', default_value='false', choices=['true', 'false'],
            description='start a process that ended again; otherwise its end ends the launch'))


def node(executable: str, condition: Condition | None = None, **parameters) -> Node:
    """
    Return the action that starts a node in a process of its own.

    Without ``use_respawn`` the end of one process ends the launch: half a graph only looks alive.

    :param executable: as in setup.py; it is the node's name, too
    :param parameters: set on top of the file ``params_file``
    """
    respawn = LaunchConfiguration('use_respawn')
    return Node(
        package=PACKAGE, executable=executable, name=executable, condition=condition,
        namespace=LaunchConfiguration('namespace'), output='screen',
        parameters=[LaunchConfiguration('params_file'), parameters] if parameters
        else [LaunchConfiguration('params_file')],
        additional_env={RANGE: LaunchConfiguration('discovery_range')},
        # Its keys, where SROS 2 is used (docs/how-to/security.md).
        ros_arguments=['--log-level', LaunchConfiguration('log_level'),
                       '--enclave', f'/{PACKAGE}/{executable}'],
        respawn=respawn, respawn_delay=RESPAWN_DELAY_S,
        on_exit=[EmitEvent(event=Shutdown(reason=f'{executable} has ended'),
                           condition=UnlessCondition(respawn))])


def include(name: str, beside: str) -> LaunchDescriptionEntity:
    """
    Return the action that includes a launch file; its arguments keep their names.

    :param name: the file's name
    :param beside: ``__file__`` of the launch file that includes it
    """
    return IncludeLaunchDescription(
        PythonLaunchDescriptionSource(str(Path(beside).with_name(name))))


def text(argument: str) -> ParameterValue:
    """Return the value of an argument as a parameter that is a string, whatever it looks like."""
    return ParameterValue(LaunchConfiguration(argument), value_type=str)


def number(argument: str) -> ParameterValue:
    """Return the value of an argument as a floating-point parameter: ``50`` is ``50.0``."""
    return ParameterValue(LaunchConfiguration(argument), value_type=float)


def whole(argument: str) -> ParameterValue:
    """Return the value of an argument as a whole number."""
    return ParameterValue(LaunchConfiguration(argument), value_type=int)


def flag(argument: str) -> ParameterValue:
    """Return the value of an argument as a parameter that is true or false."""
    return ParameterValue(LaunchConfiguration(argument), value_type=bool)
