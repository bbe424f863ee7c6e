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

"""Arguments of ``il_ros bench``."""

import argparse

from il_ros.cli.arguments.shared import add_runs, add_task, WHOLE


def add_bench(parser: argparse.ArgumentParser):
    """Add the arguments of ``il_ros bench``."""
    add = parser.add_argument
    add_task(parser, default='push')
    add_runs(parser, 'Folder of the runs, where bench.json goes')
    add('--quick', action='store_true',
        help='Test that it runs, in a minute; its figures mean nothing')
    add('--only', choices=('loading',),
        help='Measure loading alone, and a training on all that was loaded, with the memory that '
             'each takes; the figures go to bench_loading.json')
    add('--pairs', type=WHOLE, default=0, metavar='N',
        help='Number of recorded steps to load, e.g. 1080000: ten hours at 30 frames a second; '
             '0: 100000 (default: %(default)s)')
