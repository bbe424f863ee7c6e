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


"""Arguments of ``il_ros dataset``: what can be done with the recordings of a run."""

import argparse

from il_ros.cli.arguments.option_types import number
from il_ros.cli.arguments.shared import add_runs, WHOLE

DESCRIPTION = """\
Inspect and manage the recordings of a run. RUN is a name under --runs or the path of a folder.

  il_ros dataset info RUN          episodes, steps, outcomes, who drove, true rates, flags
  il_ros dataset verify RUN        compare every file with its receipt; name each one that differs
  il_ros dataset repair RUN        repair files left incomplete by a crash; nothing is overwritten
  il_ros dataset merge RUN RUN --output NEW      several runs as one
  il_ros dataset split RUN --by driver           split into filter keys, or into runs
  il_ros dataset replay RUN        repeat the commands in the simulator, compare each state
  il_ros dataset plot RUN          paths, actions beside labels, who drove, disagreement
  il_ros dataset relabel RUN       ask a labelling service about every recorded state
  il_ros dataset export RUN --to lerobot --output DIR     for other tools
"""

REPAIR = """\
Exit code 0: nothing was wrong, or all is repaired; 3: repaired, but something is lost (damaged
files are moved, their intact part is kept as incomplete episodes); 1: something could not
be repaired, and is named.
"""

REPLAY = """\
simulator: the recorded joint commands, in this process; every state is compared bit for bit.
graph: the recorded actions through a graph of its own, in lockstep, with the supervisor's limits.
arm: the same through the graph that is up in this ROS domain, in real time, e.g. that of
ros2 launch il_ros record.launch.py mode:=realtime expert:=false
(no policy node: the recording drives in its place). Bring the arm to where the episode began.
"""


def add_dataset(parser: argparse.ArgumentParser):
    """Add the verbs of ``il_ros dataset``."""
    parser.description = DESCRIPTION
    inner = parser.add_subparsers(dest='dataset_verb', required=True, metavar='VERB')
    _verb(inner, 'info', 'Count what a run holds').add_argument(
        '--json', action='store_true', help='Print JSON')
    _verb(inner, 'verify', 'Compare every file with its receipt')
    _verb(inner, 'repair', 'Repair files left incomplete by a crash', epilog=REPAIR)
    _add_merge(inner)
    _add_split(inner)
    _add_replay(inner)
    _add_plot(inner)
    _add_relabel(inner)
    _add_export(inner)


def _verb(inner, name: str, what: str, several: bool = False, **words) -> argparse.ArgumentParser:
    parser = inner.add_parser(name, help=what, description=f'{what}.', **words)
    parser.add_argument('run', metavar='RUN', nargs='+' if several else None,
                        help="Name of a run under --runs, or the path of a run's folder")
    add_runs(parser)
    return parser


def _add_merge(inner):
    merge = _verb(inner, 'merge', 'Merge several runs of one contract into a new one',
                  several=True)
    merge.add_argument('--output', required=True, metavar='NEW',
                       help='New run: a name under --runs, or a path')
    merge.add_argument('--rename', action='store_true',
                       help='Rename episodes that differ but have one id, to ID-2, ID-3 and so on')
    merge.add_argument('--mix-options', action='store_true',
                       help='Merge also episodes that were recorded with other --options, such '
                            'as bumps or a biased expert')


def _add_split(inner):
    split = _verb(inner, 'split', 'Split a run into filter keys or runs')
    how = split.add_mutually_exclusive_group(required=True)
    how.add_argument('--by', metavar='WHAT',
                     help='Split by round, driver, outcome or purpose')
    how.add_argument('--ratio', type=float, metavar='SHARE',
                     help='Share of train, drawn at random; the rest is valid')
    split.add_argument('--seed', type=WHOLE, default=0, metavar='N',
                       help='Seed of the draw (default: %(default)s)')
    split.add_argument('--into', choices=('keys', 'runs'), default='keys',
                       help='Make filter keys of dataset.hdf5, or runs RUN-PART beside it '
                            '(default: %(default)s)')


def _add_replay(inner):
    replay = _verb(inner, 'replay', 'Replay the episodes in the simulator or on an arm, and '
                   'compare', epilog=REPLAY)
    replay.add_argument('--episodes', type=WHOLE, default=0, metavar='N',
                        help='Largest number of episodes; 0: all (default: %(default)s)')
    replay.add_argument('--episode', action='append', metavar='ID',
                        help='Replay this episode; repeat for others (default: all)')
    replay.add_argument('--through', choices=('simulator', 'graph', 'arm'), default='simulator',
                        help='What carries out the steps (default: %(default)s)')
    replay.add_argument('--output', metavar='NAME',
                        help='Run for the replayed episodes, with graph and arm (default: the '
                             'first that is free of RUN-replay-1, RUN-replay-2, ...)')
    replay.add_argument('--tolerance', type=number(0.0, 1.0), metavar='T',
                        help='Largest distance of any value from where the recording began, in '
                             'its unit, with graph and arm; nothing is sent beyond it (default: '
                             '0.02)')


def _add_plot(inner):
    plot = _verb(inner, 'plot', 'Draw a run, as PNG files and a page')
    plot.add_argument('--output', metavar='DIR', help='Folder of the files (default: RUN/plots)')
    plot.add_argument('--episode', action='append', metavar='ID',
                      help='Draw the actions of this episode; repeat for others (default: the '
                           'first)')
    plot.add_argument('--episodes', type=WHOLE, default=40, metavar='N',
                      help='Largest number of episodes, spread over the run; 0: all (default: '
                           '%(default)s)')


def _add_relabel(inner):
    relabel = _verb(inner, 'relabel', 'Ask a labelling service about every recorded state')
    relabel.add_argument('--expert', action='store_true',
                         help="Start the package's own expert instead of asking one that runs")
    relabel.add_argument('--replace', action='store_true',
                         help='Ask again where later labels exist, too')
    relabel.add_argument('--use', action='store_true',
                         help='Let the labels count in training also where the strategy learns '
                              'only from what the expert or a person drove (corrections, novelty, '
                              'human); existing labels are not asked for again')
    relabel.add_argument('--deadline', type=number(0.1, 3600.0), default=20.0, metavar='S',
                         help='Deadline of each call, 0.1 to 3600 s (default: %(default)s)')


def _add_export(inner):
    export = _verb(inner, 'export', 'Export a run in the format of another tool')
    export.add_argument('--to', required=True, choices=('robomimic', 'lerobot', 'rosbag2'),
                        help='Format: robomimic (HDF5), lerobot (data set v3.0) or rosbag2 (a bag '
                             'for each episode)')
    export.add_argument('--output', required=True, metavar='DIR', help='New folder')
    export.add_argument('--actions', choices=('labels', 'executed'), default='labels',
                        help='Export as actions what the expert wanted, or what was sent to the '
                             'arm; not for rosbag2, which has both (default: %(default)s)')
