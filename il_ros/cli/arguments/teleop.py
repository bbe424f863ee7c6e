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

"""Arguments for a person who drives, and of ``il_ros view``."""

import argparse

from il_ros.cli.arguments.option_types import number


def add_teleop(parser: argparse.ArgumentParser):
    """Add how a person drives."""
    add = parser.add_argument
    add('--teleop', default='', choices=('joy', 'keyboard'),
        help='Let a person drive, in real time: by a gamepad on the topic joy, or by the keys of '
             'this terminal, with the live view below')
    add('--mapping', default='', metavar='NAME',
        help='Mapping of buttons or keys: a file, or the name of one in config/teleop '
             '(default: xbox for joy, keyboard for keyboard)')
    add('--no-gui', action='store_true',
        help='With --teleop: open no window, even with a display')


def add_view(parser: argparse.ArgumentParser):
    """Add the arguments of ``il_ros view``."""
    parser.add_argument('--period', type=number(0.05, 10.0), default=0.25, metavar='S',
                        help='Time between two pictures, 0.05 to 10 s (default: %(default)s)')
