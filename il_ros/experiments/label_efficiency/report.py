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

"""Report of a study: ``study.html``, and a page to publish."""

from typing import Mapping, Sequence

from il_ros.experiments.error_growth.plots import PANELS
from il_ros.experiments.label_efficiency import plots
from il_ros.experiments.label_efficiency.points import curves_of, Point
from il_ros.experiments.label_efficiency.reading import conclusion, expert_success, methods_table
from il_ros.experiments.label_efficiency.reading import pairs_table, read
from il_ros.experiments.provenance import made
from il_ros.reports.page import Figure, render


def pairs_of(task: dict) -> list[tuple[str, str]]:
    """Return the methods of collecting, each with the BC that it is compared with."""
    return [(one['method'], one.get('ratio', {}).get('to', '')) for one in task['methods']
            if not one['cloned']]


def figures_of(task: dict, points: Sequence[Point]) -> dict[str, Figure]:
    """Return the figures of a task by the name of their file."""
    curves, pairs = curves_of(points, task['task']), pairs_of(task)
    found = {'medians': Figure('Medians of all methods',
                               plots.medians(curves, pairs, task['expert']))}
    for key, axis in plots.AXES.items():
        for first in range(0, len(pairs), PANELS):
            found[f'{key}-{first // PANELS + 1}'] = Figure(
                f'Success against {axis}',
                plots.success_against(curves, pairs, first, key, task['expert']))
    found['loss'] = Figure('Held-out loss and success', plots.loss_against_success(curves, pairs))
    found['states'] = Figure('State source and driver', plots.state_source(curves, pairs))
    return found


def report_html(about: dict, tasks: Sequence[dict], points: Sequence[Point]) -> str:
    """
    Return the report, self-contained.

    :param about: ``command``, ``commits``, ``versions`` and ``conditions``
    """
    shown = [{**_findings(task), 'expert': expert_success(task),
              'figures': figures_of(task, points)} for task in tasks]
    return render(
        'study.html.j2', title='Label efficiency: ' + ', '.join(task['task'] for task in tasks),
        subtitle='methods of collecting labels, compared with behavioural cloning (BC)',
        conclusions=[conclusion(task) for task in tasks], tasks=shown,
        made=[f'Command: {about["command"]}', *made(about)])


def readme(name: str, about: Mapping, tasks: Sequence[dict],
           figures: Mapping[str, Mapping[str, Figure]]) -> str:
    """
    Return the page that is published beside figures and tables (Markdown).

    :param figures: of each task, by the names of their files
    """
    return render(
        'study.md.j2', name=name, command=about['command'], made=made(about),
        tasks=[{**_findings(task), 'figures': figures[task['task']]} for task in tasks])


def _findings(task: dict) -> dict:
    return {'name': task['task'], 'findings': read(task), 'table': methods_table(task),
            'pairs': pairs_table(task)}
