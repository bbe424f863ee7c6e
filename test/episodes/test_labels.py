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

import dataclasses

from il_ros.contract.contract import ActionElement
from il_ros.contract.episode_spec import DrivePlan, EXPERT, HOLD, LABEL_ALL, LABEL_EXPERT_DRIVEN
from il_ros.contract.episode_spec import LABEL_NONE, POLICY, TELEOP
from il_ros.episodes.episode import Answers, Episode
from il_ros.episodes.labels import costs_of, labels_of, takeovers, unlabelled
from il_ros.errors import LabelError
import numpy as np
import pytest
from recordings import CONTRACT, PERIOD_NS, spec


def answers(values) -> Answers:
    """Return answers in both elements; None where there was none."""
    valid = np.array([value is not None for value in values])
    actions = np.array([[value or 0.0] * 2 for value in values], np.float32)
    return Answers(actions, valid)


def episode(drivers, plan: int, expert=None, teleop=None) -> Episode:
    """Return an episode of which only drivers, plan and answers matter."""
    steps = len(drivers)
    nothing = [None] * steps
    return Episode(
        spec=spec(plan=DrivePlan(driver=POLICY, labels=plan)), contract=CONTRACT,
        stamps_ns=np.arange(steps + 1) * PERIOD_NS,
        observations=np.zeros((steps + 1, 6), np.float32),
        executed=np.zeros((steps, 2), np.float32), driver=np.array(drivers, np.uint8),
        chosen=np.array(drivers, np.uint8), limits=np.zeros(steps, np.uint32),
        beta=np.zeros(steps, np.float32), gate=np.zeros(steps, np.float32),
        expert=answers(nothing if expert is None else expert), policy=answers(nothing),
        teleop=answers(nothing if teleop is None else teleop),
        policy_ids=np.zeros(steps, np.uint64), commands=np.zeros((steps, 0)))


GATED = episode([POLICY, POLICY, EXPERT, HOLD, POLICY], LABEL_ALL,
                expert=[0.1, None, 0.3, 0.4, 0.5])


def with_plan(of: Episode, labels: int) -> Episode:
    """Return the same episode under another rule for labels."""
    plan = dataclasses.replace(of.spec.plan, labels=labels)
    return dataclasses.replace(of, spec=dataclasses.replace(of.spec, plan=plan))


@pytest.mark.parametrize('plan, valid', [
    (LABEL_ALL, [True, False, True, True, True]),
    (LABEL_EXPERT_DRIVEN, [False, False, True, False, False]),
    (LABEL_NONE, [False] * 5)])
def test_the_plan_says_which_answers_become_labels(plan, valid):
    labels = labels_of(with_plan(GATED, plan))
    assert labels.valid.tolist() == valid
    np.testing.assert_array_equal(labels.source, np.where(valid, EXPERT, HOLD))


@pytest.mark.parametrize('plan, found', [
    (LABEL_ALL, [0.1, 0.2, 0.3, 0.4, 0.5]), (LABEL_EXPERT_DRIVEN, [0, 0, 0.3, 0, 0]),
    (LABEL_NONE, [0.0] * 5)])
def test_later_answers_only_fill_what_the_loop_left_open(plan, found):
    later = answers([-0.4, 0.2, -0.4, -0.4, None])
    labels = labels_of(with_plan(GATED, plan), later)
    np.testing.assert_allclose(labels.actions[:, 0], found, rtol=1e-6)


@pytest.mark.parametrize('plan, found', [
    (LABEL_ALL, [0.1, 0.45, 0.3, 0.4, 0.5]), (LABEL_EXPERT_DRIVEN, [0.45, 0.45, 0.3, 0.45, 0.45]),
    (LABEL_NONE, [None] * 5)])
def test_later_answers_that_are_to_be_used_fill_the_gaps_of_every_plan_that_has_labels(
        plan, found):
    later = answers([0.45] * 5)
    labels = labels_of(with_plan(GATED, plan), later, use_later=True)
    assert [round(float(action[0]), 6) if valid else None
            for action, valid in zip(labels.actions, labels.valid)] == found


def test_where_a_person_drove_the_label_is_the_persons():
    driven = episode([POLICY, TELEOP, POLICY], LABEL_ALL, [0.1, 0.2, 0.3], [0.4, 0.45, 0.4])
    labels = labels_of(driven)
    assert labels.source.tolist() == [EXPERT, TELEOP, EXPERT]
    np.testing.assert_allclose(labels.actions[:, 0], [0.1, 0.45, 0.3], rtol=1e-6)


def test_a_label_lies_inside_the_contracts_bounds():
    labels = labels_of(episode([EXPERT] * 2, LABEL_ALL, [3.0, -3.0]))
    np.testing.assert_array_equal(labels.actions, [[0.5, 0.5], [-0.5, -0.5]])
    assert labels.actions.dtype == np.float32


def test_bounds_that_exclude_zero_leave_invalid_rows_at_zero():
    bounded = dataclasses.replace(CONTRACT, actions=(
        ActionElement('linear_x', 'm/s', 0.1, 0.5), ActionElement('linear_y', 'm/s', 0.1, 0.5)))
    labels = labels_of(dataclasses.replace(GATED, contract=bounded))
    assert (labels.actions[~labels.valid] == 0).all()


def test_steps_that_the_operator_took_back_are_no_labels():
    labels = labels_of(GATED, discarded=[(2, 3)])
    assert labels.valid.tolist() == [True, False, False, False, True]


def test_labels_of_another_length_are_refused():
    with pytest.raises(LabelError, match='rollout-r01-000007'):
        labels_of(GATED, answers([0.1] * 4))


def test_only_states_that_the_plan_wants_labelled_are_asked_for_later():
    assert unlabelled(GATED).tolist() == [1]
    assert unlabelled(with_plan(GATED, LABEL_EXPERT_DRIVEN)).tolist() == []
    assert unlabelled(GATED, answers([None, 0.2, None, None, None])).tolist() == []


def test_every_answer_is_a_query_and_those_without_a_label_were_watched():
    costs = costs_of(with_plan(GATED, LABEL_EXPERT_DRIVEN))
    assert (costs.labels, costs.queries, costs.watched) == (1, 4, 3)
    assert (costs.expert_steps, costs.takeovers) == (1, 1)


def test_a_person_who_only_looks_on_is_watching():
    costs = costs_of(episode([POLICY, TELEOP, POLICY], LABEL_EXPERT_DRIVEN,
                             teleop=[0.0, 0.2, 0.0]))
    assert (costs.labels, costs.queries, costs.watched, costs.expert_steps) == (1, 3, 2, 1)


@pytest.mark.parametrize('drivers, count', [
    ([EXPERT] * 4, 0), ([EXPERT, POLICY, POLICY], 0), ([POLICY, EXPERT, POLICY, TELEOP], 2),
    ([POLICY, HOLD, EXPERT], 1), ([POLICY, HOLD, POLICY], 0), ([EXPERT, TELEOP], 0), ([], 0)])
def test_a_takeover_is_a_change_from_the_policy(drivers, count):
    assert takeovers(np.array(drivers, np.uint8)) == count


def test_an_episode_of_the_wrong_shape_dies_where_it_is_built():
    with pytest.raises(ValueError, match='expected one more observation'):
        dataclasses.replace(GATED, observations=GATED.observations[1:])
    with pytest.raises(ValueError, match='strictly increasing'):
        dataclasses.replace(GATED, stamps_ns=GATED.stamps_ns * 0)
