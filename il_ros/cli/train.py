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

"""Training from a run's recordings without a graph: aggregate, fit, print the result."""

import argparse
from collections.abc import Iterable
import contextlib
from pathlib import Path

from il_ros import hints
from il_ros.contract.contract import Contract
from il_ros.contract.episode_spec import DEMONSTRATION, EpisodeSpec, ROLLOUT, VALIDATION
from il_ros.dataset.aggregation import aggregate
from il_ros.dataset.dataset import ALL_RECORDINGS, contract_of, DATASET, HELD_OUT, opened
from il_ros.errors import CommandError, LearningError, NoDataError, NoSuchRunError
from il_ros.files.folders import require_writable
from il_ros.interactive.dataset_keys import planned_keys
from il_ros.learning.checkpoint import refuse_other_content
from il_ros.learning.compute.devices import refuse_small_batches
from il_ros.learning.config import Device, NOT_SUCCESS, TrainConfig, training_path
from il_ros.learning.references import CHECKPOINTS, refuse_replacing
from il_ros.learning.training_worker.protocol import Job, JobDone, JobFailed, JobProgress
from il_ros.learning.training_worker.worker_client import WorkerClient
from il_ros.progress import Progress
from il_ros.runs.inventory import find_run
from il_ros.runs.kept_contract import contract_file_of
from il_ros.runs.rebuild import behind, Keys, keys_in, keys_of, rebuild
from il_ros.runs.shard import missing_in, receipts_in, unacknowledged_in
from il_ros.runs.split import KEYS, PARTS
from il_ros.settings import check

ALL = 'all'
"""Filter key of every episode that may be learnt from, where no run.json says otherwise."""

POLL_S = 0.1


def train(args: argparse.Namespace) -> int:
    """
    Clone what a run holds and print the losses.

    :raises ImitationError: with the sentence of what failed
    """
    folder = _folder(args)
    output = Path(args.output or folder / CHECKPOINTS / 'bc')
    _refuse_early(args, folder, output)
    dataset, spec = _dataset(folder, args.filter_key)
    contract, task = _contract(dataset), spec.task
    config = args.config or str(training_path(contract.name, task))
    job = Job(dataset=str(dataset), filter_key=args.filter_key or ALL, config=config,
              output=str(output), seed=args.seed,
              held_out_key=HELD_OUT if _has_held_out(folder) else '', replace=True,
              device=args.device)
    refuse_small_batches(TrainConfig.load(Path(config)), args.processes)
    with (WorkerClient(nice=0, processes=args.processes) as worker,
          Progress('training') as progress):
        worker.submit(job)
        done = _follow(worker, progress)
    held_out = f', {done.held_out_loss:.5f} on held-out ones' if done.held_out_loss >= 0.0 else ''
    print(f'{done.labels} labels, {done.seconds:.1f} s; loss {done.train_loss:.5f} on the '
          f'demonstrations{held_out}. {NOT_SUCCESS}\n'
          f'next: {_judged_by(folder, contract, spec, output)}')
    return 0


def _folder(args: argparse.Namespace) -> Path:
    """Return the folder of the run, found as ``il_ros dataset`` finds it."""
    with contextlib.suppress(NoSuchRunError):
        return find_run(args.runs, args.run)
    return Path(args.runs) / args.run  # nothing is there; what is missing is said later


def _refuse_early(args: argparse.Namespace, folder: Path, output: Path):
    """
    Refuse a checkpoint that cannot be written, or settings that cannot be read.

    :raises ImitationError: before anything is read or made
    """
    if args.output and not output.parent.is_dir() and output.parent != folder / CHECKPOINTS:
        raise CommandError(f'--output is {args.output!r}; there is no folder {output.parent}, '
                           'create it first')
    refuse_replacing(output, Path(args.runs), args.overwrite)
    refuse_other_content(output)
    if args.config:
        TrainConfig.load(Path(args.config))
    if args.device:
        check('--device', args.device, Device, CommandError)
    if folder.is_dir():
        require_writable(output.parent, CommandError)


def _judged_by(folder: Path, contract: Contract, spec: EpisodeSpec, output: Path) -> str:
    """Return the command line that judges a policy as it was taught."""
    file = contract_file_of(folder, contract, spec.task)
    # A graph with another contract, or at another rate, is one that runs already.
    words = ['--attach'] if file is None else ['--contract', file] if file else []
    words += ['--continuing'] if spec.continuing else []
    if spec.options and file is not None:
        words += ['--options', spec.options]
    return hints.evaluate(spec.task, output, folder.parent, *words)


def _dataset(folder: Path, filter_key: str) -> tuple[Path, EpisodeSpec]:
    receipts = list(receipts_in(folder / 'episodes'))
    missing = missing_in(folder / 'episodes')
    if missing and not receipts:
        raise NoDataError(f'{folder}/episodes has {len(missing)} receipts, but none of their '
                          f'episodes, e.g. {missing[0][0].name}; copy the run again, completely')
    if not receipts:
        raise NoDataError(f'{folder}/episodes has no recorded episode; record some first, e.g. '
                          f'{hints.record("push", folder)}')
    spec = receipts[0][1].spec
    if filter_key:
        _bring_up_to_date(folder, filter_key, planned_keys(folder))
        return folder / DATASET, spec
    entries = [(path, (ALL,) if receipt.spec.purpose != VALIDATION else (HELD_OUT,))
               for path, receipt in receipts
               if receipt.spec.purpose in (DEMONSTRATION, ROLLOUT, VALIDATION)]
    dataset = folder / ALL_RECORDINGS
    skipped = aggregate(dataset, entries).skipped
    _say_left_out((*skipped, *missing, *unacknowledged_in(folder / 'episodes')))
    return dataset, spec


def _bring_up_to_date(folder: Path, filter_key: str, planned: Keys | None):
    """
    Make a run's data set anew, if what it was made of has changed.

    :param planned: filter keys by episode id, where the run's state names them
    :raises NoDataError: if there are no keys, or they were drawn before an episode was recorded
    """
    dataset = folder / DATASET
    if not dataset.exists():
        if planned is None:
            raise NoDataError(
                f'{folder} has no filter keys, for they stand in its {DATASET}, which is not '
                'there: leave out --filter-key, or draw some: '
                f'{hints.split(folder, "--ratio", "0.9")}')
        made = rebuild(folder, planned)
        print(f'{dataset} was missing; rebuilt from {_episodes(made.demos)}')
        _say_left_out((*made.skipped, *missing_in(folder / 'episodes')))
    by_plan = planned is not None and any(filter_key in keys for keys in planned.values())
    newer, changed = behind(folder, planned if by_plan else None)
    if newer and not by_plan:
        raise NoDataError(
            f'{dataset} is older than {_episodes(len(newer))}, e.g. {newer[0]}: leave out '
            f'--filter-key, or draw its filter keys again: {hints.split(folder, *_how(dataset))}')
    if newer or changed:
        made = rebuild(folder, keys_of(folder, planned))
        print(f'{dataset} was older than {_episodes(len({*newer, *changed}))}, or their labels '
              f'or discards; rebuilt from {_episodes(made.demos)}')
        _say_left_out((*made.skipped, *missing_in(folder / 'episodes')))


def _how(dataset: Path) -> tuple[str, str]:
    """Return with which arguments the keys of a data set were drawn, as far as they tell."""
    keys = {key for found in keys_in(dataset).values() for key in found}
    for part in PARTS:
        if any(key.startswith(f'{KEYS.get(part, part)}_') for key in keys):
            return '--by', part
    return '--ratio', '0.9'


def _episodes(count: int) -> str:
    return '1 episode' if count == 1 else f'{count} episodes'


def _say_left_out(episodes: Iterable[tuple[Path, str]]):
    for path, reason in episodes:
        print(f'left out: {path} ({reason})')


def _contract(dataset: Path) -> Contract:
    with opened(dataset) as file:
        return contract_of(file)


def _has_held_out(folder: Path) -> bool:
    return any(receipt.spec.purpose == VALIDATION
               for _, receipt in receipts_in(folder / 'episodes'))


def _follow(worker: WorkerClient, progress: Progress) -> JobDone:
    while True:
        for event in worker.poll(POLL_S):
            if isinstance(event, JobProgress):
                progress.reach(event.step, event.steps)
                progress.note(f'loss {event.train_loss:.5f}')
            elif isinstance(event, JobFailed):
                raise LearningError(event.message)
            elif isinstance(event, JobDone):
                return event
