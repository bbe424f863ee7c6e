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
Graphs in processes of their own, beside the one that a command composes: the cells of a run.

Each has a ROS domain of its own, for two graphs in one would steer each other's arm, and its
recorder has a folder of its own.
"""

from collections.abc import Callable, Mapping, Sequence
import contextlib
import dataclasses
import functools
import os
from pathlib import Path
import queue
import signal
import threading
from typing import TYPE_CHECKING

from il_ros.contract.episode_spec import EpisodeSpec, EVALUATION
from il_ros.episodes.receipts import Receipt
from il_ros.errors import ImitationError
from il_ros.graph.graph_options import GraphOptions, PROCESS
from il_ros.loop.cells import CellJob, CellPlan, Cells, CellTask, evaluate, Keep
from il_ros.loop.cells import player_cells, Plays, put_aside, repaired, share, worth
from il_ros.loop.cluster import ClusterCells
from il_ros.processes.graphs import environments
from il_ros.processes.pool import ProcessError

if TYPE_CHECKING:
    from il_ros.graph.client import Client

LOOK_S = 0.005


def cell_plan(options: GraphOptions) -> CellPlan:
    """Return the cells that a graph is to have beside its own arm."""
    what = CellTask(options.task, options.contract, options.options)
    if options.cluster:
        shared = functools.cache(lambda run: ClusterCells(what, run, options.cluster))
        return CellPlan((lambda run: shared(run)) if options.evaluate_over == PROCESS else None,
                        lambda run: shared(run))
    return CellPlan(
        (lambda run: player_cells(what, run, options.workers))
        if options.evaluate_over == PROCESS else None,
        (lambda run: GraphCells(options, run, options.workers - 1))
        if options.workers > 1 else None)


def has_cells(options: GraphOptions, specs: Sequence[EpisodeSpec]) -> bool:
    """Tell whether episodes of a command are run by cells, too."""
    return worth(specs) and _of(cell_plan(options), specs) is not None


def _of(plan: CellPlan, specs: Sequence[EpisodeSpec]) -> Callable[[Path], Plays] | None:
    return (plan.evaluation if specs[0].purpose == EVALUATION else None) or plan.collection


async def run_episodes(client: 'Client', options: GraphOptions, run: Path,
                       jobs: Sequence[CellJob], keep: Keep):
    """
    Run and record the episodes of a command, over all arms that its graph is to have.

    :param run: the run's folder
    :param keep: is given each receipt, in the order in which they are finished
    :raises ImitationError: if one has to be given up
    """
    async def over_graph(specs: Sequence[EpisodeSpec]) -> list[Receipt]:
        return await client.collect(list(specs), lambda _: None)

    plan = cell_plan(options)
    make = _of(plan, [job.spec for job in jobs])
    assert make is not None, 'asked before: has_cells'
    cells = make(run)
    put_aside(run / 'episodes', [job.spec for job in jobs])
    try:
        await (share if make is plan.collection else evaluate)(
            cells, jobs, over_graph, client.waiter.beside, keep)
    finally:
        cells.close()


class GraphCells(Cells):
    """
    So many graphs in processes of their own, which record the episodes of a run.

    :raises GraphError: if there are too few free ROS domains
    """

    def __init__(self, options: GraphOptions, run: Path, count: int):
        self._domains = contextlib.ExitStack()
        others = self._domains.enter_context(environments(count + 1))[1:]
        options = dataclasses.replace(options, runs=str(run.parent), training=False, workers=1)
        super().__init__(GraphCell, [
            (dataclasses.replace(options, shard=f'graph_{number}'), environment, str(run))
            for number, environment in enumerate(others, 1)])

    def close(self):
        """End their processes, and release their domains."""
        super().close()
        self._domains.close()


class GraphCell:
    """The function of a cell's process: a graph in a thread, which runs an episode when called."""

    def __init__(self, options: GraphOptions, environment: Mapping[str, str], run: str):
        # The end of the parent's connection ends it in order.
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        os.environ.update(environment)
        repaired(Path(run, 'episodes', options.shard)).close()
        self._jobs: queue.SimpleQueue[CellJob | None] = queue.SimpleQueue()
        self._answers: queue.SimpleQueue[Receipt | Exception] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, args=(options,), daemon=True)
        self._thread.start()

    def __call__(self, job: CellJob) -> Receipt:
        """
        Run an episode.

        :raises ProcessError: what the graph refused
        """
        self._jobs.put(job)
        answer = self._answers.get()
        if isinstance(answer, Exception):
            raise ProcessError(str(answer)) from answer
        return answer

    def close(self):
        """Take the graph down."""
        self._jobs.put(None)
        self._thread.join()

    def _run(self, options: GraphOptions):
        # Loaded in the cell's process alone; graph.py itself asks for the plan.
        from il_ros.graph.client import carry_out, Client
        from il_ros.graph.graph import build

        async def serve(client: Client):
            loaded = ''
            while True:
                while self._jobs.empty():
                    await client.pause(LOOK_S)
                job = self._jobs.get()
                if job is None:
                    return
                if job.policy and job.sha256 != loaded:
                    loaded = await client.load_policy(Path(job.policy), job.sha256)
                receipt, = await client.collect([job.spec], lambda _: None, job.gate_threshold)
                if job.policy:
                    client.require_policy(job.sha256)
                self._answers.put(receipt)
        try:
            carry_out(serve, lambda runtime: build(runtime, options))
            self._answers.put(ProcessError('a graph of a cell was interrupted'))
        except (ImitationError, OSError) as error:
            self._answers.put(error)
