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

"""
What a study says, in sentences and tables made from its numbers.

A claim stands only where its interval carries it, and names all three costs: labels, steps that
the expert drove, and states that it only watched.
"""

from typing import Sequence

from il_ros.experiments.label_efficiency.analysis import FEWEST_STEPS, SHARE
from il_ros.reports.table import aligned, percent

HEADINGS = ('', 'labels', '95 %', 'driven', 'queries', 'watched', 'policy', 'minutes', 'seeds',
            'to BC', 'last round')

LEGEND = """\
labels, driven, queries, watched, policy, minutes: what reaching 95 % of the expert's success
  took, median over training seeds: labels; steps that the expert drove; its answers; those of
  which no label came; steps that the policy drove; the expert's time. ?: half the seeds or more
  do not reach it
  BC is held against a way at that way's budgets and, above these, in steps of a quarter
seeds: those that reach it; to BC: labels to those that BC needs (95 %); last round: success"""


def verdict(task: dict) -> str:
    """Return one sentence on the way that was named beforehand, against BC."""
    by_name = {one['method']: one for one in task['methods']}
    ours = by_name[task['named']]
    ratio = ours.get('ratio')
    if ratio is None:
        return f'{task["task"]}: there is no BC to compare {ours["method"]} with.'
    theirs = by_name[ratio['to']]
    head, goal = f'{task["task"]}:', f'{round(100 * SHARE)} % of the success of the expert'
    bc, way = theirs['method'], ours['method']
    if ours['labels']['value'] is None and theirs['labels']['value'] is None:
        return (f'{head} neither {way} nor {bc} reaches {goal}; at its last round {way} has '
                f'{_rates(ours)} with {_costs(ours["last"]["costs"])}, {bc} at its largest budget '
                f'{_rates(theirs)} with {_costs(theirs["last"]["costs"])}.')
    if ours['labels']['value'] is None:
        return (f'{head} DAgger is not needed here: {bc} reaches {goal} with '
                f'{_needed(theirs)}; {way} does not, with '
                f'{_costs(ours["last"]["costs"])}.')
    if ratio['high'] is not None and ratio['high'] < 1.0:
        most = 'at most ' if ratio['at_most'] else ''
        return (f'{head} {way} reaches {goal} with {most}{_ratio(ratio)} of the labels of {bc}'
                f'{_gaps(ratio)}: {_needed(ours)}; {_of_bc(theirs)}.')
    if theirs['labels']['value'] is None:
        return (f'{head} {way} reaches {goal} with {_needed(ours)}, {bc} does not with '
                f'{_costs(theirs["last"]["costs"])}; the interval of the ratio, '
                f'{_ratio(ratio)}, does not tell them apart.')
    return (f'{head} DAgger is not needed here, as far as these episodes tell: {bc} reaches '
            f'{goal} with {_needed(theirs)}; {way} with {_needed(ours)}, '
            f'{"at most " if ratio["at_most"] else ""}{_ratio(ratio)} of the labels'
            f'{_gaps(ratio)}.')


def _of_bc(theirs: dict) -> str:
    if theirs['labels']['value'] is None:
        return (f'{theirs["method"]} does not reach it in half of the seeds, with '
                f'{_costs(theirs["last"]["costs"])}')
    return f'{theirs["method"]} takes {_needed(theirs)}'


def _needed(method: dict) -> str:
    few = f' ({number(method["too_few"])} are too few)' if method['too_few'] else ''
    return f'at most {_costs(method["costs"]).replace(" labels", f" labels{few}", 1)}'


def _gaps(ratio: dict) -> str:
    """Return what the gaps between budgets leave open; nothing where BC's end is open anyway."""
    if ratio['at_most'] or ratio['least'] is None:
        return ''
    most = f', at most {ratio["most"]:.2f}' if ratio['most'] is not None else ''
    return f' (at least {ratio["least"]:.2f}{most}, by the gaps between the budgets)'


def _costs(costs: dict) -> str:
    return (f'{number(costs["labels"])} labels, {number(costs["expert_driven_steps"])} steps '
            f'driven by the expert and {number(costs["watched"])} only watched')


def _rates(method: dict) -> str:
    return '/'.join(percent(one['rate']).removesuffix(' %')
                    for one in method['last']['success']) + ' %'


def _ratio(ratio: dict) -> str:
    value, low, high = (f'{one:.2f}' if one is not None else '?'
                        for one in (ratio['value'], ratio['low'], ratio['high']))
    return f'{value} ({low} to {high})'


def number(value: float | None) -> str:
    """Return a count as people read it; ? where there is none."""
    return '?' if value is None else f'{value:,.0f}'


def read(task: dict) -> list[str]:
    """Return the verdict, and what else the numbers of a task say."""
    return [verdict(task), *map(_rate, task['rates']), _loss(task['loss_and_success'])]


def _rate(rate: dict) -> str:
    if rate['realised'] is None:
        return f'{rate["method"]}: no round from 2 on, so that no rate was realised.'
    within = 'within' if rate['within_1.5'] else 'not within'
    few = '' if rate['enough_steps'] else f' (fewer than {FEWEST_STEPS:,} steps: it says little)'
    return (f'{rate["method"]}: asked for {percent(rate["target"])} of the steps, the expert '
            f'drove {percent(rate["realised"])} of {rate["steps"]:,} in rounds 2 and later, after '
            f'{rate["takeovers"]:,} takeovers: {within} a factor of 1.5{few}.')


def _loss(found: dict) -> str:
    if found['rank_correlation'] is None:
        return 'Too few checkpoints to hold loss against success.'
    return (f'Held-out loss and success over {found["checkpoints"]} checkpoints: rank correlation '
            f'{found["rank_correlation"]:.2f} (-1: the lower the loss, the better the policy). '
            'A low loss on states of the expert is not a working policy.')


def rows(task: dict) -> list[tuple[str, ...]]:
    """Return the cells of a task's table, a method a row."""
    table = []
    for one in task['methods']:
        costs, minutes = one['costs'], one['costs']['expert_seconds']
        table.append((
            one['method'], number(costs['labels']),
            f'{number(one["labels"]["low"])}-{number(one["labels"]["high"])}',
            *(number(costs[key]) for key in (
                'expert_driven_steps', 'queries', 'watched', 'policy_driven_steps')),
            '?' if minutes is None else f'{minutes / 60.0:.1f}',
            f'{one["reached_seeds"]} of {one["seeds"]}',
            _ratio(one['ratio']) if 'ratio' in one else '', _rates(one)))
    return table


def format_study(tasks: Sequence[dict]) -> str:
    """Return the tables for a terminal, and what was found."""
    parts = []
    for task in tasks:
        parts += [f'{task["task"]}: the expert succeeds in {task["expert"]["k"]} of '
                  f'{task["expert"]["n"]}', aligned([HEADINGS, *rows(task)]),
                  '\n'.join(read(task))]
    return '\n\n'.join([*parts, LEGEND])
