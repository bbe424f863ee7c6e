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

"""What is published of a ``compounding.json``: a page in Markdown, with J(T) at every length."""

from typing import Mapping

from il_ros.experiments.error_growth.report import figures_of, headings, LEGEND, read, rows, short
from il_ros.experiments.label_efficiency.report import made
from il_ros.reports.table import markdown


def readme(name: str, about: Mapping, summary: dict) -> str:
    """
    Return the page that lies beside published figures (Markdown).

    :param about: ``command``, ``commits``, ``versions`` and ``conditions``, as of a study
    """
    lines = [f'# Mistakes against the horizon: {name}', '', '```bash', about['command'], '```', '',
             *(f'* {one}' for one in made(about)[1:]), '', *(f'{one}\n' for one in read(summary)),
             *markdown([headings(summary), *rows(summary)]), '',
             LEGEND.replace('\n  ', ' ').replace('\n', '.\n\n') + '.', '',
             'Mistakes up to T, by the length T of an episode:', '',
             *markdown(_horizons(summary)), '']
    lines += [f'![{title.lower()}]({file}.svg)\n'
              for file, (title, _, _) in figures_of(summary).items()]
    return '\n'.join(lines)


def _horizons(summary: dict) -> list[tuple[str, ...]]:
    """Return J(T) of every policy with its interval, and each way's median over seeds."""
    policies, over = summary['policies'], summary['ways']
    table = [('T', *(one['name'] for one in policies),
              *(f'{one["way"]}, median' for one in over))]
    for index, steps in enumerate(summary['grid']):
        points = [one['mistakes'][index] for one in policies]
        table.append((str(steps), *(
            f'{short(point["value"])} ({short(point["low"])}-{short(point["high"])})'
            for point in points), *(short(one['median_mistakes'][index]) for one in over)))
    return table
