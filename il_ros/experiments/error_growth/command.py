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

"""``il_ros error-growth``: measure the growth of mistakes on continuing episodes."""

import argparse
import dataclasses
from pathlib import Path
import shlex
import time
from typing import NamedTuple, Sequence

from il_ros.contract.contract import Contract
from il_ros.errors import ImitationError
from il_ros.evaluation.mistakes import ComparedActions, count_mistakes
from il_ros.experiments.collection import Collection
from il_ros.experiments.error_growth.continuing import score_continuing
from il_ros.experiments.error_growth.reading import policies_table, read
from il_ros.experiments.error_growth.report import figures_of, readme, report_html
from il_ros.experiments.error_growth.summary import Measured, Setting, summarise, summary_json
from il_ros.experiments.error_growth.training_states import drift, STEPS, training_states
from il_ros.experiments.provenance import commit_of_this, versions, write_files
from il_ros.experiments.rollouts import answers_of, check_seeds, Conditions, Rollout
from il_ros.files.atomic import write_atomically
from il_ros.files.folders import require_place, require_writable
from il_ros.hints import RUNS
from il_ros.learning import checkpoint
from il_ros.learning.places import find_policy
from il_ros.learning.policy import Policy
from il_ros.progress import Progress
from il_ros.tasks.contracts import find_contract
from il_ros.tasks.registry import make_task
import numpy as np

ROLLOUTS = 'rollouts'
"""Folder of the episodes, under ``--output``."""

OUTPUT = 'runs/compounding'
"""``--output`` unless another folder is given."""

_BOOTSTRAP_SEED = 0


class CompoundingError(ImitationError):
    """A command line with an invalid option."""


class NamedPolicy(NamedTuple):
    """One policy of the command line."""

    name: str
    folder: str
    policy: Policy


def error_growth(args: argparse.Namespace) -> int:
    """Run the episodes, write ``compounding.json`` and ``compounding.html``, print the table."""
    _check_options(args)
    output = Path(args.output)
    json_file = Path(args.json or output / 'compounding.json')
    report_file = Path(args.report or output / 'compounding.html')
    for folder in filter(None, (args.output, args.publish)):
        require_writable(Path(folder), CompoundingError)
    for option, file in (('--json', args.json), ('--report', args.report)):
        if file:
            require_place(Path(file), option, CompoundingError)
    policies = named_policies(args.policy)
    output.mkdir(parents=True, exist_ok=True)
    summary = measure(args, policies)
    write_atomically(json_file, summary_json(summary).encode())
    write_atomically(report_file, report_html(summary).encode())
    if args.publish:
        _publish(Path(args.publish), args, summary)
    print(f'\n{policies_table(summary).text()}\n')
    print('\n'.join(read(summary)))
    print(f'\n{report_file} shows it; {json_file} has the numbers.')
    if args.publish:
        print(f'{args.publish} has figures and tables.')
    return 0


def _publish(folder: Path, args: argparse.Namespace, summary: dict):
    """Write figures (SVG), and a page with the numbers and how to reproduce them."""
    command = ['il_ros', 'error-growth', '--task', args.task]
    for text in args.policy:
        command += ['--policy', text]
    for option in ('episodes', 'horizon', 'first_seed', 'expert_episodes', 'drift_episodes'):
        command += [f'--{option.replace("_", "-")}', str(getattr(args, option))]
    if args.burn_in is not None:
        command += ['--burn-in', str(args.burn_in)]
    if args.output != OUTPUT:
        command += ['--output', args.output]
    last = args.first_seed + args.episodes - 1
    about = {'command': shlex.join(command), 'commits': [commit_of_this()],
             'versions': versions(), 'conditions':
             f'Every policy ran the same {args.episodes} continuing episodes of '
             f'{args.horizon} steps, seeds {args.first_seed} to {last}; intervals resample the '
             'episodes.'}
    folder.mkdir(parents=True, exist_ok=True)
    figures = figures_of(summary)
    write_files(folder, {**{f'{name}.svg': one.svg for name, one in figures.items()},
                         'README.md': readme(folder.name, about, summary, figures)})


def _check_options(args: argparse.Namespace):
    if args.horizon < 2:
        raise CompoundingError(f'--horizon is {args.horizon}; expected at least 2 steps')
    if args.burn_in is not None and args.burn_in > args.horizon - 2:
        raise CompoundingError(f'--burn-in is {args.burn_in}; expected at most '
                               f'{args.horizon - 2}, so that two steps are left')
    check_seeds(args.first_seed, args.episodes)


def named_policies(texts: Sequence[str]) -> list[NamedPolicy]:
    """
    Read ``NAME=POLICY`` and load each checkpoint, of a run the newest.

    :raises CompoundingError: if a text is no such pair or a name occurs twice
    :raises LearningError: if there is no checkpoint
    """
    found: list[NamedPolicy] = []
    for text in texts:
        name, is_pair, folder = text.partition('=')
        if not (name and is_pair and folder):
            raise CompoundingError(f'--policy is {text!r}; expected NAME=POLICY, for example '
                                   'BC=runs/first/checkpoints/round_00')
        if name in [one.name for one in found]:
            raise CompoundingError(f'--policy has the name {name!r} twice; expected different '
                                   'names')
        place = find_policy(RUNS, folder)
        found.append(NamedPolicy(name, str(place), checkpoint.load(place)))
    return found


def measure(args: argparse.Namespace, policies: Sequence[NamedPolicy]) -> dict:
    """Run the missing episodes, and return the content of ``compounding.json``."""
    conditions = Conditions(args.task, args.horizon, True, contract=args.contract)
    short = dataclasses.replace(conditions, horizon=min(args.horizon, STEPS))
    folder = Path(args.output) / ROLLOUTS
    seeds = range(args.first_seed, args.first_seed + args.episodes)
    training_sets = [_training_set(one, args.drift_episodes) for one in policies]
    # The expert has the first seeds of the policies: states that none was trained on.
    parts = [Part('expert', Collection(conditions, '', folder, keep_observations=True),
                  seeds[:args.expert_episodes])]
    parts += [Part(one.name, Collection(conditions, one.folder, folder), seeds)
              for one in policies]
    parts += [Part('drift', Collection(short, one.folder, folder, keep_observations=True),
                   seeds[:args.drift_episodes])
              for one, training in zip(policies, training_sets) if training.states is not None]
    if args.fresh:
        for part in parts:
            part.collection.forget()
    of_expert, *rollouts = _run(parts, args.workers)
    contract, _ = find_contract(conditions.layout)
    of_drift, measured = iter(rollouts[len(policies):]), []
    for one, episodes, training in zip(policies, rollouts, training_sets):
        found = _measured(one, episodes, of_expert, contract, args.horizon)
        if training.states is not None:
            found = dataclasses.replace(found, drift=drift(
                one.policy, training.states, next(of_drift), of_expert, short.horizon))
        measured.append(dataclasses.replace(found, no_drift=training.missing))
    return summarise(_setting(args, of_expert), measured,
                     np.random.default_rng(_BOOTSTRAP_SEED))


def _setting(args: argparse.Namespace, of_expert: Sequence[Rollout]) -> Setting:
    goals, steps = (sum(getattr(one, key) for one in of_expert)
                    for key in ('goals_reached', 'steps'))
    burn_in = args.burn_in
    if burn_in is None:
        burn_in = min(round(steps / goals), args.horizon // 2) if goals else 0
    return Setting(args.task, args.first_seed, burn_in, make_task(args.task).horizon,
                   round(1000.0 * goals / steps, 3), len(of_expert))


class Part(NamedTuple):
    """Episodes of one driver."""

    name: str
    collection: Collection
    seeds: Sequence[int]


class TrainingSet(NamedTuple):
    """Training states of a policy, if they are needed and found."""

    states: np.ndarray | None
    missing: str
    """Why they were not found."""


def _training_set(one: NamedPolicy, wanted: int) -> TrainingSet:
    if not wanted:
        return TrainingSet(None, '')
    try:
        return TrainingSet(training_states(Path(one.folder), one.policy), '')
    except ImitationError as error:
        return TrainingSet(None, str(error))


def _run(parts: Sequence[Part], workers: int) -> list[list[Rollout]]:
    """Run the episodes of each part with its progress, and print the speed."""
    wanted = sum(len(part.seeds) for part in parts)
    missing = sum(part.collection.missing(part.seeds) for part in parts)
    ran, began_s, rollouts = 0, time.perf_counter(), []
    with Progress('', wanted, 'episode', wanted - missing) as progress:
        def on_done(episodes: int, steps: int):
            nonlocal ran
            progress.update(episodes)
            ran += steps

        for part in parts:
            progress.begin(part.name)
            rollouts.append(part.collection.run(part.seeds, workers, on_done))
    seconds = time.perf_counter() - began_s
    kept = f'{wanted - missing} episodes existed already; ' if missing < wanted else ''
    print(f'{kept}{ran} steps in {seconds:.1f} s, {ran / seconds:.0f} per second')
    return rollouts


def _measured(one: NamedPolicy, episodes: Sequence[Rollout], of_expert: Sequence[Rollout],
              contract: Contract, horizon: int) -> Measured:
    """Count a policy's mistakes on its own states and on states of the expert."""
    own = score_continuing([each.compared for each in episodes],
                           [each.reached for each in episodes], contract, horizon)
    answers = (ComparedActions(answers_of(one.policy, each.observations), each.expert, each.valid)
               for each in of_expert)
    counted = count_mistakes(answers, contract)
    labels = one.policy.info.get('labels', -1)
    return Measured(one.name, labels if isinstance(labels, int) else -1, one.policy.sha256, own,
                    counted.steps, counted.mistakes_at, counted.gripper_mistakes)
