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

"""The ledger: every answer of the expert is in it, and each cost is counted once."""

import collections
import dataclasses
import json
from types import SimpleNamespace

import dry_run
from il_ros.contract.episode_spec import ABORTED, EpisodeSpec, LOST, SUCCESS
from il_ros.interactive.goal import Goal
from il_ros.interactive.ledger import evaluation_queries, expert_seconds, ledger, RoundCost
from il_ros.interactive.outcomes import Aggregated, Collected, from_json, Labelled
from il_ros.interactive.outcomes import last_threshold, Loaded, Measured, MissingReceiptError
from il_ros.interactive.outcomes import to_json, Trained
from il_ros.interactive.run_state import RunDiffersError, RunExistsError, RunFileError
from il_ros.interactive.run_state import RunState
from il_ros.interactive.strategy import StrategyError
import pytest


def _complete(strategy) -> RunState:
    goal = Goal(run='r', task='push', strategy=strategy, rounds=2, demonstrations=4,
                episodes_per_round=3, evaluation_episodes=5, final_evaluation_episodes=7)
    states = [RunState(goal)]
    collections.deque(dry_run.run(states[0], saved=states.append), maxlen=0)
    return states[-1]


@pytest.mark.parametrize('strategy', ['dagger', 'gated', 'corrections'])
def test_every_query_is_a_label_or_was_watched(strategy):
    rows = ledger(_complete(strategy))
    assert [row.round for row in rows] == [0, 1, 2]
    for row in rows:
        assert row.queries == row.labels + row.watched


def test_demonstrations_cost_what_they_label():
    state = _complete('gated')
    row, collected = ledger(state)[0], state.finished['r00-collect']
    assert row.labels == row.queries == row.expert_driven_steps == collected.steps
    assert (row.watched, row.policy_driven_steps, row.takeovers) == (0, 0, 0)


def test_labels_are_cumulative_and_steps_are_the_rounds_own():
    state = _complete('gated')
    rows = ledger(state)
    own = [state.finished[f'r{round_:02d}-collect'] for round_ in range(3)]
    assert [row.labels for row in rows] == [own[0].labels, own[0].labels + own[1].labels,
                                            sum(one.labels for one in own)]
    assert [row.expert_driven_steps for row in rows] == [one.expert_steps for one in own]
    assert [row.policy_driven_steps for row in rows] == [one.policy_steps for one in own]


def test_corrections_watch_what_the_policy_drove():
    rows = ledger(_complete('corrections'))
    assert rows[2].watched == rows[1].policy_driven_steps + rows[2].policy_driven_steps > 0


def test_labels_that_were_discarded_since_are_no_labels_but_were_watched():
    state = _complete('gated')
    kept = state.finished['r01-aggregate']
    finished = {**state.finished,
                'r01-aggregate': dataclasses.replace(kept, labels=kept.labels - 5),
                'r02-aggregate': dataclasses.replace(
                    state.finished['r02-aggregate'],
                    labels=state.finished['r02-aggregate'].labels - 5)}
    before, after = ledger(state), ledger(dataclasses.replace(state, finished=finished))
    assert [one.labels - two.labels for one, two in zip(before, after)] == [0, 5, 5]
    assert [two.watched - one.watched for one, two in zip(before, after)] == [0, 5, 5]
    assert [one.queries for one in before] == [two.queries for two in after]


def test_what_the_service_was_asked_is_a_query_and_its_valid_answers_are_labels():
    state = _complete('dagger')
    labelled = state.finished['r01-label']
    before, row = ledger(state)[:2]
    assert row.queries - before.queries == labelled.asked
    assert row.labels - before.labels == labelled.labels == labelled.asked - 1
    assert row.watched == 1


def test_measuring_is_reported_apart_from_the_ledger():
    state = _complete('gated')
    finished = state.finished
    measured = [outcome.asked for name, outcome in finished.items() if name.endswith('-measure')]
    assert evaluation_queries(state) == sum(measured) + finished['expert-evaluate'].queries \
        + finished['held-out-collect'].queries


def test_the_experts_time_is_that_of_looking_and_of_the_service():
    state = _complete('dagger')
    demonstrated = state.finished['r00-collect'].queries / 20.0
    assert expert_seconds(state, 20.0) == pytest.approx(demonstrated + 2 * 0.5)


def test_a_persons_time_is_that_of_the_clock_and_his_labels_are_told_apart():
    state = _complete('human')
    rows = ledger(state)
    assert [row.person_seconds for row in rows] == [0.0, 2.0, 2.0], 'his rounds, as they took'
    demonstrated = state.finished['r00-collect'].queries / 20.0
    assert expert_seconds(state, 20.0) == pytest.approx(demonstrated + 4.0)
    given = dataclasses.replace(state.finished['r02-aggregate'], person_labels=7)
    later = dataclasses.replace(state, finished={**state.finished, 'r02-aggregate': given})
    assert [row.person_labels for row in ledger(later)] == [0, 0, 7]


def test_a_run_that_has_not_begun_has_no_costs():
    assert ledger(RunState(Goal(run='r', task='push', strategy='gated'))) == ()


SPECS = tuple(EpisodeSpec(f'rollout-r01-{seed:06d}', 'r', 'push', seed=seed) for seed in range(3))


@pytest.mark.parametrize('change', [{'flags': 2}, {'end': ABORTED}])
def test_an_episode_that_may_not_be_learnt_from_still_costs_its_queries(change):
    receipts = [dry_run.receipt_of(spec) for spec in SPECS]
    vars(receipts[1]).update(change)
    collected = Collected.of(SPECS, receipts, 1.0)
    assert collected.flagged == (SPECS[1].episode_id,)
    assert collected.labels_by_episode == (receipts[0].labels, 0, receipts[2].labels)
    assert collected.queries == sum(receipt.queries for receipt in receipts)


def test_a_receipt_that_comes_twice_counts_once():
    receipts = [dry_run.receipt_of(spec) for spec in SPECS]
    assert Collected.of(SPECS, receipts + receipts, 1.0) == Collected.of(SPECS, receipts, 1.0)


def test_an_attempt_that_was_taken_back_costs_its_queries_and_brings_no_label():
    receipts = [dry_run.receipt_of(spec) for spec in SPECS]
    once = Collected.of(SPECS, receipts, 1.0)
    twice = Collected.of(SPECS, receipts, 1.0, discarded_attempts=receipts[1:2])
    assert twice.labels == once.labels and twice.episodes == once.episodes
    for cost in ('queries', 'expert_steps', 'steps', 'takeovers'):
        assert getattr(twice, cost) == getattr(once, cost) + getattr(receipts[1], cost)


def test_an_episode_without_a_receipt_is_named():
    receipts = [dry_run.receipt_of(spec) for spec in SPECS[:2]]
    with pytest.raises(MissingReceiptError, match=SPECS[2].episode_id):
        Collected.of(SPECS, receipts, 1.0)
    receipts.append(dry_run.receipt_of(dataclasses.replace(SPECS[2])))
    vars(receipts[2]).update(error_code=501, error_msg='disk full')
    with pytest.raises(MissingReceiptError, match='disk full'):
        Collected.of(SPECS, receipts, 1.0)


def test_the_cost_of_each_round_is_added_up_as_it_came():
    collected = Collected(3, 2, 90, 40, 70, 30, 4, 2, (40,), (), 2.0)
    state = RunState(Goal(run='r', task='push', strategy='dagger', rounds=2), {}, {
        'r00-collect': collected, 'r00-aggregate': Aggregated(3, 38, 1.0),
        'r01-collect': collected, 'r01-label': Labelled(20, 15, 0.5, 9.0),
        'r01-train': Trained('x', 'ab', 7, 60, 0.1, 0.2, 3, 100, 3.0, synthetic=6)})
    assert ledger(state) == (
        RoundCost(0, 38, 70, 32, 30, 60, 4, 2, 70, 0.0, 0.0, 0, 0),
        RoundCost(1, 38 + 40 + 15, 70 + 70 + 20, 32 + 30 + 5, 30, 60, 4, 2, 70, 0.5, 0.0, 0, 6))
    assert RoundCost(4) == RoundCost(4, 0, 0, 0, 0, 0, 0, 0, 0, 0.0, 0.0, 0, 0)


def test_the_experts_time_in_a_round_is_counted_of_a_program_and_measured_of_a_person():
    cost = RoundCost(1, in_loop_queries=40, service_seconds=1.5)
    assert cost.expert_seconds(20.0) == 3.5
    assert dataclasses.replace(cost, person_seconds=9.0).expert_seconds(20.0) == 10.5


def test_receipts_are_added_up_field_by_field():
    receipts = [dry_run.receipt_of(spec) for spec in SPECS]
    for number, receipt in enumerate(receipts):
        vars(receipt).update(steps=10, labels=5, queries=7, expert_steps=3, takeovers=2,
                             success=number > 0, cause=LOST if number else SUCCESS,
                             gate_threshold=0.25 * number)
    assert Collected.of(SPECS, receipts, 3) == Collected(
        3, 2, 30, 15, 21, 9, 6, 2, (5, 5, 5), (), 3.0, 0.5)
    assert Collected.of(SPECS, receipts, 3).policy_steps == 21


@pytest.mark.parametrize('thresholds, last', [
    ((), -1.0), ((-1.0, -1.0), -1.0), ((0.5, 0.25, -1.0), 0.25), ((0.5, 0.0), 0.0)])
def test_the_newest_adapted_threshold_counts(thresholds, last):
    assert last_threshold([SimpleNamespace(gate_threshold=one) for one in thresholds]) == last


def test_mistakes_a_state_are_minus_one_where_none_was_measured():
    assert Measured(9, 4, 1, 0, (), 1.0).per_step == 0.25
    assert Measured(9, 0, 0, 0, (), 1.0).per_step == -1.0


@pytest.mark.parametrize('outcome', [
    Collected(3, 3, 90, 9, 9, 9, 0, 1, (3,) * 3, ('a',), 2.0), Labelled(90, 80, 0.5, 1.0),
    Measured(60, 50, 5, 0, (0.1,), 1.0, (1, 2, 3)), Aggregated(2, 9, 0.25), Loaded(0.5),
    Trained('x', 'ab', 7, 60, 0.1, 0.2, 3, 100, 3.0, 4.0, (0.5,), 6)])
def test_what_a_stage_brought_is_read_back_as_it_was_written(outcome):
    assert from_json(json.loads(json.dumps(to_json(outcome)))) == outcome


def test_what_an_outcome_does_not_say_is_the_usual():
    assert Collected(3, 3, 90, 9, 9, 9, 0, 1, (), (), 2.0).gate_threshold == -1.0
    assert Aggregated(2, 9, 0.25).person_labels == 0
    trained = Trained('x', 'ab', 7, 60, 0.1, 0.2, 3, 100, 3.0)
    assert (trained.fit_seconds, trained.error_covariance, trained.synthetic) == (-1.0, (), 0)


def test_refusals_have_the_codes_of_the_message():
    assert (MissingReceiptError.code, RunExistsError.code, RunDiffersError.code) == (804, 802, 803)
    assert (RunFileError.code, StrategyError.code) == (803, 801)
