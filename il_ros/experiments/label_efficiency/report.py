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

"""``study.html``: what a study brought, one file without any outside reference."""

import html
from typing import Mapping, Sequence

from il_ros.experiments.error_growth.plots import PANELS
from il_ros.experiments.label_efficiency import plots as plots
from il_ros.experiments.label_efficiency.points import curves_of, Point
from il_ros.experiments.label_efficiency.reading import HEADINGS, LEGEND, read, rows, verdict
from il_ros.reports.page import figure, page, paragraphs, section
from il_ros.reports.table import markdown, percent

_NOTES = {
    'labels': 'Each mark is one checkpoint of one training seed with its 95 % Wilson interval; '
              'the line is the median over seeds. Each tick doubles the labels.',
    'expert_driven_steps': 'The same checkpoints against the steps that the expert drove: what a '
                           'person would have had to steer.',
    'queries': 'The same checkpoints against all answers of the expert, also those of which no '
               'label came: what a person would have had to look at.'}


def pairs_of(task: dict) -> list[tuple[str, str]]:
    """Return the ways of collecting, each with the BC that it is compared with."""
    return [(one['method'], one.get('ratio', {}).get('to', '')) for one in task['methods']
            if not one['cloned']]


def figures_of(task: dict, points: Sequence[Point]) -> dict[str, tuple[str, str, str]]:
    """Return the figures of a task by the name of their file: title, SVG and note."""
    curves, pairs, found = curves_of(points, task['task']), pairs_of(task), {}
    found['medians'] = ('All ways, medians', plots.medians(curves, pairs, task['expert']),
                        'Median over training seeds.')
    for key, axis in plots.AXES.items():
        for first in range(0, len(pairs), PANELS):
            svg = plots.success_against(curves, pairs, first, key, task['expert'])
            found[f'{key}-{first // PANELS + 1}'] = (f'Success against {axis}', svg, _NOTES[key])
    found['loss'] = ('Loss is not success', plots.loss_against_success(curves, pairs),
                     'Every checkpoint of the study: how well it imitates on states that the '
                     'expert visits, and whether it does the task.')
    found['states'] = ('Whose states, and who drove', plots.whose_states(curves, pairs),
                       'Left: labels of the rounds to those of the demonstrations; 0 where only '
                       'the expert drives. Right: of each round&#x27;s steps.')
    return found


def report_html(about: dict, tasks: Sequence[dict], points: Sequence[Point]) -> str:
    """
    Return the report, self-contained.

    :param about: ``command``, ``commits`` and ``versions``, for whoever wants to repeat it
    """
    body = [section('In one sentence a task', paragraphs([verdict(task) for task in tasks]))]
    for task in tasks:
        expert = task['expert']
        body.append(f'<h1>{html.escape(task["task"])}</h1>\n<p class="about">the expert succeeds '
                    f'in {expert["k"]} of {expert["n"]}, {percent(expert["low"])} to '
                    f'{percent(expert["high"])}</p>\n')
        body.append(section('What the numbers say', paragraphs(read(task))))
        body.append(_table(task))
        body += [figure(*parts) for parts in figures_of(task, points).values()]
    body.append(section('How it was made', paragraphs(made(about))))
    title = 'What labels buy: ' + ', '.join(task['task'] for task in tasks)
    return page(title, f'<h1>{html.escape(title)}</h1>\n{"".join(body)}')


def made(about: Mapping) -> list[str]:
    """Return the sentences that say how to repeat a study."""
    versions = ', '.join(f'{name} {version}' for name, version in about['versions'].items())
    return [f'Command: {about["command"]}', f'Commit: {", ".join(about["commits"])}',
            f'Versions: {versions}', about['conditions']]


def _table(task: dict) -> str:
    head = ''.join(f'<th>{html.escape(cell)}</th>' for cell in HEADINGS)
    kinds = {one['method']: 'bc' if one['cloned'] else '' for one in task['methods']}
    kinds[task['named']] = 'last'
    body = ''.join(
        f'<tr class="{kinds[row[0]]}">{"".join(f"<td>{html.escape(cell)}</td>" for cell in row)}'
        '</tr>\n' for row in rows(task))
    note = html.escape(LEGEND.replace('\n  ', ' ').replace('\n', '. '))
    return section('What the success of the expert costs', (
        f'<div class="scroll"><table>\n<tr>{head}</tr>\n{body}</table></div>\n'
        f'<p class="note">{note}.</p>'))


def readme(name: str, about: Mapping, tasks: Sequence[dict],
           figures: Mapping[str, Mapping[str, str]]) -> str:
    """
    Return the page that lies beside published figures and tables (Markdown).

    :param figures: of each task, the title of each by the name of its file
    """
    lines = [f'# Study {name}', '', '```bash', about['command'], '```', '',
             *(f'* {one}' for one in made(about)[1:]), '']
    for task in tasks:
        lines += [f'## {task["task"]}', '', *(f'{one}\n' for one in read(task)),
                  *markdown([HEADINGS, *rows(task)]), '',
                  *(f'![{title.lower()}]({file})\n'
                    for file, title in figures[task['task']].items())]
    return '\n'.join([*lines, LEGEND.replace('\n  ', ' ').replace('\n', '.\n\n') + '.', ''])
