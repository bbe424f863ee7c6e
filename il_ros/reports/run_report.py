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

"""The report of a run: its tables, its figures and ``report.html``, from ``summary.json``."""

import dataclasses
from datetime import datetime, timezone
import io
from typing import Mapping, Sequence

from il_ros.interactive.outcomes import Measured
from il_ros.interactive.run_state import RunState
from il_ros.interactive.stage import BASELINE_PART, stage_name
from il_ros.reports import plots
from il_ros.reports.page import render
from il_ros.reports.reading import read
from il_ros.reports.table import Table
from il_ros.reports.wording import percent
import numpy as np

SHOWN_FRAMES = 8
"""Of a filmstrip, spread evenly over it, first and last included."""

COLUMNS = {
    'labels': 'in the data set, cumulative, with those of the demonstrations',
    'queries': 'answers of the expert, cumulative, with or without a label',
    'watched': 'queries that gave no label, cumulative',
    'expert': 'steps that the expert drove while this round was collected',
    'policy': 'steps that the policy drove while this round was collected',
    'takeovers': 'while this round was collected',
    'lost': 'episodes of this round whose object was lost',
    'success': 'successful held-out episodes',
    '95 %': 'Wilson interval of the success rate, %',
    'mistakes': 'in 100 steps, on states that the policy visits',
    'loss': 'on held-out states of the expert; it does not measure success',
    'epsilon': 'mistakes on held-out states of the expert'}
"""Columns of the table of rounds, each with its explanation."""


@dataclasses.dataclass(frozen=True)
class Filmstrip:
    """Pictures of one episode."""

    title: str
    caption: str
    frames: Sequence[np.ndarray]
    """Each of shape ``(H, W, 3)``, uint8, in the order of the steps."""
    steps: Sequence[int]
    """Control step of each frame."""

    @property
    def shown(self) -> list[tuple[int, bytes]]:
        """Return the step and the PNG of each frame that a page shows."""
        count = min(SHOWN_FRAMES, len(self.frames))
        indices = np.unique(np.linspace(0, len(self.frames) - 1, count).round().astype(int))
        return [(self.steps[index], _png(self.frames[index])) for index in indices]


def _png(frame: np.ndarray) -> bytes:
    from matplotlib.image import imsave
    data = io.BytesIO()
    imsave(data, np.ascontiguousarray(frame, np.uint8), format='png')
    return data.getvalue()


def curves_of(state: RunState) -> dict[str, tuple[float, ...]]:
    """Return how mistakes add up, by name: BC, the last round, BC with the same labels."""
    last = state.goal.rounds
    names: dict[int | str, str] = {0: 'BC', last: f'{state.goal.strategy}, round {last}',
                                   BASELINE_PART: 'BC, same labels'}
    measured = {name: state.find(Measured, stage_name('measure', of))
                for of, name in names.items()}
    return {name: one.curve for name, one in measured.items() if one is not None and one.curve}


def rounds_table(summary: dict) -> Table:
    """Return a row for each policy: the expert, BC, each round, BC at equal labels."""
    rows, classes = [], []
    if summary['expert']:
        rows.append(('expert', *[''] * 7, *_success(summary['expert']), '', '', ''))
        classes.append('')
    for name, class_, policy in _policies(summary):
        costs = (str(policy[key]) if key in policy else '' for key in (
            'queries', 'watched', 'expert_driven_steps', 'policy_driven_steps', 'takeovers',
            'objects_lost'))
        rows.append((name, str(policy['labels']), *costs, *_evaluated(policy)))
        classes.append(class_)
    return Table(('', *COLUMNS), rows, COLUMNS, classes=classes)


def _policies(summary: dict) -> list[tuple[str, str, dict]]:
    """Return name, row style and numbers of each policy that there is."""
    rounds = [(f'{summary["strategy"]}, round {one["round"]}', '', one)
              for one in summary['rounds']]
    if rounds:
        rounds[-1] = (rounds[-1][0], 'last', rounds[-1][2])
    first, same = ([(f'BC, {bc["demonstrations"]} demonstrations', 'bc', bc)] if bc else []
                   for bc in (summary['bc'], summary['bc_same_labels']))
    return [*first, *rounds, *same]


def _success(interval: dict | None) -> tuple[str, str]:
    if interval is None:
        return '', ''
    return (f'{percent(interval["rate"])} of {interval["n"]}',
            f'{100 * interval["low"]:.0f}-{100 * interval["high"]:.0f}')


def _evaluated(policy: dict) -> tuple[str, ...]:
    mistakes, loss, epsilon = (policy[key] for key in (
        'mistakes_per_step', 'loss_held_out', 'epsilon'))
    return (*_success(policy['success']),
            f'{100 * mistakes:.1f}' if mistakes >= 0.0 else '',
            f'{loss:.4f}' if loss >= 0.0 else '',
            f'{epsilon["k"]}/{epsilon["n"]}' if epsilon['n'] else '')


def timing_table(summary: dict) -> Table:
    """Return the seconds of each phase, and its share of the whole run."""
    wall = summary['wall_s']
    timing = {**summary['timing'], 'other': max(0.0, wall - sum(summary['timing'].values()))}
    shares = [seconds / wall if wall else 0.0 for seconds in timing.values()]
    rows = [(phase, f'{seconds:.1f}', percent(share) if wall else '')
            for (phase, seconds), share in zip(timing.items(), shares)]
    speed = f'{summary["control_steps_per_s"]:.0f} control steps per second while episodes ran.'
    return Table(('', 'seconds', 'share'), [*rows, ('all', f'{wall:.1f}', '')],
                 notes=(speed,), bars=[*shares, 0.0])


def faults_table(summary: dict) -> Table | None:
    """Return what went wrong in a run; None: nothing that is known."""
    faults = summary.get('faults')
    if not faults:
        return None
    rows = [(f'{datetime.fromtimestamp(fault["time_s"], timezone.utc):%Y-%m-%d %H:%M:%S}',
             *(fault[key] for key in ('stage', 'what', 'done'))) for fault in faults]
    return Table(('time (UTC)', 'stage', 'fault', 'what was done'), rows)


def report_html(summary: dict, curves: Mapping[str, Sequence[float]] | None = None,
                filmstrips: Sequence[Filmstrip] = (), notes: Sequence[str] = ()) -> str:
    """
    Return the report, self-contained.

    :param summary: as ``summary.summarise`` returns it
    :param curves: as ``curves_of`` returns it
    :param notes: sentences on the conditions of the run that only the caller knows
    """
    return render(
        'run.html.j2', title=f'{summary["strategy"]} on {summary["task"]}',
        subtitle=f'horizon {summary["horizon"]} steps, seed {summary["seed"]}, '
                 f'{summary["wall_s"]:.0f} s in all',
        tiles=_tiles(summary), findings=[*read(summary), *notes],
        filmstrips=filmstrips, success=plots.success_against_labels(summary),
        mistakes=plots.mistakes(summary, curves or {}), loss=plots.loss_beside_success(summary),
        rounds=rounds_table(summary), timing=timing_table(summary),
        faults=faults_table(summary))


def _tiles(summary: dict) -> list[tuple[str, str]]:
    """Return success rate and name of the expert, BC, the last round, BC with its labels."""
    entries = [('expert', summary['expert']), ('behavioural cloning (BC)', summary['bc'])]
    entries += [(f'{summary["strategy"]}, last round', one) for one in summary['rounds'][-1:]]
    entries.append(('BC with the same labels', summary['bc_same_labels']))
    tiles = []
    for name, policy in entries:
        success = policy and policy.get('success', policy)
        if success:
            labels = f', {policy["labels"]} labels' if 'labels' in policy else ''
            tiles.append((percent(success['rate']), name + labels))
    return tiles
