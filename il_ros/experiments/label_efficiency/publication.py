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

"""Results of a study: ``study.json``, CSV files, ``study.html``, and a folder to publish."""

from pathlib import Path
from typing import Mapping, NamedTuple, Sequence

from il_ros.experiments.label_efficiency.evaluation import Evaluator, EXPERT
from il_ros.experiments.label_efficiency.plan import Plan
from il_ros.experiments.label_efficiency.points import Point, points_csv
from il_ros.experiments.label_efficiency.reading import about_intervals, format_study
from il_ros.experiments.label_efficiency.report import figures_of, readme, report_html
from il_ros.experiments.label_efficiency.results import Cloned, learners_of, points_of
from il_ros.experiments.label_efficiency.results import StudyRun
from il_ros.experiments.label_efficiency.summary import needed_csv, pairs_csv, Question, rates_csv
from il_ros.experiments.label_efficiency.summary import study_json, summarise_task
from il_ros.experiments.provenance import versions, write_files
from il_ros.tasks.contracts import find_contract


class StudyResults(NamedTuple):
    """Everything that a study found."""

    about: dict
    tasks: list[dict]
    points: list[Point]

    @property
    def text(self) -> str:
        """Return the tables for a terminal."""
        return format_study(self.tasks)

    @property
    def tables(self) -> dict[str, str]:
        """Return the CSV files by name."""
        return {'points.csv': points_csv(self.points), 'needed.csv': needed_csv(self.tasks),
                'pairs.csv': pairs_csv(self.tasks), 'rates.csv': rates_csv(self.tasks)}


def write_results(plan: Plan, folder: Path, commits: Sequence[str], runs: Sequence[StudyRun],
                  clones: Sequence[Cloned], evaluators: Mapping[str, Evaluator]) -> StudyResults:
    """Write the results into the study's folder, and return them."""
    tasks, points = [], []
    for task in plan.tasks:
        contract, _ = find_contract(plan.contract(task) or task)
        points += points_of(task, runs, clones, evaluators[task], contract.rate)
        tasks.append(summarise_task(_question(plan, task, runs, evaluators[task]), points))
    about = {'command': plan.command(folder.parent), 'commits': list(commits),
             'versions': versions(),
             'conditions': ' '.join([_conditions(plan), *mixed(commits)])}
    results = StudyResults(about, tasks, points)
    write_files(folder, {'study.json': study_json(about, tasks, points),
                         'study.html': report_html(about, tasks, points), **results.tables})
    return results


def _question(plan: Plan, task: str, runs: Sequence[StudyRun], evaluator: Evaluator) -> Question:
    names = learners_of(plan, runs)
    against = {run.method.name: names[task, run.learner] for run in runs if run.task == task}
    targets = {method.name: method.load().plan(1, 0).target_rate for method in plan.methods}
    return Question(task, evaluator.result(EXPERT).wins, against, plan.named,
                    {name: target for name, target in targets.items() if target > 0.0})


def _conditions(plan: Plan) -> str:
    what = 'validation: settings may be chosen by them' if plan.on_validation else 'evaluation'
    last = plan.first_seed + plan.episodes - 1
    return (f'All policies and the expert ran the held-out episodes with seeds {plan.first_seed} '
            f'to {last} ({what}); training seeds {", ".join(map(str, plan.seeds))}. The number of '
            'rounds was fixed beforehand, every round is shown, and BC was trained with the '
            'settings, the seed and the inputs of the methods that it is compared with. The '
            'same training seed of two methods has the same demonstrations and held-out '
            f'episodes. {about_intervals(len(plan.seeds))}')


def mixed(commits: Sequence[str]) -> list[str]:
    """Return a warning if a study was run with several versions of the code."""
    if len(commits) < 2:
        return []
    return [f'This study was run with {len(commits)} versions of the code '
            f'({", ".join(commits)}), because finished runs, fits and evaluations are kept; give '
            '--run another name to use a single version.']


def publish(folder: Path, results: StudyResults):
    """Write figures (SVG), tables (CSV) and a page that says how to reproduce them."""
    folder.mkdir(parents=True, exist_ok=True)
    figures = {
        summary['task']: {f'{summary["task"]}-{name}.svg': figure for name, figure in
                          figures_of(summary, results.points).items()}
        for summary in results.tasks}
    write_files(folder, {
        **results.tables, 'README.md': readme(folder.name, results.about, results.tasks, figures),
        **{file: one.svg for of_task in figures.values() for file, one in of_task.items()}})
