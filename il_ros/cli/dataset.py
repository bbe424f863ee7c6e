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
from collections.abc import Callable

from il_ros.cli.option_types import number

DESCRIPTION = """\
Look after the recordings of a run. RUN is a name under --runs, or the path of a run's folder.

  il_ros dataset info RUN          episodes, steps, outcomes, who drove, true rates, flags
  il_ros dataset verify RUN        is every file what its receipt says? names each one that is not
  il_ros dataset repair RUN        mend what a crash left; nothing is overwritten
  il_ros dataset merge RUN RUN --output NEW      several runs as one
  il_ros dataset split RUN --by driver           parts as filter keys, or as runs of their own
  il_ros dataset replay RUN        drive the simulator by the recorded commands, compare each state
  il_ros dataset plot RUN          paths, actions beside labels, who drove, disagreement
  il_ros dataset relabel RUN       ask a labelling service about every recorded state
  il_ros dataset export RUN --to lerobot --output DIR     for the tools of others
"""

REPAIR = """\
Exit code 0: nothing was wrong, or all is repaired; 3: repaired, but something is lost (damaged
files are set aside, what is whole of them is kept as incomplete episodes); 1: something could not
be repaired, and is named.
"""

REPLAY = """\
simulator: the recorded joint commands, in this process; every state is compared bit for bit.
graph: the recorded actions through a graph of its own, in lockstep, with the supervisor's limits.
arm: the same through the graph that is up in this ROS domain, in real time, e.g. that of
ros2 launch il_ros record.launch.py mode:=realtime expert:=false
(no policy node: the recording drives in its place). Bring the arm to where the episode began.
"""


def add_dataset(verbs, ratio: Callable[[str], float], whole: Callable[[str], int]):
    """
    Add the verb ``dataset`` with its own verbs.

    :param ratio: reader of a share
    :param whole: reader of a whole number
    """
    parser = verbs.add_parser(
        'dataset', help='look after recordings: info, verify, repair, merge, split, replay, '
                        'plot, relabel, export',
        description=DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.set_defaults(call='dataset')
    inner = parser.add_subparsers(dest='dataset_verb', required=True, metavar='VERB')
    _verb(inner, 'info', 'count what a run holds').add_argument(
        '--json', action='store_true', help='as JSON')
    _verb(inner, 'verify', 'compare every file with its receipt')
    _verb(inner, 'repair', 'mend what a crash left', epilog=REPAIR)
    _add_merge(inner)
    _add_split(inner, ratio, whole)
    _add_replay(inner, whole)
    _add_plot(inner, whole)
    _add_relabel(inner)
    _add_export(inner)


def _verb(inner, name: str, what: str, several: bool = False, **words) -> argparse.ArgumentParser:
    parser = inner.add_parser(name, help=what, description=what.capitalize() + '.', **words)
    parser.add_argument('run', metavar='RUN', nargs='+' if several else None,
                        help='a name under --runs, or a path')
    parser.add_argument('--runs', default='runs', help='folder of the runs (runs)')
    return parser


def _add_merge(inner):
    merge = _verb(inner, 'merge', 'put several runs of one contract into a new one', several=True)
    merge.add_argument('--output', required=True, metavar='NEW',
                       help='the new run: a name under --runs, or a path')
    merge.add_argument('--rename', action='store_true',
                       help='where two runs have other episodes of one id: ID-2, ID-3, ...')
    merge.add_argument('--mix-options', action='store_true',
                       help='merge also episodes that were recorded with other --options, such '
                            'as bumps or a biased expert')


def _add_split(inner, ratio, whole):
    split = _verb(inner, 'split', 'part a run')
    how = split.add_mutually_exclusive_group(required=True)
    how.add_argument('--by', help='round, driver, outcome or purpose')
    how.add_argument('--ratio', type=ratio, help='share of train, by chance; the rest is valid')
    split.add_argument('--seed', type=whole, default=0, help='of the chance (0)')
    split.add_argument('--into', choices=('keys', 'runs'), default='keys',
                       help='filter keys of dataset.hdf5, or runs RUN-PART beside it (keys)')


def _add_replay(inner, whole):
    replay = _verb(inner, 'replay', 'repeat the episodes in the simulator or on an arm, and '
                   'compare', epilog=REPLAY)
    replay.add_argument('--episodes', type=whole, default=0,
                        help='at most this many; 0: all (0)')
    replay.add_argument('--episode', action='append', metavar='ID',
                        help='replay this one; may be repeated; default: all')
    replay.add_argument('--through', choices=('simulator', 'graph', 'arm'), default='simulator',
                        help='what carries out the steps (simulator)')
    replay.add_argument('--output', metavar='NAME',
                        help='run that the replayed episodes become, graph and arm; default: '
                             'RUN-replay-1, RUN-replay-2, ...: the first that is free')
    replay.add_argument('--tolerance', type=number(0.0, 1.0),
                        help='how far any value may be from where the recording began, in its '
                             'unit; else nothing is sent; graph and arm (0.02)')


def _add_plot(inner, whole):
    plot = _verb(inner, 'plot', 'draw a run, as PNG files and a page')
    plot.add_argument('--output', metavar='DIR', help='where to; default: RUN/plots')
    plot.add_argument('--episode', action='append', metavar='ID',
                      help='draw the actions of this one; may be repeated; default: the first')
    plot.add_argument('--episodes', type=whole, default=40,
                      help='draw at most this many, spread over the run; 0: all (40)')


def _add_relabel(inner):
    relabel = _verb(inner, 'relabel', 'ask a labelling service about every recorded state')
    relabel.add_argument('--expert', action='store_true',
                         help="start the package's own expert instead of asking one that runs")
    relabel.add_argument('--replace', action='store_true',
                         help='ask anew also where later labels are there already')
    relabel.add_argument('--use', action='store_true',
                         help='let the labels count in training also where the strategy learns '
                              'only from what the expert or a person drove (corrections, novelty, '
                              'human); labels that are there already are not asked for again')
    relabel.add_argument('--deadline', type=number(0.1, 3600.0), default=20.0,
                         help='of each call, 0.1 to 3600 s (20)')


def _add_export(inner):
    export = _verb(inner, 'export', 'write a run in the format of another tool')
    export.add_argument('--to', required=True, choices=('robomimic', 'lerobot', 'rosbag2'),
                        help='robomimic: HDF5; lerobot: data set v3.0; rosbag2: a bag an episode')
    export.add_argument('--output', required=True, metavar='DIR', help='a new folder')
    export.add_argument('--actions', choices=('labels', 'executed'), default='labels',
                        help='what becomes an action: what the expert wanted, or what was sent '
                             'to the arm; not for rosbag2, which has both (labels)')
