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

"""Arguments of ``il_ros record``, ``train`` and ``evaluate``."""

import argparse

from il_ros.cli.arguments.option_types import Given
from il_ros.cli.arguments.shared import add_episodes, add_runs, add_task, POLICY, POSITIVE, RUN
from il_ros.cli.arguments.shared import add_workers, WHOLE
from il_ros.cli.arguments.teleop import add_teleop


def add_record(parser: argparse.ArgumentParser):
    """Add the arguments of ``il_ros record``."""
    add = parser.add_argument
    add_task(parser, action=Given, default='')
    add('--run', required=True, help=RUN)
    add('--episodes', type=POSITIVE, default=10, metavar='N',
        help='Number of demonstrations (default: %(default)s)')
    add('--seed', action=Given, type=WHOLE, default=0, metavar='N',
        help='Seed of the first demonstration (default: %(default)s)')
    add('--resume', action='store_true',
        help='Complete the run to the number of demonstrations; options that are not given are '
             'those that it began with')
    add('--stream', action='append', default=[], metavar='TOPIC:TYPE',
        help='Record an additional topic in full beside each episode, e.g. '
             'camera/image_raw:sensor_msgs/msg/Image; append :best_effort if the publisher is '
             'best effort; repeat for each topic')
    add('--require-streams', action='store_true',
        help='Refuse an episode in which a --stream has no message (default: warn once, '
             'and continue)')
    add_teleop(parser)
    add_episodes(parser)
    add_workers(parser)


def add_train(parser: argparse.ArgumentParser):
    """Add the arguments of ``il_ros train``."""
    add = parser.add_argument
    add('--run', required=True, help=RUN)
    add_runs(parser)
    add('--filter-key', default='', metavar='KEY',
        help='Part of the data set, e.g. round_3 (default: all episodes)')
    add('--config', metavar='FILE', help="Training YAML (default: the package's for the task)")
    add('--output', metavar='DIR',
        help='Folder of the checkpoint, in a folder that exists (default: RUN/checkpoints/bc)')
    add('--overwrite', action='store_true',
        help='Replace the existing checkpoint, if no result refers to it')
    add('--seed', type=WHOLE, default=0, metavar='N',
        help='Seed of weights and batches (default: %(default)s)')
    add('--processes', type=POSITIVE, default=1, metavar='K',
        help='Number of processes that share each batch (default: %(default)s)')
    add('--device', default='', metavar='DEVICE',
        help='Device: auto (a GPU if there is one), cpu, cuda or cuda:N (default: as the training '
             'YAML says, else auto)')


def add_evaluate(parser: argparse.ArgumentParser):
    """Add the arguments of ``il_ros evaluate``."""
    add = parser.add_argument
    add_task(parser, required=True)
    add('--policy', required=True, metavar='POLICY', help=POLICY)
    add('--episodes', type=POSITIVE, default=100, metavar='N',
        help='Number of held-out episodes (default: %(default)s)')
    add('--first-seed', type=POSITIVE, default=1_000_000, metavar='N',
        help='Seed of the first episode, 1000000 or more (default: %(default)s)')
    add('--json', metavar='FILE', help='Write the result to this file')
    add('--run', default='evaluation',
        help='Run that the episodes go to; an earlier evaluation there is replaced (default: '
             '%(default)s)')
    add_episodes(parser)
    add_workers(parser, evaluates=True)
