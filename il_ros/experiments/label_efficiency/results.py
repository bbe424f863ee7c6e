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

"""Points of a study, from its runs, fits and evaluations on disk."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from il_ros.contract.episode_spec import LOST
from il_ros.dataset.dataset import DATASET, HELD_OUT
from il_ros.experiments.label_efficiency.demonstrations import counts, key_of, labels_of
from il_ros.experiments.label_efficiency.demonstrations import recorded_in, RecordedDemonstration
from il_ros.experiments.label_efficiency.evaluation import Driver, EvaluationResult, Evaluator
from il_ros.experiments.label_efficiency.evaluation import EXPERT
from il_ros.experiments.label_efficiency.plan import CLONES, Method, Plan, run_name
from il_ros.experiments.label_efficiency.points import BC, Point
from il_ros.experiments.label_efficiency.training import Fit, result_of
from il_ros.interactive.ledger import ledger
from il_ros.interactive.outcomes import Collected, Trained
from il_ros.interactive.run_state import RunState
from il_ros.interactive.stage import stage_name
from il_ros.learning.config import training_path
from il_ros.learning.training_worker.protocol import Job, JobDone


class StudyRun(NamedTuple):
    """One finished run over the graph."""

    task: str
    method: Method
    seed: int
    folder: Path
    state: RunState

    @property
    def budgets(self) -> list[int]:
        """Return the labels of each round, the demonstrations first."""
        return [cost.labels for cost in ledger(self.state)]

    @property
    def labels_each(self) -> float:
        """Return the mean labels of a demonstration."""
        first = self.state.outcome(Collected, stage_name('collect', 0))
        return first.labels / first.episodes

    @property
    def learner(self) -> bytes:
        """Return the training settings, which BC shares."""
        return (self.folder / 'training.yaml').read_bytes()

    def trained(self, round_: int) -> Trained:
        """Return the fit of a round."""
        return self.state.outcome(Trained, stage_name('train', round_))

    def driver(self, round_: int) -> Driver:
        """Return the policy of a round."""
        fit = self.trained(round_)
        return Driver(str((self.folder / fit.path).resolve()), fit.sha256)


class Cloned(NamedTuple):
    """BC with one learner on one task and seed, at every budget."""

    task: str
    name: str
    """``BC``, or a name with the method whose learner it has."""
    seed: int
    folder: Path
    """Of the run with its demonstrations."""
    demonstrations: list[RecordedDemonstration]
    counts: list[int]
    """Demonstrations at each budget, rising."""
    fits: list[Fit]
    """A fit for each budget."""


def learners_of(plan: Plan, runs: Sequence[StudyRun]) -> dict[tuple[str, bytes], str]:
    """Return the name of BC by task and settings: BC, and one more for each other learner."""
    names: dict[tuple[str, bytes], str] = {}
    for task in plan.tasks:
        plain = Path(plan.config) if plan.config else training_path('', task)
        names[task, plain.read_bytes()] = BC
    for run in runs:
        names.setdefault((run.task, run.learner), f'{BC} as {run.method.name}')
    return names


def clones_of(plan: Plan, folder: Path, runs: Sequence[StudyRun]) -> list[Cloned]:
    """
    Return the fits of BC, once its demonstrations are recorded.

    Every fit has the settings and the seed of the runs that it is compared with, and the same
    held-out demonstrations.
    """
    names = learners_of(plan, runs)
    groups: dict[tuple, list[StudyRun]] = {}
    for run in runs:
        groups.setdefault((run.task, run.seed, run.learner), []).append(run)
    found = []
    demonstrations: dict[tuple[str, int], list[RecordedDemonstration]] = {}
    for (task, seed, learner), group in groups.items():
        home = folder / run_name(task, CLONES, seed)
        if (task, seed) not in demonstrations:
            demonstrations[task, seed] = recorded_in(home, group[0].state.goal)
        ours = demonstrations[task, seed]
        wanted = counts(labels_of(ours), [run.budgets for run in group], plan.stretch)
        name = names[task, learner]
        fits = [_fit(home, name.replace(' ', '-').lower(), count, group[0]) for count in wanted]
        found.append(Cloned(task, name, seed, home, ours, wanted, fits))
    return found


def _fit(home: Path, name: str, count: int, run: StudyRun) -> Fit:
    title = f'{name}-{count:04d}'
    return Fit(Job(dataset=str(home / DATASET), filter_key=key_of(count),
                   config=str(run.folder / 'training.yaml'),
                   output=str(home / 'checkpoints' / title), seed=run.seed,
                   held_out_dataset=str(run.folder / DATASET), held_out_key=HELD_OUT),
               home / 'fits' / f'{title}.json')


def drivers_of(task: str, runs: Sequence[StudyRun], clones: Sequence[Cloned]) -> list[Driver]:
    """Return all drivers to evaluate on a task, none twice, the expert first."""
    found = [EXPERT]
    for run in runs:
        if run.task == task:
            found += [run.driver(round_) for round_ in range(run.state.goal.rounds + 1)]
    for one in clones:
        if one.task == task:
            found += map(clone_driver, one.fits)
    return list({driver.sha256: driver for driver in reversed(found)}.values())[::-1]


def clone_driver(fit: Fit) -> Driver:
    """Return the policy of a finished fit."""
    result = result_of(fit)
    return Driver(result.path, result.sha256)


def points_of(task: str, runs: Sequence[StudyRun], clones: Sequence[Cloned], evaluator: Evaluator,
              rate_hz: float) -> list[Point]:
    """Return all points of a task, whose drivers are all evaluated."""
    points = []
    for run in runs:
        if run.task == task:
            results = [evaluator.result(run.driver(round_))
                       for round_ in range(run.state.goal.rounds + 1)]
            points += of_rounds(run, results, rate_hz)
    for one in clones:
        if one.task == task:
            points += [of_clone(task, one.name, one.seed, one.demonstrations[:count],
                                result_of(fit), evaluator.result(clone_driver(fit)), rate_hz)
                       for count, fit in zip(one.counts, one.fits)]
    return points


def of_rounds(run: StudyRun, results: Sequence[EvaluationResult], rate_hz: float) -> list[Point]:
    """
    Return a point for each round; costs that the ledger counts by round are added up.

    :param results: of the rounds' policies, in order
    """
    points = []
    sums = {'expert_driven_steps': 0, 'policy_driven_steps': 0, 'takeovers': 0,
            'objects_lost': 0}
    seconds = 0.0
    for cost, result in zip(ledger(run.state), results, strict=True):
        for key in sums:
            sums[key] += getattr(cost, key)
        seconds += cost.expert_seconds(rate_hz)
        fit = run.trained(cost.round)
        points.append(_point(run.task, run.method.name, False, run.seed, cost.round, fit, result,
                             labels=cost.labels, queries=cost.queries, watched=cost.watched,
                             synthetic=cost.synthetic, expert_seconds=round(seconds, 3), **sums))
    return points


def of_clone(task: str, name: str, seed: int, demonstrations: Sequence[RecordedDemonstration],
             fit: JobDone, result: EvaluationResult, rate_hz: float) -> Point:
    """
    Return the point of a policy of BC.

    :param demonstrations: that it was trained on
    """
    receipts = [one.receipt for one in demonstrations]
    queries = sum(one.queries for one in receipts)
    return _point(task, name, True, seed, len(demonstrations), fit, result, labels=fit.labels,
                  queries=queries, watched=queries - fit.labels,
                  expert_driven_steps=sum(one.expert_steps for one in receipts),
                  policy_driven_steps=sum(one.steps - one.expert_steps for one in receipts),
                  takeovers=sum(one.takeovers for one in receipts),
                  objects_lost=sum(one.cause == LOST for one in receipts), synthetic=0,
                  expert_seconds=round(queries / rate_hz, 3))


def _point(task: str, name: str, cloned: bool, seed: int, number: int, fit: Trained | JobDone,
           result: EvaluationResult, **costs) -> Point:
    return Point(task=task, method=name, cloned=cloned, seed=seed, number=number,
                 loss_held_out=fit.held_out_loss, epsilon_mistakes=fit.epsilon_mistakes,
                 epsilon_states=fit.epsilon_states, wins=result.wins, steps=result.steps,
                 mistakes=result.mistakes, lost=result.lost, sha256=fit.sha256, **costs)
