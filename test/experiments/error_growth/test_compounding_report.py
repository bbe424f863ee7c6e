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

"""What is said of growing mistakes: the numbers, the sentences, the table and the page."""

import dataclasses
import json
import re

from chain import Chain
from il_ros.evaluation.mistakes import FRACTIONS
from il_ros.experiments.error_growth import report
from il_ros.experiments.error_growth.analysis import Episodes
from il_ros.experiments.error_growth.continuing import ContinuingScores
from il_ros.experiments.error_growth.drift import Drift
from il_ros.experiments.error_growth.reading import policies_table, read
from il_ros.experiments.error_growth.summary import Measured, Setting, summarise, summary_json
import numpy as np
from page_reader import Page
import pytest

HORIZON = 64
SETTING = Setting('push', 500_000, burn_in=4, patience=10, expert_goals_per_1000=50.0,
                  expert_episodes=3)


def measured(name: str, chain: Chain, lost: int = 0, count: int = 300, states: int = 1000,
             found: int = 20) -> Measured:
    """Return a policy whose mistakes are the chain's; the first ``lost`` episodes end at once."""
    drawn = chain.simulate(np.random.default_rng(7), count, range(1, HORIZON + 1))
    flags = np.diff(drawn, axis=1, prepend=0).astype(bool)
    steps = np.full(count, HORIZON)
    steps[:lost] = 2
    reached = np.zeros_like(flags)
    reached[:, 4::5] = True
    episodes = Episodes(flags, steps, reached)
    scores = ContinuingScores(episodes, dict.fromkeys(FRACTIONS, flags), None)
    return Measured(name, 300, 'ab', scores, states, (2 * found, found, found // 2))


@pytest.fixture(scope='module')
def summary() -> dict:
    """Return a policy that never recovers and one that does at once, 3 of its episodes lost."""
    policies = [measured('BC', Chain(0.004)),
                measured('DAgger <1>', Chain.recoverable_at_once(0.002), lost=3, found=0)]
    return summarise(SETTING, policies, np.random.default_rng(0), resamples=200)


def test_the_summary_is_plain_json_and_the_same_for_the_same_seed(summary):
    assert json.loads(summary_json(summary)) == summary
    again = summarise(SETTING, [measured('BC', Chain(0.004))], np.random.default_rng(0), 200)
    assert again['policies'][0] == summary['policies'][0]


def test_the_estimates_stand_beside_the_grid(summary):
    bc, dagger = summary['policies']
    assert summary['grid'][-1] == HORIZON == summary['horizon']
    assert len(bc['mistakes']) == len(bc['mistakes_censored']) == len(summary['grid'])
    last = bc['mistakes'][-1]
    assert last['low'] < Chain(0.004).expected([HORIZON])[0] < last['high']
    assert bc['mistakes_censored'] == bc['mistakes'], 'no episode ended early'
    assert dagger['mistakes_censored'][-1]['value'] < dagger['mistakes'][-1]['value'] - 0.5


def test_lost_episodes_hold_their_share_of_the_mistakes(summary):
    fates = summary['policies'][1]['fates']
    assert (fates['from_start']['k'], fates['from_start']['ended']) == (3, 3)
    assert fates['later']['k'] == 0 and fates['working']['k'] == 297
    assert fates['from_start']['share_of_mistakes'] > 0.6
    assert sum(fates[kind]['share_of_mistakes'] for kind in (
        'from_start', 'later', 'working')) == pytest.approx(1.0, abs=1e-5)


def test_no_mistake_among_the_states_of_the_expert_is_an_upper_bound_not_zero(summary):
    bc, dagger = (policy['epsilon'] for policy in summary['policies'])
    assert bc['rule_of_three'] is None and bc['rate'] == 0.02
    assert dagger['rule_of_three'] == 0.003
    assert '< 0.003' in policies_table(summary).text()


def test_superlinear_is_said_where_the_lower_bound_exceeds_one_and_nowhere_else(summary):
    said = read(summary)
    assert re.match(r'BC: mistakes grow faster than T, by the lower bound, in \d+ of', said[0])
    linear = summarise(SETTING, [measured('even', Chain.recoverable_at_once(0.05))],
                       np.random.default_rng(0), 200)
    assert 'superlinear growth was not found' in read(linear)[0]
    assert not any(one['superlinear'] for one in linear['policies'][0]['exponents'])
    seldom = summarise(SETTING, [measured('good', Chain(1e-4, 0.9))], np.random.default_rng(0),
                       200)
    assert 'undefined' in read(seldom)[0]


@pytest.mark.parametrize('second, verdict', [
    (Chain(0.0001, 0.5), 'significantly fewer'), (Chain(0.1), 'significantly more'),
    (Chain(0.004), 'the interval includes 1')])
def test_a_policy_is_compared_with_the_first_by_the_interval_of_the_ratio(second, verdict):
    found = summarise(SETTING, [measured('BC', Chain(0.004)), measured('other', second)],
                      np.random.default_rng(0), 200)
    assert any(said.startswith('other makes') and said.endswith(f'{verdict}.')
               for said in read(found))


def test_windows_are_named_where_only_the_first_compounds_by_both_intervals():
    linear = measured('even', Chain.recoverable_at_once(0.05))
    found = summarise(SETTING, [measured('BC', Chain(0.004)), linear], np.random.default_rng(0),
                      200)
    exponents = [policy['exponents'] for policy in found['policies']]
    expected = [[one['first'], one['last']] for one, its in zip(*exponents)
                if one['value'] is not None and one['low'] > 1.3 > its['high']]
    assert expected
    said = read(found)[-1]
    assert said.startswith('The exponent of BC is above 1.3 by its lower bound, and that of even '
                           f'below 1.3 by its upper bound, in {len(expected)} of ')
    assert said.endswith(f'[{expected[-1][0]}, {expected[-1][1]}].')
    same = summarise(SETTING, [measured('BC', Chain(0.004)), measured('too', Chain(0.004))],
                     np.random.default_rng(0), 200)
    assert ' below 1.3 by its upper bound, in none of ' in read(same)[-1]


@pytest.fixture(scope='module')
def html(summary) -> str:
    """Return the page; its figures take a while."""
    return report.report_html(summary)


@pytest.fixture
def not_drawn(monkeypatch):
    """Let figures be empty where only the text counts."""
    for name in ('growth', 'exponents', 'goals', 'after_first_mistake'):
        monkeypatch.setattr(report.plots, name, lambda *_: '<svg/>')


def test_the_page_is_whole_self_contained_and_shows_four_figures(html):
    page = Page(html)
    assert page.open == []
    assert len(page.sources) == 4
    assert all(source.startswith('data:image/svg+xml') for source in page.sources)
    assert not re.search(r'url\(|@import|<script|<link', html)
    assert 'DAgger <1>' in ' '.join(page.text)


def test_the_drift_is_drawn_and_said_where_a_training_set_was_found_and_missed_where_not(
        not_drawn):
    far = Drift(np.full((5, HORIZON), 0.5) + np.arange(HORIZON), 260, 0.25)
    policies = [dataclasses.replace(measured('BC', Chain(0.004)), drift=far),
                dataclasses.replace(measured('other', Chain(0.004)), no_drift='no data set')]
    found = summarise(SETTING, policies, np.random.default_rng(0), resamples=50)
    assert json.loads(summary_json(found)) == found
    drift = found['policies'][0]['drift']
    assert (drift['at'][0], drift['at'][-1], drift['episodes']) == (1, HORIZON, 5)
    assert drift['distance'][0] == {'value': 0.5, 'low': 0.5, 'high': 0.5}
    said = read(found)
    assert any(text.startswith(
        'BC: distance to the nearest of its 260 training states: 0.5 sd in the first step, 56 sd '
        '(56 to 56) in steps 49 to 64, 0.25 sd on states of the expert. After its first mistake '
        'it makes mistakes in ') for text in said), said
    assert 'other: drift unknown; no data set.' in said
    assert len(Page(report.report_html(found)).sources) == 5
    without = summarise(SETTING, policies[1:], np.random.default_rng(0), resamples=50)
    assert without['policies'][0]['mistakes'] == found['policies'][1]['mistakes']


def test_four_policies_are_drawn_in_two_figures(summary, monkeypatch):
    drawn = []
    for name in ('growth', 'exponents', 'goals', 'after_first_mistake'):
        monkeypatch.setattr(report.plots, name,
                            lambda _, first=None: drawn.append(first) or '<svg/>')
    many = {**summary, 'policies': [*summary['policies']] * 2}
    assert len(Page(report.report_html(many)).sources) == 5
    assert drawn[:2] == [0, 3]


def test_a_bound_of_epsilon_is_not_shown_without_what_it_takes_for_granted(summary, html):
    assert '< 0.003' in policies_table(summary).text()
    assert 'as if steps were' in policies_table(summary).text()
    text = ' '.join(Page(html).text)
    assert 'too narrow' in text and 'if steps were independent' in text


def test_a_policy_without_any_mistake_has_a_page_too():
    flags = np.zeros((4, 10), bool)
    perfect = Measured('perfect', -1, '', ContinuingScores(
        Episodes(flags, np.full(4, 10), flags), dict.fromkeys(FRACTIONS, flags), None), 0,
        (0, 0, 0))
    found = summarise(SETTING, [perfect, perfect], np.random.default_rng(0), 50)
    assert found['policies'][1]['mistakes_to_first']['value'] is None
    assert 'ratio of their mistakes is undefined' in read(found)[-1]
    assert Page(report.report_html(found)).open == []


def test_policies_measured_over_different_lengths_are_not_compared():
    with pytest.raises(ValueError, match='expected the same'):
        summarise(SETTING, [measured('a', Chain(0.1)), measured('b', Chain(0.1), count=299)],
                  np.random.default_rng(0))


@pytest.fixture(scope='module')
def seeds() -> dict:
    """Return two ways with two training seeds each."""
    chains = {'BC-0': Chain(0.004), 'DAgger-0': Chain(0.002), 'BC-1': Chain(0.008),
              'DAgger-1': Chain.recoverable_at_once(0.004)}
    return summarise(SETTING, [measured(name, chain) for name, chain in chains.items()],
                     np.random.default_rng(0), resamples=100)


def test_a_policy_is_compared_with_the_first_of_its_training_seed(seeds):
    assert [one.get('first') for one in seeds['policies']] == [None, 'BC-0', None, 'BC-1']
    totals = [one['mistakes'][-1]['value'] for one in seeds['policies']]
    assert seeds['policies'][3]['mistakes_to_first']['value'] == pytest.approx(
        totals[3] / totals[2], abs=1e-5)
    bc, dagger = seeds['ways']
    assert (bc['way'], bc['ratios'], bc['median_ratio']) == ('BC', [], None)
    assert dagger['policies'] == ['DAgger-0', 'DAgger-1']
    assert dagger['median_mistakes'][-1] == pytest.approx((totals[1] + totals[3]) / 2)
    assert dagger['median_ratio'] == pytest.approx(
        (totals[1] / totals[0] + totals[3] / totals[2]) / 2, abs=1e-5)


def test_what_is_published_has_the_command_and_a_row_for_every_length(seeds, not_drawn):
    about = {'command': 'il_ros error-growth', 'commits': ['ab'], 'versions': {'python': '3.11'},
             'conditions': 'the same episodes'}
    text = report.readme('endless', about, seeds, report.figures_of(seeds))
    assert '```bash\nil_ros error-growth\n```' in text and '* Commit: ab' in text
    rows = [line for line in text.splitlines() if line.startswith('| ')]
    assert [row.split(' | ')[0].strip('| ') for row in rows][-len(seeds['grid']):] == [
        str(steps) for steps in seeds['grid']]
    assert 'DAgger, median' in text and 'over 2 training seeds' in text
