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

"""Arguments of ``il_ros study``: ways of collecting, compared label by label."""

import argparse

from il_ros.cli.arguments.option_types import completed
from il_ros.cli.arguments.shared import add_budget, add_runs, POSITIVE, WHOLE

DESCRIPTION = """\
Which way of asking an expert buys the most success per label, per step that it drives and per
state that it looks at? Runs every strategy on every task with several training seeds over the
graph, gives behavioural cloning (BC) the same labels at every round and up to four times as many,
lets everybody meet the same held-out resets, and says what reaching 95 % of the expert's success
took.

  il_ros study --quick                            does it run? its figures say little
  il_ros study                                    the documented default (make study)
  il_ros study --tasks push stack --strategies gated --run mine --workers 2
  il_ros study --validation --run choosing        while you still choose settings: other resets
  il_ros study --strategies corrections often=novelty:often.yaml --named often

Name the strategy that your claim is about beforehand (--named), or choose it with --validation.
"""

EPILOG = """\
It lies in RUNS/RUN: a run of il_ros dagger for each task, strategy and seed, demonstrations and
checkpoints of BC, one small file an evaluation, and study.json, study.html and CSV tables at the
end. Ctrl-C or a crash costs little: the same command goes on where it was, and nothing is done
twice. How to read it: a curve has reached the target from its first point that has 95 % of the
expert's success and after which no point's interval lies below that; the ratio to BC counts only
by its interval.
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
    add('--named', metavar='NAME',
        help='Strategy that the verdict is about, named beforehand (default: the first)')
    add('--seeds', nargs='+', type=WHOLE, default=[0, 1, 2], metavar='SEED',
        help='Seeds of the training; intervals need three or more (default: 0 1 2)')
    _add_sizes(parser)
    add('--workers', type=POSITIVE, default=2, metavar='N',
        help='Number of processes side by side, of one thread each (default: %(default)s)')
    add('--run', default='study',
        help='Name of the study, a folder under --runs (default: %(default)s)')
    add_runs(parser)
    add('--publish', metavar='DIR',
        help='Copy figures, tables and how they were made there, e.g. docs/results/push')
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
        help='Evaluate on seeds from 500000 up: choose settings on these, never on the others')
    add('--stretch', type=POSITIVE, default=4, metavar='N',
        help="Largest number of labels of BC, as a multiple of the strategies' last rounds "
             '(default: %(default)s)')
    add('--config', metavar='FILE',
        help="YAML with the keys strategy and training, for all (default: the package's own)")
    add('--horizon', type=WHOLE, default=0, metavar='N',
        help="Largest number of steps of an episode; 0: the task's own (default: %(default)s)")
    add('--options', default='', metavar='JSON', help='Options of the task, e.g. its bumps')
