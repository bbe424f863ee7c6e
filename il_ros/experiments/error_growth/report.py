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

"""Report of the growth of mistakes: ``compounding.html``, and a page to publish."""

from typing import Mapping

from il_ros.experiments.error_growth import plots
from il_ros.experiments.error_growth.analysis import FEWEST_EVENTS
from il_ros.experiments.error_growth.reading import policies_table, read
from il_ros.experiments.provenance import made
from il_ros.reports.page import Figure, render
from il_ros.reports.table import Table
from il_ros.reports.wording import bounds, short


def figures_of(summary: dict) -> dict[str, Figure]:
    """Return the figures by the name of their file."""
    found = {
        f'growth-{first // plots.PANELS + 1}': Figure(
            'Mistakes against the length of the episode', plots.growth(summary, first))
        for first in range(0, len(summary['policies']), plots.PANELS)}
    found['exponents'] = Figure('Local exponents', plots.exponents(summary))
    found['goals'] = Figure('Goals reached, and episodes still reaching goals',
                            plots.goals(summary))
    found['after'] = Figure('After the first mistake', plots.after_first_mistake(summary))
    if any(policy['drift'] for policy in summary['policies']):
        found['drift'] = Figure('Drift', plots.drift(summary))
    return found


def report_html(summary: dict) -> str:
    """
    Return the report, self-contained.

    :param summary: as ``summary.summarise`` returns it
    """
    return render(
        'error_growth.html.j2', title=f'Error growth on continuing episodes of {summary["task"]}',
        subtitle=f'{summary["episodes"]} episodes of {summary["horizon"]} steps each, seeds from '
                 f'{summary["first_seed"]}, the same for all policies',
        findings=read(summary), policies=policies_table(summary),
        figures=figures_of(summary), summary=summary, fewest_events=FEWEST_EVENTS,
        drift_episodes=max(one['drift']['episodes'] if one['drift'] else 0
                           for one in summary['policies']),
        definitions=_definitions(summary))


def _definitions(summary: dict) -> Table:
    """Return mistakes and epsilon of each policy under each definition of a mistake."""
    headings = ('', 'error above', 'mistakes', 'on states of the expert', '95 %')
    rows = []
    for policy in summary['policies']:
        for row in policy['definitions']:
            epsilon = row['epsilon']
            rule = (f'{row["fraction"]} of the expert\'s speed' if row['fraction'] is not None
                    else 'gripper disagrees')
            rows.append((policy['name'], rule, short(row['mistakes']),
                         f'{epsilon["k"]} of {epsilon["n"]}',
                         f'{100 * epsilon["low"]:.2f}-{100 * epsilon["high"]:.2f} %'))
    return Table(headings, rows)


def readme(name: str, about: Mapping, summary: dict, figures: Mapping[str, Figure]) -> str:
    """
    Return the page that is published beside the figures (Markdown).

    :param about: ``command``, ``commits``, ``versions`` and ``conditions``
    :param figures: by the names of their files, without suffix
    """
    return render(
        'error_growth.md.j2', name=name, command=about['command'], made=made(about),
        findings=read(summary), policies=policies_table(summary), lengths=_lengths(summary),
        figures=figures)


def _lengths(summary: dict) -> Table:
    """Return J(T) of each policy with its interval, and each method's median over seeds."""
    policies, methods = summary['policies'], summary['ways']
    rows = []
    for index, steps in enumerate(summary['grid']):
        points = [one['mistakes'][index] for one in policies]
        rows.append((str(steps), *(f'{short(one["value"])} ({bounds(one)})' for one in points),
                     *(short(one['median_mistakes'][index]) for one in methods)))
    return Table(('T', *(one['name'] for one in policies),
                  *(f'{one["way"]}, median' for one in methods)), rows)
