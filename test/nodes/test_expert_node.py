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

"""The expert as a node: answers in the loop, labels of recorded states, and what it refuses."""

from il_ros.contract.episode_spec import EXPERT, POLICY, RUNNING
from il_ros.nodes.expert import ExpertNode
from il_ros.ros import qos
from il_ros.ros.conversion.labels import MAX_OBSERVATIONS
from il_ros.ros.conversion.messages import contract_to_message, float32s, to_stamp
from il_ros.tasks.contracts import find_contract
from il_ros.tasks.expert_registry import make_expert
from il_ros.tasks.reach.expert import ReachExpert
from il_ros_interfaces.msg import Action, Contract, Drive, Observation
from il_ros_interfaces.srv import LabelObservations
import numpy as np
import pytest

CONTRACT, _ = find_contract('reach')
Response = LabelObservations.Response


def seen(step: int, values=None, **fields) -> Observation:
    """Return an observation of episode e."""
    if values is None:
        values = np.random.default_rng(step).normal(size=CONTRACT.width)
    message = Observation(**{
        'contract_id': CONTRACT.id, 'step': step, 'phase': RUNNING, 'episode_id': 'e',
        'values': float32s(values), **fields})
    message.header.stamp = to_stamp(1000 + step)
    return message


class Loop:
    """What stands around an expert in the loop."""

    def __init__(self, bench, required=(EXPERT,)):
        self.bench = bench
        self.actions = bench.listen(Action, 'expert/action')
        self.contracts = bench.talk(Contract, 'contract', qos.LATCHED)
        self.contracts.publish(contract_to_message(CONTRACT))
        self.drives = bench.talk(Drive, 'drive', qos.LATCHED)
        self.drives.publish(Drive(episode_id='e', required=list(required), driving=POLICY))
        self.publisher = bench.talk(Observation, 'observation')

    def ask(self, message: Observation) -> np.ndarray:
        """Publish an observation until it is answered and return the answer's values."""
        self.publisher.publish(message)
        assert self.bench.until(lambda: [
            a for a in self.actions if a.header.stamp == message.header.stamp])
        return np.array(self.actions[-1].values, np.float32)


def label(bench, observations, **fields) -> Response:
    """Ask for labels."""
    return bench.call(LabelObservations, 'label_observations', LabelObservations.Request(**{
        'contract': contract_to_message(CONTRACT), 'task': 'reach',
        'observations': observations, **fields}))


def test_in_the_loop_it_answers_with_its_law(bench):
    bench.add(ExpertNode, task='reach')
    loop, expert = Loop(bench), make_expert('reach', CONTRACT)
    for step in range(3):
        message = seen(step)
        answer = loop.ask(message)
        np.testing.assert_array_equal(answer, expert.act(np.array(message.values, np.float32)))
    assert {a.source for a in loop.actions} == {EXPERT}


def test_it_is_silent_until_it_is_required_and_then_answers_the_observation_that_stands(bench):
    bench.add(ExpertNode, task='reach')
    loop = Loop(bench, (POLICY,))
    loop.publisher.publish(seen(0))
    assert not bench.until(lambda: loop.actions, timeout_s=0.1)
    loop.drives.publish(Drive(episode_id='e', required=[EXPERT, POLICY], driving=POLICY))
    assert bench.until(lambda: loop.actions)
    assert loop.actions[0].header.stamp == to_stamp(1000)


def test_a_hand_over_that_begins_later_is_not_anticipated(bench):
    bench.add(ExpertNode, task='reach')
    loop = Loop(bench, (POLICY,))
    later = Drive(episode_id='e', required=[EXPERT, POLICY], driving=POLICY)
    later.header.stamp = to_stamp(1002)
    loop.drives.publish(later)
    for step in (0, 1, 2):
        loop.publisher.publish(seen(step))
    assert bench.until(lambda: loop.actions)
    assert [a.header.stamp.nanosec for a in loop.actions] == [1002]


def test_an_expert_that_raises_answers_nothing_and_the_node_lives(bench, monkeypatch):
    bench.add(ExpertNode, task='reach')
    loop, act = Loop(bench), ReachExpert.act

    def raising(self, values):
        raise ZeroDivisionError('a bug')
    monkeypatch.setattr(ReachExpert, 'act', raising)
    assert len(loop.ask(seen(0))) == 0
    response = label(bench, [seen(0)])
    assert response.error_code == Response.EXPERT_FAILED
    assert 'ZeroDivisionError: a bug' in response.error_msg
    monkeypatch.setattr(ReachExpert, 'act', act)
    assert len(loop.ask(seen(1))) == 3


def test_labels_are_its_law_on_each_observation_with_that_observations_stamp(bench):
    bench.add(ExpertNode, task='reach')
    expert = make_expert('reach', CONTRACT)
    observations = [seen(step) for step in (0, 3, 4, 9)]
    response = label(bench, observations)
    assert (response.error_code, response.labeller) == (0, expert.name)
    assert list(response.valid) == [True] * 4
    for observation, answer in zip(observations, response.actions):
        assert answer.header.stamp == observation.header.stamp
        np.testing.assert_array_equal(
            np.array(answer.values, np.float32),
            expert.act(np.array(observation.values, np.float32)))
    assert response.seconds > 0.0


def test_labelling_needs_no_loop_and_knows_the_tasks_of_others(bench):
    bench.add(ExpertNode, task='push')
    assert label(bench, [seen(0)]).error_code == 0


def test_a_handicapped_expert_answers_and_labels_by_what_it_misreads_and_says_so(bench):
    options = '{"expert":{"bias":{"goal_position":[0.25,0.0,0.0]}}}'
    bench.add(ExpertNode, task='reach', options=options)
    loop, expert = Loop(bench), make_expert('reach', CONTRACT, options)
    message = seen(0)
    wanted = expert.act(np.array(message.values, np.float32))
    assert (wanted != make_expert('reach', CONTRACT).act(
        np.array(message.values, np.float32))).any()
    np.testing.assert_array_equal(loop.ask(message), wanted)
    response = label(bench, [message])
    np.testing.assert_array_equal(np.array(response.actions[0].values, np.float32), wanted)
    assert response.labeller == expert.name


def other_contract():
    """Return the contract of another task, as a message."""
    return contract_to_message(find_contract('push')[0])


@pytest.mark.parametrize('observations, fields, code, sentence', [
    ([seen(0)], {'task': 'moon'}, Response.UNKNOWN_TASK, "'moon'"),
    ([], {'contract': other_contract()}, Response.MISSING_FEATURE, 'reach expert commands'),
    ([seen(0)] * (MAX_OBSERVATIONS + 1), {}, Response.TOO_MANY, '257'),
    ([seen(0, np.full(CONTRACT.width, np.nan))], {}, Response.BAD_OBSERVATION, 'not finite'),
    ([seen(0, np.zeros(3))], {}, Response.BAD_OBSERVATION, 'has 3 values'),
    ([seen(1), seen(0)], {}, Response.BAD_OBSERVATION, 'ascending'),
    ([seen(0, contract_id=1)], {}, Response.BAD_OBSERVATION, 'contract')])
def test_what_cannot_be_labelled_is_refused_whole_with_a_sentence(
        bench, observations, fields, code, sentence):
    bench.add(ExpertNode, task='reach')
    response = label(bench, observations, **fields)
    assert (response.error_code, len(response.actions), len(response.valid)) == (code, 0, 0)
    assert sentence in response.error_msg


def test_a_contract_that_the_law_cannot_read_leaves_it_without_answers_but_alive(bench):
    bench.add(ExpertNode, task='push')
    loop = Loop(bench)
    assert len(loop.ask(seen(0))) == 0
