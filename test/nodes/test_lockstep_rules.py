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

"""The lockstep protocol, rules 1 to 6: stamps, streams and repeats; ``docs/architecture.md``."""

import dataclasses

from geometry_msgs.msg import PoseArray, PoseStamped
from il_ros.contract.episode_spec import ABORTED, ENDED, EXPERT, POLICY, RUNNING
from il_ros.episodes.reader import read_episode
from il_ros.episodes.wire.decoder import Decoder
from il_ros.nodes.policy import PolicyNode
from il_ros.nodes.simulator import SimulatorNode
from il_ros.ros import qos
from il_ros.ros.conversion.messages import spec_to_message, to_ns
from il_ros_interfaces.msg import Action, EpisodeStatus
from il_ros_interfaces.srv import ResetTask
import numpy as np
import pytest
from seam import command, episode, Graph, PERIOD_NS, Script, stamps, towards
from sensor_msgs.msg import JointState
from shipped_arms import PANDA
STREAMS = {'episode': EpisodeStatus, 'joint_states': JointState, 'tool_pose': PoseStamped,
           'object_poses': PoseArray, 'goal_pose': PoseStamped}


def test_time_never_goes_back_over_resets(bench, tmp_path):
    states = bench.listen(JointState, 'joint_states', qos.RECORD)
    graph = Graph(bench, tmp_path)
    for seed in (1, 2, 3):
        spec = episode(seed)
        graph.open(spec)
        graph.arm(spec)
        before = stamps(states)[-1]
        response = graph.reset(spec)
        assert to_ns(response.stamp) >= before + PERIOD_NS
        graph.finish(spec)
    heard = [to_ns(state.header.stamp) for state in states]
    assert heard == sorted(heard)
    steps = np.diff(stamps(states)[stamps(states).index(before):])
    assert (steps == PERIOD_NS).all()
    first = [to_ns(s.header.stamp) for s in graph.statuses if s.step == 0 and s.phase == RUNNING]
    assert len(set(first)) == 3


def test_a_command_counts_only_with_the_current_stamp_and_the_first_of_two_wins(bench):
    simulator = bench.add(SimulatorNode, task='reach')
    states = bench.listen(JointState, 'joint_states')
    commands = bench.talk(JointState, 'joint_command', qos.COMMAND)
    spec = episode()
    now_ns = to_ns(bench.call(
        ResetTask, 'reset_task', ResetTask.Request(spec=spec_to_message(spec))).stamp)
    home = np.array(simulator.session.state.joint_position)
    for late_ns in (now_ns - PERIOD_NS, now_ns + PERIOD_NS):
        commands.publish(command(late_ns, home + 0.01))
        assert bench.until(lambda: simulator.session.stale_commands)
        assert simulator.session.status.step == 0
        simulator.session.stale_commands = 0
    commands.publish(command(now_ns, home + 0.01))
    assert bench.until(lambda: simulator.session.status.step == 1)
    first = np.array(simulator.session.state.joint_position)
    commands.publish(command(now_ns, home - 0.01))
    assert bench.until(lambda: simulator.session.stale_commands == 1)
    assert simulator.session.status.step == 1
    np.testing.assert_array_equal(simulator.session.state.joint_position, first)
    assert bench.until(lambda: len(stamps(states)) and stamps(states)[-1] == now_ns + PERIOD_NS)


@pytest.mark.parametrize('task', ['reach', 'push'])
def test_every_stream_comes_at_every_step_with_the_same_stamp(bench, tmp_path, task):
    streams = {topic: bench.listen(
        kind, topic, qos.RECORD_STATUS if topic == 'episode' else qos.RECORD)
        for topic, kind in STREAMS.items() if task == 'push' or topic != 'object_poses'}
    graph = Graph(bench, tmp_path, task)
    graph.run(episode(horizon=6, task=task))
    wanted = stamps(graph.observations)
    assert len(wanted) >= 7
    for topic, messages in streams.items():
        assert bench.until(lambda: set(wanted) <= set(stamps(messages))), topic


class Ordered(SimulatorNode):
    """Notes what it publishes, in order."""

    def __init__(self, **kwargs):
        self.order = []
        super().__init__(**kwargs)

    def create_publisher(self, kind, topic, *args, **kwargs):
        """Return a publisher that takes notes."""
        publisher = super().create_publisher(kind, topic, *args, **kwargs)
        publish, decode = publisher.publish, Decoder(kind)

        def noting(message):
            if topic in STREAMS:
                self.order.append((to_ns(decode(message).header.stamp), topic))
            publish(message)
        publisher.publish = noting
        return publisher


def test_the_status_comes_once_a_step_before_the_state_and_the_observation_joins_it(
        bench, tmp_path):
    graph = Graph(bench, tmp_path, simulator=Ordered)
    graph.simulator.order.clear()
    graph.run(episode(horizon=6))
    order = graph.simulator.order
    for stamp_ns in dict(order):
        topics = [topic for stamp, topic in order if stamp == stamp_ns]
        assert topics[0] == 'episode'
        assert topics.count('episode') * 4 == len(topics)
    said = {to_ns(s.header.stamp): (s.step, s.phase, s.episode_id) for s in graph.statuses}
    assert bench.until(lambda: graph.observations[-1].phase == ENDED)
    for seen in graph.observations:
        assert said[to_ns(seen.header.stamp)] == (seen.step, seen.phase, seen.episode_id)


def test_the_last_state_gets_no_action_so_that_t_actions_stand_between_t_plus_1_observations(
        bench, tmp_path):
    answers = bench.listen(Action, 'expert/action')
    graph = Graph(bench, tmp_path)
    receipt = graph.run(episode(horizon=5))
    recorded = read_episode(graph.path(receipt))
    assert recorded.complete
    assert (len(recorded.executed), len(recorded.observations)) == (5, 6)
    ended = [o for o in graph.observations if o.phase == ENDED]
    end_ns = to_ns(ended[0].header.stamp)
    stale = graph.simulator.session.stale_commands
    graph.supervisor._commands._sends[0](command(end_ns, PANDA.home))
    assert bench.until(lambda: graph.simulator.session.stale_commands == stale + 1)
    assert graph.simulator.session.stamp_ns == end_ns
    assert bench.until(lambda: len([o for o in graph.observations if o.phase == ENDED]) > 1)
    assert end_ns not in stamps(answers)
    assert end_ns not in stamps(graph.executed)
    assert len(stamps(answers)) == len(stamps(graph.executed)) == 5


def test_a_driver_that_joins_late_is_healed_by_the_repeated_state(bench, tmp_path):
    bench.probe.create_publisher(Action, 'policy/action', qos.STREAM)
    graph = Graph(bench, tmp_path)
    spec = episode(driver=POLICY)
    graph.begin(spec)
    assert bench.until(lambda: graph.observations[-1].phase == RUNNING)
    assert not graph.executed
    bench.add(PolicyNode)
    receipt = graph.finish(spec)
    assert (receipt.steps, receipt.end == ABORTED, receipt.flags) == (4, False, 0)


def test_a_policy_that_is_killed_and_started_again_goes_on_in_the_same_episode(bench, tmp_path):
    graph = Graph(bench, tmp_path, silence_s=10.0)
    policy = bench.beside()
    policy.add(PolicyNode)
    assert bench.until(lambda: graph.supervisor.count_publishers('policy/action'))
    spec = episode(driver=POLICY, horizon=60)
    graph.begin(spec)
    assert bench.until(lambda: graph.executed and graph.executed[-1].step >= 3)
    policy.close()
    bench.beside().add(PolicyNode)
    receipt = graph.finish(spec)
    assert (receipt.steps, receipt.end == ABORTED, receipt.flags) == (60, False, 0)
    assert len(read_episode(graph.path(receipt)).executed) == 60


def test_a_repeated_stamp_is_answered_from_the_cache_and_advances_nothing(bench, tmp_path):
    graph = Graph(bench, tmp_path)
    Script(bench, POLICY, towards())
    spec = episode(driver=POLICY, horizon=30, beta=0.5)
    undisturbed = read_episode(graph.path(graph.run(spec)))
    assert 0 < (undisturbed.driver == EXPERT).sum() < 30

    beside = dataclasses.replace(spec, run='beside')
    begun = [graph.open(beside), graph.arm(beside), graph.reset(beside)]
    assert [response.error_msg for response in begun] == ['', '', '']
    repeated = {}

    def finished():
        stamp_ns = graph.simulator.session.stamp_ns
        if repeated.setdefault(stamp_ns, 0) < 3:
            repeated[stamp_ns] += 1
            graph.simulator._publish()
        return any(message.spec.run == 'beside' for message in graph.recorded)

    assert bench.until(finished, timeout_s=20.0)
    assert len(repeated) == 31
    receipt = graph.recorded[-1]
    disturbed = read_episode(tmp_path / 'beside' / receipt.path)
    assert receipt.content_sha256 == undisturbed.content_sha256()
    np.testing.assert_array_equal(disturbed.chosen, undisturbed.chosen)
    assert disturbed.dropped == 0
    assert len(graph.executed) > len(stamps(graph.executed))
