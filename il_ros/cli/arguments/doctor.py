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

"""Arguments of ``il_ros doctor``."""

import argparse

from il_ros.cli.arguments.shared import add_runs


def add_doctor(parser: argparse.ArgumentParser):
    """Add the arguments of ``il_ros doctor``."""
    parser.add_argument(
        '--robot', default='', metavar='NAME',
        help='Check the topics, joints and limits of this robot as well: a name (il_ros list '
             'robots), or a robot file')
    parser.add_argument('--command', default='', metavar='NAME',
                        help="With --robot: message that the arm takes, as the supervisor's "
                             'parameter command, e.g. joint_trajectory (default: joint_state)')
    parser.add_argument('--command-topic', default='', metavar='TOPIC',
                        help='With --robot: topic of these messages (default: that of the '
                             'controller by its usual name)')
    add_runs(parser)
    parser.add_argument('--json', action='store_true', help='Print the findings as JSON')
