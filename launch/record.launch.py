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

"""The simulation, the expert or the person that drives it, and what records the episodes."""

from il_ros.graph.launching import flag, include, node, text
from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument
from launch.conditions import IfCondition
from launch.substitutions import EqualsSubstitution, IfElseSubstitution, LaunchConfiguration
from launch.substitutions import NotEqualsSubstitution
from launch_ros.parameter_descriptions import ParameterValue


def generate_launch_description() -> LaunchDescription:
    """Return the simulation, supervisor, expert, recorder and collector; teleop, if asked for."""
    by_hand = NotEqualsSubstitution(LaunchConfiguration('teleop'), 'none')
    is_real = EqualsSubstitution(LaunchConfiguration('arm'), 'real')
    realtime = NotEqualsSubstitution(LaunchConfiguration('mode'), 'lockstep')
    return LaunchDescription([
        include('simulation.launch.py', beside=__file__),
        DeclareLaunchArgument(
            'runs', default_value='runs',
            description='folder of the runs; an episode goes to RUN/episodes/SHARD'),
        DeclareLaunchArgument(
            'shard', default_value='main',
            description="this recorder's own part of every run; one recorder each"),
        DeclareLaunchArgument(
            'streams', default_value='',
            description='additional topics to record in full beside each episode, '
                        'TOPIC:TYPE[:best_effort],..., e.g. '
                        'camera/image_raw:sensor_msgs/msg/Image'),
        DeclareLaunchArgument(
            'autostart', default_value='true', choices=['true', 'false'],
            description='lifecycle nodes configure and activate themselves'),
        DeclareLaunchArgument(
            'expert', default_value=IfElseSubstitution(is_real, 'false', 'true'),
            choices=['true', 'false'],
            description='start the expert, which drives and labels; default: not for a real arm'),
        DeclareLaunchArgument(
            'teleop', default_value='none', choices=['none', 'joy', 'keyboard'],
            description='a person drives, too, in mode:=realtime, and starts the episodes: by '
                        'the topic joy, or by the keys of this terminal'),
        DeclareLaunchArgument(
            'go_home', default_value=is_real, choices=['true', 'false'],
            description='the arm moves home after each episode; default: true for a real arm'),
        DeclareLaunchArgument(
            'mapping', default_value='',
            description='what buttons or keys mean: a file, or the name of one in config/teleop; '
                        'empty: xbox or keyboard'),
        node('supervisor', robot=text('robot'), mode=text('mode'), autostart=flag('autostart'),
             go_home=flag('go_home')),
        node('expert', condition=IfCondition(LaunchConfiguration('expert')), task=text('task'),
             robot=text('robot'), mode=text('mode')),
        node('recorder', runs=text('runs'), shard=text('shard'), autostart=flag('autostart'),
             streams=text('streams')),
        node('teleop', condition=IfCondition(by_hand), device=text('teleop'), mode=text('mode'),
             mapping=text('mapping'), terminal='/dev/tty'),
        node('collector', operator_start=ParameterValue(by_hand, value_type=bool),
             always_start=ParameterValue(is_real, value_type=bool),
             stop_on_fault=ParameterValue(realtime, value_type=bool)),
    ])
