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

"""What the ``il_ros`` verbs that need the graph do."""

import argparse
import json
import os
from pathlib import Path
import shutil

from il_ros import hints
from il_ros.contract.episode_spec import DEMONSTRATION, DrivePlan, episode_id, EpisodeSpec
from il_ros.contract.episode_spec import EVALUATION, EXPERT, LABEL_NONE, LARGEST_SEED, POLICY
from il_ros.driving.driving import HUMAN
from il_ros.episodes.receipts import Receipt
from il_ros.evaluation.interval import wilson
from il_ros.files.atomic import write_atomically
from il_ros.files.regular import read_text
from il_ros.graph.client import Client, LOGGING, run_command
from il_ros.graph.graph import GraphOptions
from il_ros.graph.run_folders import CommandError, refuse_other_episodes, refuse_other_kind
from il_ros.graph.run_folders import refuse_other_run, runs_of
from il_ros.interactive.goal import EVALUATION_SEEDS, VALIDATION_SEEDS
from il_ros.interactive.rounds import PHASES
from il_ros.interactive.strategy import person_plan
from il_ros.nodes.view import ViewNode
from il_ros.reports.run_report import rounds_table, timing_table
from il_ros.ros import runtime
from il_ros.ros.dagger.run_settings import check_goal
from il_ros.runs.kept_contract import keep_contract
from il_ros.tasks.biased import bias_of
from il_ros_interfaces.action import RunDagger
from tqdm import tqdm

DEMO_RUN = 'demo'
PERSON_HORIZON = 1200
"""Steps that a person has by default: a minute at 20 Hz; the tasks' own suit their experts."""


def dagger(words: argparse.Namespace, replace: bool = False) -> int:
    """
    Run DAgger and print the table of what it brought.

    :param replace: remove a run of the same name, once the goal is known to be a good one
    """
    goal = RunDagger.Goal(
        run=words.run, task=words.task, strategy=words.strategy, config=words.config or '',
        demonstrations=words.demonstrations, rounds=words.rounds,
        episodes_per_round=words.episodes_per_round, horizon=words.horizon,
        continuing=words.continuing, options=words.options,
        evaluation_episodes=words.evaluation_episodes,
        final_evaluation_episodes=words.final_evaluation_episodes,
        evaluation_first_seed=words.first_seed, baseline=not words.no_baseline, seed=words.seed,
        resume=words.resume)
    _check_teleop(words)
    check_goal(goal)
    options = _options(words)
    if options is not None and not replace:
        refuse_other_kind(Path(words.runs) / goal.run, words, options)

    async def command(client: Client):
        folder = await runs_of(client, words.runs, words.attach) / goal.run
        if replace:
            shutil.rmtree(folder, ignore_errors=True)
        await _dagger(client, goal, words, folder)
        if options is not None:
            keep_contract(folder, words.contract)
        _show_summary(folder)
    return run_command(command, options)


def _check_teleop(words: argparse.Namespace):
    human = words.strategy == HUMAN
    if human and not words.teleop and not words.attach:
        raise CommandError('--strategy human needs a person: give --teleop joy or keyboard, or '
                           '--attach to a graph that has one')
    if words.teleop and not human:
        raise CommandError(f'--teleop is {words.teleop!r} with --strategy {words.strategy}, where '
                           'no person drives; expected --strategy human')


async def _dagger(client: Client, goal: RunDagger.Goal, words: argparse.Namespace,
                  folder: Path):
    with StageBar(words.rounds, hidden=bool(words.teleop)) as bar:
        await client.dagger(goal, bar.update)
    if not (folder / 'summary.json').exists():
        raise CommandError(f'{folder} has no summary.json; the graph that runs keeps its runs '
                           'elsewhere, give --runs its folder')


def _show_summary(folder: Path):
    summary = json.loads(read_text(folder / 'summary.json'))
    print(f'\n{rounds_table(summary).text()}\n\n{timing_table(summary).text()}\n')
    print(f'{folder / "report.html"} shows it; {folder / "summary.json"} has the numbers.')


def demo(words: argparse.Namespace) -> int:
    """Replace the run ``demo`` and run DAgger on ``push``; a run of another name is kept."""
    return dagger(words, replace=words.run == DEMO_RUN and not words.resume)


def record(words: argparse.Namespace) -> int:
    """Record demonstrations of the expert, or of a person."""
    if not 0 <= words.seed <= VALIDATION_SEEDS - words.episodes:
        last = words.seed + words.episodes - 1
        raise CommandError(f'--seed is {words.seed} with {words.episodes} episodes; the last seed '
                           f'would be {last}, demonstrations use seeds from 0 to '
                           f'{VALIDATION_SEEDS - 1}')
    plan = DrivePlan(driver=EXPERT, seed=words.seed)
    horizon = words.horizon
    if words.teleop:
        plan, horizon = person_plan(words.seed), horizon or PERSON_HORIZON
    specs = [EpisodeSpec(
        episode_id=episode_id(DEMONSTRATION, 0, seed), run=words.run, task=words.task,
        purpose=DEMONSTRATION, seed=seed, horizon=horizon, continuing=words.continuing,
        options=words.options, plan=plan)
        for seed in range(words.seed, words.seed + words.episodes)]
    options = _options(words)
    if options is not None:
        refuse_other_run(Path(words.runs) / words.run, words, options)

    async def command(client: Client):
        runs = await runs_of(client, words.runs, words.attach)
        if options is None:
            refuse_other_run(runs / words.run, words, None)
        receipts = await _collect(client, specs, 'recording', hidden=bool(words.teleop))
        labels = sum(receipt.labels for receipt in receipts)
        if options is not None:
            keep_contract(runs / words.run, words.contract)
        print(f'{len(receipts)} demonstrations, {labels} labels, '
              f'{sum(r.success for r in receipts)} successful, in {runs / words.run}; '
              f'next: {hints.train(runs / words.run)}')
    return run_command(command, options)


def evaluate(words: argparse.Namespace) -> int:
    """Measure the success of a policy, or of the expert, on held-out resets."""
    if words.first_seed < EVALUATION_SEEDS:
        raise CommandError(f'--first-seed is {words.first_seed}; evaluation uses seeds from '
                           f'{EVALUATION_SEEDS} up')
    last = words.first_seed + words.episodes - 1
    if last > LARGEST_SEED:
        raise CommandError(f'--first-seed is {words.first_seed} with {words.episodes} episodes; '
                           f'the last seed would be {last}, expected at most {LARGEST_SEED}')
    if words.json and not Path(words.json).parent.is_dir():
        raise CommandError(f'--json is {words.json!r}; there is no such folder')
    driver = EXPERT if words.policy == 'expert' else POLICY
    if driver == POLICY and not Path(words.policy).is_dir():
        raise CommandError(f'--policy is {words.policy!r}; expected the folder of a checkpoint, '
                           "or 'expert'")
    plan = DrivePlan(driver=driver, labels=LABEL_NONE)
    specs = [EpisodeSpec(
        episode_id=episode_id(EVALUATION, 0, seed), run=words.run, task=words.task,
        purpose=EVALUATION, seed=seed, horizon=words.horizon, continuing=words.continuing,
        options=words.options, plan=plan)
        for seed in range(words.first_seed, words.first_seed + words.episodes)]
    options = _options(words)
    if options is not None:
        refuse_other_episodes(Path(words.runs) / words.run)

    async def command(client: Client):
        folder = await runs_of(client, words.runs, words.attach) / words.run
        refuse_other_episodes(folder)
        sha256 = ''
        if driver == POLICY:
            sha256 = await client.load_policy(Path(words.policy))
        shutil.rmtree(folder, ignore_errors=True)
        receipts = await _collect(client, specs, 'evaluating')
        if driver == POLICY:
            client.require_policy(sha256)
        report = evaluation_report(words, sha256, receipts)
        if words.json:
            write_atomically(Path(words.json), (json.dumps(report, indent=1) + '\n').encode())
        success = report['success']
        print(f'{success["k"]} of {success["n"]} succeed: {100 * success["rate"]:.1f} %, 95 % '
              f'interval {100 * success["low"]:.1f} to {100 * success["high"]:.1f} %')
    return run_command(command, options)


def evaluation_report(words: argparse.Namespace, sha256: str, receipts: list[Receipt]) -> dict:
    """Return what ``evaluate --json`` writes."""
    successes = sum(receipt.success for receipt in receipts)
    return {
        'task': words.task, 'policy': words.policy, 'sha256': sha256,
        'first_seed': words.first_seed,
        'success': wilson(successes, len(receipts)).as_dict(),
        'goals_reached': sum(receipt.goals_reached for receipt in receipts),
        'steps': sum(receipt.steps for receipt in receipts),
        'episodes': [{'seed': r.spec.seed, 'success': r.success, 'steps': r.steps, 'end': r.end,
                      'cause': r.cause, 'goals_reached': r.goals_reached,
                      'content_sha256': r.content_sha256} for r in receipts]}


def view(words: argparse.Namespace) -> int:
    """Show who drives, rates, step, success and labels of a graph, until Ctrl-C."""
    return runtime.run(ViewNode, [*LOGGING, '-p', f'period_s:={words.period}'])


async def _collect(client: Client, specs: list[EpisodeSpec], what: str,
                   hidden: bool = False) -> list[Receipt]:
    with tqdm(total=len(specs), desc=what, unit='episode', disable=hidden) as bar:
        def on_feedback(feedback):
            bar.update(feedback.finished - bar.n)
            bar.set_postfix(success=feedback.successes, steps_per_s=round(feedback.steps_per_s))
        receipts = await client.collect(specs, on_feedback)
        bar.update(len(receipts) - bar.n)
    return receipts


class StageBar:
    """
    One bar for the stage that runs; finished stages stay above it.

    :param hidden: the live view has the terminal and says the same
    """

    def __init__(self, rounds: int, hidden: bool = False):
        self._rounds = rounds
        self._hidden = hidden
        self._bar: tqdm | None = None
        self._stage = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._close()

    def _close(self):
        if self._bar is not None:
            self._bar.close()

    def update(self, feedback: RunDagger.Feedback):
        """Show a feedback of the coordinator."""
        stage = (feedback.round, feedback.stage)
        if stage != self._stage:
            self._close()
            self._stage = stage
            self._bar = tqdm(
                total=100, leave=False, disable=self._hidden,
                bar_format='{desc} {bar} {n:3.0f} % {postfix}',
                desc=f'round {feedback.round} of {self._rounds}: {PHASES[feedback.stage]:11}')
        self._bar.n = 100.0 * feedback.progress
        words = [f'{feedback.labels} labels']
        if feedback.success_rate >= 0.0:
            words.append(f'last success {100 * feedback.success_rate:.0f} %')
        if feedback.loss >= 0.0:
            words.append(f'loss {feedback.loss:.4f}')
        self._bar.set_postfix_str(', '.join(words))


def _options(words: argparse.Namespace) -> GraphOptions | None:
    streams = ','.join(getattr(words, 'stream', ()))
    require_streams = getattr(words, 'require_streams', False)
    if require_streams and not streams:
        raise CommandError('--require-streams is given, but no stream to require; name one with '
                           '--stream TOPIC:TYPE')
    if words.attach:
        if words.contract:
            raise CommandError(f'--contract is {words.contract!r}; the graph that --attach uses '
                               'has its contract already')
        if bias_of(words.options):
            raise CommandError(f'--options is {words.options!r}; the graph that --attach uses '
                               'has its expert already')
        if streams:
            raise CommandError(f'--stream is {streams!r}; the graph that --attach uses has its '
                               'streams already')
        return None
    teleop = getattr(words, 'teleop', '')
    return GraphOptions(
        task=words.task, runs=words.runs, contract=words.contract, options=words.options,
        teleop=teleop, mapping=getattr(words, 'mapping', ''), streams=streams,
        require_streams=require_streams, mode='realtime' if teleop else 'lockstep',
        gui=words.gui or bool(teleop and os.environ.get('DISPLAY') and not words.no_gui),
        training=words.call in ('dagger', 'demo'))
