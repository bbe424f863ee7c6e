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

"""``il_ros study``: compare methods of collecting labels by their label efficiency."""

import argparse
from collections.abc import Callable, Sequence
import os
from pathlib import Path
import sys
import time

from il_ros.experiments.label_efficiency.collecting import collect, DemonstrationJob, Kind
from il_ros.experiments.label_efficiency.collecting import PROCESS, RunJob
from il_ros.experiments.label_efficiency.demonstrations import prepare, recorded_in, still_wanted
from il_ros.experiments.label_efficiency.evaluation import Evaluator
from il_ros.experiments.label_efficiency.plan import begin, CLONES, Method, Plan, plan_of, run_name
from il_ros.experiments.label_efficiency.plan import StudyError
from il_ros.experiments.label_efficiency.publication import mixed, publish, write_results
from il_ros.experiments.label_efficiency.results import Cloned, clones_of, drivers_of, StudyRun
from il_ros.experiments.label_efficiency.training import done, train
from il_ros.experiments.provenance import commit_of_this
from il_ros.experiments.rollouts import Conditions
from il_ros.files.folders import require_writable
from il_ros.interactive import run_state
from il_ros.interactive.outcomes import Trained
from il_ros.interactive.rounds import next_stage
from il_ros.interactive.run_state import FILE_NAME, RunFileError, RunState
from il_ros.progress import Progress

INTERRUPTED = 130
_POLL_S = 1.0


def study(args: argparse.Namespace) -> int:
    """Collect, train BC, evaluate and write the results; finished parts are kept."""
    plan = plan_of(args)
    folder = Path(args.runs) / plan.run
    for place in (folder, *([Path(args.publish)] if args.publish else [])):
        require_writable(place, StudyError)
    commits = begin(folder, plan, commit_of_this())
    for warning in mixed(commits):
        print(f'il_ros: warning: {warning}', file=sys.stderr)
    try:
        steps = Steps(plan, folder, args.workers or len(os.sched_getaffinity(0)), args.over)
        runs = steps.collect()
        clones = steps.clone(runs)
        evaluators = steps.evaluate(runs, clones)
    except KeyboardInterrupt:
        print('il_ros: interrupted; finished parts are kept, and the same command resumes the '
              'study', file=sys.stderr)
        return INTERRUPTED
    results = write_results(plan, folder, commits, runs, clones, evaluators)
    if args.publish:
        publish(Path(args.publish), results)
    print(f'\n{results.text}\n\n{folder / "study.html"} shows it; {folder / "study.json"} and '
          'the CSV files beside it have the numbers.')
    if args.publish:
        print(f'{args.publish} has figures and tables.')
    return 0


class Steps:
    """Steps of a study, in order; each one keeps what it finds on disk."""

    def __init__(self, plan: Plan, folder: Path, workers: int, over: str = PROCESS):
        self._plan, self._folder, self._workers, self._over = plan, folder, workers, over

    def collect(self) -> list[StudyRun]:
        """
        Run every method on every task and seed.

        :raises ImitationError: if a run fails
        """
        plan = self._plan
        wanted = [(task, method, seed) for task in plan.tasks for seed in plan.seeds
                  for method in plan.methods]
        waiting = [RunJob(self._plan.goal(task, method, seed), self._run(task, method, seed),
                          self._kind(task))
                   for task, method, seed in wanted if not self._is_done(task, method, seed)]
        rounds = len(wanted) * (plan.rounds + 1)
        with Progress('collecting', rounds, 'round', self._fitted(wanted)) as progress:
            polled = [time.monotonic()]

            def on_poll():
                if time.monotonic() - polled[0] > _POLL_S:
                    polled[0] = time.monotonic()
                    progress.reach(self._fitted(wanted))

            self._collect(waiting, on_poll)
            progress.reach(rounds)
        return [StudyRun(task, method, seed, self._run(task, method, seed),
                         run_state.load(self._run(task, method, seed)))
                for task, method, seed in wanted]

    def _collect(self, jobs: Sequence[RunJob | DemonstrationJob],
                 look: Callable[[], None] = lambda: None):
        collect(jobs, self._over, self._folder / 'logs', self._workers, look)

    def _run(self, task: str, method: Method, seed: int) -> Path:
        return self._folder / run_name(task, method.name, seed)

    def _state(self, task: str, method: Method, seed: int) -> RunState | None:
        folder = self._run(task, method, seed)
        if not (folder / FILE_NAME).exists():
            return None
        try:
            return run_state.load(folder)
        except RunFileError:
            return None  # the run itself reports the fault when it is resumed

    def _is_done(self, task: str, method: Method, seed: int) -> bool:
        state = self._state(task, method, seed)
        return state is not None and next_stage(state) is None

    def _fitted(self, wanted: list[tuple[str, Method, int]]) -> int:
        states = filter(None, (self._state(*one) for one in wanted))
        return sum(len(state.all_of(Trained)) for state in states)

    def _kind(self, task: str) -> Kind:
        return Kind(self._plan.contract(task), tuple(self._plan.kind_of_episodes()))

    def clone(self, runs: list[StudyRun]) -> list[Cloned]:
        """
        Record demonstrations for BC, and train it with every budget.

        :raises ImitationError: if they cannot be recorded, or a fit fails
        """
        self._demonstrate(runs)
        clones = clones_of(self._plan, self._folder, runs)
        fits = [fit for one in clones for fit in one.fits]
        missing = [fit for fit in fits if done(fit) is None]
        if missing:
            self._aggregate(clones)
        with Progress('training BC', len(fits), 'fit', len(fits) - len(missing)) as progress:
            train(missing, self._workers, progress.update)
        return clones

    def _aggregate(self, clones: list[Cloned]):
        """Make the data sets; all learners of a task and seed share one."""
        wanted: dict[Path, set[int]] = {}
        for one in clones:
            wanted.setdefault(one.folder, set()).update(one.counts)
        demonstrations = {one.folder: one.demonstrations for one in clones}
        for folder, numbers in wanted.items():
            prepare(folder, demonstrations[folder], numbers)

    def _demonstrate(self, runs: list[StudyRun]):
        """Record demonstrations until they suffice for the largest data set of BC."""
        with Progress('demonstrating', 0, 'episode') as progress:
            while asked := self._missing_demonstrations(runs):
                total = progress.done + sum(len(job.seeds) for job in asked)
                progress.reach(progress.done, total)
                self._collect(asked)
                progress.reach(total)

    def _missing_demonstrations(self, runs: list[StudyRun]) -> list[DemonstrationJob]:
        plan, asked = self._plan, []
        for task in plan.tasks:
            for seed in plan.seeds:
                of_it = [run for run in runs if (run.task, run.seed) == (task, seed)]
                name, goal = run_name(task, CLONES, seed), of_it[0].state.goal
                target = plan.stretch * max(max(run.budgets) for run in of_it)
                demonstrations = recorded_in(self._folder / name, goal)
                count = still_wanted(demonstrations, target, of_it[0].labels_each)
                seeds = goal.demonstration_seeds(len(demonstrations), count)
                if seeds:
                    asked.append(DemonstrationJob(goal, seeds, self._folder / name,
                                                  self._kind(task)))
        return asked

    def evaluate(self, runs: list[StudyRun], clones: list[Cloned]) -> dict[str, Evaluator]:
        """
        Run the held-out episodes with each checkpoint and the expert; return results by task.

        :raises ProcessError: if a process fails
        """
        plan, evaluators = self._plan, {}
        drivers = {task: drivers_of(task, runs, clones) for task in plan.tasks}
        with Progress('evaluating', sum(map(len, drivers.values())), 'policy') as progress:
            for task, found in drivers.items():
                evaluator = evaluators[task] = Evaluator(
                    self._folder / 'evaluations',
                    Conditions(task, plan.horizon, options=plan.options,
                               contract=plan.contract(task)),
                    plan.evaluation_seeds())
                there = sum(evaluator.found(driver) is not None for driver in found)
                progress.update(there)
                evaluator.run(found, self._workers, progress.update)
        return evaluators
