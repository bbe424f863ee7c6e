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

"""Arguments of ``il_ros study``: strategies, compared at the same number of labels."""

import argparse

from il_ros.cli.arguments.option_types import completed
from il_ros.cli.arguments.shared import add_budget, add_robot, add_runs, POSITIVE, WHOLE

DESCRIPTION = """\
Compare strategies: success per label, per step driven by the expert and per query. Each strategy
runs on each task with several training seeds, in simulation. Behavioural cloning (BC) gets the
same number of labels at each round, and up to four times as many. All policies are evaluated on
the same held-out episodes. The result is the cost of reaching 95 % of the expert's success, with
an interval over the training seeds.

  il_ros study --quick                            smoke test; its numbers mean little
  il_ros study                                    as documented (make study)
  il_ros study --tasks push stack --strategies gated --run mine --workers 2
  il_ros study --validation --run choosing        to choose settings: validation episodes
  il_ros study --strategies corrections often=novelty:often.yaml --primary often

Choose the strategy of your conclusion beforehand (--primary), or with --validation.
"""

EPILOG = """\
The folder RUNS/RUN contains a run of il_ros dagger for each task, strategy and seed,
demonstrations and checkpoints of BC, one small file for each evaluation, and at the end
study.json, study.html and CSV tables. After Ctrl-C or a crash the same command resumes; nothing
is done twice. How to read the results: a curve reaches the target at its first point with 95 % of
the expert's success, if no later point's interval lies below that; judge the ratio to BC by its
interval.
"""

STRATEGIES = ('corrections', 'gated', 'novelty', 'dagger', 'dart', 'shift')


def add_study(parser: argparse.ArgumentParser):
    """Add the arguments of ``il_ros study``."""
    parser.description, parser.epilog = DESCRIPTION, EPILOG
    add = parser.add_argument
    completed(add('--tasks', nargs='+', default=['push'], metavar='TASK',
                  help='Names of the tasks (default: push)'), 'tasks')
    completed(add('--strategies', nargs='+', default=list(STRATEGIES), metavar='STRATEGY',
                  help='Strategies to compare: name, module:Object or NAME=STRATEGY:CONFIG.yaml '
                       f'(default: {" ".join(STRATEGIES)})'), 'strategies')
    add('--primary', metavar='NAME',
        help='Strategy that the conclusion is about, chosen beforehand (default: the first)')
    add('--named', dest='primary', default=argparse.SUPPRESS, help=argparse.SUPPRESS)
    add('--seeds', nargs='+', type=WHOLE, metavar='SEED',
        help='Seeds of the training, six or more for intervals that hold; with one or two there '
             'is no interval (default: those of the study that is resumed, else 0 to 9)')
    _add_sizes(parser)
    add('--workers', type=POSITIVE, metavar='N',
        help='Number of parallel processes, one thread each (default: as many as cores)')
    add('--over', choices=('process', 'graph'), default='process',
        help='Run the episodes without ROS, or over the graph, which is slower; the results are '
             'the same (default: %(default)s)')
    add('--run', default='study',
        help='Name of the study, a folder under --runs (default: %(default)s)')
    add_runs(parser)
    add('--publish', metavar='DIR',
        help='Copy figures, tables and the command line to this folder, e.g. docs/results/push')
    add('--quick', action='store_true',
        help='Use at most one task, two strategies, two seeds, four rounds and 60 episodes')


def _add_sizes(parser: argparse.ArgumentParser):
    add = parser.add_argument
    add_budget(add, POSITIVE)
    add('--episodes', type=POSITIVE, default=200, metavar='N',
        help='Number of held-out episodes of each policy (default: %(default)s)')
    add('--first-seed', type=POSITIVE, metavar='N',
        help='Seed of the first held-out episode (default: 1000000; with --validation 505000)')
    add('--validation', action='store_true',
        help='Evaluate on validation seeds, from 500000 up; choose settings on these alone')
    add('--bc-label-factor', type=POSITIVE, default=4, metavar='N',
        help="Largest number of labels of BC, as a multiple of the strategies' last rounds "
             '(default: %(default)s)')
    add('--stretch', dest='bc_label_factor', type=POSITIVE, default=argparse.SUPPRESS,
        help=argparse.SUPPRESS)
    add('--config', metavar='FILE',
        help="YAML with the keys strategy and training, for all (default: the package's own)")
    add('--horizon', type=WHOLE, default=0, metavar='N',
        help="Largest number of steps of an episode; 0: the task's own (default: %(default)s)")
    add('--options', default='', metavar='JSON', help='Options of the task, as in il_ros record')
    add_robot(parser)
