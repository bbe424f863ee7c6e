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

"""Training from a run's recordings without a graph: aggregate, fit, say what came of it."""

import argparse
from pathlib import Path

from il_ros import hints
from il_ros.data.aggregation import aggregate
from il_ros.data.contract import Contract
from il_ros.data.contract_file import RATE_HZ
from il_ros.data.dataset import contract_of, DATASET, HELD_OUT, opened
from il_ros.data.kept_contract import contract_file_of
from il_ros.data.shard import missing_in, receipts_in, unacknowledged_in
from il_ros.data.spec import DEMONSTRATION, EpisodeSpec, ROLLOUT, VALIDATION
from il_ros.learning.config import training_path
from il_ros.learning.errors import LearningError, NoDataError
from il_ros.learning.fit import NOT_SUCCESS
from il_ros.learning.protocol import Job, JobDone, JobFailed, JobProgress
from il_ros.learning.worker_client import WorkerClient
from tqdm import tqdm

ALL = 'all'
"""Filter key of every episode that may be learnt from, where no run.json says otherwise."""

ALL_RECORDINGS = 'all.hdf5'
"""Name of the data set of these, in the run's folder."""

POLL_S = 0.1


def train(words: argparse.Namespace) -> int:
    """
    Clone what a run holds and print the losses.

    :raises ImitationError: with the sentence of what failed
    """
    folder = Path(words.runs) / words.run
    dataset, spec = _dataset(folder, words.filter_key)
    contract, task = _contract(dataset), spec.task
    config = words.config or str(training_path(contract.name, task))
    output = Path(words.output or folder / 'checkpoints' / 'bc')
    job = Job(dataset=str(dataset), filter_key=words.filter_key or ALL, config=config,
              output=str(output), seed=words.seed,
              held_out_key=HELD_OUT if _has_held_out(folder) else '', replace=True)
    with WorkerClient(nice=0) as worker, tqdm(desc='training', unit='step') as bar:
        worker.submit(job)
        done = _follow(worker, bar)
    held_out = f', {done.held_out_loss:.5f} on held-out ones' if done.held_out_loss >= 0.0 else ''
    print(f'{done.labels} labels, {done.seconds:.1f} s; loss {done.train_loss:.5f} on the '
          f'demonstrations{held_out}. {NOT_SUCCESS}\n'
          f'next: {_judged_by(folder, contract, spec, output)}')
    return 0


def _judged_by(folder: Path, contract: Contract, spec: EpisodeSpec, output: Path) -> str:
    """Return the command line that judges a policy as it was taught."""
    file = contract_file_of(folder, contract, spec.task, RATE_HZ)
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
                          f'episodes, e.g. {missing[0][0].name}; copy the run again, whole')
    if not receipts:
        raise NoDataError(f'{folder}/episodes has no recorded episode; record some first, e.g. '
                          f'{hints.record("push", folder)}')
    spec = receipts[0][1].spec
    dataset = folder / DATASET
    if filter_key:
        return dataset, spec
    entries = [(path, (ALL,) if receipt.spec.purpose != VALIDATION else (HELD_OUT,))
               for path, receipt in receipts
               if receipt.spec.purpose in (DEMONSTRATION, ROLLOUT, VALIDATION)]
    dataset = folder / ALL_RECORDINGS
    skipped = aggregate(dataset, entries).skipped
    for path, reason in (*skipped, *missing, *unacknowledged_in(folder / 'episodes')):
        print(f'left out: {path} ({reason})')
    return dataset, spec


def _contract(dataset: Path) -> Contract:
    with opened(dataset) as file:
        return contract_of(file)


def _has_held_out(folder: Path) -> bool:
    return any(receipt.spec.purpose == VALIDATION
               for _, receipt in receipts_in(folder / 'episodes'))


def _follow(worker: WorkerClient, bar: tqdm) -> JobDone:
    while True:
        for event in worker.poll(POLL_S):
            if isinstance(event, JobProgress):
                bar.total = event.steps
                bar.update(event.step - bar.n)
                bar.set_postfix(loss=f'{event.train_loss:.5f}')
            elif isinstance(event, JobFailed):
                raise LearningError(event.message)
            elif isinstance(event, JobDone):
                bar.update((bar.total or 0) - bar.n)
                return event
