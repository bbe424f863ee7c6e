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

"""What goes wrong around an episode: NaN from the arm, a restarted task, a wrong contract."""

from il_ros.contract.episode_spec import ABORTED, FAULT, RUNNING
from il_ros.episodes.reader import read_episode
from il_ros.episodes.receipts import INCOMPLETE
from il_ros.nodes.expert import ExpertNode
from il_ros.nodes.policy import PolicyNode
from il_ros.nodes.recorder import RecorderNode
from il_ros.nodes.simulator import SimulatorNode
from il_ros.nodes.supervisor import SupervisorNode
from il_ros.ros import qos
from il_ros.ros.conversion.messages import contract_to_message, receipt_from_message
from il_ros.ros.runtime import take_down
from il_ros.tasks.contracts import find_contract
from il_ros_interfaces.msg import Contract
import numpy as np
import pytest
from seam import Bench, episode, Graph

NAN = 'no observation: joint_position.panda_joint4 is not finite'


def spoil(simulator: SimulatorNode, steps: range):
    """Let the arm's fourth joint be unknown at these steps of an episode."""
    fill = simulator._messages.fill

    def spoiled(stamp_ns, state, status):
        fill(stamp_ns, state, status)
        if status.phase == RUNNING and status.step in steps:
            simulator._messages.joint_states.position[3] = float('nan')
    simulator._messages.fill = spoiled


def test_nan_in_a_joint_that_is_observed_ends_the_episode_as_a_fault_and_the_next_one_runs(
        bench, tmp_path):
    graph = Graph(bench, tmp_path)
    spoil(graph.simulator, range(2, 3))
    receipt = graph.run(episode(1, 6))
    assert (receipt.end, receipt.cause, receipt.error_msg) == (ABORTED, FAULT, NAN)
    assert graph.observer._rejected == 1
    recorded = read_episode(graph.path(receipt))
    assert np.isfinite(recorded.observations).all() and np.isfinite(recorded.commands).all()
    assert recorded.steps == 1 and not recorded.complete, 'step 2, which nobody saw, is a gap'
    assert receipt.flags & INCOMPLETE or receipt.dropped
    graph.simulator._messages.fill = type(graph.simulator._messages).fill.__get__(
        graph.simulator._messages)
    assert graph.run(episode(2, 6)).steps == 6


@pytest.mark.parametrize('unknown, ended', [(4, False), (5, True)])
def test_in_realtime_nan_ends_an_episode_only_if_it_lasts(tmp_path, unknown, ended):
    with Bench('events') as bench:
        graph = Graph(bench, tmp_path, observer={'pairing': 'as_of'}, mode='realtime',
                      simulator=realtime_simulator)
        spoil(graph.simulator, range(3, 3 + unknown))
        receipt = graph.run(episode(1, 12))
        assert graph.observer._rejected >= unknown
    assert (receipt.cause == FAULT) is ended
    assert not ended or (receipt.end, receipt.error_msg) == (ABORTED, NAN)


def realtime_simulator(**kwargs) -> SimulatorNode:
    """Return a simulator in real time."""
    from rclpy.parameter import Parameter
    overrides = [*kwargs.pop('parameter_overrides'), Parameter('mode', value='realtime')]
    return SimulatorNode(parameter_overrides=overrides, **kwargs)


@pytest.mark.parametrize('later', [True, False], ids=['its clock is ahead', 'its clock is behind'])
def test_a_task_that_is_restarted_in_an_episode_leaves_it_incomplete_and_the_next_opens(
        bench, tmp_path, monkeypatch, later):
    graph = Graph(bench, tmp_path)
    spec = episode(1, 100_000)
    graph.begin(spec)
    assert bench.until(lambda: graph.simulator.session.status.step >= 10)
    graph.simulator.shut_down()
    take_down(bench.executor, graph.simulator)
    bench._nodes.remove(graph.simulator)
    bench.until(lambda: False, timeout_s=0.1)
    last_ns = graph.simulator.session.stamp_ns
    now_ns = last_ns + (1 if later else -1) * 10 ** 11
    monkeypatch.setattr(SimulatorNode, '_now_ns', lambda _: now_ns)
    graph.simulator = bench.add(SimulatorNode, task='reach')
    receipt = graph.finish(spec)
    assert receipt.flags & INCOMPLETE
    assert receipt.error_msg == 'the task was restarted'
    assert receipt.steps >= 9
    following = graph.run(episode(2, 5))
    assert (following.steps, following.flags) == (5, 0)


@pytest.mark.parametrize('kind', [ExpertNode, PolicyNode, RecorderNode, SupervisorNode])
def test_a_contract_that_contradicts_itself_is_refused_and_the_node_takes_the_next(
        bench, capfd, kind):
    node = bench.add(kind)
    contract, _ = find_contract('push')
    wrong, right = contract_to_message(contract), contract_to_message(contract)
    wrong.features[1].start = 99
    contracts = bench.talk(Contract, 'contract', qos.LATCHED)
    contracts.publish(wrong)
    said = []

    def refused():
        said.append(capfd.readouterr().err)
        return 'contract refused' in ''.join(said)
    assert bench.until(refused)
    assert 'feature joint_velocity starts at 99, expected 7' in ''.join(said)
    assert ''.join(said).count('contract refused') == 1
    contracts.publish(right)
    assert bench.until(lambda: getattr(node, '_driver', node) and contract == (
        node._driver.contract if hasattr(node, '_driver') else node._contract))


def test_a_folder_that_cannot_be_mended_is_refused_with_a_sentence_and_the_recorder_stays(
        bench, tmp_path):
    graph = Graph(bench, tmp_path)
    leftover = tmp_path / 'run' / 'episodes' / 'main' / 'rollout-r01-000009.mcap.tmp'
    leftover.mkdir(parents=True)
    response = graph.open(episode(1))
    assert response.error_code == 501
    assert 'cannot be repaired' in response.error_msg
    for path in leftover.parent.glob('rollout*'):
        path.rmdir()
    assert graph.run(episode(1)).steps == 4
    assert receipt_from_message(graph.recorded[-1]).flags == 0
