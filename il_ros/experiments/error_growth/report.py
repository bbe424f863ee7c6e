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

"""How mistakes grow, told: a table for a terminal, sentences, and ``compounding.html``."""

import html

from il_ros.experiments.error_growth import plots as plots
from il_ros.experiments.error_growth.analysis import FEWEST_EVENTS
from il_ros.reports.page import figure, page, paragraphs, section
from il_ros.reports.table import aligned, percent

STEEP = 1.3
"""Growth that is called compounding when two policies are told apart; linear is 1, the bound 2."""

LEGEND = """\
J(T): mistakes in the first T steps; a lost or ended episode counts as mistaken in all that remain
exponent: d log J / d log T over the longest window, burn-in left out, 95 % bootstrap by episode
epsilon: mistakes a step on the expert's states (<: none was found, 3 / n, as if steps were
  independent: those of one demonstration are not, so that it may be more); goals: reached in
  1,000 steps
stopped: share of episodes without a goal from the start / from later on
J to first: its mistakes to those of the first policy, or of the first of its training seed"""


def headings(summary: dict) -> tuple[str, ...]:
    """Return the columns of the table."""
    return ('', 'labels', 'epsilon', *(f'J({steps})' for steps in _shown(summary)), '95 %',
            'censored', 'exponent', 'goals', 'stopped', 'J to first')


def rows(summary: dict) -> list[tuple[str, ...]]:
    """Return the table's cells, a policy a row."""
    return [_row(summary, policy) for policy in summary['policies']]


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
            f'{short(last["low"])}-{short(last["high"])}',
            short(policy['mistakes_censored'][-1]['value']), _exponent(policy['exponents']),
            f'{policy["goals_per_1000"]["value"]:.1f}',
            f'{percent(fates["from_start"]["rate"])} / {percent(fates["later"]["rate"])}',
            f'{ratio["value"]:.2f} ({short(ratio["low"])}-{short(ratio["high"])})'
            if ratio and ratio['value'] is not None else '')


def _epsilon(epsilon: dict) -> str:
    if epsilon['rule_of_three'] is not None:
        return f'< {epsilon["rule_of_three"]:.2g}'
    return f'{epsilon["rate"]:.3g}' if epsilon['n'] else ''


def _exponent(exponents: list[dict]) -> str:
    if not exponents or exponents[-1]['value'] is None:
        return 'undefined'
    one = exponents[-1]
    return f'{one["value"]:.2f} ({short(one["low"])}-{short(one["high"])})'


def short(number: float | None) -> str:
    """Return a number with three digits; ?: there is none."""
    if number is None:
        return '?'
    return f'{number:.0f}' if abs(number) >= 100 else f'{number:.3g}'


def format_table(summary: dict) -> str:
    """Return the table for a terminal, and below it what the columns mean."""
    return f'{aligned([headings(summary), *rows(summary)])}\n\n{LEGEND}'


def read(summary: dict) -> list[str]:
    """Return what the numbers say in sentences, and only what the intervals carry."""
    by_name = {policy['name']: policy for policy in summary['policies']}
    texts = []
    for policy in summary['policies']:
        texts += [_growth_of(policy), _fate_of(policy)]
        if 'mistakes_to_first' in policy:
            texts.append(_compared(policy, summary))
            texts += _steeper(policy, by_name[policy['first']])
        texts += _drift_of(policy)
    return texts + [_over_seeds(way, summary) for way in summary['ways']]


def _over_seeds(way: dict, summary: dict) -> str:
    names, last = ', '.join(way['policies']), way['median_mistakes'][-1]
    text = (f'{way["way"]} over {len(way["policies"])} training seeds ({names}): the median of '
            f'J({summary["horizon"]}) is {short(last)} at {short(way["median_labels"])} labels')
    if way['median_ratio'] is None:
        return f'{text}.'
    each = ', '.join(short(ratio) for ratio in way['ratios'])
    return f'{text}, that of its ratios to the first {way["median_ratio"]:.2f} ({each}).'


def _growth_of(policy: dict) -> str:
    name, found = policy['name'], policy['exponents']
    defined = [one for one in found if one['value'] is not None]
    faster = [one for one in defined if one['superlinear']]
    if not defined:
        return (f'{name}: fewer than {FEWEST_EVENTS} separate runs of mistakes; its exponents '
                'are undefined.')
    last = defined[-1]
    span = f'[{last["first"]}, {last["last"]}]'
    longest = (f'in the longest window, {span}, the exponent is {last["value"]:.2f} '
               f'({short(last["low"])} to {short(last["high"])})')
    if not faster:
        return (f'{name}: superlinear growth was not found in {len(defined)} windows (no lower '
                f'bound exceeds 1); {longest}.')
    return (f'{name}: mistakes grow faster than T, by the lower bound, in {len(faster)} of '
            f'{len(defined)} windows: {_spans(faster)}; {longest}.')


def _fate_of(policy: dict) -> str:
    fates = policy['fates']
    start, later, working = (fates[kind] for kind in ('from_start', 'later', 'working'))
    worst = (f'The worst episode alone holds {percent(fates["worst_episode_share"])} of its '
             'mistakes.')
    if working['k'] == working['n']:
        return f'{policy["name"]}: all {working["n"]} episodes worked to the end. {worst}'
    stopped = [f'{one["k"]} {what} ({one["ended"]} ended early, {one["k"] - one["ended"]} stuck), '
               f'with {percent(one["share_of_mistakes"])} of its mistakes'
               for one, what in ((start, 'never reached a goal'), (later, 'stopped later'))
               if one['k']]
    return (f'{policy["name"]}: of {start["n"]} episodes {"; ".join(stopped)}; {working["k"]} '
            f'worked to the end. {worst}')


def _compared(policy: dict, summary: dict) -> str:
    ratio, first = policy['mistakes_to_first'], policy['first']
    if ratio['value'] is None:
        return f'{policy["name"]} against {first}: the ratio of their mistakes is undefined.'
    verdict = 'the interval includes 1'
    if ratio['high'] is not None and ratio['high'] < 1.0:
        verdict = 'fewer, beyond chance'
    elif ratio['low'] is not None and ratio['low'] > 1.0:
        verdict = 'more, beyond chance'
    return (f'{policy["name"]} makes {ratio["value"]:.2f} times the mistakes of {first} in '
            f'{summary["horizon"]} steps ({short(ratio["low"])} to {short(ratio["high"])}, same '
            f'seeds, resampled in pairs): {verdict}.')


def _steeper(policy: dict, first: dict) -> list[str]:
    """Say in which windows only the first one's exponent is above ``STEEP``, by both bounds."""
    both = [(one, its) for one, its in zip(first['exponents'], policy['exponents'])
            if None not in (one['value'], its['value'])]
    if not both:
        return []
    apart = [one for one, its in both
             if None not in (one['low'], its['high']) and its['high'] < STEEP < one['low']]
    where = f'{len(apart)} of {len(both)} windows: {_spans(apart)}' if apart else \
        f'none of {len(both)} windows'
    return [f'The exponent of {first["name"]} is above {STEEP} by its lower bound while that of '
            f'{policy["name"]} is below by its upper bound in {where}.']


def _spans(windows: list[dict]) -> str:
    return ', '.join(f'[{one["first"]}, {one["last"]}]' for one in windows)


def _drift_of(policy: dict) -> list[str]:
    name, found, after = policy['name'], policy['drift'], policy['rate_after_first']
    if found is None:
        return [f'{name}: how far it drifts is not known; {policy["no_drift"]}.'] \
            if policy['no_drift'] else []
    first, last = found['distance'][0], found['distance'][-1]
    span = found['at'][-2] if len(found['at']) > 1 else 0
    rate = '' if after['value'] is None else (
        f' After its first mistake it errs in {percent(after["value"])} of the steps '
        f'({_percent(after["low"])} to {_percent(after["high"])}).')
    return [f'{name}: the nearest of its {found["training_states"]} training states is '
            f'{short(first["value"])} sd away in the first step and {short(last["value"])} sd '
            f'({short(last["low"])} to {short(last["high"])}) in steps {span + 1} to '
            f'{found["at"][-1]}; from states of the expert it is '
            f'{short(found["on_expert_states"])} sd.{rate}']


def _percent(share: float | None) -> str:
    return '?' if share is None else percent(share)


def figures_of(summary: dict) -> dict[str, tuple[str, str, str]]:
    """Return the figures by the name of their file: title, SVG and note."""
    found = {f'growth-{first // plots.PANELS + 1}': (
        'Mistakes against the length of the episode', plots.growth(summary, first), _GROWTH_NOTE)
        for first in range(0, len(summary['policies']), plots.PANELS)}
    found['exponents'] = ('Local exponents', plots.exponents(summary),
                          _EXPONENT_NOTE.format(**summary))
    found['goals'] = ('Goals, and who still works', plots.goals(summary),
                      _GOALS_NOTE.format(**summary))
    found['after'] = ('After the first mistake', plots.after_first_mistake(summary), _AFTER_NOTE)
    drifted = [policy['drift'] for policy in summary['policies'] if policy['drift']]
    if drifted:
        found['drift'] = ('Drift', plots.drift(summary), _DRIFT_NOTE.format(**drifted[0]))
    return found


def report_html(summary: dict) -> str:
    """
    Return the report, self-contained.

    :param summary: as ``compounding_summary.summarise`` returns it
    """
    title = f'How mistakes grow on endless {summary["task"]}'
    about = (f'{summary["episodes"]} episodes of {summary["horizon"]} steps each, seeds from '
             f'{summary["first_seed"]}, the same for every policy')
    figures = [figure(*parts) for parts in figures_of(summary).values()]
    return page(title, (
        f'<h1>{html.escape(title)}</h1>\n<p class="about">{html.escape(about)}</p>\n'
        f'{section("What was found", paragraphs(read(summary)))}{_table(summary)}'
        f'{"".join(figures)}{_definition(summary)}'))


_GROWTH_NOTE = (
    'Solid: a lost or ended episode counts as mistaken in every remaining step; band: 95 %, '
    'episodes resampled. Dotted: such an episode tells nothing after its end. Grey lines: the '
    'lesson&#x27;s &epsilon;T&#178; and &epsilon;T and the chain&#x27;s leading term '
    '&epsilon;T&#178;/2, each up to T itself (pale). &epsilon; is measured on the expert&#x27;s '
    'states; &epsilon;&#8314; stands for 3/n where no mistake was seen there, an upper bound if '
    'steps were independent; those of one demonstration are not.')
_EXPONENT_NOTE = (
    'Over windows [T, 2T], the first {burn_in} steps left out (one cycle of the expert). Filled: '
    'superlinear by its lower bound; hollow: not shown. A window with fewer than 10 separate runs '
    'of mistakes is undefined and left out. Each interval is of its own window; the more windows, '
    'the likelier that one of them errs. Where nearly every step is mistaken, J cannot but grow '
    'as T.')
_GOALS_NOTE = (
    'Left: bars are 95 %, episodes resampled; steps after an early end count, without goals. '
    'Right: an episode works until its last goal; one that runs to the end is given '
    '{patience} steps for the next one.')
_AFTER_NOTE = (
    'Share of the steps so long after an episode&#x27;s first mistake that are mistaken; an early '
    'end counts as mistakes. A policy that recovers comes down.')


_DRIFT_NOTE = (
    'Distance of a visited state to the nearest one that the policy was trained on, in its own '
    'inputs, each divided by its standard deviation in the training set; {episodes} episodes, '
    'band: 95 %, episodes resampled; one that ended early stays where it ended. Dashed: the mean '
    'over states of the expert that nobody was trained on.')


def _table(summary: dict) -> str:
    head = ''.join(f'<th>{html.escape(cell)}</th>' for cell in headings(summary))
    body = ''.join(f'<tr>{"".join(f"<td>{html.escape(cell)}</td>" for cell in row)}</tr>\n'
                   for row in rows(summary))
    note = html.escape(LEGEND.replace('\n  ', ' ').replace('\n', '. '))
    return section('The policies', (
        f'<div class="scroll"><table>\n<tr>{head}</tr>\n{body}</table></div>\n'
        f'<p class="note">{note}.</p>'))


def _definition(summary: dict) -> str:
    said = summary['definition']
    text = (f'The tool\'s velocity is off by more than {said["fraction"]} of the expert\'s own '
            f'speed, which is taken to be at least {said["floor"]} of full scale; both actions '
            'are clipped first. The gripper is counted apart. Below: the mean mistakes of an '
            f'episode of {summary["horizon"]} steps, and on the expert\'s own states, by '
            'definition. The states of one demonstration are not independent, so that the '
            'interval of epsilon is, if anything, too narrow.')
    head = '<tr><th></th><th>error above</th><th>mistakes</th><th>on the expert&#x27;s states' \
           '</th><th>95 %</th></tr>\n'
    body = ''
    for policy in summary['policies']:
        for row in policy['definitions']:
            rule = (f'{row["fraction"]} of its speed' if row['fraction'] is not None
                    else 'gripper disagrees')
            cells = (policy['name'], rule, short(row['mistakes']),
                     f'{row["epsilon"]["k"]} of {row["epsilon"]["n"]}',
                     f'{100 * row["epsilon"]["low"]:.2f}-{100 * row["epsilon"]["high"]:.2f} %')
            body += f'<tr>{"".join(f"<td>{html.escape(cell)}</td>" for cell in cells)}</tr>\n'
    return section('What counts as a mistake', (
        f'{paragraphs([text])}\n<div class="scroll"><table>\n{head}{body}</table></div>'))
