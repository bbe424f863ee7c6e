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

"""The ``il_ros`` command: its verbs, each imported only when it is asked for."""

import argparse
from collections.abc import Callable, Sequence
import importlib
import os
import sys

from il_ros.errors import CommandError, ImitationError
from il_ros.output import CLOSED, OutputError, sentence_of, standard_output

DESCRIPTION = """\
Teach a robot arm by imitation, and keep teaching it after the first policy fails.

A typical path:
  il_ros demo                                   watch the whole loop once, on a simulated arm
  il_ros dagger --task push --run first         the same loop, by your own settings
  il_ros evaluate --task push --policy first
"""


class Verb:
    """
    A verb of the command.

    :param help_text: one line
    :param arguments: ``module:function`` that adds its arguments to a parser
    :param run: ``module:function`` that does what the arguments say, and returns the exit code
    """

    def __init__(self, help_text: str, arguments: str, run: str):
        self.help_text, self.arguments, self.run = help_text, arguments, run


_ARGUMENTS = 'il_ros.cli.arguments.'
VERBS = {
    'demo': Verb('Run demonstrations, BC, six rounds of DAgger on push, and a report',
                 _ARGUMENTS + 'dagger:add_demo', 'il_ros.cli.dagger:demo'),
    'dagger': Verb('Run DAgger from demonstrations to report',
                   _ARGUMENTS + 'dagger:add_dagger', 'il_ros.cli.dagger:dagger'),
    'record': Verb('Record demonstrations of the expert or a person',
                   _ARGUMENTS + 'episodes:add_record', 'il_ros.cli.run_verbs:record'),
    'view': Verb('Show driver, rates, step, success and labels of a graph, until Ctrl-C',
                 _ARGUMENTS + 'teleop:add_view', 'il_ros.cli.run_verbs:view'),
    'train': Verb('Train a policy on the recorded episodes of a run',
                  _ARGUMENTS + 'episodes:add_train', 'il_ros.cli.train:train'),
    'evaluate': Verb('Measure success on held-out episodes, with its interval',
                     _ARGUMENTS + 'episodes:add_evaluate', 'il_ros.cli.run_verbs:evaluate'),
    'compare': Verb('Compare two policies on the same held-out episodes, until the answer is sure',
                    _ARGUMENTS + 'compare:add_compare', 'il_ros.cli.compare:compare'),
    'error-growth': Verb('Measure how mistakes grow with the length of an episode',
                         _ARGUMENTS + 'error_growth:add_error_growth',
                         'il_ros.experiments.error_growth.command:error_growth'),
    'study': Verb('Compare strategies and BC at the same labels, over tasks and seeds',
                  _ARGUMENTS + 'study:add_study',
                  'il_ros.experiments.label_efficiency.command:study'),
    'dataset': Verb('Inspect and manage recordings: info, verify, repair, merge, split, replay, '
                    'plot, relabel, export',
                    _ARGUMENTS + 'dataset:add_dataset', 'il_ros.cli.dataset_verbs:dataset'),
    'list': Verb('List the tasks, experts, robots, policies or strategies that are installed',
                 _ARGUMENTS + 'plugins:add_list', 'il_ros.cli.plugin_verbs:run'),
    'check': Verb('Check a task, expert, robot, policy or strategy of your own',
                  _ARGUMENTS + 'plugins:add_check', 'il_ros.cli.plugin_verbs:run'),
    'doctor': Verb('Check the installation, this machine and the ROS graph',
                   _ARGUMENTS + 'doctor:add_doctor', 'il_ros.doctor.command:doctor'),
    'contract': Verb("Print a task's contract, to begin a file of your own with",
                     _ARGUMENTS + 'plugins:add_contract', 'il_ros.cli.plugin_verbs:run')}
"""By name, in the order of ``il_ros --help``."""

OLD_NAMES = {'compounding': 'error-growth'}
"""Verbs by the names that they had; these work, but are not shown."""


def make_parser(verb: str | None = None) -> argparse.ArgumentParser:
    """
    Return the parser of the command.

    :param verb: only its arguments are added; None: those of all verbs
    """
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(prog='il_ros', description=DESCRIPTION, formatter_class=raw)
    verbs = parser.add_subparsers(dest='verb', required=True, metavar='VERB')
    for name, one in VERBS.items():
        own = verbs.add_parser(name, help=one.help_text, description=f'{one.help_text}.',
                               formatter_class=raw)
        own.set_defaults(call=name)
        if verb in (None, name):
            _loaded(one.arguments)(own)
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
    args = sys.argv[1:] if args is None else args
    if '_ARGCOMPLETE' in os.environ:
        _complete(make_parser())
    args = [*(OLD_NAMES.get(verb, verb) for verb in args[:1]), *args[1:]]
    parsed = make_parser(args[0] if args else '').parse_args(args)
    _trust_plugins(parsed)
    try:
        _place(parsed)
        _choose_robot(parsed)
        return _loaded(VERBS[parsed.call].run)(parsed)
    except ModuleNotFoundError as error:
        print(f'il_ros: {missing(error)}', file=sys.stderr)
    except OutputError:
        raise
    except (ImitationError, OSError) as error:
        print(f'il_ros: {sentence_of(error)}', file=sys.stderr)
    except KeyboardInterrupt:
        return 130
    return 1


def _trust_plugins(args: argparse.Namespace):
    """Let the plug-ins be imported that the arguments name as ``module:Object``."""
    options = 'task', 'strategy', 'contract', 'robot'
    asked = [*(getattr(args, option, None) for option in options),
             args.name if args.call == 'check' else None, *(getattr(args, 'tasks', None) or ())]
    found = [name for name in asked if name and ':' in name]
    if found:
        from il_ros import plugins
        plugins.trust(*found)


def _place(args: argparse.Namespace):
    """Take ``--run`` for a name under ``--runs``, or for the path of a run's folder."""
    if isinstance(getattr(args, 'run', None), str) and args.call != 'dataset':
        from il_ros.runs.inventory import place_of_run
        runs, args.run = place_of_run(args.runs, args.run)
        args.runs = str(runs)


def _choose_robot(args: argparse.Namespace):
    """Make robot and action space part of the contract's name, which goes wherever that goes."""
    asked = getattr(args, 'robot', ''), getattr(args, 'action_space', '')
    if not any(asked) or not hasattr(args, 'contract'):
        return
    from il_ros.tasks.contracts import contract_name
    if not (args.contract or args.task):
        raise CommandError('--robot or --action-space is given without --task or --contract; a '
                           'run that is resumed has both already')
    args.contract = contract_name(args.contract or args.task, *asked)


def _loaded(target: str) -> Callable:
    """Import and return the function that ``module:name`` means."""
    module, _, name = target.partition(':')
    return getattr(importlib.import_module(module), name)


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
