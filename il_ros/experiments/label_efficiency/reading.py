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
Findings of a study: sentences and tables made from its numbers.

A claim stands only where its interval carries it, and names all three costs: labels, steps that
the expert drove, and queries that gave no label (watched).
"""

from typing import Sequence

from il_ros.evaluation.interval import Interval
from il_ros.experiments.label_efficiency.analysis import FEWEST_STEPS, SHARE
from il_ros.experiments.label_efficiency.training_seeds import ENOUGH_SEEDS, FEWEST_SEEDS
from il_ros.reports.table import Table
from il_ros.reports.wording import counted, percent, whole

_GOAL = f'{round(100 * SHARE)} % of the success of the expert'

COLUMNS = {
    'labels': f'needed to reach {_GOAL}, median over training seeds; ?: half of the seeds or more '
              'do not reach it',
    '95 %': 'interval of the labels over training seeds and held-out episodes; ?: open, or no '
            'interval',
    'driven': 'steps that the expert drove until then',
    'queries': 'answers of the expert until then',
    'watched': 'queries that gave no label',
    'policy': 'steps that the policy drove until then',
    'minutes': 'time of the expert until then',
    'seeds': 'training seeds that reach it',
    'to BC': 'labels relative to BC (95 %), which is compared at the budgets of the method and, '
             'above these, in steps of a quarter',
    'last round': 'success: mean over training seeds, and its 95 % interval over seeds and '
                  'episodes',
    'from to': 'success of the worst and of the best training seed'}

PAIRS = {
    'labels': 'of both, median over training seeds; BC is taken at the budget nearest to the '
              'last round of the method',
    'difference': 'success of the last round minus that of the other: mean over training seeds',
    '95 %': 'interval of the mean difference; training seeds and episodes are resampled in pairs',
    'seeds for': 'training seeds that favour the first, and the other'}


def about_intervals(seeds: int) -> str:
    """Return what the intervals of a study with so many training seeds mean."""
    if seeds < FEWEST_SEEDS:
        return (f'With {counted(seeds, "training seed")} there is no interval over training '
                'seeds, so that nothing is claimed about the methods; it takes '
                f'{FEWEST_SEEDS} or more.')
    few = ('' if seeds >= ENOUGH_SEEDS else
           f' With {seeds} training seeds they may be too narrow: where seeds scatter widely, '
           'even the range of all of them has the median of the procedure in only '
           f'{100 * (1 - 2 ** (1 - seeds)):.0f} % of studies; take {ENOUGH_SEEDS} or more.')
    return ('Intervals (95 %) are about the way of training: they resample the '
            f'{seeds} training seeds, and the held-out episodes that all seeds share '
            f'(Agarwal et al. 2021; Owen 2007; Hesterberg 2015).{few}')


def conclusion(task: dict) -> str:
    """Return one sentence that compares the method named beforehand with BC."""
    by_name = {one['method']: one for one in task['methods']}
    ours = by_name[task['named']]
    ratio = ours.get('ratio')
    if ratio is None:
        return f'{task["task"]}: there is no BC to compare {ours["method"]} with.'
    return f'{task["task"]}: {_compared(ours, by_name[ratio["to"]], ratio)}.'


def _compared(ours: dict, theirs: dict, ratio: dict) -> str:
    method, bc = ours['method'], theirs['method']
    we_reach, bc_reaches = (one['labels']['value'] is not None for one in (ours, theirs))
    most = 'at most ' if ratio['at_most'] else ''
    if ours['seeds'] < FEWEST_SEEDS:
        return (f'{counted(ours["seeds"], "training seed")}, too few for a conclusion about the '
                f'methods; {method}: {_reached(ours)}; {bc}: {_reached(theirs)}')
    if not we_reach and not bc_reaches:
        return (f'neither {method} nor {bc} reaches {_GOAL}; in its last round {method} has '
                f'{_rates(ours)} with {_last_costs(ours)}, with its largest budget {bc} has '
                f'{_rates(theirs)} with {_last_costs(theirs)}')
    if not we_reach:
        return (f'DAgger is not needed: {bc} reaches {_GOAL} with {_needed(theirs)}; {method} '
                f'does not, with {_last_costs(ours)}')
    if ratio['high'] is not None and ratio['high'] < 1.0:
        of_bc = (f'{bc} takes {_needed(theirs)}' if bc_reaches else
                 f'{bc} does not reach it in half of the seeds, with {_last_costs(theirs)}')
        return (f'{method} reaches {_GOAL} with {most}{_ratio(ratio)} of the labels of {bc}'
                f'{_gaps(ratio)}: {_needed(ours)}; {of_bc}')
    if not bc_reaches:
        return (f'{method} reaches {_GOAL} with {_needed(ours)}, {bc} does not with '
                f'{_last_costs(theirs)}; the ratio, {_ratio(ratio)}, is not significant')
    return (f'DAgger is not needed, as far as these episodes show: {bc} reaches {_GOAL} with '
            f'{_needed(theirs)}; {method} with {_needed(ours)}, {most}{_ratio(ratio)} of the '
            f'labels{_gaps(ratio)}')


def _reached(method: dict) -> str:
    if method['labels']['value'] is None:
        return f'{_rates(method)} with {_last_costs(method)}'
    return f'{_GOAL} with {_needed(method)}'


def _needed(method: dict) -> str:
    few = f' ({whole(method["too_few"])} are too few)' if method['too_few'] else ''
    return f'at most {_costs(method["costs"]).replace(" labels", f" labels{few}", 1)}'


def _gaps(ratio: dict) -> str:
    """Return the range that the gaps between budgets allow; '' where BC does not reach it."""
    if ratio['at_most'] or ratio['least'] is None:
        return ''
    most = f', at most {ratio["most"]:.2f}' if ratio['most'] is not None else ''
    return f' (at least {ratio["least"]:.2f}{most}, by the gaps between the budgets)'


def _last_costs(method: dict) -> str:
    return _costs(method['last']['costs'])


def _costs(costs: dict) -> str:
    return (f'{whole(costs["labels"])} labels, {whole(costs["expert_driven_steps"])} steps driven '
            f'by the expert and {whole(costs["watched"])} queries without a label')


def _rates(method: dict) -> str:
    mean = method['last']['mean']
    between = '' if mean['low'] is None else f' ({_range(mean["low"], mean["high"])})'
    return f'{percent(mean["value"])}{between}'


def _range(low: float, high: float) -> str:
    return f'{percent(low).removesuffix(" %")} to {percent(high)}'


def _ratio(ratio: dict) -> str:
    value, low, high = (f'{one:.2f}' if one is not None else '?'
                        for one in (ratio['value'], ratio['low'], ratio['high']))
    return f'{value} ({low} to {high})'


def read(task: dict) -> list[str]:
    """Return the findings on a task, the conclusion first."""
    return [conclusion(task), *map(_pair, task['pairs']), *map(_rate, task['rates']),
            _loss(task['loss_and_success']), about_intervals(len(task['training_seeds']))]


def _pair(pair: dict) -> str:
    ours, theirs, seeds = pair['favour_method'], pair['favour_other'], len(pair['by_seed'])
    one = (f'{pair["method"]} ({whole(pair["labels"])} labels) minus {pair["other"]} '
           f'({whole(pair["other_labels"])} labels), last rounds: {_points(pair["value"])} % of '
           'success')
    favour = f'{ours} of {seeds} training seeds favour the first, {theirs} the other'
    if pair['low'] is None:
        return f'{one}; {favour}.'
    said = ('' if pair['low'] > 0.0 or pair['high'] < 0.0 else
            '; training seeds that were not run may show the opposite')
    return (f'{one} ({_points(pair["low"])} to {_points(pair["high"])}, seeds in pairs); '
            f'{favour}{said}.')


def _points(share: float | None) -> str:
    return '?' if share is None else f'{100 * share:+.1f}'


def _rate(rate: dict) -> str:
    if rate['realised'] is None:
        return f'{rate["method"]}: no rate of intervention, because there is no round 2.'
    within = 'within' if rate['within_1.5'] else 'not within'
    few = '' if rate['enough_steps'] else (f' (fewer than {FEWEST_STEPS:,} steps, so this is '
                                           'uncertain)')
    return (f'{rate["method"]}: the target was {percent(rate["target"])} of the steps; the expert '
            f'drove {percent(rate["realised"])} of {rate["steps"]:,} in rounds 2 and later, after '
            f'{rate["takeovers"]:,} takeovers: {within} a factor of 1.5{few}.')


def _loss(found: dict) -> str:
    if found['rank_correlation'] is None:
        return 'There are too few checkpoints to compare held-out loss and success.'
    return (f'Held-out loss and success of {found["checkpoints"]} checkpoints: rank correlation '
            f'{found["rank_correlation"]:.2f} (-1: the lower the loss, the better the policy). '
            'A low loss on states of the expert does not imply success.')


def methods_table(task: dict) -> Table:
    """Return the table of a task, with a row for each method."""
    methods = task['methods']
    classes = ['last' if one['method'] == task['named'] else 'bc' if one['cloned'] else ''
               for one in methods]
    return Table(('', *COLUMNS), [_row(one) for one in methods], COLUMNS, classes=classes)


def _row(method: dict) -> tuple[str, ...]:
    costs, seconds = method['costs'], method['costs']['expert_seconds']
    rates = [one['rate'] for one in method['last']['success']]
    return (method['method'], whole(costs['labels']),
            f'{whole(method["labels"]["low"])}-{whole(method["labels"]["high"])}',
            *(whole(costs[key]) for key in (
                'expert_driven_steps', 'queries', 'watched', 'policy_driven_steps')),
            '?' if seconds is None else f'{seconds / 60.0:.1f}',
            f'{method["reached_seeds"]} of {method["seeds"]}',
            _ratio(method['ratio']) if 'ratio' in method else '', _rates(method),
            _range(min(rates), max(rates)))


def pairs_table(task: dict) -> Table:
    """Return the table of a task's methods in pairs."""
    return Table(
        ('', 'beside', *PAIRS),
        [(one['method'], one['other'], f'{whole(one["labels"])}, {whole(one["other_labels"])}',
          f'{_points(one["value"])} %', f'{_points(one["low"])} to {_points(one["high"])}',
          f'{one["favour_method"]}, {one["favour_other"]} of {len(one["by_seed"])}')
         for one in task['pairs']], PAIRS)


def expert_success(task: dict) -> str:
    """Return a sentence on the expert, without a full stop."""
    expert = Interval(**task['expert'])
    return (f'the expert succeeds in {expert.k} of {expert.n} ({percent(expert.low)} to '
            f'{percent(expert.high)})')


def format_study(tasks: Sequence[dict]) -> str:
    """Return tables and findings for a terminal."""
    return '\n\n'.join(
        part for task in tasks for part in (
            f'{task["task"]}: {expert_success(task)}', methods_table(task).text(),
            pairs_table(task).text(), '\n'.join(read(task))))
