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

"""The ``il_ros`` command: argument parsing only."""

import argparse
from collections.abc import Sequence
import functools
import os
import sys

from il_ros import plugins
from il_ros.cli.dataset import add_dataset
from il_ros.cli.option_types import FLAG, Given, names_of, whole_number
from il_ros.cli.plugin_verbs import add_plugins
from il_ros.cli.study import add_study
from il_ros.cli.teleop import add_view, teleop_arguments
from il_ros.errors import ImitationError
from il_ros.output import CLOSED, OutputError, sentence_of, standard_output

DESCRIPTION = """\
Teach a robot arm by imitation, and keep teaching it after the first policy fails.

A typical path:
  il_ros demo                                   watch the whole loop once, on a simulated arm
  il_ros dagger --task push --run first         the same loop, by your own settings
  il_ros evaluate --task push --policy runs/first/checkpoints/round_06
"""


WHOLE, POSITIVE = whole_number(0), whole_number(1)
TASKS = 'reach, push, pick_place, stack, insert, tower, or one of your own (il_ros list tasks)'
RUN = "name of the run, a folder under --runs, or the path of a run's folder"
POLICY = ("a checkpoint's folder, or a run (its newest checkpoint): a name under --runs, or its "
          "folder; or 'expert'")
STRATEGIES = (
    'dagger (mix by beta), gated (gate, every state labelled), corrections (gate, only what the '
    'expert drove is labelled), novelty (an ensemble asks for the expert), human (a person takes '
    'over and lets go, with --teleop), dart (the expert under fitted noise) or shift '
    '(demonstrations and shifted states) (default: %(default)s)')
OPTIONS = ('of the task, as {"bumps": {"rate": 0.04, "speed": 0.5}}: pushes on object or tool; or '
           'of its expert, as {"expert": {"bias": {"goal_position": [0, 0.03, 0]}}}: it misreads')


def _dagger_arguments(parser: argparse.ArgumentParser, task: str = '', run: str = ''):
    add = functools.partial(parser.add_argument, action=Given)
    add('--task', default=task, help=TASKS).completer = names_of('tasks')
    add('--run', required=not run, default=run, help=RUN)
    add('--strategy', default='corrections',
        help=STRATEGIES).completer = names_of('strategies')
    add('--config', default='',
        help="YAML with the keys strategy and training (default: the package's own)")
    add('--demonstrations', type=POSITIVE, default=10, metavar='N',
        help='expert episodes to begin with (default: %(default)s)')
    add('--rounds', type=WHOLE, default=6, metavar='N',
        help='rounds of rollouts, labels and training (default: %(default)s)')
    add('--episodes-per-round', type=POSITIVE, default=10, metavar='N',
        help='rollouts in each round (default: %(default)s)')
    add('--seed', type=WHOLE, default=0, metavar='N',
        help='seed of all that is drawn (default: %(default)s)')
    add('--evaluation-episodes', type=WHOLE, default=100, metavar='N',
        help='held-out episodes after each round between; 0: none (default: %(default)s)')
    add('--final-evaluation-episodes', type=WHOLE, default=200, metavar='N',
        help='held-out episodes of expert, BC, last round and baseline; 0: none (default: '
             '%(default)s)')
    add('--first-seed', type=POSITIVE, default=1_000_000, metavar='N',
        help='first seed of the held-out episodes, 1000000 or more (default: %(default)s)')
    parser.add_argument('--no-baseline', **FLAG, help='skip BC with the same number of labels')
    parser.add_argument('--resume', action='store_true',
                        help='resume the run; options that are not given are those that it began '
                             'with')
    _episode_arguments(parser)
    teleop_arguments(parser)


def _episode_arguments(parser: argparse.ArgumentParser):
    """Add what episodes of the graph need: their horizon, their options, the graph."""
    parser.add_argument('--horizon', action=Given, type=WHOLE, default=0, metavar='N',
                        help="steps of an episode at most; 0: the task's own (default: "
                             '%(default)s)')
    parser.add_argument('--continuing', **FLAG, help='set a new goal after each success')
    parser.add_argument('--options', action=Given, default='', metavar='JSON', help=OPTIONS)
    add = parser.add_argument
    add('--runs', default='runs', metavar='DIR', help='folder of the runs (default: %(default)s)')
    add('--contract', default='', metavar='NAME',
        help="contract file, or a task's name, as push_image with _image for images (default: "
             "the task's own; il_ros contract TASK prints it)")
    add('--gui', action='store_true', help="open PyBullet's window")
    add('--attach', action='store_true',
        help='use the graph that runs in this ROS domain instead of a new one')


COMPOUNDING = """\
How do mistakes grow with the length of an episode? The lesson bounds them by epsilon T^2 for
behavioural cloning and by epsilon T for DAgger; this measures J(T) on endless episodes, in which
each success brings a new goal. No ROS is needed, and all policies get the same seeds.

  il_ros dagger --task push --run endless --continuing --horizon 100
  il_ros compounding --task push --policy BC=runs/endless/checkpoints/baseline \\
      --policy corrections=runs/endless/checkpoints/round_06

Train on what you measure: policies that learned from episodes with one goal do badly here.
"""

COMPOUNDING_END = """\
How to read it: an exponent d log J / d log T of 1 means that mistakes grow as T, of 2 as T^2; only
a lower bound above 1 shows that they grow faster than T. The others are compared with the first
policy. The episodes are kept under --output: a run that was ended goes on where it was.
"""


def _add_compounding(verbs):
    compounding = verbs.add_parser(
        'compounding', help='how mistakes grow with the length of an episode',
        description=COMPOUNDING, epilog=COMPOUNDING_END,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    add = compounding.add_argument
    add('--task', default='push', help='a task that goes on after a success (push)')
    add('--policy', action='append', required=True, metavar='NAME=POLICY',
        help="name in the table, and a checkpoint's folder or a run (its newest checkpoint): a "
             'name under runs, or its folder; repeat for each policy')
    add('--episodes', type=POSITIVE, default=300, help='of each policy (300)')
    add('--horizon', type=POSITIVE, default=1600, help='steps of an episode (1600)')
    add('--first-seed', type=POSITIVE, default=1_000_000,
        help='first seed (1,000,000); while you still choose, use validation seeds: 500,000 up')
    add('--expert-episodes', type=POSITIVE, default=20,
        help='episodes of the expert, on whose states epsilon is measured (20); it takes '
             '3 / epsilon states to be seen')
    add('--drift-episodes', type=WHOLE, default=50,
        help='of each policy whose training set is found, to see how far it drifts from that '
             '(50, their first 400 steps); 0: none')
    add('--burn-in', type=WHOLE, help='steps at the start that the exponents leave out; default: '
                                      'what the expert takes for one goal')
    add('--workers', type=POSITIVE, default=1, help='processes that run episodes (1)')
    add('--output', default='runs/compounding',
        help='folder of the episodes and the results (runs/compounding)')
    add('--json', metavar='OUT', help='the numbers; default: OUTPUT/compounding.json')
    add('--report', metavar='OUT', help='the page; default: OUTPUT/compounding.html')
    add('--publish', metavar='FOLDER',
        help='copy figures, tables and how they were made there, e.g. docs/results/endless')
    add('--fresh', action='store_true',
        help='run all episodes anew, also those that are there already')
    compounding.set_defaults(call='compounding')


def _add_record(verbs):
    record = verbs.add_parser('record', help='record demonstrations of the expert or a person')
    task = record.add_argument('--task', action=Given, default='', help=TASKS)
    task.completer = names_of('tasks')
    record.add_argument('--run', required=True, help=RUN)
    record.add_argument('--episodes', type=POSITIVE, default=10, metavar='N',
                        help='number of demonstrations (default: %(default)s)')
    record.add_argument('--seed', action=Given, type=WHOLE, default=0, metavar='N',
                        help='seed of the first demonstration (default: %(default)s)')
    record.add_argument('--resume', action='store_true',
                        help='complete the run to the number of demonstrations; options that are '
                             'not given are those that it began with')
    record.add_argument('--stream', action='append', default=[], metavar='TOPIC:TYPE',
                        help='a topic of others to record in full beside each episode, e.g. '
                             'camera/image_raw:sensor_msgs/msg/Image; once for each; '
                             ':best_effort behind it where nothing better is offered')
    record.add_argument('--require-streams', action='store_true',
                        help='refuse an episode in which a --stream brings nothing; default: '
                             'name it after the first one, and go on')
    teleop_arguments(record)
    _episode_arguments(record)
    record.set_defaults(call='record')


def make_parser() -> argparse.ArgumentParser:
    """Return the parser of the whole command."""
    parser = argparse.ArgumentParser(
        prog='il_ros', description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    verbs = parser.add_subparsers(dest='verb', required=True, metavar='VERB')

    demo = verbs.add_parser(
        'demo', help='demonstrations, BC, six rounds of DAgger on push, and a report')
    _dagger_arguments(demo, task='push', run='demo')
    demo.set_defaults(call='demo', horizon=80)

    dagger = verbs.add_parser('dagger', help='run DAgger from demonstrations to report')
    _dagger_arguments(dagger)
    dagger.set_defaults(call='dagger')

    _add_record(verbs)
    add_view(verbs)

    train = verbs.add_parser('train', help='clone the recorded episodes of a run')
    train.add_argument('--run', required=True, help=RUN)
    train.add_argument('--runs', default='runs', help='folder of the runs (runs)')
    train.add_argument('--filter-key', default='',
                       help='part of the data set, e.g. round_3; default: all episodes')
    train.add_argument('--config', help="training YAML; default: the package's for the task")
    train.add_argument('--output', help='folder of the checkpoint; default: RUN/checkpoints/bc')
    train.add_argument('--overwrite', action='store_true',
                       help='replace the checkpoint that is there, if no result speaks of it')
    train.add_argument('--seed', type=WHOLE, default=0, help='of weights and batches (0)')
    train.set_defaults(call='train')

    evaluate = verbs.add_parser('evaluate', help='success on held-out resets, with interval')
    task = evaluate.add_argument('--task', required=True, help=TASKS)
    task.completer = names_of('tasks')
    evaluate.add_argument('--policy', required=True, metavar='POLICY', help=POLICY)
    evaluate.add_argument('--episodes', type=POSITIVE, default=100, help='how many (100)')
    evaluate.add_argument('--first-seed', type=POSITIVE, default=1_000_000,
                          help='first seed, 1,000,000 or more')
    evaluate.add_argument('--json', metavar='OUT', help='write the result here, too')
    evaluate.add_argument('--run', default='evaluation',
                          help='where the episodes go; replaced (evaluation)')
    _episode_arguments(evaluate)
    evaluate.set_defaults(call='evaluate')
    _add_compounding(verbs)
    add_study(verbs, WHOLE, POSITIVE)
    add_dataset(verbs, float, WHOLE)
    add_plugins(verbs)
    return parser


def main(args: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    try:
        with standard_output():
            return _run(args)
    except OutputError as error:
        if error.is_closed:
            return CLOSED
        print(f'il_ros: {error}', file=sys.stderr)
    return 1


def _run(args: Sequence[str] | None) -> int:
    parser = make_parser()
    if '_ARGCOMPLETE' in os.environ:
        _complete(parser)
    words = parser.parse_args(args)
    plugins.trust(*_plugins_of(words))
    if isinstance(getattr(words, 'run', None), str) and words.call != 'dataset':
        from il_ros.runs.inventory import place_of_run
        runs, words.run = place_of_run(words.runs, words.run)
        words.runs = str(runs)
    # Imported here: --help and bad words are answered at once, and a missing part by one line.
    try:
        if words.call == 'train':
            from il_ros.cli.train import train
            call = train
        elif words.call == 'compounding':
            from il_ros.experiments.error_growth.command import compounding
            call = compounding
        elif words.call == 'study':
            from il_ros.experiments.label_efficiency.command import study
            call = study
        elif words.call == 'dataset':
            from il_ros.cli.dataset_verbs import dataset
            call = dataset
        elif words.call in ('list', 'check', 'contract'):
            from il_ros.cli.plugin_verbs import run
            call = run
        elif words.call in ('dagger', 'demo'):
            from il_ros.cli import dagger
            call = getattr(dagger, words.call)
        else:
            from il_ros.cli import run_verbs
            call = getattr(run_verbs, words.call)
        return call(words)
    except ModuleNotFoundError as error:
        print(f'il_ros: {missing(error)}', file=sys.stderr)
    except OutputError:
        raise
    except (ImitationError, OSError) as error:
        print(f'il_ros: {sentence_of(error)}', file=sys.stderr)
    except KeyboardInterrupt:
        return 130
    return 1


def _plugins_of(words: argparse.Namespace) -> list[str]:
    """Return the plug-ins that a command line asks for."""
    asked = [getattr(words, 'task', None), getattr(words, 'strategy', None),
             words.name if words.call == 'check' else None, *(getattr(words, 'tasks', None) or ())]
    return [name for name in asked if name]


def _complete(parser: argparse.ArgumentParser):
    """Answer the shell that asks what may come next, and end; without argcomplete: go on."""
    try:
        import argcomplete
    except ModuleNotFoundError:
        return
    argcomplete.autocomplete(parser)


def missing(error: ModuleNotFoundError) -> str:
    """Return one sentence on a missing package and what to do."""
    name = error.name or str(error)
    if name.startswith('il_ros_interfaces'):
        return ('the package il_ros_interfaces is not built; run make setup, or in a workspace '
                'link it beside il_ros and run colcon build')
    if name == 'rclpy':
        return 'rclpy is not installed; run make setup, or source your ROS 2 workspace'
    return f'{name} is not installed; run make setup'


if __name__ == '__main__':
    sys.exit(main())
