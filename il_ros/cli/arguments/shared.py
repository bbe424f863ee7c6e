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

"""Arguments that several verbs have."""

import argparse
from collections.abc import Callable

from il_ros.cli.arguments.option_types import completed, FLAG, Given, number, whole_number

WHOLE, POSITIVE = whole_number(0), whole_number(1)
RUN = "Name of the run, a folder under --runs, or the path of a run's folder"
POLICY = ('Folder of a checkpoint, or a run (its newest checkpoint): a name under --runs or a '
          "folder; or 'expert'")
OPTIONS = ('Options of the task, e.g. {"bumps": {"rate": 0.04, "speed": 0.5}} to push object or '
           'tool at random, or of its expert, e.g. {"expert": {"bias": {"goal_position": '
           '[0, 0.03, 0]}}} to let it misread a feature')


def add_task(parser: argparse.ArgumentParser, **how):
    """Add ``--task``; the shell completes the names that are installed."""
    notes = {'': ' (required without --resume)', None: ''}
    completed(parser.add_argument(
        '--task', help='Name of the task: reach, push, pick_place, stack, insert, tower, lay, or '
        'one of your own (il_ros list tasks)'
        + notes.get(how.get('default'), ' (default: %(default)s)'), **how), 'tasks')


def add_runs(parser: argparse.ArgumentParser, what: str = 'Folder of the runs'):
    """Add ``--runs``."""
    parser.add_argument('--runs', default='runs', metavar='DIR',
                        help=f'{what} (default: %(default)s)')


def add_budget(add: Callable, rounds: Callable):
    """
    Add what is collected: demonstrations, rounds, rollouts in each.

    :param add: ``add_argument`` of a parser
    :param rounds: type of ``--rounds``
    """
    add('--demonstrations', type=POSITIVE, default=10, metavar='N',
        help='Number of demonstrations to begin with (default: %(default)s)')
    add('--rounds', type=rounds, default=6, metavar='N',
        help='Number of rounds of rollouts, labels and training (default: %(default)s)')
    add('--episodes-per-round', type=POSITIVE, default=10, metavar='N',
        help='Number of rollouts in each round (default: %(default)s)')


def add_robot(parser: argparse.ArgumentParser):
    """Add the robot on which a task is done, and how it is commanded."""
    parser.add_argument('--robot', default='', metavar='NAME',
                        help='Robot: a name (il_ros list robots), or a robot file (default: the '
                             "contract's)")
    parser.add_argument('--action-space', default='', metavar='SPACE',
                        help='Action space: tool_velocity, tool_delta, joint_velocity, '
                             "joint_delta or joint_position (default: the contract's)")


def add_episodes(parser: argparse.ArgumentParser):
    """Add what episodes of the graph need: their horizon and options, and the graph itself."""
    parser.add_argument('--horizon', action=Given, type=WHOLE, default=0, metavar='N',
                        help="Largest number of steps of an episode; 0: the task's own (default: "
                             '%(default)s)')
    parser.add_argument('--continuing', **FLAG, help='Set a new goal after each success')
    parser.add_argument('--options', action=Given, default='', metavar='JSON', help=OPTIONS)
    add_runs(parser)
    parser.add_argument('--contract', default='', metavar='NAME',
                        help='Contract file, or name of a task, with _image for camera images, '
                             "e.g. push_image (default: the task's own; il_ros contract TASK "
                             'prints it)')
    add_robot(parser)
    parser.add_argument('--gui', action='store_true', help="Open PyBullet's window")
    parser.add_argument('--attach', action='store_true',
                        help='Use the graph that runs in this ROS domain instead of a new one')
    parser.add_argument('--wait', type=number(0.0, 3600.0), default=0.0, metavar='S',
                        help='With --attach: wait so many seconds for a graph that is still '
                             'starting (default: %(default)s)')


def add_workers(parser: argparse.ArgumentParser, evaluates: bool = False):
    """
    Add on how many simulated arms episodes are run.

    :param evaluates: some of them measure a policy
    """
    parser.add_argument('--workers', type=POSITIVE, default=None, metavar='N',
                        help='Number of simulated arms, each in a process of its own; the '
                             'episodes are the same for any number (default: as many as cores; 1 '
                             'with a window or a person)')
    parser.add_argument('--cluster', default=None, metavar='ADDRESS',
                        help='Run episodes on a Ray cluster, too, without ROS: its address, or '
                             "auto for the one on this machine (pip install 'il_ros[cluster]')")
    if evaluates:
        parser.add_argument('--evaluate-over', choices=('process', 'graph'), default=None,
                            help='How evaluation episodes are run: without ROS (process), the '
                                 'first ones over the graph as well and compared, or all over '
                                 'the graph (default: process; graph with a window or a person)')
