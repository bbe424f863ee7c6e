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

"""What drives by a recorded episode: the same states again, or nothing at all."""

import dataclasses

from il_ros.contract.episode_spec import ABORTED, FAULT, POLICY
from il_ros.episodes.reader import read_episode
from il_ros.graph.replay import ReplayNode
from il_ros_interfaces.msg import Action
import numpy as np
import pytest
from seam import episode, Graph


@pytest.fixture
def graph(bench, tmp_path):
    """Return a graph with an expert, and without a policy node."""
    return Graph(bench, tmp_path)


def recorded(graph, number: int = 1):
    """Return a short episode that the expert drove."""
    return read_episode(graph.path(graph.run(episode(number, horizon=8))))


def ready(graph):
    """Return a recorded episode, and a node that is ready to replay it."""
    first = recorded(graph)
    node = graph.bench.add(ReplayNode)
    assert graph.bench.until(lambda: node.is_connected)
    return first, node


def again(number: int, seed: int):
    """Return the specification of an episode that what replays is to drive."""
    return dataclasses.replace(episode(number, horizon=8, driver=POLICY), seed=seed)


def test_recorded_actions_lead_through_the_same_states_under_the_same_limits(graph):
    first, node = ready(graph)
    spec = again(2, seed=1)
    node.play(first, spec.episode_id)
    second = read_episode(graph.path(graph.run(spec)))
    assert second.observations.tobytes() == first.observations.tobytes()
    assert second.executed.tobytes() == first.executed.tobytes() and node.refusal == ''
    assert set(second.driver) == {POLICY}
    assert set(second.policy_ids) == {int(first.content_sha256()[:16], 16)}


def refusal(graph, node, spec, begin=None) -> str:
    """Begin an episode and return why nothing is sent."""
    sent = graph.bench.listen(Action, 'policy/action')
    (begin or graph.begin)(spec)
    assert graph.bench.until(lambda: node.refusal and sent)
    assert not any(len(action.values) for action in sent)
    assert graph.bench.until(lambda: graph.statuses[-1].end == ABORTED), 'the arm is held for long'
    assert (graph.statuses[-1].cause, graph.statuses[-1].reason) == (FAULT, node.refusal)
    return node.refusal


def test_an_arm_that_stands_elsewhere_is_not_moved(graph):
    first, node = ready(graph)
    spec = again(2, seed=7)
    node.play(first, spec.episode_id)
    said = refusal(graph, node, spec)
    assert first.spec.episode_id in said and 'from where the recording begins' in said
    assert 'expected 0.02 at most (--tolerance)' in said


def test_an_attempt_that_is_run_again_from_elsewhere_moves_nothing(graph):
    first, node = ready(graph)
    spec = again(2, seed=1)
    node.play(first, spec.episode_id)
    graph.begin(spec)
    assert graph.bench.until(lambda: any(one.driver == POLICY for one in graph.executed))
    observation = graph.observations[-1]
    observation.step, observation.episode_id = 0, spec.episode_id
    moved = first.observations[0] + np.float32(0.5)
    assert node._act(observation, moved) is None
    assert 'from where the recording begins' in node.refusal


def test_beside_a_policy_node_nothing_is_sent(graph, bench):
    first, node = ready(graph)
    spec = again(2, seed=1)
    node.play(first, spec.episode_id)

    def begin(spec):
        assert graph.open(spec).error_code == graph.arm(spec).error_code == 0
        bench.talk(Action, 'policy/action')
        assert bench.until(lambda: node.count_publishers('policy/action') == 2)
        assert '/replay publish policy/action; stop all but one' in graph.arm(
            again(3, seed=1)).error_msg
        assert graph.reset(spec).error_code == 0
    assert 'a policy node drives here, too' in refusal(graph, node, spec, begin)


def test_a_recording_with_another_contract_moves_nothing(graph):
    first, node = ready(graph)
    other = dataclasses.replace(first, contract=dataclasses.replace(
        first.contract, rate=2 * first.contract.rate))
    spec = again(2, seed=1)
    node.play(other, spec.episode_id)
    assert 'recorded with another contract' in refusal(graph, node, spec)


def test_who_comes_in_the_midst_of_an_episode_moves_nothing(graph, bench):
    first = recorded(graph)
    node = bench.add(ReplayNode)
    spec = again(2, seed=1)
    graph.begin(spec)
    assert bench.until(lambda: node.is_connected)
    node.play(first, spec.episode_id)
    late = graph.observations[-1]
    late.step, late.episode_id = 3, spec.episode_id
    assert node._act(late, np.frombuffer(late.values, np.float32)) is None
    assert node.refusal.endswith('the first 3 steps went by unheard; try again')
