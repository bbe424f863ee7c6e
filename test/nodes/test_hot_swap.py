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

"""A hundred policies after another in an episode that goes on (drill B13)."""

import itertools
import time

from il_ros.contract.episode_spec import ABORTED, FAULT, POLICY
from il_ros.episodes.reader import read_episode
from il_ros.learning import checkpoint
from il_ros.learning.normaliser import Normaliser
from il_ros.learning.policy import Policy
from il_ros.nodes.observer import ObserverNode
from il_ros.nodes.recorder import RecorderNode
from il_ros.nodes.simulator import SimulatorNode
from il_ros.nodes.supervisor import SupervisorNode
from il_ros.ros import qos
from il_ros.ros.conversion.messages import to_ns
from il_ros_interfaces.msg import Action, Observation, PolicyStatus, RecordedEpisode
from il_ros_interfaces.srv import EndEpisode, LoadPolicy
import numpy as np
import pytest
from seam import episode, Graph, Process
from sensor_msgs.msg import JointState
from shipped_arms import PANDA
from test_policy_node import save

RATE_HZ = 50.0
PERIOD_S = 1.0 / RATE_HZ
SWAPS, POLICIES, REFUSED_EVERY = 100, 4, 10


class Swapped(Graph):
    """The hot nodes at 50 Hz in real time; the policy is a process of its own."""

    def __init__(self, bench, runs):
        self.bench, self.runs = bench, runs
        self.observations = bench.listen(Observation, 'observation', qos.RECORD)
        self.actions = bench.listen(Action, 'policy/action', qos.RECORD)
        self.commands = bench.listen_timed(JointState, 'joint_command', qos.COMMAND)
        self.statuses = bench.listen(PolicyStatus, 'policy_status', qos.LATCHED)
        self.recorded = bench.listen(RecordedEpisode, 'recorded', qos.RECEIPTS)
        bench.add(SupervisorNode, mode='realtime', silence_s=10.0)
        bench.add(RecorderNode, runs=str(runs))
        bench.add(ObserverNode, contract='reach', pairing='as_of', rate_hz=RATE_HZ)
        bench.add(SimulatorNode, task='reach', mode='realtime', rate_hz=RATE_HZ)
        assert bench.until(lambda: self.observations and self.statuses, 20.0)

    def load(self, folder) -> PolicyStatus:
        """Load a checkpoint and return what became of it."""
        response = self.bench.call(LoadPolicy, 'load_policy', LoadPolicy.Request(path=str(folder)))
        assert response.error_code == 0, response.error_msg
        assert self.bench.until(lambda: self.statuses[-1].ticket == response.ticket and (
            self.statuses[-1].state != PolicyStatus.LOADING))
        return self.statuses[-1]

    def drives(self, policy: Policy) -> bool:
        """Tell whether a policy has answered last."""
        return bool(self.actions) and self.actions[-1].policy_id == policy.policy_id


def poisoned(folder, policy: Policy):
    """Write a checkpoint whose answers lie far outside the bounds, with a valid hash."""
    out = policy.action_normaliser
    checkpoint.save(folder, Policy(
        policy.contract, policy.inputs, policy.normaliser,
        Normaliser(np.full(out.width, 1e6, np.float32), out.sd), policy.net))
    return folder


@pytest.mark.drill
def test_a_hundred_hot_swaps_mix_no_policies_and_leave_no_gap(prompt_bench, tmp_path):
    policies = [save(tmp_path / str(seed), seed, rate_hz=RATE_HZ) for seed in range(POLICIES)]
    bad = poisoned(tmp_path / 'bad', policies[0])
    with Process('policy', 'mode:=realtime'):
        graph = Swapped(prompt_bench, tmp_path / 'runs')
        assert graph.load(tmp_path / '0').state == PolicyStatus.READY
        spec = episode(horizon=100_000, driver=POLICY)
        graph.begin(spec)
        assert prompt_bench.until(lambda: graph.drives(policies[0]))
        began = time.monotonic()
        for number in range(1, SWAPS + 1):
            policy = policies[number % POLICIES]
            status = graph.load(tmp_path / str(number % POLICIES))
            assert (status.state, status.sha256) == (PolicyStatus.READY, policy.sha256)
            assert prompt_bench.until(lambda: graph.drives(policy))  # noqa: B023
            if number % REFUSED_EVERY == 0:
                status = graph.load(bad)
                assert (status.state, status.sha256) == (PolicyStatus.REFUSED, policy.sha256)
        took_s = time.monotonic() - began
        prompt_bench.call(EndEpisode, 'end_episode', EndEpisode.Request(
            episode_id=spec.episode_id, end=ABORTED, cause=FAULT))
        receipt = graph.finish(spec)
    by_id = {policy.policy_id: policy for policy in policies}
    seen = {to_ns(message.header.stamp): message for message in graph.observations}
    for action in graph.actions:
        expected = by_id[action.policy_id].act(
            np.array(seen[to_ns(action.header.stamp)].values, np.float32))
        np.testing.assert_array_equal(np.array(action.values, np.float32), expected)
    swaps = sum(before.policy_id != after.policy_id
                for before, after in itertools.pairwise(graph.actions))
    recorded = read_episode(graph.path(receipt))
    driven = recorded.driver == POLICY
    assert swaps == SWAPS and set(recorded.policy_ids[driven]) == set(by_id)
    times, commands = zip(*graph.commands)
    gaps_s = np.diff(times)
    steps = np.diff([message.position for message in commands], axis=0)
    print(f'{swaps} swaps in {took_s:.1f} s, {len(graph.actions)} actions, {driven.mean():.1%} of '
          f'{len(driven)} steps driven; between commands at most {gaps_s.max() * 1e3:.1f} ms')
    assert (np.abs(steps[:, PANDA.arm]) <= PANDA.velocity[PANDA.arm] * PERIOD_S * 1.001).all()
    assert gaps_s.max() <= 2.0 * PERIOD_S
