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

"""The lockstep protocol, rules 7 to 13: drivers, episodes, targets; ``docs/architecture.md``."""

import dataclasses
import functools
import time

from il_ros.contract.episode_spec import ABORTED, DRIVER_SILENT, EXPERT, HOLD, POLICY, RUNNING
from il_ros.episodes.reader import read_episode
from il_ros.episodes.receipts import Receipt
from il_ros.nodes.collector import CollectorNode
from il_ros.nodes.policy import PolicyNode
from il_ros.nodes.simulator import SimulatorNode
from il_ros.nodes.supervisor import SupervisorNode, SupervisorParameters
from il_ros.ros import qos
from il_ros.ros.conversion.messages import contract_to_message, NS, receipt_to_message
from il_ros.ros.conversion.messages import spec_to_message, to_ns, to_stamp
from il_ros.tasks.contracts import find_contract
from il_ros_interfaces.action import CollectEpisodes
from il_ros_interfaces.msg import Action, Contract, Drive, Executed, Observation, RecordedEpisode
from il_ros_interfaces.srv import OpenEpisode, ResetTask, SetDriver
import numpy as np
import pytest
from rclpy.action import ActionClient
from seam import Bench, command, episode, Graph, PERIOD_NS, Script, stamps, towards
from sensor_msgs.msg import JointState
from shipped_arms import PANDA


@pytest.mark.parametrize('plan, required', [
    ({'driver': EXPERT}, [EXPERT]),
    ({'driver': POLICY, 'beta': 1.0}, [EXPERT]),
    ({'driver': POLICY}, [POLICY]),
    ({'driver': POLICY, 'beta': 0.5}, [EXPERT, POLICY]),
    ({'driver': POLICY, 'gate': 'discrepancy'}, [EXPERT, POLICY])])
def test_who_is_waited_for_follows_from_the_plan_and_the_others_stay_silent(
        bench, tmp_path, plan, required):
    drives = bench.listen(Drive, 'drive', qos.LATCHED)
    answers = {EXPERT: bench.listen(Action, 'expert/action'),
               POLICY: bench.listen(Action, 'policy/action')}
    graph = Graph(bench, tmp_path)
    bench.add(PolicyNode)
    receipt = graph.run(episode(**plan))
    assert list(drives[0].required) == required
    for source, heard in answers.items():
        assert len(stamps(heard)) == (4 if source in required else 0)
    assert bench.until(lambda: len(stamps(graph.executed)) == 4)
    assert all([c.source for c in e.candidates] == required for e in graph.executed)
    assert receipt.queries == (4 if EXPERT in required else 0)


def test_a_required_driver_that_cannot_answer_says_so_and_the_arm_holds(bench, tmp_path):
    answers = bench.listen(Action, 'policy/action')
    graph = Graph(bench, tmp_path)
    bench.add(PolicyNode)
    receipt = graph.run(episode(driver=POLICY))
    assert bench.until(lambda: len(stamps(graph.executed)) == 4)
    assert all(len(answer.values) == 0 for answer in answers)
    for executed in graph.executed:
        assert (executed.driver, executed.chosen) == (HOLD, POLICY)
        assert executed.limits == Executed.REFUSED_MISSING
        assert executed.command.position == graph.executed[0].command.position
    assert receipt.steps == 4


def test_a_silent_driver_ends_the_episode_and_is_named(bench, tmp_path):
    assert SupervisorParameters().silence_s == 2.0
    graph = Graph(bench, tmp_path, silence_s=0.3)
    Script(bench, POLICY, lambda seen: np.zeros(3, np.float32) if seen.step < 2 else None)
    spec = episode(driver=POLICY)
    graph.begin(spec)
    receipt = graph.finish(spec, timeout_s=3.0)
    assert (receipt.end, receipt.cause, receipt.success) == (ABORTED, DRIVER_SILENT, False)
    assert 'probe (policy/action)' in receipt.error_msg
    assert 'step 2' in receipt.error_msg
    assert not receipt.flags
    recorded = read_episode(graph.path(receipt))
    assert recorded.driver.tolist() == [POLICY, POLICY, HOLD]
    assert recorded.limits[-1] == Executed.REFUSED_MISSING


def test_open_arm_and_reset_are_idempotent_and_refused_while_running(bench, tmp_path):
    graph = Graph(bench, tmp_path)
    script = Script(bench, POLICY, None)
    first, second = episode(1, driver=POLICY), episode(2, driver=POLICY)
    for ask in (graph.open, graph.arm, graph.reset):
        for _ in range(2):
            assert ask(first).error_code == 0
    assert bench.until(lambda: graph.observations[-1].phase == RUNNING)
    stamp_ns = graph.simulator.session.stamp_ns
    assert graph.open(first).error_code == OpenEpisode.Response.BUSY  # it is being recorded
    codes = [ask(second).error_code for ask in (graph.open, graph.arm, graph.reset)]
    assert codes == [OpenEpisode.Response.BUSY, SetDriver.Response.BUSY, ResetTask.Response.BUSY]
    assert to_ns(graph.reset(first).stamp) == graph.simulator.session.stamp_ns == stamp_ns
    script.act = towards()
    assert graph.finish(first).steps == 4
    assert graph.open(first).error_code == OpenEpisode.Response.EXISTS
    assert graph.run(second).steps == 4


def test_chance_starts_anew_with_each_episode_whatever_came_before(bench, tmp_path):
    graph = Graph(bench, tmp_path)
    Script(bench, POLICY, towards())
    drivers = {}
    for run, order in (('forth', (1, 2)), ('back', (2, 1))):
        for seed in order:
            spec = dataclasses.replace(
                episode(seed, 12, driver=POLICY, beta=0.5, seed=5), run=run)
            graph.begin(spec)
            assert bench.until(lambda: any(m.spec.run == run and m.spec.seed == seed
                                           for m in graph.recorded))
            path = tmp_path / run / graph.recorded[-1].path
            drivers[run, seed] = read_episode(path).driver.tolist()
    assert drivers['forth', 1] == drivers['back', 1] != drivers['forth', 2]
    assert drivers['forth', 2] == drivers['back', 2]


class Hall:
    """Recorder, supervisor and task that grant everything; receipts come when the test says."""

    def __init__(self, bench):
        self.asked = []
        self.receipts = bench.probe.create_publisher(RecordedEpisode, 'recorded', qos.RECEIPTS)
        for kind, name in ((OpenEpisode, 'open_episode'), (SetDriver, 'set_driver'),
                           (ResetTask, 'reset_task')):
            bench.probe.create_service(kind, name, functools.partial(self._grant, name))

    def _grant(self, name, request, response):
        self.asked.append((name, request.spec.episode_id))
        return response


def test_the_next_episode_is_opened_only_after_the_receipt_of_the_last(slow_bench):
    hall = Hall(slow_bench)
    slow_bench.add(CollectorNode)
    first, second = episode(1), episode(2)
    client = ActionClient(slow_bench.probe, CollectEpisodes, 'collect_episodes')
    assert slow_bench.until(client.server_is_ready)
    sent = client.send_goal_async(CollectEpisodes.Goal(
        episodes=[spec_to_message(spec) for spec in (first, second)], gate_threshold=-1.0))
    assert slow_bench.until(lambda: len(hall.asked) == 3)
    assert [name for name, _ in hall.asked] == ['open_episode', 'set_driver', 'reset_task']
    assert not slow_bench.until(lambda: len(hall.asked) > 3, timeout_s=0.3)
    hall.receipts.publish(receipt_to_message(Receipt(first)))
    assert slow_bench.until(lambda: len(hall.asked) == 6)
    assert {episode_id for _, episode_id in hall.asked[3:]} == {second.episode_id}
    hall.receipts.publish(receipt_to_message(Receipt(second)))
    result = sent.result().get_result_async()
    assert slow_bench.until(result.done)
    assert len(result.result().result.episodes) == 2


@pytest.mark.parametrize('years', [-50, 10])
def test_a_simulator_whose_clock_is_years_away_gives_the_same_episode(
        bench, tmp_path, monkeypatch, years):
    with Bench(bench.kind) as first:
        here = Graph(first, tmp_path / 'here').run(episode(horizon=8))
    now_ns = SimulatorNode._now_ns
    monkeypatch.setattr(SimulatorNode, '_now_ns', lambda self: max(
        0, now_ns(self) + years * 365 * 86400 * NS))
    graph = Graph(bench, tmp_path / 'there')
    there = graph.run(episode(horizon=8))
    assert abs(graph.simulator.session.stamp_ns - time.time_ns()) > 9 * 365 * 86400 * NS
    assert (there.content_sha256, there.flags) == (here.content_sha256, 0)


def test_the_target_moves_on_from_the_last_one_sent_but_never_winds_up(bench, kinematics):
    bench.add(SupervisorNode)
    contract, _ = find_contract('reach')
    latched = bench.talk(Contract, 'contract', qos.LATCHED)
    latched.publish(contract_to_message(contract))
    joints = bench.talk(JointState, 'joint_states')
    observations = bench.talk(Observation, 'observation')
    Script(bench, POLICY, towards(0.5, 0.0))
    executed = bench.listen(Executed, 'executed')
    spec = episode(driver=POLICY)
    assert bench.until(lambda: bench.call(SetDriver, 'set_driver', SetDriver.Request(
        spec=spec_to_message(spec), gate_threshold=-1.0)).error_code == 0)
    start, _ = kinematics.forward(PANDA.home)
    ahead = []
    for step in range(5):
        stamp_ns = NS + step * PERIOD_NS
        joints.publish(command(stamp_ns, PANDA.home))
        seen = Observation(contract_id=contract.id, step=step, phase=RUNNING,
                           episode_id=spec.episode_id, values=[0.0] * contract.width)
        seen.header.stamp = to_stamp(stamp_ns)
        observations.publish(seen)
        assert bench.until(lambda: len(executed) == step + 1)
        tool, _ = kinematics.forward(np.array(executed[-1].command.position))
        ahead.append(float(tool[0] - start[0]))
    one = 0.5 / 20.0
    assert ahead[0] == pytest.approx(one, abs=1e-3)
    assert one < ahead[1] < 2.0 * one, 'it does not go on from what it sent'
    assert max(ahead) < 2.0 * one, 'it winds up against what holds the arm'
    assert executed[-1].limits & Executed.CLAMPED_POSITION
