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

"""Arguments of ``il_ros error-growth``."""

import argparse

from il_ros.cli.arguments.shared import add_robot, add_task, POSITIVE, WHOLE

DESCRIPTION = """\
Measure how mistakes grow with the length of an episode. Theory (Ross and Bagnell, 2010) bounds
them by epsilon T^2 for behavioural cloning (BC) and by epsilon T for DAgger. This command measures
the number of mistakes J(T) on continuing episodes, where each success sets a new goal. It needs no
ROS; all policies get the same seeds.

  il_ros dagger --task push --run endless --continuing --horizon 100
  il_ros error-growth --task push --policy BC=runs/endless/checkpoints/baseline \\
      --policy corrections=runs/endless/checkpoints/round_06

Train on continuing episodes, too: policies that learned from episodes with one goal fail here.
"""

EPILOG = """\
How to read the results: an exponent d log J / d log T of 1 means that mistakes grow as T, of 2 as
T^2. Growth faster than T is shown only by a lower bound above 1. The first policy is the one that
the others are compared with. Episodes are kept under --output; the same command resumes.
"""


def add_error_growth(parser: argparse.ArgumentParser):
    """Add the arguments of ``il_ros error-growth``."""
    parser.description, parser.epilog = DESCRIPTION, EPILOG
    add = parser.add_argument
    add_task(parser, default='push')
    add_robot(parser)
    parser.set_defaults(contract='')
    add('--policy', action='append', required=True, metavar='NAME=POLICY',
        help='Name in the table, and folder of a checkpoint or a run (its newest checkpoint): a '
             'name under runs, or a folder; repeat for each policy')
    add('--episodes', type=POSITIVE, default=300, metavar='N',
        help='Number of episodes of each policy (default: %(default)s)')
    add('--horizon', type=POSITIVE, default=1600, metavar='N',
        help='Number of steps of each episode (default: %(default)s)')
    add('--first-seed', type=POSITIVE, default=1_000_000, metavar='N',
        help='Seed of the first episode; to choose settings, use validation seeds, from 500000 '
             'up (default: %(default)s)')
    add('--expert-episodes', type=POSITIVE, default=20, metavar='N',
        help='Number of expert episodes; epsilon, the mistake rate, is measured on their states, '
             'of which it takes about 3 / epsilon (default: %(default)s)')
    add('--drift-episodes', type=WHOLE, default=50, metavar='N',
        help='Number of episodes (their first 400 steps) on which the drift from the training set '
             'is measured, of each policy whose training set is found; 0: none (default: '
             '%(default)s)')
    _add_output(parser)


def _add_output(parser: argparse.ArgumentParser):
    add = parser.add_argument
    add('--burn-in', type=WHOLE, metavar='N',
        help='Number of first steps that the exponents leave out (default: the steps that the '
             'expert needs for one goal)')
    add('--workers', type=POSITIVE, default=1, metavar='N',
        help='Number of processes that run episodes (default: %(default)s)')
    add('--output', default='runs/compounding', metavar='DIR',
        help='Folder of the episodes and the results (default: %(default)s)')
    add('--json', metavar='FILE',
        help='Write the numbers to this file (default: OUTPUT/compounding.json)')
    add('--report', metavar='FILE',
        help='Write the page to this file (default: OUTPUT/compounding.html)')
    add('--publish', metavar='DIR',
        help='Copy figures, tables and the command line to this folder, e.g. docs/results/endless')
    add('--fresh', action='store_true',
        help='Run all episodes again, including finished ones')
