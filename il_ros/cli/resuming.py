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

"""What a run began with: the options of ``--resume`` that are not given come from there."""

import argparse
from collections.abc import Iterable
import dataclasses
from pathlib import Path
import sys
from typing import Any

from il_ros.cli.arguments.option_types import given
from il_ros.contract.contract import ContractError
from il_ros.contract.episode_spec import DEMONSTRATION, episode_id, TELEOP
from il_ros.contract.options import read_options
from il_ros.episodes.receipts import is_unfinished, Receipt
from il_ros.errors import CommandError
from il_ros.interactive import run_state
from il_ros.interactive.goal import Goal
from il_ros.runs.kept_contract import contract_file_of
from il_ros.runs.run_kind import kind_of_run
from il_ros.runs.shard import receipts_in

OF_GOAL = {'first_seed' if field.name == 'evaluation_first_seed' else field.name: field.name
           for field in dataclasses.fields(Goal) if field.name not in ('run', 'baseline')}
"""Options of ``il_ros dagger``, and the fields of the goal that they fill."""


def resumed_run(args: argparse.Namespace, folder: Path) -> argparse.Namespace:
    """
    Return the arguments of ``il_ros dagger --resume`` with what the run in ``folder`` began with.

    :raises CommandError: naming each option that differs, with both values
    :raises RunFileError: if ``run.json`` cannot be read
    """
    if not (folder / run_state.FILE_NAME).exists():
        run_state.refuse_old_name(folder)
        return _begun(args, folder)
    goal = run_state.load(folder).goal
    stands = {option: getattr(goal, field) for option, field in OF_GOAL.items()}
    return _completed(args, {**stands, 'no_baseline': not goal.baseline}, folder)


def resumed_session(args: argparse.Namespace, folder: Path
                    ) -> tuple[argparse.Namespace, list[int]]:
    """
    Return the arguments of ``il_ros record --resume``, and the seeds that are left.

    Unfinished demonstrations are recorded again; flagged ones (discarded, messages dropped) do
    not count, and others take their place.

    :raises CommandError: naming each option that differs, with both values
    """
    shown = [receipt for _, receipt in receipts_in(folder / 'episodes')
             if receipt.spec.purpose == DEMONSTRATION]
    if not shown:
        begun = _begun(args, folder)
        return begun, list(range(begun.seed, begun.seed + begun.episodes))
    spec = min((receipt.spec for receipt in shown), key=lambda spec: spec.seed)
    _refuse_other_driver(args, shown, folder)
    asked = _completed(args, {'task': spec.task, 'options': spec.options,
                              'horizon': spec.horizon, 'continuing': spec.continuing}, folder)
    finished = [receipt for receipt in shown if not is_unfinished(receipt)]
    first = args.seed if 'seed' in given(args) else spec.seed
    wanted = args.episodes - sum(not receipt.flags for receipt in finished)
    asked.seed, taken = first, {receipt.spec.seed for receipt in finished}
    seeds: list[int] = []
    while len(seeds) < wanted:
        if first not in taken:
            seeds.append(first)
        first += 1
    return asked, seeds


def refuse_recorded(folder: Path, seeds: Iterable[int]):
    """
    Refuse demonstrations that a run has already.

    :raises CommandError: naming the first one
    """
    finished = {receipt.spec.episode_id for _, receipt in receipts_in(folder / 'episodes')
                if not is_unfinished(receipt)}
    there = [name for name in (episode_id(DEMONSTRATION, 0, seed) for seed in seeds)
             if name in finished]
    if there:
        raise CommandError(f'{folder} has {len(there)} of these demonstrations already, e.g. '
                           f'{there[0]}; choose another --run or --seed, or complete the run '
                           'with --resume')


def refuse_existing(folder: Path):
    """
    Refuse to begin a run of ``il_ros dagger`` where there is one, or episodes of another kind.

    :raises RunExistsError: saying how to resume it
    """
    if (folder / run_state.FILE_NAME).exists():
        raise run_state.RunExistsError(f'run {folder.name} exists in {folder}; choose another '
                                       '--run, or resume it with --resume')
    if (folder / 'episodes').exists():
        raise run_state.RunExistsError(f'{folder} holds episodes but no {run_state.FILE_NAME}; '
                                       'choose another --run')


def with_contract(args: argparse.Namespace, folder: Path) -> argparse.Namespace:
    """
    Return the arguments with the contract that a run was recorded with, unless one is given.

    :raises ContractError: if no file has it any more
    """
    found = None if args.contract else kind_of_run(folder)
    recorded = found and found[0].contract
    if found is None or recorded is None:
        return args
    contract = contract_file_of(folder, recorded, found[0].task)
    if contract is None:
        raise ContractError(f'{folder} was recorded with the contract {recorded.name}, of '
                            'which there is no file; give it with --contract')
    return argparse.Namespace(**{**vars(args), 'contract': contract})


def _begun(args: argparse.Namespace, folder: Path) -> argparse.Namespace:
    """Return the arguments where there is nothing to resume: they have to suffice."""
    if not args.task and folder.exists():
        raise CommandError(f'{folder} has nothing that il_ros {args.call} could resume; choose '
                           'another --run')
    if not args.task:
        raise CommandError(f'there is no run {args.run!r} in {folder.parent} to resume; give '
                           '--task to begin one')
    # Without the prefix of an error: whoever starts commands takes that for their failure.
    print(f'There is no run {args.run!r} in {folder.parent} to resume; it begins now.',
          file=sys.stderr)
    return args


def _refuse_other_driver(args: argparse.Namespace, shown: list[Receipt], folder: Path):
    person = any(receipt.spec.plan.driver == TELEOP for receipt in shown)
    if person and not args.teleop:
        raise CommandError(f'{folder} has demonstrations of a person; give --teleop joy or '
                           'keyboard to resume it')
    if args.teleop and not person:
        raise CommandError(f'--teleop is {args.teleop!r}, but {folder} has demonstrations of '
                           'the expert; leave it out, or choose another --run')


def _completed(args: argparse.Namespace, stands: dict[str, object],
               folder: Path) -> argparse.Namespace:
    named = given(args) & set(stands)
    differing = [name for name in stands
                 if name in named and not _same(name, getattr(args, name), stands[name])]
    if differing:
        both = ', '.join(f'--{name.replace("_", "-")} {_shown(stands[name])} (given: '
                         f'{_shown(getattr(args, name))})' for name in differing)
        raise CommandError(f'{folder} began with {both}; leave these options out to resume it, '
                           'or choose another --run')
    return argparse.Namespace(**{**vars(args), **stands})


def _same(name: str, asked: Any, stands: Any) -> bool:
    if name == 'config' and asked and stands:
        return Path(asked).absolute() == Path(stands).absolute()
    if name == 'options':
        return read_options(asked) == read_options(stands)
    return asked == stands or not (asked or stands)


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return 'yes' if value else 'no'
    return 'none' if value in ('', None) else str(value)
