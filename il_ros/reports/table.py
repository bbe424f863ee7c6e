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

"""The run as tables for a terminal, made from ``summary.json``; and tables in Markdown."""

from typing import Sequence

HEADINGS = ('', 'labels', 'queries', 'watched', 'expert', 'policy', 'takeovers', 'lost', 'success',
            '95 %', 'mistakes', 'loss', 'epsilon')
"""Columns of the table of rounds; ``LEGEND`` says what they are."""

LEGEND = """\
labels, queries, watched: cumulative, demonstrations included; queries: all answers of the expert;
  watched: those of which no label came
expert, policy: steps that each drove while this round was collected; takeovers and lost likewise
mistakes: in 100 steps, on the policy's own states
loss, epsilon: on the expert's own states, held out; this is not success"""


def rows(summary: dict) -> list[tuple[str, ...]]:
    """Return the cells of the table of rounds: the expert, BC, each round, BC at equal labels."""
    table = []
    if summary['expert']:
        table.append(('expert', *[''] * 7, *_success(summary['expert']), '', '', ''))
    if summary['bc']:
        bc = summary['bc']
        table.append((f'BC, {bc["demonstrations"]} demonstrations', str(bc['labels']),
                      *[''] * 6, *_judged(bc)))
    for one in summary['rounds']:
        table.append((f'{summary["strategy"]}, round {one["round"]}', str(one['labels']),
                      *(str(one[key]) for key in (
                          'queries', 'watched', 'expert_driven_steps', 'policy_driven_steps',
                          'takeovers', 'objects_lost')), *_judged(one)))
    if summary['bc_same_labels']:
        bc = summary['bc_same_labels']
        table.append((f'BC, {bc["demonstrations"]} demonstrations', str(bc['labels']),
                      *[''] * 6, *_judged(bc)))
    return table


def _success(interval: dict | None) -> tuple[str, str]:
    if interval is None:
        return '', ''
    return (f'{percent(interval["rate"])} of {interval["n"]}',
            f'{100 * interval["low"]:.0f}-{100 * interval["high"]:.0f}')


def _judged(policy: dict) -> tuple[str, ...]:
    mistakes, loss, epsilon = (policy[key] for key in (
        'mistakes_per_step', 'loss_held_out', 'epsilon'))
    return (*_success(policy['success']),
            f'{100 * mistakes:.1f}' if mistakes >= 0.0 else '',
            f'{loss:.4f}' if loss >= 0.0 else '',
            f'{epsilon["k"]}/{epsilon["n"]}' if epsilon['n'] else '')


def percent(share: float) -> str:
    """Return a share as people read it, never rounding an incomplete one to 100 %."""
    text = f'{100 * share:.1f}'
    if text == '100.0' and share < 1.0:
        text = '99.9'
    return f'{text.removesuffix(".0")} %'


def format_table(summary: dict) -> str:
    """Return the table of rounds for a terminal, and below it what the columns mean."""
    return f'{aligned([HEADINGS, *rows(summary)])}\n\n{LEGEND}'


def format_timing(summary: dict) -> str:
    """Return where the time went."""
    wall = summary['wall_s']
    timing = dict(summary['timing'])
    timing['other'] = max(0.0, wall - sum(timing.values()))
    lines = [('', 'seconds', 'share')]
    lines += [(phase, f'{seconds:.1f}', percent(seconds / wall) if wall else '')
              for phase, seconds in timing.items()]
    lines.append(('all', f'{wall:.1f}', ''))
    return aligned(lines) + f'\n{summary["control_steps_per_s"]:.0f} control steps a second'


def markdown(lines: Sequence[Sequence[str]]) -> list[str]:
    """Return the lines of a table in Markdown; the first line has the headings."""
    head, *body = ('| ' + ' | '.join(line) + ' |' for line in lines)
    return [head, '|' + '---|' * len(lines[0]), *body]


def aligned(lines: list[tuple[str, ...]]) -> str:
    """Return a table for a terminal; the first line has the headings."""
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    text = ['  '.join(cell.ljust(width) if column == 0 else cell.rjust(width)
                      for column, (cell, width) in enumerate(zip(line, widths))).rstrip()
            for line in lines]
    return '\n'.join([text[0], '-' * (sum(widths) + 2 * len(widths) - 2), *text[1:]])
