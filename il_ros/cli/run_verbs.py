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

"""``il_ros record``, ``evaluate`` and ``view``: verbs that use the graph."""

import argparse
from collections.abc import Sequence
import json
from pathlib import Path
import shutil
import time

from il_ros import hints
from il_ros.cli.graph_options import graph_options
from il_ros.cli.resuming import refuse_recorded, resumed_session, with_contract
from il_ros.contract.episode_spec import DEMONSTRATION, DrivePlan, episode_id, EpisodeSpec
from il_ros.contract.episode_spec import EVALUATION, EXPERT, LABEL_NONE, LARGEST_SEED, POLICY
from il_ros.episodes.receipts import Receipt
from il_ros.errors import CommandError
from il_ros.evaluation.interval import wilson
from il_ros.files.atomic import write_atomically
from il_ros.files.folders import require_place, require_writable
from il_ros.graph.cell import has_cells, run_episodes
from il_ros.graph.client import Client, LOGGING, run_command
from il_ros.graph.graph import contract_of
from il_ros.graph.graph_options import GraphOptions
from il_ros.graph.run_folders import refuse_other_episodes, refuse_other_run, runs_of
from il_ros.interactive.goal import EVALUATION_SEEDS, VALIDATION_SEEDS
from il_ros.interactive.strategy import person_plan
from il_ros.learning import checkpoint
from il_ros.learning.places import find_policy
from il_ros.loop.cells import CellJob
from il_ros.nodes.view import ViewNode
from il_ros.progress import Progress
from il_ros.ros import runtime
from il_ros.runs.kept_contract import keep_contract
from il_ros_interfaces.action import CollectEpisodes

PERSON_HORIZON = 1200
"""Steps that a person has by default: a minute at 20 Hz; the tasks' own suit their experts."""


def record(args: argparse.Namespace) -> int:
    """Record demonstrations of the expert, or of a person."""
    own = Path(args.runs) / args.run
    if not args.resume and not args.task:
        raise CommandError('--task is missing; name one, or --resume a run')
    asked = args
    specs: list[EpisodeSpec] = []
    if not args.attach:
        asked, specs = _session(args, own)
        require_writable(own, CommandError)
    elif not args.resume:
        _specs(args, range(args.seed, args.seed + args.episodes))  # refused now, if at all
    options = graph_options(asked)
    if options is not None:
        refuse_other_run(own, asked, options)
        refuse_recorded(own, [spec.seed for spec in specs])
    if not args.attach and not specs:
        return _say_complete(own)

    async def command(client: Client):
        nonlocal asked, specs
        folder = await runs_of(client, args.runs, args.attach, args.wait) / args.run
        if options is None:
            asked, specs = _session(args, folder)
            refuse_other_run(folder, asked, None)
            refuse_recorded(folder, [spec.seed for spec in specs])
        if not specs:
            _say_complete(folder)
            return
        if options is not None:
            keep_contract(folder, asked.contract)
        receipts = await _collect(client, options, folder, [CellJob(spec) for spec in specs],
                                  'recording', hidden=bool(args.teleop))
        print(_recorded(folder, receipts))
    return run_command(command, options)


def _recorded(folder: Path, receipts: Sequence[Receipt]) -> str:
    """Say what was recorded, and what to do with it: look at it, where nothing succeeded."""
    labels = sum(receipt.labels for receipt in receipts)
    successes = sum(receipt.success for receipt in receipts)
    reached = successes or any(receipt.goals_reached for receipt in receipts)  # continuing
    next_line = hints.train(folder) if reached else hints.plot(folder)
    return (f'{len(receipts)} demonstrations, {labels} labels, {successes} successful, in '
            f'{folder}; next: {next_line}')


def _session(args: argparse.Namespace,
             folder: Path) -> tuple[argparse.Namespace, list[EpisodeSpec]]:
    """
    Return the arguments, completed by the run that they resume, and the episodes to be recorded.

    :raises ImitationError: if one of them cannot be, or the run began otherwise
    """
    if not args.resume:
        return args, _specs(args, range(args.seed, args.seed + args.episodes))
    asked, seeds = resumed_session(args, folder)
    asked = asked if args.attach else with_contract(asked, folder)
    return asked, _specs(asked, seeds)


def _specs(args: argparse.Namespace, seeds: Sequence[int]) -> list[EpisodeSpec]:
    if seeds and seeds[-1] >= VALIDATION_SEEDS:
        raise CommandError(f'--seed is {args.seed} with {args.episodes} episodes; the last seed '
                           f'would be {seeds[-1]}, demonstrations use seeds from 0 to '
                           f'{VALIDATION_SEEDS - 1}')
    horizon, person = args.horizon, args.teleop
    if person:
        horizon = horizon or PERSON_HORIZON
    return [EpisodeSpec(
        episode_id=episode_id(DEMONSTRATION, 0, seed), run=args.run, task=args.task,
        purpose=DEMONSTRATION, seed=seed, horizon=horizon, continuing=args.continuing,
        options=args.options,
        plan=person_plan(args.seed) if person else DrivePlan(driver=EXPERT, seed=args.seed))
        for seed in seeds]


def _say_complete(folder: Path) -> int:
    print(f'{folder} has as many demonstrations already; next: {hints.train(folder)}')
    return 0


def evaluate(args: argparse.Namespace) -> int:
    """Measure the success of a policy, or of the expert, on held-out resets."""
    if args.first_seed < EVALUATION_SEEDS:
        raise CommandError(f'--first-seed is {args.first_seed}; evaluation uses seeds from '
                           f'{EVALUATION_SEEDS} up')
    last = args.first_seed + args.episodes - 1
    if last > LARGEST_SEED:
        raise CommandError(f'--first-seed is {args.first_seed} with {args.episodes} episodes; '
                           f'the last seed would be {last}, expected at most {LARGEST_SEED}')
    if args.json:
        require_place(Path(args.json), '--json', CommandError)
    driver = EXPERT if args.policy == 'expert' else POLICY
    if driver == POLICY:
        args.policy = str(find_policy(Path(args.runs), args.policy))
        print(f'evaluating {args.policy}')
    plan = DrivePlan(driver=driver, labels=LABEL_NONE)
    specs = [EpisodeSpec(
        episode_id=episode_id(EVALUATION, 0, seed), run=args.run, task=args.task,
        purpose=EVALUATION, seed=seed, horizon=args.horizon, continuing=args.continuing,
        options=args.options, plan=plan)
        for seed in range(args.first_seed, args.first_seed + args.episodes)]
    options = graph_options(args)
    if options is not None:
        refuse_other_episodes(Path(args.runs) / args.run)
        require_writable(Path(args.runs) / args.run, CommandError)
        if driver == POLICY:
            checkpoint.check(checkpoint.load(Path(args.policy)), contract_of(options))

    async def command(client: Client):
        folder = await runs_of(client, args.runs, args.attach, args.wait) / args.run
        refuse_other_episodes(folder)
        sha256 = ''
        if driver == POLICY:
            sha256 = await client.load_policy(Path(args.policy))
        shutil.rmtree(folder, ignore_errors=True)
        policy = str(Path(args.policy).resolve()) if driver == POLICY else ''
        receipts = await _collect(
            client, options, folder,
            [CellJob(spec, policy=policy, sha256=sha256) for spec in specs], 'evaluating')
        if driver == POLICY:
            client.require_policy(sha256)
        report = evaluation_report(args, sha256, receipts)
        if args.json:
            write_atomically(Path(args.json), (json.dumps(report, indent=1) + '\n').encode())
        success = report['success']
        print(f'{success["k"]} of {success["n"]} succeed: {100 * success["rate"]:.1f} %, 95 % '
              f'interval {100 * success["low"]:.1f} to {100 * success["high"]:.1f} %')
    return run_command(command, options)


def evaluation_report(args: argparse.Namespace, sha256: str, receipts: list[Receipt]) -> dict:
    """Return what ``evaluate --json`` writes."""
    successes = sum(receipt.success for receipt in receipts)
    return {
        'task': args.task, 'policy': args.policy, 'sha256': sha256,
        'first_seed': args.first_seed,
        'success': wilson(successes, len(receipts)).as_dict(),
        'goals_reached': sum(receipt.goals_reached for receipt in receipts),
        'steps': sum(receipt.steps for receipt in receipts),
        'episodes': [{'seed': r.spec.seed, 'success': r.success, 'steps': r.steps, 'end': r.end,
                      'cause': r.cause, 'goals_reached': r.goals_reached,
                      'content_sha256': r.content_sha256} for r in receipts]}


def view(args: argparse.Namespace) -> int:
    """Show who drives, rates, step, success and labels of a graph, until Ctrl-C."""
    return runtime.run(ViewNode, [*LOGGING, '-p', f'period_s:={args.period}'])


async def _collect(client: Client, options: GraphOptions | None, run: Path,
                   jobs: Sequence[CellJob], what: str, hidden: bool = False) -> list[Receipt]:
    """
    Run and record episodes, and return their receipts in the order of the jobs.

    :param options: of the graph that the command composed; None: it attached to one
    """
    specs = [job.spec for job in jobs]
    with Progress(what, len(specs), 'episode', hidden=hidden) as progress:
        def on_feedback(feedback):
            progress.reach(feedback.finished)
            progress.note(f'{feedback.successes} successful, '
                          f'{feedback.steps_per_s:.0f} steps a second')
        if options is None or not has_cells(options, specs):
            receipts = await client.collect(specs, on_feedback)
        else:
            receipts = []
            tally, started = CollectEpisodes.Feedback(), time.monotonic()

            def on_receipt(receipt: Receipt):
                receipts.append(receipt)
                tally.finished += 1
                tally.steps += receipt.steps
                tally.successes += receipt.success
                tally.steps_per_s = tally.steps / (time.monotonic() - started)
                on_feedback(tally)
            await run_episodes(client, options, run, jobs, on_receipt)
            order = {spec.episode_id: at for at, spec in enumerate(specs)}
            receipts.sort(key=lambda receipt: order[receipt.spec.episode_id])
        progress.reach(len(receipts))
    return receipts
