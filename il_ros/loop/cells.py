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

"""
Cells: several simulated arms with their drivers, each in a process of its own.

An episode depends on its seed and its policy alone, so the episodes of a run are the same for any
number of cells and any order. Each cell records into a folder of its own; one that dies is started
again, and its episode is run again.
"""

import collections
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
import dataclasses
from pathlib import Path
import tempfile
from typing import NamedTuple, Protocol

from il_ros.contract.episode_spec import ABORTED, EpisodeSpec
from il_ros.episodes.placing import set_aside
from il_ros.episodes.receipts import is_unfinished, Receipt
from il_ros.loop.backend import Check, Episodes
from il_ros.loop.failures import COLLECT_FAILED, LOAD_FAILED, RunError
from il_ros.processes.pool import ProcessError, Workers
from il_ros.runs.shard import receipts_in, Shard

CHECKED = 2
"""Episodes of an evaluation without the graph that are run over the graph as well."""

FEW = 8
"""So many episodes are not worth the start of processes: the graph runs them."""

REFUSED = 'policy refused'
"""Begins the sentence of a checkpoint that cannot be used, as ``Player.load`` has it."""

Keep = Callable[[Receipt], None]


class CellTask(NamedTuple):
    """What all episodes of a cell have in common."""

    task: str
    contract: str
    """A file, or a task's name, with _image for images; '': the task's own."""

    options: str
    """Canonical JSON of the episodes' options; '': none."""


class CellJob(NamedTuple):
    """One episode."""

    spec: EpisodeSpec
    gate_threshold: float = -1.0
    policy: str = ''
    """Folder of the checkpoint that has to run; '': none."""

    sha256: str = ''
    folder: str = ''
    """To record it in, in place of the cell's own; '': the cell's own."""


class Plays(Protocol):
    """Several cells."""

    def play(self, jobs: Iterable[CellJob], keep: Keep, check: Check = ...,
             left: Callable[[], bool] = ...):
        """Run and record episodes, as ``Cells.play``."""

    def close(self):
        """End them; with new jobs others start."""


class Cells:
    """
    Processes on this machine that start with the first episodes; ``close`` ends them.

    :ivar workers: their processes
    """

    def __init__(self, make: Callable[..., Callable[[CellJob], Receipt]],
                 arguments: Iterable[Sequence]):
        """
        Describe them.

        :param make: as ``Workers`` has it
        :param arguments: of each cell
        """
        self.workers = Workers(make, arguments)

    def close(self):
        """End their processes."""
        self.workers.close()

    def play(self, jobs: Iterable[CellJob], keep: Keep, check: Check = lambda: None,
             left: Callable[[], bool] = lambda: True):
        """
        Run and record episodes, in any order.

        :param jobs: each is taken when a cell is free for it
        :param keep: is given each receipt
        :param check: raises what ends the work
        :param left: False: somebody else has taken all others
        :raises RunError: if one has to be given up, or a cell dies again and again
        """
        try:
            for _, receipt in self.workers.run(jobs, check, left):
                keep(receipt)
                refuse_aborted(receipt)
        except ProcessError as error:
            raise failure(str(error)) from error


def refuse_aborted(receipt: Receipt):
    """
    Refuse an episode that had to be given up.

    :raises RunError: with its reason
    """
    if receipt.end == ABORTED:
        raise RunError(COLLECT_FAILED, f'{receipt.spec.episode_id}: {receipt.error_msg}')


def failure(sentence: str) -> RunError:
    """Return what a cell said as an error of the run, with its code."""
    return RunError(LOAD_FAILED if REFUSED in sentence else COLLECT_FAILED, sentence)


@dataclasses.dataclass(frozen=True)
class CellPlan:
    """The cells of a graph, beside its own arm; each function is given the run's folder."""

    evaluation: Callable[[Path], 'Plays'] | None = None
    """Without ROS, for evaluation; None: the graph runs those episodes."""

    collection: Callable[[Path], 'Plays'] | None = None
    """For all other episodes: graphs of their own, or a cluster; None: there are no others."""


def player_cells(what: CellTask, run: Path, count: int) -> Cells:
    """Return so many cells without ROS, which record the episodes of a run."""
    return Cells(make_player, [(*what, str(run / 'episodes' / f'cell_{number}'))
                               for number in range(count)])


def make_player(task: str, contract: str, options: str,
                folder: str) -> Callable[[CellJob], Receipt]:
    """
    Return the function of a cell's process without ROS, which runs an episode.

    :param folder: of the cell's own recordings; repaired after a crash, and locked
    """
    # Loaded now: the process that deals the episodes needs no physics.
    from il_ros.loop.local.player import Player
    player, shard = Player(task, contract, options), repaired(Path(folder))

    def play(job: CellJob) -> Receipt:
        if job.policy:
            player.load(Path(job.policy), job.sha256)
        return player.play(job.spec, Path(job.folder) if job.folder else shard.folder,
                           job.gate_threshold)
    return play


def repaired(folder: Path) -> Shard:
    """Return a cell's locked folder; what is unfinished in it is put aside, to be run again."""
    shard = Shard(folder)
    put_aside(folder, None)
    return shard


def put_aside(folder: Path, specs: Sequence[EpisodeSpec] | None):
    """
    Rename what is unfinished below a folder, for another cell may run that episode again.

    :param specs: of the episodes that are run now; None: all
    """
    ids = None if specs is None else {spec.episode_id for spec in specs}
    for path, receipt in list(receipts_in(folder)):
        if is_unfinished(receipt) and (ids is None or receipt.spec.episode_id in ids):
            set_aside(path, with_all=True)


def worth(specs: Sequence[EpisodeSpec]) -> bool:
    """
    Tell whether cells are to run episodes.

    They are many, and none depends on the one before by a threshold that is adapted.
    """
    return len(specs) > FEW and not any(spec.plan.target_rate > 0.0 for spec in specs)


def jobs_of(episodes: Episodes) -> list[CellJob]:
    """Return what the cells are given, one episode each."""
    policy = sha256 = ''
    if episodes.policy is not None:
        policy = str((episodes.folder / episodes.policy.path).resolve())
        sha256 = episodes.policy.sha256
    return [CellJob(spec, episodes.gate_threshold, policy, sha256) for spec in episodes.specs]


async def evaluate(cells: Plays, jobs: Sequence[CellJob],
                   over_graph: Callable[[Sequence[EpisodeSpec]], Awaitable[Sequence[Receipt]]],
                   beside: Callable[[Callable[[Check], None]], Awaitable], keep: Keep):
    """
    Run evaluation episodes without the graph; the first of them over the graph as well.

    :param over_graph: runs and records episodes over the graph
    :param beside: runs a long function in a thread
    :raises RunError: if an episode is another one over the graph, or cannot be run
    """
    checked = {}
    for receipt in await over_graph([job.spec for job in jobs[:CHECKED]]):
        checked[receipt.spec.episode_id] = receipt
        keep(receipt)

    def compare(receipt: Receipt):
        graph = checked[receipt.spec.episode_id]
        if receipt.content_sha256 != graph.content_sha256:
            raise RunError(COLLECT_FAILED, (
                f'{receipt.spec.episode_id}: the episode without the graph (success '
                f'{receipt.success}, {receipt.steps} steps) differs from the one over the graph '
                f'(success {graph.success}, {graph.steps} steps); give --evaluate-over graph, '
                'and report it'))

    def work(check: Check):
        with tempfile.TemporaryDirectory(prefix='il_ros-') as folder:
            cells.play([job._replace(folder=folder) for job in jobs[:CHECKED]], compare, check)
        cells.play(jobs[CHECKED:], keep, check)

    await beside(work)


async def share(cells: Plays, jobs: Sequence[CellJob],
                over_graph: Callable[[Sequence[EpisodeSpec]], Awaitable[Sequence[Receipt]]],
                beside: Callable[[Callable[[Check], None]], Awaitable], keep: Keep):
    """
    Run episodes over the graph and over the cells beside it; whoever is free takes the next one.

    :param over_graph: runs and records episodes over the graph
    :param beside: runs a long function in a thread, from the call on
    :raises RunError: if one has to be given up
    """
    waiting = collections.deque(jobs)

    def work(check: Check):
        try:
            cells.play(_taken(waiting), keep, check, lambda: bool(waiting))
        finally:
            waiting.clear()

    others = beside(work)
    try:
        for job in _taken(waiting):
            for receipt in await over_graph([job.spec]):
                keep(receipt)
    finally:
        waiting.clear()
        await others


def _taken(waiting: collections.deque[CellJob]) -> Iterator[CellJob]:
    """Yield what nobody else has taken."""
    while True:
        try:
            job = waiting.popleft()
        except IndexError:
            return
        yield job
