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

"""Arguments of ``il_ros compare``."""

import argparse

from il_ros.cli.arguments.option_types import number
from il_ros.cli.arguments.shared import add_robot, add_runs, add_task, OPTIONS, POSITIVE, WHOLE

DESCRIPTION = """\
Compare two policies on the same held-out episodes, and stop as soon as the answer is sure. It
needs no ROS.

  il_ros compare first/checkpoints/round_00 first/checkpoints/round_06 --runs runs
  il_ros compare mine yours --smallest-difference 2 --episodes 2000
  il_ros compare runs/first/checkpoints/baseline first --json answer.json

Task and robot are those of the policies. Give --horizon and --options as in their training: an
episode ends by them.
"""

EPILOG = """\
How to read the answer:
  A is better than B         the difference of their success rates is surely above 0
  B is better than A         it is surely below 0
  no difference above 5 %    it surely lies between -5 % and 5 %
  not decided                none of these after --episodes: give more of them

Surely: a comparison gives a wrong answer in at most 5 of 100 cases, although it looks after every
episode. The interval of the difference is valid at whatever episode it stops; those of the two
success rates are not, and are not shown.
"""

_A_AND_B = ('Folder of a checkpoint, or a run (its newest checkpoint): a name under --runs or a '
            'folder')


def add_compare(parser: argparse.ArgumentParser):
    """Add the arguments of ``il_ros compare``."""
    parser.description, parser.epilog = DESCRIPTION, EPILOG
    add = parser.add_argument
    add('a', metavar='A', help=_A_AND_B)
    add('b', metavar='B', help=f'The other policy: {_A_AND_B[0].lower()}{_A_AND_B[1:]}')
    add('--smallest-difference', type=number(0.01, 99.0), default=5.0, metavar='PERCENT',
        help='Smallest difference of the success rates that matters, in %%; a larger one takes '
             'fewer episodes to rule out (default: %(default)s)')
    add('--episodes', type=POSITIVE, default=500, metavar='N',
        help='Number of episodes of each policy after which it ends without an answer (default: '
             '%(default)s)')
    add('--first-seed', type=POSITIVE, default=1_000_000, metavar='N',
        help='Seed of the first episode, 1000000 or more (default: %(default)s)')
    add('--horizon', type=WHOLE, default=0, metavar='N',
        help="Largest number of steps of an episode; 0: the task's own (default: %(default)s)")
    add('--options', default='', metavar='JSON', help=OPTIONS)
    add('--json', metavar='FILE', help='Write the result to this file')
    add_runs(parser)
    add_task(parser, default='')
    add('--contract', default='', metavar='NAME',
        help="Contract file, or name of a task's contract (default: that of each policy)")
    add_robot(parser)
