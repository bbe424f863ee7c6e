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

"""Asking for labels and answering: what is refused, and that nothing bad becomes a label."""

from il_ros.contract.contract import ActionElement, Contract, Feature, TOOL_VELOCITY
from il_ros.contract.episode_spec import EpisodeSpec, EXPERT, RUNNING
from il_ros.episodes.episode import Answers, Episode
from il_ros.ros.conversion.labels import BadAnswerError, BadObservationError, fill_response
from il_ros.ros.conversion.labels import make_requests, MAX_OBSERVATIONS, read_request
from il_ros.ros.conversion.labels import read_response, TooManyError
from il_ros.ros.conversion.messages import float32s, to_ns, to_stamp
from il_ros_interfaces.srv import LabelObservations
import numpy as np
import pytest
from std_msgs.msg import Header

CONTRACT = Contract(
    'test', 20.0, (Feature('goal', 0, 0, ('x', 'y', 'z'), 'm', 'base'),), TOOL_VELOCITY, 'base',
    (ActionElement('linear_x', 'm/s', -0.5, 0.5), ActionElement('linear_y', 'm/s', -0.5, 0.5)))
PERIOD_NS = 50_000_000


def episode(steps: int) -> Episode:
    """Return an episode whose observations say their step."""
    none = Answers.none(steps, 2)
    column = np.zeros(steps)
    return Episode(
        spec=EpisodeSpec('rollout-r01-000001', 'demo', 'push'), contract=CONTRACT,
        stamps_ns=7 + PERIOD_NS * np.arange(steps + 1, dtype=np.int64),
        observations=np.repeat(np.arange(steps + 1, dtype=np.float32)[:, None], 3, 1),
        executed=np.zeros((steps, 2), np.float32), driver=column, chosen=column, limits=column,
        beta=column, gate=column, expert=none, policy=none, teleop=none, policy_ids=column,
        commands=np.zeros((steps, 9)))


def request(steps: int = 4) -> LabelObservations.Request:
    """Return a call about the first steps."""
    return next(make_requests(episode(steps), np.arange(steps)))


def answer(asked, actions=None, valid=None) -> LabelObservations.Response:
    """Return an answer to a call."""
    count = len(asked.observations)
    response = LabelObservations.Response()
    fill_response(
        asked, response, np.full((count, 2), 0.25, np.float32) if actions is None else actions,
        np.ones(count, bool) if valid is None else valid, 'expert 1')
    return response


def test_a_call_carries_the_contract_and_each_observation_with_its_own_stamp_and_step():
    one = episode(9)
    asked = next(make_requests(one, np.array([2, 3, 7])))
    contract, rows = read_request(asked)
    assert contract == CONTRACT
    np.testing.assert_array_equal(rows, one.observations[[2, 3, 7]])
    assert [o.step for o in asked.observations] == [2, 3, 7]
    assert [to_ns(o.header.stamp) for o in asked.observations] == [
        7 + PERIOD_NS * step for step in (2, 3, 7)]
    assert {o.phase for o in asked.observations} == {RUNNING}


def test_a_long_episode_is_asked_for_in_calls_that_the_service_takes():
    calls = list(make_requests(episode(600), np.arange(600)))
    assert [len(call.observations) for call in calls] == [256, 256, 88]
    assert [o.step for call in calls for o in call.observations] == list(range(600))


def test_labels_pair_with_their_observations_by_stamp():
    asked = request(4)
    wanted = np.arange(8, dtype=np.float32).reshape(4, 2) / 100
    valid = np.array([True, False, True, True])
    response = answer(asked, wanted, valid)
    actions, found = read_response(asked, response, CONTRACT)
    np.testing.assert_array_equal(found, valid)
    np.testing.assert_array_equal(actions[valid], wanted[valid])
    assert {a.source for a in response.actions} == {EXPERT}
    assert [a.header.stamp for a in response.actions] == [
        o.header.stamp for o in asked.observations]


@pytest.mark.parametrize('values', [(0.1,), (0.1, 0.2, 0.3), (), (0.1, float('nan')),
                                    (float('inf'), 0.0)])
def test_a_label_of_the_wrong_width_or_not_finite_is_not_valid_whatever_the_service_says(values):
    asked = request(3)
    response = answer(asked)
    response.actions[1].values = float32s(np.array(values))
    _, valid = read_response(asked, response, CONTRACT)
    assert valid.tolist() == [True, False, True]


@pytest.mark.parametrize('value', [3e38, -100.0, 0.502])
def test_an_answer_outside_the_bounds_is_refused_whole_with_step_element_and_bounds(value):
    asked = request(3)
    response = answer(asked)
    response.actions[1].values = float32s(np.array([0.1, value]))
    with pytest.raises(BadAnswerError) as refusal:
        read_response(asked, response, CONTRACT)
    assert str(refusal.value).endswith(
        'answered step 1 outside the bounds of the contract test: '
        f'linear_y is {value:g} m/s; expected -0.5 to 0.5')


def test_an_answer_that_is_beyond_a_bound_by_its_rounding_alone_is_taken():
    asked = request(3)
    response = answer(asked)
    response.actions[1].values = float32s(np.array([0.5005, -0.5005]))
    assert read_response(asked, response, CONTRACT)[1].all()


def test_an_answer_with_another_stamp_is_refused_whole():
    asked = request(3)
    response = answer(asked)
    response.actions[2].header = Header(stamp=to_stamp(1))
    with pytest.raises(BadAnswerError, match='another stamp than that of step 2'):
        read_response(asked, response, CONTRACT)


@pytest.mark.parametrize('field', ['actions', 'valid'])
def test_an_answer_with_too_few_entries_is_refused_whole(field):
    asked = request(3)
    response = answer(asked)
    setattr(response, field, getattr(response, field)[:2])
    with pytest.raises(BadAnswerError, match='of 3'):
        read_response(asked, response, CONTRACT)


def test_a_refusal_comes_through_with_its_sentence():
    asked = request(3)
    response = LabelObservations.Response(error_code=400, error_msg='there is no task moon')
    with pytest.raises(BadAnswerError, match='there is no task moon'):
        read_response(asked, response, CONTRACT)


def test_more_observations_than_allowed_are_refused():
    asked = request(3)
    asked.observations = list(asked.observations) * 100
    assert len(asked.observations) > MAX_OBSERVATIONS
    with pytest.raises(TooManyError, match='300 observations'):
        read_request(asked)


def spoil(change):
    """Return a call whose observation of step 1 was changed."""
    asked = request(3)
    change(asked.observations[1])
    return asked


@pytest.mark.parametrize('change, sentence', [
    (lambda o: setattr(o, 'contract_id', 5), 'has contract 5'),
    (lambda o: setattr(o, 'values', [1.0]), 'has 1 values; the contract has 3'),
    (lambda o: setattr(o, 'step', 0), 'comes after step 0; expected ascending'),
    (lambda o: setattr(o, 'values', [1.0, float('nan'), 0.0]), 'not finite')])
def test_an_observation_that_cannot_be_labelled_is_refused(change, sentence):
    with pytest.raises(BadObservationError, match=sentence):
        read_request(spoil(change))
