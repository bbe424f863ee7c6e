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

"""``il_ros study``: which way of asking buys the most success per label, drive and look."""

import argparse
from pathlib import Path
import sys
import time

from il_ros.experiments.label_efficiency import demonstrations as shows
from il_ros.experiments.label_efficiency.cloning import done, train
from il_ros.experiments.label_efficiency.gathering import Cloned, clones_of, Collected, drivers_of
from il_ros.experiments.label_efficiency.judging import Judge
from il_ros.experiments.label_efficiency.plan import begin, CLONES, Plan, plan_of, run_name
from il_ros.experiments.label_efficiency.plan import StudyError, Way
from il_ros.experiments.label_efficiency.results import commit_of_this, mixed, publish
from il_ros.experiments.label_efficiency.results import write_results
from il_ros.experiments.rollouts import Conditions
from il_ros.files.folders import require_writable
from il_ros.interactive import run_state
from il_ros.interactive.rounds import next_stage
from il_ros.interactive.run_state import FILE_NAME, RunFileError, RunState
from il_ros.processes.graphs import Command, run_commands
from il_ros.progress import Progress

INTERRUPTED = 130
_LOOK_S = 1.0


def study(words: argparse.Namespace) -> int:
    """Collect, clone, judge, and write what came of it; what is there is not done again."""
    plan = plan_of(words)
    folder = Path(words.runs) / plan.run
    for place in (folder, *([Path(words.publish)] if words.publish else [])):
        require_writable(place, StudyError)
    commits = begin(folder, plan, commit_of_this())
    for warning in mixed(commits):
        print(f'il_ros: warning: {warning}', file=sys.stderr)
    try:
        steps = Steps(plan, folder, words.workers)
        runs = steps.collect()
        clones = steps.clone(runs)
        judges = steps.judge(runs, clones)
    except KeyboardInterrupt:
        print('il_ros: interrupted; what is finished is kept, and the same command goes on from '
              'there', file=sys.stderr)
        return INTERRUPTED
    brought = write_results(plan, folder, commits, runs, clones, judges)
    if words.publish:
        publish(Path(words.publish), brought)
    print(f'\n{brought.text}\n\n{folder / "study.html"} shows it; {folder / "study.json"} and '
          'the CSV files beside it have the numbers.')
    if words.publish:
        print(f'{words.publish} has figures and tables.')
    return 0


class Steps:
    """What a study does, in order; each step goes on with what it finds on disk."""

    def __init__(self, plan: Plan, folder: Path, workers: int):
        self._plan, self._folder, self._workers = plan, folder, workers

    def collect(self) -> list[Collected]:
        """
        Run every way on every task and seed over the graph.

        :raises GraphError: if a run fails
        """
        plan = self._plan
        wanted = [(task, way, seed) for task in plan.tasks for seed in plan.seeds
                  for way in plan.ways]
        waiting = [Command(run_name(task, way.name, seed), self._dagger(task, way, seed))
                   for task, way, seed in wanted if not self._is_done(task, way, seed)]
        rounds = len(wanted) * (plan.rounds + 1)
        with Progress('collecting', rounds, 'round', self._fitted(wanted)) as progress:
            looked = [time.monotonic()]

            def look():
                if time.monotonic() - looked[0] > _LOOK_S:
                    looked[0] = time.monotonic()
                    progress.reach(self._fitted(wanted))

            run_commands(waiting, self._folder / 'logs', self._workers, look)
            progress.reach(rounds)
        return [Collected(task, way, seed, self._run(task, way, seed),
                          run_state.load(self._run(task, way, seed)))
                for task, way, seed in wanted]

    def _run(self, task: str, way: Way, seed: int) -> Path:
        return self._folder / run_name(task, way.name, seed)

    def _state(self, task: str, way: Way, seed: int) -> RunState | None:
        folder = self._run(task, way, seed)
        if not (folder / FILE_NAME).exists():
            return None
        try:
            return run_state.load(folder)
        except RunFileError:
            return None  # the run itself says what is wrong when it is gone on with

    def _is_done(self, task: str, way: Way, seed: int) -> bool:
        state = self._state(task, way, seed)
        return state is not None and next_stage(state) is None

    def _fitted(self, wanted: list[tuple[str, Way, int]]) -> int:
        states = filter(None, (self._state(*one) for one in wanted))
        return sum(name.endswith('-train') for state in states for name in state.finished)

    def _dagger(self, task: str, way: Way, seed: int) -> tuple[str, ...]:
        plan = self._plan
        words = ['dagger', '--task', task, '--strategy', way.strategy, '--seed', str(seed),
                 '--run', run_name(task, way.name, seed), '--runs', str(self._folder),
                 '--demonstrations', str(plan.demonstrations), '--rounds', str(plan.rounds),
                 '--episodes-per-round', str(plan.episodes_per_round),
                 '--evaluation-episodes', '0', '--final-evaluation-episodes', '0',
                 '--no-baseline', '--resume', *self._episodes()]
        return tuple(words + (['--config', way.config] if way.config else []))

    def _episodes(self) -> list[str]:
        plan = self._plan
        return ['--horizon', str(plan.horizon),
                *(['--options', plan.options] if plan.options else [])]

    def clone(self, runs: list[Collected]) -> list[Cloned]:
        """
        Record demonstrations for BC, and train it at every budget.

        :raises GraphError: if they cannot be recorded
        :raises LearningError: if a fit fails
        """
        self._demonstrate(runs)
        clones = clones_of(self._plan, self._folder, runs)
        fits = [fit for one in clones for fit in one.fits]
        missing = [fit for fit in fits if done(fit) is None]
        if missing:
            self._aggregate(clones)
        with Progress('cloning', len(fits), 'fit', len(fits) - len(missing)) as progress:
            train(missing, self._workers, progress.update)
        return clones

    def _aggregate(self, clones: list[Cloned]):
        """Make the data sets; learners of other kinds share those of their task and seed."""
        wanted: dict[Path, set[int]] = {}
        for one in clones:
            wanted.setdefault(one.folder, set()).update(one.counts)
        shown = {one.folder: one.shown for one in clones}
        for folder, numbers in wanted.items():
            shows.prepare(folder, shown[folder], numbers)

    def _demonstrate(self, runs: list[Collected]):
        """Record until BC can be given so many times the labels of the largest budget."""
        with Progress('demonstrating', 0, 'episode') as progress:
            while asked := self._still_to_show(runs):
                total = progress.done + sum(count for _, count in asked)
                progress.reach(progress.done, total)
                run_commands([command for command, _ in asked], self._folder / 'logs',
                             self._workers)
                progress.reach(total)

    def _still_to_show(self, runs: list[Collected]) -> list[tuple[Command, int]]:
        plan, asked = self._plan, []
        for task in plan.tasks:
            for seed in plan.seeds:
                of_it = [run for run in runs if (run.task, run.seed) == (task, seed)]
                name, goal = run_name(task, CLONES, seed), of_it[0].state.goal
                target = plan.stretch * max(max(run.budgets) for run in of_it)
                shown = shows.shown_in(self._folder / name, goal)
                count = shows.still_wanted(shown, target, of_it[0].labels_each)
                first = goal.demonstration_seeds(len(shown), 1)
                if count and first:
                    words = ('record', '--task', task, '--run', name, '--runs',
                             str(self._folder), '--episodes', str(count), '--seed',
                             str(first[0]), *self._episodes())
                    asked.append((Command(name, words), count))
        return asked

    def judge(self, runs: list[Collected], clones: list[Cloned]) -> dict[str, Judge]:
        """
        Let every checkpoint and the expert meet the same resets; return the judge of each task.

        :raises ProcessError: if a process fails
        """
        plan, judges = self._plan, {}
        drivers = {task: drivers_of(task, runs, clones) for task in plan.tasks}
        with Progress('evaluating', sum(map(len, drivers.values())), 'policy') as progress:
            for task, found in drivers.items():
                judge = judges[task] = Judge(
                    self._folder / 'evaluations',
                    Conditions(task, plan.horizon, options=plan.options),
                    plan.evaluation_seeds())
                there = sum(judge.found(driver) is not None for driver in found)
                progress.update(there)
                judge.run(found, self._workers, progress.update)
        return judges
