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

"""What the report says in words follows from the numbers."""

from il_ros.reports.reading import read
from il_ros.reports.run_report import rounds_table, timing_table
from il_ros.reports.wording import counted, percent, short, whole
import made_up
import pytest


def _text(**successes) -> str:
    return ' '.join(read(made_up.summary(**successes)))


def test_a_strategy_wholly_above_the_baseline_is_said_to_be_better():
    text = _text(last=193, baseline=148)
    assert 'The interval of corrections lies above it' in text
    assert 'BC is sufficient here' not in text


def test_where_the_intervals_overlap_behavioural_cloning_is_good_enough():
    text = _text(last=197, baseline=196)
    assert 'BC is sufficient here, and simpler' in text
    assert 'lies above it' not in text


def test_an_overlap_below_the_expert_says_so():
    assert 'though BC is below the expert' in _text(last=160, baseline=155)


def test_a_better_baseline_is_not_hidden():
    assert 'It is better than corrections' in _text(last=120, baseline=190)


def test_rounds_that_did_harm_are_not_hidden():
    text = _text(bc=180, last=90)
    assert 'the rounds did harm' in text
    assert 'Round 1 was better than the last one' in text


def test_which_policy_is_loaded_is_said_with_both_figures():
    summary = made_up.summary()
    assert 'is loaded' not in ' '.join(read(summary))
    summary['choices'] = [
        {'round': 1, 'other': 0, 'episodes': 100, 'successes': 70, 'other_successes': 60,
         'loaded': 1},
        {'round': 2, 'other': 1, 'episodes': 100, 'successes': 65, 'other_successes': 70,
         'loaded': 1}]
    text = read(summary)[-1]
    assert ('Round 2 succeeds in 65, round 1 in 70 of the same 100 held-out episodes: round 1 is '
            'loaded.') in text
    assert 'at the end it is that of round 1' in text
    assert 'the result is the last checkpoint, not the best' in ' '.join(read(summary))


def test_a_policy_as_good_as_the_expert_is_only_said_not_to_differ_significantly():
    assert 'The difference from the expert is not significant' in _text(last=197)
    assert 'still below the expert' in _text(last=170)


def test_rounds_that_were_compared_say_which_was_better_after_how_many_episodes():
    summary = made_up.summary()
    assert 'compared with the one before' not in ' '.join(read(summary))
    summary['rounds'][0]['comparison'] = {
        'with_round': 0, 'both': 9, 'only_this': 11, 'only_before': 0, 'neither': 0,
        'smallest_difference': 0.05, 'episodes': 20, 'before_episodes': 12}
    text, = (one for one in read(summary) if 'compared with the one before' in one)
    assert 'which took 32 episodes: round 1 is better than BC after 20 episodes, by 55.0 %' in text


def test_what_was_only_watched_and_only_measured_is_named():
    text = _text()
    assert 'answered 924 queries, of which 404 became labels and 520 did not (watched)' in text
    assert 'Evaluation took another 17400 queries' in text


def test_few_mistakes_on_the_experts_states_are_set_against_the_policys_own():
    assert 'leaves the states of the demonstrations' in _text()
    summary = made_up.summary()
    summary['bc']['mistakes_per_step'] = 0.02
    assert 'not measurably harder' in ' '.join(read(summary))


@pytest.mark.parametrize('missing', ['expert', 'bc', 'bc_same_labels'])
def test_what_is_missing_is_left_out(missing):
    summary = made_up.summary()
    summary[missing] = None
    assert read(summary)
    assert rounds_table(summary).text()


def test_a_run_without_rounds_is_read_too():
    summary = {**made_up.summary(), 'rounds': [], 'bc_same_labels': None}
    assert 'Cost:' not in ' '.join(read(summary))


def test_the_table_has_a_line_for_everyone_who_was_judged():
    lines = rounds_table(made_up.summary()).text().splitlines()
    assert [line.split('  ')[0] for line in lines[2:7]] == [
        'expert', 'BC, 10 demonstrations', 'corrections, round 1', 'corrections, round 2',
        'BC, 16 demonstrations']
    assert '96.5 % of 200' in lines[5] and '93-98' in lines[5]
    assert len({len(line) for line in lines[:7]} - {len(lines[2])}) == 1, 'columns are aligned'


def test_the_time_of_no_phase_is_shown_as_other():
    lines = timing_table(made_up.summary()).text().splitlines()
    assert lines[-4].split() == ['other', '34.2', '21.2', '%']
    assert lines[-3].split() == ['all', '161.2']


@pytest.mark.parametrize('share, text', [
    (1.0, '100 %'), (0.9999, '99.9 %'), (0.965, '96.5 %'), (0.5, '50 %'), (0.0, '0 %')])
def test_a_share_is_never_rounded_up_to_all(share, text):
    assert percent(share) == text


@pytest.mark.parametrize('count, noun, text', [
    (1, 'round', '1 round'), (0, 'round', '0 rounds'), (2, 'query', '2 queries')])
def test_a_noun_is_in_the_plural_unless_there_is_one(count, noun, text):
    assert counted(count, noun) == text


def test_an_unknown_number_is_shown_as_such():
    assert percent(None) == short(None) == whole(None) == '?'
    assert (short(0.1234), short(1234.5), whole(1234.5)) == ('0.123', '1234', '1,234')
