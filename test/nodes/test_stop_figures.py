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

"""
How soon motion ends in real time.

Lost observations (drills B5, B7), an emergency stop (B10), a second writer of commands (B12).
"""

import signal
import time

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from il_ros.contract.episode_spec import HOLD, POLICY
from il_ros.nodes.observer import ObserverNode
from il_ros.nodes.simulator import SimulatorNode
from il_ros.nodes.supervisor import SupervisorNode
from il_ros.ros import qos
from il_ros_interfaces.msg import Executed, Observation
import numpy as np
import pytest
from seam import episode, Graph, Process, Script, towards
from sensor_msgs.msg import JointState
from shipped_arms import PANDA
from std_msgs.msg import Bool, Float64MultiArray
from std_srvs.srv import Trigger

PERIOD_S, LATENCY_S, TIMEOUT_S = 0.05, 0.02, 0.2
PRESSES = 4
NOTICED_S = 1.0
ARM = PANDA.arm


class Prompt(Graph):
    """A supervisor around an arm in real time, a policy that the test plays, and a stopwatch."""

    def __init__(self, bench, observer: bool = True, **supervisor):
        self.bench = bench
        self.executed = bench.listen_timed(Executed, 'executed')
        self.observed = bench.listen_timed(Observation, 'observation')
        self.policy = Script(bench, POLICY, towards(0.3, 0.0))
        bench.add(SupervisorNode, mode='realtime', silence_s=10.0, **supervisor)
        if observer:
            bench.add(ObserverNode, contract='reach', pairing='as_of')
        bench.add(SimulatorNode, task='reach', mode='realtime',
                  controller=supervisor.get('command', 'joint_state'))

    def drive(self):
        """Begin an episode that the policy drives."""
        assert self.bench.until(lambda: self.observed, 20.0), 'nothing is observed'
        spec = episode(horizon=10_000, driver=POLICY)
        for ask in (self.arm, self.reset):
            response = ask(spec)
            assert response.error_code == 0, response.error_msg

    def wait(self, seconds: float):
        """Spin for so long."""
        until = time.monotonic() + seconds
        assert self.bench.until(lambda: time.monotonic() >= until)

    def moves(self) -> bool:
        """Tell whether the policy has driven the last five steps."""
        return len(self.executed) >= 5 and all(
            message.driver == POLICY for _, message in self.executed[-5:])


def braking(executed: list) -> np.ndarray:
    """Return how far the arm's joints were sent at each step, shape ``(steps, joints)``, rad."""
    return np.diff([np.array(message.command.position)[ARM] for message in executed], axis=0)


@pytest.mark.parametrize('goes_on', [True, False], ids=['answers', 'silent'])
def test_an_emergency_stop_brakes_the_arm_within_a_period_whatever_the_policy_does(
        prompt_bench, goes_on):
    graph, chance, took_s = Prompt(prompt_bench), np.random.default_rng(1), []
    button = prompt_bench.talk(Bool, 'estop')
    least = PANDA.change(PANDA.deceleration, PERIOD_S)[ARM] * 1.001
    graph.drive()
    for number in range(PRESSES):
        graph.policy.act = towards(0.3 * (-1) ** number, 0.0)
        assert prompt_bench.until(graph.moves)
        graph.wait(chance.uniform(0.0, PERIOD_S))
        graph.policy.act = graph.policy.act if goes_on else None
        before, pressed_at = len(graph.executed), time.monotonic()
        button.publish(Bool(data=True))
        assert prompt_bench.until(lambda: len(graph.executed) > before + 8)  # noqa: B023
        held = next(index for index, (_, message) in enumerate(graph.executed)
                    if index >= before and message.limits & Executed.STOPPED)
        took_s.append(graph.executed[held][0] - pressed_at)
        assert {message.driver for _, message in graph.executed[held:]} == {HOLD}
        steps = braking([message for _, message in graph.executed[held - 2:]])
        assert np.abs(steps[0]).max() > 0.005, 'it did not move'
        assert (np.abs(np.diff(steps, axis=0)) <= least).all(), 'it brakes too hard'
        needed = int(np.ceil((np.abs(steps[0]) / least).max()))
        assert (np.abs(steps[1]) < np.abs(steps[0])).any() and not steps[needed:].any()
        button.publish(Bool(data=False))
        assert prompt_bench.until(lambda: prompt_bench.call(
            Trigger, 'estop_reset', Trigger.Request()).success)
    print(f'first braking command after {np.round(np.array(took_s) * 1e3, 1)} ms')
    assert max(took_s) <= PERIOD_S + LATENCY_S


@pytest.mark.parametrize('how, clock', [
    (signal.SIGKILL, {}), pytest.param(signal.SIGSTOP, {}, marks=pytest.mark.drill),
    pytest.param(signal.SIGKILL, {'use_sim_time': True}, marks=pytest.mark.drill)],
    ids=['killed', 'stopped', 'killed while the clock stands still'])
def test_motion_ends_in_time_when_the_source_of_observations_is_lost(prompt_bench, how, clock):
    with Process('observer', 'contract:=reach', 'pairing:=as_of',
                 'command:=forward_velocity') as observer:
        graph = Prompt(prompt_bench, observer=False, command='forward_velocity', **clock)
        commands = prompt_bench.listen_timed(
            Float64MultiArray, 'forward_velocity_controller/commands')
        graph.drive()
        assert prompt_bench.until(graph.moves)
        observer.send_signal(how)
        graph.wait(1.0)
    last_s = graph.observed[-1][0]
    moving_s = max(at for at, message in commands if any(message.data))
    rests_s = min(at for at, _ in commands if at > moving_s)
    print(f'after the last observation: last motion command {(moving_s - last_s) * 1e3:.1f} ms, '
          f'rest {(rests_s - last_s) * 1e3:.1f} ms')
    assert rests_s - last_s <= TIMEOUT_S + PERIOD_S


def stranger_noticed_s(bench, reports: list) -> float:
    """Let a second node write commands; return when /diagnostics has it as an ERROR, s."""
    def errors():
        return [at for at, report in reports for status in report.status
                if status.level == DiagnosticStatus.ERROR and 'two writers' in status.message]
    assert not errors()
    began, beside = time.monotonic(), bench.beside()
    writer = beside.probe.create_publisher(JointState, 'joint_command', qos.COMMAND)
    assert bench.until(errors), writer.topic_name
    print(f'a second writer was reported {(errors()[0] - began) * 1e3:.0f} ms after it came')
    return errors()[0] - began


def test_a_second_writer_in_an_episode_is_reported_and_the_arm_rests_within_a_second(
        prompt_bench):
    graph = Prompt(prompt_bench)
    reports = prompt_bench.listen_timed(DiagnosticArray, '/diagnostics')
    arm = prompt_bench.listen_timed(JointState, 'joint_states')
    graph.drive()
    assert prompt_bench.until(graph.moves)
    began = time.monotonic()
    assert stranger_noticed_s(prompt_bench, reports) <= NOTICED_S
    graph.wait(began + NOTICED_S + 0.5 - time.monotonic())
    late = [message.position for at, message in arm if at > began + NOTICED_S]
    moved = np.ptp(late, axis=0).max()
    print(f'after a second it moved by {moved:.1e} rad')
    assert len(late) >= 5 and moved < 2e-3


def test_a_second_writer_at_rest_is_reported_within_a_second(prompt_bench):
    prompt_bench.add(SimulatorNode, task='reach', mode='realtime')
    reports = prompt_bench.listen_timed(DiagnosticArray, '/diagnostics')
    assert prompt_bench.beside().probe.create_publisher(JointState, 'joint_command', qos.COMMAND)
    assert prompt_bench.until(lambda: len(reports) > 2)
    assert stranger_noticed_s(prompt_bench, reports) <= NOTICED_S
