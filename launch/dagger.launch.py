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

"""The whole DAgger loop: what records, the policy, the trainer and the coordinator."""

from il_ros.graph.launching import flag, include, node, text
from launch import LaunchDescription


def generate_launch_description() -> LaunchDescription:
    """Return every node; the coordinator waits for the action ``run_dagger``."""
    return LaunchDescription([
        include('record.launch.py', beside=__file__),
        node('policy', runs=text('runs'), mode=text('mode'), autostart=flag('autostart')),
        node('trainer', runs=text('runs')),
        node('coordinator', runs=text('runs')),
    ])
