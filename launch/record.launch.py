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

"""The simulation, the expert that drives it, and what records the episodes."""

from il_ros.nodes.launching import flag, include, node, text
from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument
from launch.conditions import IfCondition
from launch.substitutions import LaunchConfiguration


def generate_launch_description() -> LaunchDescription:
    """Return the simulation, supervisor, expert, recorder and collector."""
    return LaunchDescription([
        include('simulation.launch.py', beside=__file__),
        DeclareLaunchArgument(
            'runs', default_value='runs',
            description='folder of the runs; an episode goes to RUN/episodes/SHARD'),
        DeclareLaunchArgument(
            'shard', default_value='main',
            description="this recorder's own part of every run; one recorder each"),
        DeclareLaunchArgument(
            'autostart', default_value='true', choices=['true', 'false'],
            description='lifecycle nodes configure and activate themselves'),
        DeclareLaunchArgument(
            'expert', default_value='true', choices=['true', 'false'],
            description='start the expert, which drives and labels'),
        node('supervisor', mode=text('mode'), autostart=flag('autostart')),
        node('expert', condition=IfCondition(LaunchConfiguration('expert')), task=text('task'),
             mode=text('mode')),
        node('recorder', runs=text('runs'), shard=text('shard'), autostart=flag('autostart')),
        node('collector'),
    ])
