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

"""The back end of a run in this process: no ROS, the same episodes, fits and numbers."""

from collections.abc import Awaitable, Callable
import itertools
from pathlib import Path
import time

from il_ros.contract.contract import Contract
from il_ros.dataset.dataset import DATASET, HELD_OUT
from il_ros.episodes.episode import Episode
from il_ros.episodes.receipts import Receipt
from il_ros.episodes.wire.schema import recorded_schemas
from il_ros.errors import ImitationError, JobError
from il_ros.interactive.goal import Goal
from il_ros.learning.references import is_finished
from il_ros.learning.training_worker.protocol import Job, JobDone, JobFailed, JobProgress
from il_ros.learning.training_worker.worker_client import WorkerClient
from il_ros.loop.backend import Check, Episodes, finish, FitOrder, Labels, Result, Tell
from il_ros.loop.cells import Cells, CellTask, jobs_of, player_cells, put_aside
from il_ros.loop.cells import refuse_aborted, worth
from il_ros.loop.failures import LABEL_FAILED, RunError, TRAIN_FAILED
from il_ros.loop.local.player import Player
from il_ros.loop.run import Loop, Progress, silent
from il_ros.runs.kept_contract import keep_contract
from il_ros.runs.shard import Shard
from il_ros.tasks.relabel import relabel
import numpy as np

SHARD = 'main'
"""Folder of the episodes, as the recorder calls it."""

LISTEN_S = 0.2


class LocalFit:
    """A fit in the worker process, beside what goes on in this one."""

    def __init__(self, worker: WorkerClient, tell: Tell):
        """Follow the job that the worker was given."""
        self._worker, self._tell = worker, tell

    async def outcome(self) -> JobDone:
        """
        Wait for its end.

        :raises RunError: with the worker's sentence
        """
        while True:
            for event in self._worker.poll(LISTEN_S):
                if isinstance(event, JobProgress):
                    self._tell(event.step / max(event.steps, 1), event.train_loss)
                elif isinstance(event, JobDone):
                    return event
                elif isinstance(event, JobFailed):
                    raise RunError(TRAIN_FAILED, f'{event.message} (code {event.code})')

    async def abandon(self):
        """Cancel it and wait until it has stopped."""
        self._worker.cancel()
        await self.outcome()


class LocalBackend:
    """
    A simulated arm, its expert, a policy and a training worker; see ``loop/backend.py``.

    Everything but a fit is done when a call returns. ``close`` ends the worker.
    """

    def __init__(self, task: str, contract: str = '', options: str = '', workers: int = 1):
        """
        Build the simulation.

        :param contract: a file, or a task's name, with _image for images; '': the task's own
        :param options: canonical JSON of the episodes' options; '': none
        :param workers: simulated arms, each in a process of its own if there are several
        :raises SchemaError: if the definitions of the messages are not installed
        :raises ImitationError: if there is no such task, contract or expert
        """
        recorded_schemas()  # refused now, not at the first episode
        self._player = Player(task, contract, options)
        self._what, self._workers = CellTask(task, contract, options), workers
        self._cells: Cells | None = None
        self._worker = WorkerClient()
        self._shard: Shard | None = None

    def __enter__(self) -> 'LocalBackend':
        """Use it until the end of a block; the worker gets ready meanwhile."""
        self._worker.start()
        return self

    def __exit__(self, *_):
        """End the worker, release the folder and give PyBullet's memory back."""
        self._worker.close(0.0)
        if self._cells is not None:
            self._cells.close()
        if self._shard is not None:
            self._shard.close()
        self._player.close()

    def check(self):
        """Go on: Ctrl-C alone ends a run in this process."""

    async def pause(self):
        """Go on: there is nobody else to run."""

    async def beside(self, work: Callable[[Check], Result]) -> Result:
        """Do it at once."""
        return work(self.check)

    async def contract(self) -> Contract:
        """Return the contract of the episodes."""
        return self._player.contract

    async def carry_out(self, _stage: str, work: Callable[[], Awaitable[Result]]) -> Result:
        """Do the work of a stage: nothing can be lost that it needs."""
        return await work()

    async def load(self, path: Path, sha256: str):
        """
        Let a checkpoint be the policy.

        :raises RunError: if it is not what it was, or its answers cannot be used
        """
        self._player.load(path, sha256)

    async def collect(self, episodes: Episodes, keep: Callable[[Receipt], None],
                      finished: Callable[[int], None]):
        """
        Run and record episodes, over the cells where none depends on the one before.

        :raises RunError: if one has to be given up
        """
        if self._workers > 1 and worth(episodes.specs):
            self._cells = self._cells or player_cells(self._what, episodes.folder, self._workers)
            kept = itertools.count(1)

            def keep_and_tell(receipt: Receipt):
                keep(receipt)
                finished(next(kept))
            put_aside(episodes.folder / 'episodes', episodes.specs)
            self._cells.play(jobs_of(episodes), keep_and_tell)
            return
        threshold = episodes.gate_threshold
        folder = self._take_shard(episodes.folder / 'episodes' / SHARD)
        for count, spec in enumerate(episodes.specs, 1):
            receipt = self._player.play(spec, folder, threshold)
            keep(receipt)
            refuse_aborted(receipt)
            if receipt.gate_threshold >= 0.0:
                threshold = receipt.gate_threshold
            finished(count)

    def _take_shard(self, folder: Path) -> Path:
        if self._shard is None:
            self._shard = Shard(folder)
        return self._shard.folder

    async def label(self, episode: Episode, steps: np.ndarray) -> Labels:
        """
        Ask the expert what it would have done in these steps.

        :raises RunError: if it fails, or answers outside the contract's bounds
        """
        started, expert, name = time.monotonic(), self._player.expert, episode.spec.episode_id
        try:
            actions, valid = relabel(expert, episode.observations[steps])
        except ImitationError as error:
            raise RunError(LABEL_FAILED, f'{name}: {error}') from error
        valid &= np.isfinite(actions).all(axis=1)
        actions[~valid] = 0.0
        accepted = self._player.contract.accepts(actions)
        if not accepted.all():
            row = int(np.argmin(accepted))
            raise RunError(LABEL_FAILED, (
                f'{name}: the {expert.name} answers step {steps[row]} outside the bounds: '
                f'{self._player.contract.complaint(actions[row])}'))
        return Labels(actions, valid, expert.name, time.monotonic() - started)

    def start_fit(self, order: FitOrder, tell: Tell) -> LocalFit:
        """
        Begin a fit in the worker process.

        :raises LearningError: if another fit is under way, or a result speaks of its checkpoint
        """
        if is_finished(order.output):
            raise JobError(f'output is {order.output}, a checkpoint that its run is done with '
                           'and speaks of; expected another folder')
        self._worker.submit(Job(
            dataset=str(order.folder / DATASET), filter_key=order.filter_key,
            config=str(order.config), output=str(order.output), seed=order.seed,
            held_out_key=HELD_OUT, replace=True))
        return LocalFit(self._worker, tell)


def carry_out(goal: Goal, folder: Path, contract: str = '', resume: bool = False,
              workers: int = 1, progress: Callable[[Progress], None] = silent):
    """
    Carry out a run in this process.

    :param folder: of the run
    :param contract: as ``LocalBackend`` takes it
    :param resume: go on with an existing run of the same goal
    :param workers: simulated arms, each in a process of its own if there are several
    :raises ImitationError: what is wrong with the goal, or what failed
    """
    with LocalBackend(goal.task, contract, goal.options, workers) as backend:
        keep_contract(folder, contract)
        finish(Loop(backend, folder, report=progress).run(goal, resume))
