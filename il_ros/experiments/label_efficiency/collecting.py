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

"""Collect the episodes of a study: each run and each batch of demonstrations is a job."""

from collections.abc import Callable, Sequence
import contextlib
from pathlib import Path
from typing import NamedTuple

from il_ros.contract.episode_spec import ABORTED, DEMONSTRATION, DrivePlan, episode_id
from il_ros.contract.episode_spec import EpisodeSpec, EXPERT
from il_ros.errors import ImitationError
from il_ros.interactive.goal import Goal
from il_ros.loop.cells import repaired
from il_ros.processes.graphs import Command, run_commands
from il_ros.processes.pool import map_processes
from il_ros.runs.kept_contract import keep_contract

PROCESS, GRAPH = 'process', 'graph'


class Kind(NamedTuple):
    """What the episodes of a job are like."""

    contract: str
    """As ``find_contract`` takes it; '': the task's own."""
    words: tuple[str, ...]
    """Options of a command line that say the same."""


class RunJob(NamedTuple):
    """One run of DAgger, begun or resumed."""

    goal: Goal
    folder: Path
    kind: Kind

    def carry_out(self):
        """Do it in this process."""
        # Loaded now: the process that deals the jobs needs no physics.
        from il_ros.loop.local.backend import carry_out
        carry_out(self.goal, self.folder, self.kind.contract, resume=True)

    @property
    def command(self) -> Command:
        """Return the command that does it over the graph."""
        goal = self.goal
        config = ['--config', goal.config] if goal.config else []
        return Command(goal.run, (
            'dagger', '--task', goal.task, '--strategy', goal.strategy, '--seed', str(goal.seed),
            '--run', goal.run, '--runs', str(self.folder.parent), '--demonstrations',
            str(goal.demonstrations), '--rounds', str(goal.rounds), '--episodes-per-round',
            str(goal.episodes_per_round), '--evaluation-episodes', '0',
            '--final-evaluation-episodes', '0', '--no-baseline', '--resume', '--workers', '1',
            '--horizon', str(goal.horizon), *self.kind.words, *config))


class DemonstrationJob(NamedTuple):
    """Demonstrations for BC."""

    goal: Goal
    """Of a run on the same task."""
    seeds: range
    folder: Path
    kind: Kind

    @property
    def specs(self) -> list[EpisodeSpec]:
        """Return what they are, as ``il_ros record`` has it."""
        plan = DrivePlan(driver=EXPERT, seed=self.seeds[0])
        return [EpisodeSpec(
            episode_id(DEMONSTRATION, 0, seed), self.folder.name, self.goal.task,
            purpose=DEMONSTRATION, seed=seed, horizon=self.goal.horizon,
            options=self.goal.options, plan=plan) for seed in self.seeds]

    def carry_out(self):
        """Record them in this process."""
        from il_ros.loop.local.backend import SHARD
        from il_ros.loop.local.player import Player
        goal = self.goal
        keep_contract(self.folder, self.kind.contract)
        with contextlib.closing(repaired(self.folder / 'episodes' / SHARD)) as shard, \
                contextlib.closing(Player(goal.task, self.kind.contract, goal.options)) as player:
            for spec in self.specs:
                receipt = player.play(spec, shard.folder, -1.0)
                if receipt.end == ABORTED:
                    raise ImitationError(f'{spec.episode_id}: {receipt.error_msg}')

    @property
    def command(self) -> Command:
        """Return the command that does it over the graph."""
        return Command(self.folder.name, (
            'record', '--task', self.goal.task, '--run', self.folder.name, '--runs',
            str(self.folder.parent), '--episodes', str(len(self.seeds)), '--seed',
            str(self.seeds[0]), '--horizon', str(self.goal.horizon), *self.kind.words))


def collect(jobs: Sequence[RunJob | DemonstrationJob], over: str, logs: Path, workers: int,
            look: Callable[[], None] = lambda: None):
    """
    Carry out jobs; the episodes are the same either way.

    :param over: ``PROCESS``: in processes without ROS; ``GRAPH``: over a graph each
    :param logs: folder of the graphs' log files
    :param workers: how many side by side
    :param look: called several times a second
    :raises GraphError: if one fails over the graph
    :raises ProcessError: if one fails in a process
    """
    if over == GRAPH:
        run_commands([job.command for job in jobs], logs, workers, look)
        return
    for _ in map_processes(make_collector, (), jobs, workers, look):
        pass


def make_collector() -> Callable[[RunJob | DemonstrationJob], None]:
    """Return a function that carries out one job after the other in its process."""
    def carry_out(job: RunJob | DemonstrationJob):
        try:
            job.carry_out()
        except ImitationError as error:
            raise ImitationError(f'{job.folder.name}: {error}') from error
    return carry_out
