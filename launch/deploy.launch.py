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

"""A policy drives the arm in real time, supervised and recorded."""

from il_ros.graph.launching import flag, include, node, text
from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument


def generate_launch_description() -> LaunchDescription:
    """Return what records, in real time and without the expert by default, and the policy."""
    return LaunchDescription([
        DeclareLaunchArgument(
            'mode', default_value='realtime', choices=['lockstep', 'realtime'],
            description='realtime: at the rate, as on an arm; lockstep: to compare with it'),
        DeclareLaunchArgument(
            'expert', default_value='false', choices=['true', 'false'],
            description='start the expert too, to take over by a gate or to label'),
        DeclareLaunchArgument(
            'policy', default_value='',
            description='folder of a checkpoint, or a run (its newest checkpoint), by its name '
                        'under runs or its folder; empty: wait for the service load_policy'),
        include('record.launch.py', beside=__file__),
        node('policy', checkpoint=text('policy'), runs=text('runs'), mode=text('mode'),
             autostart=flag('autostart')),
    ])
