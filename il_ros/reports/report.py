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

"""``report.html``: one file without any outside reference, made from a run's numbers."""

import base64
import dataclasses
import html
import io
from typing import Mapping, Sequence

from il_ros.interactive.run_state import RunState
from il_ros.reports import plots
from il_ros.reports.page import figure, page, paragraphs, section
from il_ros.reports.reading import read
from il_ros.reports.table import HEADINGS, percent, rows
import numpy as np

SHOWN_FRAMES = 8
"""Of a filmstrip, spread evenly over it, first and last included."""

HEADING_TITLES = (
    '', 'labels in D, cumulative, demonstrations included',
    'cumulative: all answers of the expert, used or not',
    'cumulative: answers of the expert of which no label came',
    'steps that the expert drove while this round was collected',
    'steps that the policy drove while this round was collected',
    'takeovers of this round', 'episodes of this round whose object was lost',
    'successful resets', '95 % Wilson interval of the success rate, %',
    'mistakes in 100 steps on the states that the policy itself visits',
    'loss on held-out states of the expert', 'mistakes on held-out states of the expert')
"""What the columns of the table mean, shown where the pointer rests."""


@dataclasses.dataclass(frozen=True)
class Filmstrip:
    """Pictures of one episode."""

    title: str
    caption: str
    frames: Sequence[np.ndarray]
    """Each of shape ``(H, W, 3)``, uint8, in the order of the steps."""
    every: int = 1
    """Control steps from one frame to the next."""


def curves_of(state: RunState) -> dict[str, tuple[float, ...]]:
    """Return how mistakes add up, by name: BC, the last round, BC with the same labels."""
    last = f'r{state.goal.rounds:02d}-measure'
    names = {'r00-measure': 'BC', last: f'{state.goal.strategy}, round {state.goal.rounds}',
             'baseline-measure': 'BC, same labels'}
    return {name: state.finished[stage].curve for stage, name in names.items()
            if stage in state.finished and state.finished[stage].curve}


def report_html(summary: dict, curves: Mapping[str, Sequence[float]] | None = None,
                filmstrips: Sequence[Filmstrip] = (), notes: Sequence[str] = ()) -> str:
    """
    Return the report, self-contained.

    :param summary: as ``summary.summarise`` returns it
    :param curves: as ``curves_of`` returns it
    :param notes: sentences on the conditions of the run that only the caller knows
    """
    title = f'{summary["strategy"]} on {summary["task"]}'
    sections = [_reading(summary, notes), figure(
        'Success against labels', plots.success_against_labels(summary),
        'Bars are 95 % Wilson intervals; the dashed line is the expert.')]
    sections += [_filmstrip(strip) for strip in filmstrips]
    sections += [
        _table(summary),
        figure('Mistakes on the policy&#x27;s own states', plots.mistakes(summary, curves or {}),
               'A mistake: the tool&#x27;s velocity is off by more than half of the '
               'expert&#x27;s own speed. An episode that ended adds none.'),
        figure('Loss is not success', plots.loss_beside_success(summary),
               'Left: how well the policy imitates on states that the expert visits. Right: '
               'whether it does the task. The one does not tell the other.'),
        _timing(summary)]
    about = (f'horizon {summary["horizon"]} steps, seed {summary["seed"]}, '
             f'{summary["wall_s"]:.0f} s in all')
    return page(title, (
        f'<h1>{html.escape(title)}</h1>\n<p class="about">{html.escape(about)}</p>\n'
        f'{_tiles(summary)}\n{"".join(sections)}'))


def _tiles(summary: dict) -> str:
    entries = [('the expert', summary['expert']), ('behavioural cloning', summary['bc'])]
    entries += [(f'{summary["strategy"]}, last round', one) for one in summary['rounds'][-1:]]
    entries.append(('BC with the same labels', summary['bc_same_labels']))
    tiles = []
    for name, policy in entries:
        success = policy and policy.get('success', policy)
        if success:
            labels = f', {policy["labels"]} labels' if 'labels' in policy else ''
            tiles.append(f'<div class="tile"><b>{percent(success["rate"])}</b><span>'
                         f'{html.escape(name + labels)}</span></div>')
    return f'<div class="tiles">{"".join(tiles)}</div>'


def _reading(summary: dict, notes: Sequence[str]) -> str:
    texts = [*read(summary), *notes]
    return section('What this run says', paragraphs(texts))


def _table(summary: dict) -> str:
    head = ''.join(f'<th title="{html.escape(title)}">{heading}</th>'
                   for heading, title in zip(HEADINGS, HEADING_TITLES))
    table, last = rows(summary), len(summary['rounds'])
    kinds = ['bc' if row[0].startswith('BC') else '' for row in table]
    for index, row in enumerate(table):
        if last and row[0] == f'{summary["strategy"]}, round {last}':
            kinds[index] = 'last'
    body = ''.join(
        f'<tr class="{kind}">{"".join(f"<td>{html.escape(cell)}</td>" for cell in row)}</tr>\n'
        for kind, row in zip(kinds, table))
    return section('Round by round', (
        f'<div class="scroll"><table>\n<tr>{head}</tr>\n{body}</table></div>\n'
        '<p class="note">Labels, queries and watched are cumulative and include the '
        'demonstrations; steps, takeovers and lost objects are the round&#x27;s own. Mistakes '
        'are per 100 steps on the policy&#x27;s own states; loss and epsilon are on held-out '
        'states of the expert.</p>'))


def _timing(summary: dict) -> str:
    wall = max(summary['wall_s'], 1e-9)
    entries = {**summary['timing'],
               'other': max(0.0, summary['wall_s'] - sum(summary['timing'].values()))}
    body = ''.join(
        f'<tr><td>{phase}</td><td>{seconds:.1f} s</td><td>{percent(seconds / wall)}</td>'
        f'<td class="wide"><div class="bar" style="width:{100 * seconds / wall:.1f}%"></div></td>'
        '</tr>\n' for phase, seconds in entries.items())
    return section('Where the time went', (
        f'<table>\n{body}</table>\n<p class="note">{summary["control_steps_per_s"]:.0f} control '
        f'steps a second while episodes ran; {summary["wall_s"]:.0f} s in all.</p>'))


def _filmstrip(strip: Filmstrip) -> str:
    count = min(SHOWN_FRAMES, len(strip.frames))
    shown = np.unique(np.linspace(0, len(strip.frames) - 1, count).round().astype(int))
    pictures = ''.join(
        f'<figure><img alt="step {index * strip.every}" '
        f'src="data:image/png;base64,{_png(strip.frames[index])}">'
        f'<figcaption>step {index * strip.every}</figcaption></figure>' for index in shown)
    return section(html.escape(strip.title), (
        f'<div class="strip">{pictures}</div>\n'
        f'<p class="note">{html.escape(strip.caption)}</p>'))


def _png(frame: np.ndarray) -> str:
    from matplotlib.image import imsave
    data = io.BytesIO()
    imsave(data, np.ascontiguousarray(frame, np.uint8), format='png')
    return base64.b64encode(data.getvalue()).decode()
