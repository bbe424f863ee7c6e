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

"""What a study leaves: ``study.json``, CSV files, ``study.html``, and what is published of it."""

from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
import platform
import subprocess
from typing import Mapping, NamedTuple, Sequence

from il_ros.experiments.label_efficiency.gathering import Cloned, Collected, learners_of, points_of
from il_ros.experiments.label_efficiency.judging import EXPERT, Judge
from il_ros.experiments.label_efficiency.plan import Plan
from il_ros.experiments.label_efficiency.points import Point, points_csv
from il_ros.experiments.label_efficiency.reading import format_study
from il_ros.experiments.label_efficiency.report import figures_of, readme, report_html
from il_ros.experiments.label_efficiency.summary import needed_csv, Question, rates_csv, study_json
from il_ros.experiments.label_efficiency.summary import summarise_task
from il_ros.files.atomic import write_atomically
from il_ros.tasks.contracts import find_contract

_VERSIONS = ('il_ros', 'numpy', 'torch', 'pybullet', 'gymnasium', 'ros-jazzy-rclpy', 'matplotlib')
_UNKNOWN = 'unknown'


class Brought(NamedTuple):
    """All that a study found."""

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
                'rates.csv': rates_csv(self.tasks)}


def write_results(plan: Plan, folder: Path, commits: Sequence[str], runs: Sequence[Collected],
                  clones: Sequence[Cloned], judges: Mapping[str, Judge]) -> Brought:
    """Write the results into the study's folder, and return them."""
    tasks, points = [], []
    for task in plan.tasks:
        contract, _ = find_contract(task)
        points += points_of(task, runs, clones, judges[task], contract.rate)
        tasks.append(summarise_task(_question(plan, task, runs, judges[task]), points))
    about = {'command': plan.command(folder.parent), 'commits': list(commits),
             'versions': versions(),
             'conditions': ' '.join([_conditions(plan), *mixed(commits)])}
    brought = Brought(about, tasks, points)
    write_files(folder, {'study.json': study_json(about, tasks, points),
                         'study.html': report_html(about, tasks, points), **brought.tables})
    return brought


def _question(plan: Plan, task: str, runs: Sequence[Collected], judge: Judge) -> Question:
    names = learners_of(plan, runs)
    against = {run.way.name: names[task, run.learner] for run in runs if run.task == task}
    targets = {way.name: way.load().plan(1, 0).target_rate for way in plan.ways}
    return Question(task, judge.found(EXPERT).wins, against, plan.named,
                    {name: target for name, target in targets.items() if target > 0.0})


def _conditions(plan: Plan) -> str:
    what = 'validation: settings may be chosen by them' if plan.on_validation else 'evaluation'
    last = plan.first_seed + plan.episodes - 1
    return (f'Every policy and the expert met the resets with seeds {plan.first_seed} to {last} '
            f'({what}); training seeds {", ".join(map(str, plan.seeds))}. The number of rounds '
            'was fixed beforehand, every round is shown, and BC learned with the settings, the '
            'seed and the inputs of those it is compared with. Intervals resample the episodes, '
            'the same for all training seeds; they say nothing of seeds that were not run.')


def mixed(commits: Sequence[str]) -> list[str]:
    """Return a warning where a study was made with more than one version of the code."""
    if len(commits) < 2:
        return []
    return [f'This study was made with {len(commits)} versions of the code '
            f'({", ".join(commits)}): runs, fits and evaluations that were there already were not '
            'done again; give --run another name for one made with a single version.']


def publish(folder: Path, brought: Brought):
    """Write figures (SVG), tables (CSV) and a page that says how they were made."""
    folder.mkdir(parents=True, exist_ok=True)
    files = dict(brought.tables)
    titles: dict[str, dict[str, str]] = {summary['task']: {} for summary in brought.tasks}
    for summary in brought.tasks:
        for name, (title, svg, _) in figures_of(summary, brought.points).items():
            file = f'{summary["task"]}-{name}.svg'
            files[file], titles[summary['task']][file] = svg, title
    files['README.md'] = readme(folder.name, brought.about, brought.tasks, titles)
    write_files(folder, files)


def write_files(folder: Path, files: Mapping[str, str]):
    """Write texts by the names of their files, each whole or not at all."""
    for name, content in files.items():
        write_atomically(folder / name, content.encode())


def versions() -> dict[str, str]:
    """Return the versions of what decides the numbers."""
    found = {'python': platform.python_version()}
    for name in _VERSIONS:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = _UNKNOWN
    return found


def commit_of_this() -> str:
    """Return the commit of the source tree that runs, marked where it has changes."""
    root = str(Path(__file__).resolve().parents[3])
    try:
        commit, changes = (subprocess.run(
            ['git', '-C', root, *words], capture_output=True, text=True, check=True,
            timeout=20.0).stdout.strip() for words in (
                ('rev-parse', 'HEAD'), ('status', '--porcelain', '--untracked-files=no')))
    except (OSError, subprocess.SubprocessError):
        return _UNKNOWN
    return f'{commit} with changes' if changes else commit
