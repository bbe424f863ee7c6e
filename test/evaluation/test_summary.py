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

"""``summary.json``: its keys, and that its numbers are the run's."""

import dataclasses
import json

from il_ros.evaluation.interval import wilson
from il_ros.evaluation.summary import _round, PolicyResult, round_results, RoundResult
from il_ros.evaluation.summary import summarise, summary_json
from il_ros.interactive.ledger import evaluation_queries, expert_seconds, RoundCost
from il_ros.interactive.outcomes import Collected, Compared, Measured, Trained
from il_ros.interactive.rounds import next_stage
from il_ros.interactive.run_state import RunState
from il_ros.interactive.stage_work import same_labels
import pytest
from run_of_two_rounds import GOAL, states_of_a_run

EPISODES = Collected(3, 3, 90, 90, 90, 90, 0, 1, (30,) * 3, (), 2.0)
POLICY = {'success', 'mistakes_per_step', 'loss_held_out', 'epsilon'}


@pytest.fixture(scope='module')
def complete() -> dict:
    """Return the summary of a complete run, as read back from its text."""
    return json.loads(summary_json(summarise(states_of_a_run()[-1], 80, 20.0)))


def test_a_summary_has_exactly_the_promised_keys(complete):
    assert set(complete) == {
        'task', 'strategy', 'seed', 'horizon', 'expert', 'bc', 'rounds', 'bc_same_labels',
        'evaluation_queries', 'expert_seconds', 'control_steps_per_s', 'wall_s', 'timing',
        'faults'}
    assert set(complete['expert']) == {'k', 'n', 'rate', 'low', 'high'}
    assert set(complete['bc']) == POLICY | {'labels', 'demonstrations'}
    assert set(complete['bc_same_labels']) == POLICY | {'labels', 'demonstrations'}
    for one in complete['rounds']:
        assert set(one) == POLICY | {
            'round', 'labels', 'queries', 'watched', 'expert_driven_steps',
            'policy_driven_steps', 'takeovers', 'objects_lost'}
        assert set(one['epsilon']) == {'k', 'n'}


def test_rounds_start_at_one_and_count_labels_from_the_demonstrations_on(complete):
    assert [one['round'] for one in complete['rounds']] == [1, 2]
    assert complete['bc']['labels'] == 90
    assert [one['labels'] for one in complete['rounds']] == [170, 250]
    assert [one['queries'] for one in complete['rounds']] == [180, 270]
    assert [one['watched'] for one in complete['rounds']] == [10, 20]


def test_the_expert_and_the_final_policies_meet_all_resets(complete):
    judged = [complete['expert'], complete['bc']['success'], complete['rounds'][1]['success'],
              complete['bc_same_labels']['success']]
    assert [one['n'] for one in judged] == [8, 8, 8, 8]
    assert complete['rounds'][0]['success']['n'] == 5


def test_the_baselines_labels_are_those_of_its_demonstrations(complete):
    labels = same_labels(states_of_a_run()[-1])
    assert complete['bc_same_labels']['labels'] == sum(count for _, count in labels)
    assert complete['bc_same_labels']['labels'] == pytest.approx(250, rel=0.1)


def test_time_and_pace_are_those_of_the_stages(complete):
    assert complete['wall_s'] == pytest.approx(sum(complete['timing'].values()))
    assert complete['timing']['train'] == 9.0
    # Collecting runs at 45 steps a second, evaluating at 50 or 80.
    assert 45.0 < complete['control_steps_per_s'] < 80.0
    assert summarise(states_of_a_run()[-1], 80, 20.0, wall_s=99.0)['wall_s'] == 99.0


def test_an_unfinished_run_is_summarised_as_far_as_it_got():
    for state in states_of_a_run():
        text = summary_json(summarise(state, 80, 20.0))
        assert json.loads(text)['task'] == 'push'
    nothing = summarise(RunState(GOAL), 80, 20.0)
    assert (nothing['expert'], nothing['bc'], nothing['rounds'], nothing['bc_same_labels']) == (
        None, None, [], None)


def test_what_was_not_measured_is_minus_one_and_never_nan():
    state = next(state for state in states_of_a_run() if 'r00-collect' in state.finished)
    bc = summarise(state, 80, 20.0)['bc']
    assert (bc['success'], bc['mistakes_per_step'], bc['loss_held_out']) == (None, -1.0, -1.0)


def test_a_round_result_carries_what_a_round_summary_needs():
    results = round_results(states_of_a_run()[-1])
    assert [result.cost.round for result in results] == [0, 1, 2]
    assert results[2].policy.trained.policy_id == 7
    assert results[2].policy.mistakes_per_step == pytest.approx(0.1)


def _state(*outcomes):
    state = RunState(GOAL)
    for outcome in outcomes:
        state = state.after(next_stage(state), outcome)
    return state


def test_a_round_that_was_compared_with_the_one_before_says_how():
    state = states_of_a_run()[-1]
    found = Compared(**{**vars(EPISODES), 'episodes': 20}, both=9, only_this=11,
                     smallest_difference=0.05, before_episodes=12)
    state = dataclasses.replace(state, finished={**state.finished, 'r01-evaluate': found})
    assert RunState.from_json(state.to_json()) == state
    first, last = summarise(state, 80, 20.0)['rounds']
    assert 'comparison' not in last
    assert first['comparison'] == {
        'with_round': 0, 'answer': 'better', 'episodes': 20, 'both': 9, 'only_this': 11,
        'only_before': 0, 'neither': 0, 'smallest_difference': 0.05, 'difference': 0.55,
        'low': pytest.approx(0.14, abs=0.05), 'high': pytest.approx(0.85, abs=0.05),
        'before_episodes': 12}


def test_pace_is_steps_by_seconds_however_short_and_nothing_without_time():
    # The first stage collects the demonstrations, or evaluates the expert: episodes anyway.
    for seconds, pace in ((0.25, 360.0), (0.0, 0.0), (7.0, 12.9)):
        summary = summarise(_state(dataclasses.replace(EPISODES, seconds=seconds)), 80, 20.0)
        assert summary['control_steps_per_s'] == pace


def test_seconds_are_written_with_three_digits():
    state = _state(dataclasses.replace(EPISODES, seconds=1 / 3))
    summary = summarise(state, 80, 7.0)
    assert (summary['wall_s'], list(summary['timing'].values())) == (0.333, [0.333])
    assert summarise(state, 80, 7.0, wall_s=2 / 3)['wall_s'] == 0.667
    assert summarise(state, 80, 7.0, wall_s=0.0)['wall_s'] == 0.0


def test_the_experts_time_is_that_of_the_ledger_in_milliseconds():
    state = states_of_a_run()[-1]
    assert summarise(state, 80, 7.0)['expert_seconds'] == round(expert_seconds(state, 7.0), 3)
    assert summarise(state, 80, 7.0)['evaluation_queries'] == evaluation_queries(state) > 0


def test_a_policy_is_written_with_its_losses_and_mistakes():
    trained = Trained('x', 'ab', 7, 60, 0.1, 0.2, 3, 100, 3.0)
    measured = Measured(60, 3, 1, 0, (0.1,), 1.0)
    assert PolicyResult(trained, wilson(1, 3), measured).as_dict() == {
        'success': wilson(1, 3).as_dict(), 'mistakes_per_step': 0.333333, 'loss_held_out': 0.2,
        'epsilon': {'k': 3, 'n': 100}}
    assert PolicyResult(None, None, None).as_dict() == {
        'success': None, 'mistakes_per_step': -1.0, 'loss_held_out': -1.0,
        'epsilon': {'k': 0, 'n': 0}}


def test_flagged_demonstrations_are_not_counted():
    states = states_of_a_run()
    before = next(state for state in states if next_stage(state).name == 'r00-collect')
    collected = dataclasses.replace(EPISODES, flagged=('r-1',))
    state = before.after(next_stage(before), collected)
    assert summarise(state, 80, 20.0)['bc']['demonstrations'] == 2


def test_the_labels_of_a_person_are_named_where_one_was_there():
    cost = RoundCost(round=1, labels=9, person_seconds=0.5, person_labels=4)
    nothing = PolicyResult(None, None, None)
    assert _round(RoundResult(cost, nothing))['person_labels'] == 4
    beside = dataclasses.replace(cost, person_seconds=0.0)
    assert 'person_labels' not in _round(RoundResult(beside, nothing))


def test_the_file_has_a_line_for_each_entry_one_blank_in():
    assert summary_json({'a': 1, 'b': {'c': 2}}) == (
        '{\n "a": 1,\n "b": {\n  "c": 2\n }\n}\n')
    with pytest.raises(ValueError):
        summary_json({'a': float('nan')})
