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
from collections.abc import Callable

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


def add_study(verbs, whole: Callable[[str], int], positive: Callable[[str], int]):
    """
    Add the verb ``study``.

    :param whole: reader of a whole number
    :param positive: reader of one that is not 0
    """
    study = verbs.add_parser(
        'study', help='strategies and BC compared at the same labels, over tasks and seeds',
        description=DESCRIPTION, epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    add = study.add_argument
    add('--tasks', nargs='+', default=['push'], metavar='TASK', help='which tasks (push)')
    add('--strategies', nargs='+', default=list(STRATEGIES), metavar='STRATEGY',
        help=f'a strategy or module:Object, or NAME=STRATEGY:CONFIG.yaml ({" ".join(STRATEGIES)})')
    add('--named', metavar='NAME',
        help='the one that the verdict is about, named beforehand; default: the first')
    add('--seeds', nargs='+', type=whole, default=[0, 1, 2], metavar='SEED',
        help='of the training; intervals need three or more (0 1 2)')
    _add_sizes(add, whole, positive)
    add('--workers', type=positive, default=2, help='processes side by side, a thread each (2)')
    add('--run', default='study', help='name of the study, a folder under --runs (study)')
    add('--runs', default='runs', help='folder of the runs (runs)')
    add('--publish', metavar='FOLDER',
        help='copy figures, tables and how they were made there, e.g. docs/results/push')
    add('--quick', action='store_true',
        help='at most one task, two strategies, two seeds, four rounds and 60 resets')
    study.set_defaults(call='study')


def _add_sizes(add: Callable, whole: Callable[[str], int], positive: Callable[[str], int]):
    add('--demonstrations', type=positive, default=10, help='of the expert, to begin with (10)')
    add('--rounds', type=positive, default=6, help='fixed beforehand (6)')
    add('--episodes-per-round', type=positive, default=10, help='rollouts a round (10)')
    add('--episodes', type=positive, default=200, help='held-out resets of everybody (200)')
    add('--first-seed', type=positive,
        help='first seed of the resets (1,000,000; with --validation 505,000)')
    add('--validation', action='store_true',
        help='resets from 500,000 up: choose settings on these, never on the others')
    add('--stretch', type=positive, default=4,
        help="BC gets up to so many times the labels of the strategies' last rounds (4)")
    add('--config',
        help="YAML with the keys strategy and training for all; default: the package's own")
    add('--horizon', type=whole, default=0, help="steps an episode may take; 0: the task's own")
    add('--options', default='', metavar='JSON', help='of the task, e.g. its bumps')
