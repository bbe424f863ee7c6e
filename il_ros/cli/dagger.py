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

"""``il_ros dagger`` and ``il_ros demo``: DAgger from demonstrations to report."""

import argparse
import json
from pathlib import Path
import shutil

from il_ros.cli.graph_options import graph_options
from il_ros.cli.resuming import OF_GOAL, refuse_existing, resumed_run, with_contract
from il_ros.driving.driving import HUMAN
from il_ros.errors import CommandError
from il_ros.files.folders import require_writable
from il_ros.files.regular import read_text
from il_ros.graph.client import Client, run_command
from il_ros.graph.run_folders import refuse_other_kind, runs_of
from il_ros.interactive.goal import Goal
from il_ros.interactive.stage import PHASES
from il_ros.loop.run_settings import check_goal
from il_ros.progress import Progress
from il_ros.reports.run_report import faults_table, rounds_table, timing_table
from il_ros.ros.dagger.messages import request_of
from il_ros.runs.kept_contract import keep_contract
from il_ros_interfaces.action import RunDagger

DEMO_RUN = 'demo'


def dagger(args: argparse.Namespace, replace: bool = False) -> int:
    """
    Run DAgger and print the table of its results.

    :param replace: remove a run of the same name, once the goal is known to be a good one
    """
    if args.config:
        args.config = str(Path(args.config).absolute())  # resumed from any folder
    if not (args.attach and args.resume):
        args = _asked(args, Path(args.runs) / args.run)
    options = graph_options(args)
    if options is not None and not replace:
        refuse_other_kind(Path(args.runs) / args.run, args, options)
        _refuse_existing(args, Path(args.runs) / args.run)

    async def command(client: Client):
        folder = await runs_of(client, args.runs, args.attach, args.wait) / args.run
        asked = _asked(args, folder) if args.attach else args
        if not replace:
            _refuse_existing(asked, folder)
        if replace:
            shutil.rmtree(folder, ignore_errors=True)
        if options is not None:
            keep_contract(folder, args.contract)
        await _dagger(client, asked, folder)
        _show_summary(folder)
    return run_command(command, options)


def demo(args: argparse.Namespace) -> int:
    """Replace the run ``demo`` and run DAgger on ``push``; a run of another name is kept."""
    return dagger(args, replace=args.run == DEMO_RUN and not args.resume)


def goal_of(args: argparse.Namespace) -> Goal:
    """Return what the coordinator is asked for."""
    fields = {field: getattr(args, option) for option, field in OF_GOAL.items()}
    return Goal(run=args.run, baseline=not args.no_baseline, **fields)


def _refuse_existing(args: argparse.Namespace, folder: Path):
    if not args.resume:
        refuse_existing(folder)


def _asked(args: argparse.Namespace, folder: Path) -> argparse.Namespace:
    """
    Return the arguments, completed by the run that they resume, once nothing is wrong with them.

    :raises ImitationError: with what is wrong
    """
    if args.resume:
        args = resumed_run(args, folder)
    elif not args.task:
        raise CommandError('--task is missing; name one, or --resume a run')
    _check_teleop(args)
    check_goal(goal_of(args), args.resume, run=folder)
    if args.attach:
        return args
    require_writable(folder, CommandError)
    return with_contract(args, folder) if args.resume else args


def _check_teleop(args: argparse.Namespace):
    human = args.strategy == HUMAN
    if human and not args.teleop and not args.attach:
        raise CommandError('--strategy human needs a person: give --teleop joy or keyboard, or '
                           '--attach to a graph that has one')
    if args.teleop and not human:
        raise CommandError(f'--teleop is {args.teleop!r} with --strategy {args.strategy}, where '
                           'no person drives; expected --strategy human')


async def _dagger(client: Client, args: argparse.Namespace, folder: Path):
    with StageProgress(args.rounds, hidden=bool(args.teleop)) as progress:
        await client.dagger(request_of(goal_of(args), args.resume), progress.update)
    if not (folder / 'summary.json').exists():
        raise CommandError(f'{folder} has no summary.json; the graph that runs keeps its runs '
                           'elsewhere, give --runs its folder')


def _show_summary(folder: Path):
    summary = json.loads(read_text(folder / 'summary.json'))
    print(f'\n{rounds_table(summary).text()}\n\n{timing_table(summary).text()}\n')
    if faults := faults_table(summary):
        print(f'Faults\n{faults.text()}\n')
    print(f'{folder / "report.html"} shows it; {folder / "summary.json"} has the numbers.')


class StageProgress:
    """
    Progress of the stage that runs, by the coordinator's feedback.

    :param hidden: the live view has the terminal and says the same
    """

    def __init__(self, rounds: int, hidden: bool = False):
        self._rounds = rounds
        self._hidden = hidden
        self._progress = Progress(hidden=True)
        self._stage: tuple[int, int] | None = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._progress.close()

    def update(self, feedback: RunDagger.Feedback):
        """Show a feedback of the coordinator."""
        stage = (feedback.round, feedback.stage)
        if stage != self._stage:
            self._progress.close()
            self._stage = stage
            self._progress = Progress(
                f'round {feedback.round} of {self._rounds}: {PHASES[feedback.stage]}', 100, '%',
                hidden=self._hidden)
        self._progress.reach(100.0 * feedback.progress)
        words = [f'{feedback.labels} labels']
        if feedback.success_rate >= 0.0:
            words.append(f'last evaluation {100 * feedback.success_rate:.0f} %')
        if feedback.loss >= 0.0:
            words.append(f'loss {feedback.loss:.4f}')
        self._progress.note(', '.join(words))
