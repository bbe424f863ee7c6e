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

"""Findings on the growth of mistakes: the table, and sentences made from its numbers."""

from il_ros.experiments.error_growth.analysis import FEWEST_EVENTS
from il_ros.reports.table import Table
from il_ros.reports.wording import bounds, percent, short

STEEP = 1.3
"""Growth that is called compounding when two policies are compared; linear is 1, the bound 2."""

COLUMNS = {
    'epsilon': 'mistakes per step on states of the expert (<: none was found, 3 / n, as if steps '
               'were independent; the steps of one demonstration are not, so that it may be more)',
    'J(T)': 'mistakes in the first T steps; all steps that a lost or ended episode no longer runs '
            'count as mistakes',
    'censored': 'J(T) without these steps',
    'exponent': 'd log J / d log T over the longest window, burn-in left out, 95 % bootstrap by '
                'episode',
    'goals': 'reached in 1,000 steps',
    'stopped': 'share of episodes without a goal from the start / from later on',
    'J to first': 'mistakes relative to the first policy, or to the first of the same training '
                  'seed'}


def policies_table(summary: dict) -> Table:
    """Return the table of the policies."""
    headings = ('', 'labels', 'epsilon', *(f'J({steps})' for steps in _shown(summary)), '95 %',
                'censored', 'exponent', 'goals', 'stopped', 'J to first')
    return Table(headings, [_row(summary, policy) for policy in summary['policies']], COLUMNS)


def _shown(summary: dict) -> list[int]:
    """Return three lengths of an episode: a sixteenth, a quarter and all of the horizon."""
    grid = summary['grid']
    return sorted({min(grid, key=lambda steps: abs(steps - grid[-1] / part))
                   for part in (16, 4, 1)})


def _row(summary: dict, policy: dict) -> tuple[str, ...]:
    mistakes = dict(zip(summary['grid'], policy['mistakes']))
    last = mistakes[summary['horizon']]
    fates = policy['fates']
    ratio = policy.get('mistakes_to_first')
    return (policy['name'], str(policy['labels']) if policy['labels'] >= 0 else '',
            _epsilon(policy['epsilon']),
            *(short(mistakes[steps]['value']) for steps in _shown(summary)),
            bounds(last),
            short(policy['mistakes_censored'][-1]['value']), _exponent(policy['exponents']),
            f'{policy["goals_per_1000"]["value"]:.1f}',
            f'{percent(fates["from_start"]["rate"])} / {percent(fates["later"]["rate"])}',
            f'{ratio["value"]:.2f} ({bounds(ratio)})'
            if ratio and ratio['value'] is not None else '')


def _epsilon(epsilon: dict) -> str:
    if epsilon['rule_of_three'] is not None:
        return f'< {epsilon["rule_of_three"]:.2g}'
    return f'{epsilon["rate"]:.3g}' if epsilon['n'] else ''


def _exponent(exponents: list[dict]) -> str:
    if not exponents or exponents[-1]['value'] is None:
        return 'undefined'
    one = exponents[-1]
    return f'{one["value"]:.2f} ({bounds(one)})'


def read(summary: dict) -> list[str]:
    """Return the findings in sentences; a claim stands only where its interval carries it."""
    by_name = {policy['name']: policy for policy in summary['policies']}
    texts = []
    for policy in summary['policies']:
        texts += [_growth_of(policy), _episodes_of(policy)]
        if 'mistakes_to_first' in policy:
            texts.append(_compared(policy, summary))
            texts += _steeper(policy, by_name[policy['first']])
        texts += _drift_of(policy)
    return texts + [_over_seeds(method, summary) for method in summary['ways']]


def _over_seeds(method: dict, summary: dict) -> str:
    names, last = ', '.join(method['policies']), method['median_mistakes'][-1]
    text = (f'{method["way"]} over {len(method["policies"])} training seeds ({names}): the median '
            f'of J({summary["horizon"]}) is {short(last)} at {short(method["median_labels"])} '
            'labels')
    if method['median_ratio'] is None:
        return f'{text}.'
    each = ', '.join(short(ratio) for ratio in method['ratios'])
    return (f'{text}; the median ratio to the first policy is {method["median_ratio"]:.2f} '
            f'({each}).')


def _growth_of(policy: dict) -> str:
    name, found = policy['name'], policy['exponents']
    defined = [one for one in found if one['value'] is not None]
    faster = [one for one in defined if one['superlinear']]
    if not defined:
        return (f'{name}: exponents are undefined, with fewer than {FEWEST_EVENTS} separate runs '
                'of mistakes.')
    last = defined[-1]
    longest = (f'in the longest window, {_spans([last])}, the exponent is {last["value"]:.2f} '
               f'({bounds(last, " to ")})')
    if not faster:
        return (f'{name}: superlinear growth was not found in {len(defined)} windows (no lower '
                f'bound exceeds 1); {longest}.')
    return (f'{name}: mistakes grow faster than T, by the lower bound, in {len(faster)} of '
            f'{len(defined)} windows: {_spans(faster)}; {longest}.')


def _episodes_of(policy: dict) -> str:
    fates = policy['fates']
    start, later, working = (fates[kind] for kind in ('from_start', 'later', 'working'))
    worst = (f'The worst episode alone has {percent(fates["worst_episode_share"])} of the '
             'mistakes.')
    if working['k'] == working['n']:
        return (f'{policy["name"]}: all {working["n"]} episodes reached goals until the end. '
                f'{worst}')
    stopped = [f'{one["k"]} {what} ({one["ended"]} ended early, {one["k"] - one["ended"]} stuck), '
               f'with {percent(one["share_of_mistakes"])} of the mistakes'
               for one, what in ((start, 'never reached a goal'), (later, 'stopped later'))
               if one['k']]
    return (f'{policy["name"]}: of {start["n"]} episodes {"; ".join(stopped)}; {working["k"]} '
            f'reached goals until the end. {worst}')


def _compared(policy: dict, summary: dict) -> str:
    ratio, first = policy['mistakes_to_first'], policy['first']
    if ratio['value'] is None:
        return f'{policy["name"]} and {first}: the ratio of their mistakes is undefined.'
    conclusion = 'the interval includes 1'
    if ratio['high'] is not None and ratio['high'] < 1.0:
        conclusion = 'significantly fewer'
    elif ratio['low'] is not None and ratio['low'] > 1.0:
        conclusion = 'significantly more'
    return (f'{policy["name"]} makes {ratio["value"]:.2f} times the mistakes of {first} in '
            f'{summary["horizon"]} steps ({bounds(ratio, " to ")}, same seeds, resampled in '
            f'pairs): {conclusion}.')


def _steeper(policy: dict, first: dict) -> list[str]:
    """Return in which windows only the first one's exponent exceeds ``STEEP``, by both bounds."""
    both = [(one, its) for one, its in zip(first['exponents'], policy['exponents'])
            if None not in (one['value'], its['value'])]
    if not both:
        return []
    apart = [one for one, its in both
             if None not in (one['low'], its['high']) and its['high'] < STEEP < one['low']]
    where = f'{len(apart)} of {len(both)} windows: {_spans(apart)}' if apart else \
        f'none of {len(both)} windows'
    return [f'The exponent of {first["name"]} is above {STEEP} by its lower bound, and that of '
            f'{policy["name"]} below {STEEP} by its upper bound, in {where}.']


def _spans(windows: list[dict]) -> str:
    return ', '.join(f'[{one["first"]}, {one["last"]}]' for one in windows)


def _drift_of(policy: dict) -> list[str]:
    name, found, after = policy['name'], policy['drift'], policy['rate_after_first']
    if found is None:
        return [f'{name}: drift unknown; {policy["no_drift"]}.'] if policy['no_drift'] else []
    first, last = found['distance'][0], found['distance'][-1]
    span = found['at'][-2] if len(found['at']) > 1 else 0
    rate = '' if after['value'] is None else (
        f' After its first mistake it makes mistakes in {percent(after["value"])} of the steps '
        f'({bounds(after, " to ", percent)}).')
    return [f'{name}: distance to the nearest of its {found["training_states"]} training states: '
            f'{short(first["value"])} sd in the first step, {short(last["value"])} sd '
            f'({bounds(last, " to ")}) in steps {span + 1} to {found["at"][-1]}, '
            f'{short(found["on_expert_states"])} sd on states of the expert.{rate}']
