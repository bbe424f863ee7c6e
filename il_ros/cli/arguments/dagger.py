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

"""Arguments of ``il_ros dagger`` and ``il_ros demo``."""

import argparse
import functools

from il_ros.cli.arguments.option_types import completed, FLAG, Given
from il_ros.cli.arguments.shared import add_budget, add_episodes, add_task, add_workers, POSITIVE
from il_ros.cli.arguments.shared import RUN, WHOLE
from il_ros.cli.arguments.teleop import add_teleop

STRATEGIES = (
    'Strategy: dagger (mix by beta), gated (gate, every state labelled), corrections (gate, only '
    'what the expert drove is labelled), novelty (an ensemble asks for the expert), human (a '
    'person takes over and returns control, with --teleop), dart (the expert under fitted noise), '
    'shift (demonstrations and shifted states), or one of your own (il_ros list strategies) '
    '(default: %(default)s)')


def add_demo(parser: argparse.ArgumentParser):
    """Add the arguments of ``il_ros demo``."""
    _add(parser, task='push', run='demo')
    parser.set_defaults(horizon=80)


def add_dagger(parser: argparse.ArgumentParser):
    """Add the arguments of ``il_ros dagger``."""
    _add(parser)


def _add(parser: argparse.ArgumentParser, task: str = '', run: str = ''):
    add = functools.partial(parser.add_argument, action=Given)
    add_task(parser, action=Given, default=task)
    add('--run', required=not run, default=run, metavar='RUN',
        help=f'{RUN} (default: %(default)s)' if run else RUN)
    completed(add('--strategy', default='corrections', help=STRATEGIES), 'strategies')
    add('--config', default='', metavar='FILE',
        help="YAML with the keys strategy and training (default: the package's own)")
    add_budget(add, WHOLE)
    add('--seed', type=WHOLE, default=0, metavar='N',
        help='Random seed (default: %(default)s)')
    _add_evaluation(parser)
    parser.add_argument('--resume', action='store_true',
                        help='Resume the run; options that are not given are those that it began '
                             'with')
    add_episodes(parser)
    add_workers(parser, evaluates=True)
    add_teleop(parser)


def _add_evaluation(parser: argparse.ArgumentParser):
    add = functools.partial(parser.add_argument, action=Given, metavar='N')
    add('--evaluation-episodes', type=WHOLE, default=100,
        help='Number of held-out episodes after each round but the last; 0: none (default: '
             '%(default)s)')
    add('--final-evaluation-episodes', type=WHOLE, default=200,
        help='Number of held-out episodes of expert, BC, last round and baseline; 0: none '
             '(default: %(default)s)')
    add('--first-seed', type=POSITIVE, default=1_000_000,
        help='Seed of the first held-out episode, 1000000 or more (default: %(default)s)')
    add('--evaluate', choices=('fixed', 'sequential'), default='fixed', metavar='HOW',
        help='How the rounds between are evaluated: fixed, on --evaluation-episodes; or '
             'sequential, beside the round before on the same episodes, at most so many, until '
             'it is sure whether the policy has become better (default: %(default)s)')
    parser.add_argument('--no-baseline', **FLAG, help='Skip BC with the same number of labels')
    parser.add_argument('--keep-better', **FLAG,
                        help='Keep a policy loaded where that of the next round succeeds in fewer '
                             'held-out episodes (default: load each new one)')
