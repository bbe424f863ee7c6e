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

"""Commands at the simulated arm: what it refuses, holds at, and whom it obeys."""

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from il_ros.contract.episode_spec import ABORTED, ENDED, FAULT
from il_ros.nodes.simulator import SimulatorNode
from il_ros.ros import qos
from il_ros.ros.conversion.messages import to_ns
from il_ros_interfaces.msg import EpisodeStatus
from il_ros_interfaces.srv import EndEpisode, ResetTask
import numpy as np
import pytest
from seam import Bench, command, episode, reset
from sensor_msgs.msg import JointState
from shipped_arms import PANDA

NAMES = list(PANDA.joint_names)


@pytest.mark.parametrize('positions, names', [
    ([float('nan')] * 9, NAMES), ([0.0] * 8 + [float('inf')], NAMES), ([0.0] * 8, NAMES),
    ([0.0] * 9, [*NAMES[:8], 'wheel']), ([0.0] * 10, [*NAMES, 'wheel']),
    ([1e308] * 9, NAMES), ([20.0] * 9, NAMES), (PANDA.lower, NAMES), (PANDA.home + 0.2, NAMES)])
@pytest.mark.parametrize('mode', ['lockstep', 'realtime'])
def test_a_command_that_cannot_be_used_changes_nothing_and_the_next_good_one_counts(
        bench, mode, positions, names):
    simulator = bench.add(SimulatorNode, task='reach', mode=mode)
    reset(bench, episode(horizon=1000))
    commands = bench.talk(JointState, 'joint_command', qos.COMMAND)
    session = simulator.session
    assert bench.until(lambda: mode == 'lockstep' or session.status.step)
    before = np.array(session.state.joint_position)
    commands.publish(command(session.stamp_ns, positions, names))
    assert bench.until(lambda: simulator.refused_commands == 1)
    good, step = dict(zip(NAMES, before)), session.status.step
    shuffled = NAMES[::-1]
    commands.publish(command(session.stamp_ns, [good[name] for name in shuffled], shuffled))
    assert bench.until(lambda: session.status.step > step)
    assert np.isfinite(session.state.joint_position).all()
    np.testing.assert_allclose(session.state.joint_position, before, atol=5e-3)


@pytest.mark.parametrize('mode', ['lockstep', 'realtime'])
def test_refused_commands_are_counted_and_named_in_the_diagnostics(bench, mode):
    reports = bench.listen(DiagnosticArray, '/diagnostics')
    simulator = bench.add(SimulatorNode, task='reach', mode=mode)
    reset(bench, episode(horizon=1000))
    commands = bench.talk(JointState, 'joint_command', qos.COMMAND)
    assert bench.until(lambda: mode == 'lockstep' or simulator.session.status.step)
    for number in range(1, 26):
        commands.publish(command(simulator.session.stamp_ns, [20.0] * 9))
        assert bench.until(lambda: simulator.refused_commands == number)  # noqa: B023
    simulator.diagnostics.publish()

    def told():
        return [status for report in reports for status in report.status
                if status.level == DiagnosticStatus.WARN
                and {'25'} == {v.value for v in status.values if v.key == 'refused_commands'}]
    assert bench.until(told)
    assert 'command refused: the target of panda_joint1 is 20; expected -2.877' in (
        told()[0].message)


def test_a_beat_outlives_a_state_that_no_command_can_follow(bench, monkeypatch):
    simulator = bench.add(SimulatorNode, task='reach', mode='realtime')
    reset(bench, episode(horizon=1000))
    monkeypatch.setattr(simulator._orders, 'next_targets', lambda *_: np.full(9, np.nan))
    assert bench.until(lambda: simulator.refused_commands >= 3)
    stamp_ns = simulator.session.stamp_ns
    assert bench.until(lambda: simulator.session.stamp_ns > stamp_ns)


def test_a_second_writer_is_noticed_and_the_arm_rests_until_it_is_gone():
    with Bench('events') as bench:
        simulator = bench.add(SimulatorNode, task='reach', absence_s=60.0)
        reports = bench.listen(DiagnosticArray, '/diagnostics')
        reset(bench, episode(horizon=50))
        first, second = bench.beside(), bench.beside()
        commands = [other.probe.create_publisher(JointState, 'joint_command', qos.COMMAND)
                    for other in (first, second)]
        assert bench.until(lambda: simulator._commands.two_writers, timeout_s=15.0)
        stamp_ns = simulator.session.stamp_ns
        commands[0].publish(command(stamp_ns, PANDA.home))
        simulator.diagnostics.publish()
        assert bench.until(lambda: any(
            status.level == DiagnosticStatus.ERROR and 'two writers' in status.message
            for report in reports for status in report.status))
        assert (simulator.session.stamp_ns, simulator.session.stale_commands) == (stamp_ns, 0)
        bench.call(EndEpisode, 'end_episode', EndEpisode.Request(
            episode_id=simulator.session.status.episode_id, end=ABORTED, cause=FAULT))
        refused = reset(bench, episode(2))
        assert refused.error_code == ResetTask.Response.BAD_SPEC
        assert '2 nodes write joint_command' in refused.error_msg
        second.close()
        assert bench.until(lambda: reset(bench, episode(2)).error_code == 0)


def noting_targets(simulator, monkeypatch) -> list:
    """Return the list that every step of the physics comes to: measured joints, targets."""
    session, steps, step = simulator.session, [], simulator.session.simulation.step

    def noting(targets):
        steps.append((np.array(session.state.joint_position), np.array(targets)))
        return step(targets)
    monkeypatch.setattr(session.simulation, 'step', noting)
    return steps


def test_from_a_second_writers_first_message_on_the_arm_holds_where_it_is_measured(monkeypatch):
    with Bench('events') as bench:
        simulator = bench.add(SimulatorNode, task='reach', mode='realtime', absence_s=60.0)
        session = simulator.session
        first, second = bench.beside(), bench.beside()
        supervisor = first.probe.create_publisher(JointState, 'joint_command', qos.COMMAND)
        assert bench.until(lambda: simulator._commands.alive == 1)
        assert reset(bench, episode(horizon=2000)).error_code == 0
        steps = noting_targets(simulator, monkeypatch)
        home = np.array(session.state.joint_position)
        away, thrown = home + 0.05, home - 0.05
        away[7:] = thrown[7:] = home[7:]

        def driven(targets):
            return any(np.array_equal(to, targets) for _, to in steps)
        assert bench.until(lambda: supervisor.publish(command(session.stamp_ns, away))
                           or driven(away))
        stranger = second.probe.create_publisher(JointState, 'joint_command', qos.COMMAND)
        assert second.until(lambda: stranger.get_subscription_count() == 1)
        stranger.publish(command(session.stamp_ns, thrown))
        assert bench.until(lambda: simulator._commands.two_writers)
        noticed = len(steps)
        assert bench.until(lambda: supervisor.publish(command(session.stamp_ns, away))
                           or len(steps) > noticed + 3)
        second.close()
        assert bench.until(lambda: supervisor.publish(command(session.stamp_ns, away))
                           or len(steps) > noticed + 8)
        held = steps[noticed:]
        assert all(np.array_equal(targets, held[0][0]) for _, targets in held)
        assert not driven(thrown) and simulator._commands.two_writers
        np.testing.assert_allclose(session.state.joint_position, held[0][0], atol=5e-3)


@pytest.mark.parametrize('mode', ['lockstep', 'realtime'])
def test_two_different_answers_to_one_state_are_of_two_writers_and_the_arm_rests(
        bench, mode, monkeypatch):
    simulator = bench.add(SimulatorNode, task='reach', mode=mode)
    reset(bench, episode(horizon=1000))
    commands = bench.talk(JointState, 'joint_command', qos.COMMAND)
    session = simulator.session
    assert bench.until(lambda: mode == 'lockstep' or session.status.step)
    steps = noting_targets(simulator, monkeypatch)
    home, stamp_ns = np.array(session.state.joint_position), session.stamp_ns
    commands.publish(command(stamp_ns, home))
    assert bench.until(lambda: steps if mode == 'lockstep' else simulator._orders.latencies)
    commands.publish(command(stamp_ns, home))
    assert bench.until(lambda: session.stale_commands == 1)
    assert not simulator._commands.two_writers
    commands.publish(command(stamp_ns, home + 0.01))
    assert bench.until(lambda: simulator._commands.two_writers)
    driven = len(steps)
    bench.until(lambda: commands.publish(command(session.stamp_ns, home + 0.01))
                or len(steps) > driven + 3, timeout_s=0.5)
    assert (len(steps) > driven) is (mode == 'realtime')
    assert all(np.abs(targets - home).max() < 5e-3 for _, targets in steps[driven:])
    bench.call(EndEpisode, 'end_episode', EndEpisode.Request(
        episode_id=session.status.episode_id, end=ABORTED, cause=FAULT))
    assert reset(bench, episode(2)).error_code == 0
    assert not simulator._commands.two_writers


@pytest.mark.parametrize('mode', ['lockstep', 'realtime'])
@pytest.mark.parametrize('comes_back', [False, True], ids=['gone', 'started again'])
def test_an_episode_whose_supervisor_is_gone_is_ended_and_the_next_one_begins(mode, comes_back):
    with Bench('events') as bench:
        simulator = bench.add(SimulatorNode, task='reach', mode=mode, absence_s=0.5)
        session, statuses = simulator.session, bench.listen(
            EpisodeStatus, 'episode', qos.RECORD_STATUS)

        def supervisor():
            other = bench.beside()
            publisher = other.probe.create_publisher(JointState, 'joint_command', qos.COMMAND)
            assert bench.until(lambda: publisher.get_subscription_count() == 1)
            return other, publisher
        process, commands = supervisor()
        assert bench.until(lambda: simulator._commands.alive == 1)
        assert reset(bench, episode(horizon=5000)).error_code == 0
        step, home = session.status.step, np.array(session.state.joint_position)
        assert bench.until(lambda: commands.publish(command(session.stamp_ns, home))
                           or session.status.step > step + 2)
        process.close()
        if comes_back:
            supervisor()
        assert bench.until(lambda: statuses and statuses[-1].phase == ENDED)
        last = statuses[-1]
        assert (last.end, last.cause) == (ABORTED, FAULT)
        assert last.reason == 'for 0.5 s there was nobody whose joint_command is obeyed'
        assert reset(bench, episode(2)).error_code == 0


@pytest.mark.parametrize('mode', ['lockstep', 'realtime'])
def test_a_writer_in_the_same_process_counts_as_there(bench, mode):
    simulator = bench.add(SimulatorNode, task='reach', mode=mode, absence_s=0.3)
    commands = bench.talk(JointState, 'joint_command', qos.COMMAND)
    assert reset(bench, episode(horizon=5000)).error_code == 0
    session = simulator.session
    step, home = session.status.step, np.array(session.state.joint_position)
    assert bench.until(lambda: commands.publish(command(session.stamp_ns, home))
                       or session.status.step > step + 2)
    assert not bench.until(lambda: session.status.phase == ENDED, timeout_s=1.0)


@pytest.mark.parametrize('mode', ['lockstep', 'realtime'])
def test_an_episode_in_which_no_command_counts_is_ended_though_somebody_is_there(bench, mode):
    simulator = bench.add(SimulatorNode, task='reach', mode=mode, silence_s=0.6)
    bench.talk(JointState, 'joint_command', qos.COMMAND)
    assert reset(bench, episode(horizon=5000)).error_code == 0
    assert bench.until(lambda: simulator.session.status.phase == ENDED)
    assert simulator.session.status.reason == 'for 0.6 s no joint_command counted'


def test_a_writer_without_the_lease_is_not_heard(bench):
    simulator = bench.add(SimulatorNode, task='reach')
    reset(bench, episode(horizon=50))
    plain = bench.probe.create_publisher(JointState, 'joint_command', 1)
    assert bench.until(lambda: plain.get_subscription_count() == 0)
    plain.publish(command(simulator.session.stamp_ns, PANDA.home))
    assert not bench.until(lambda: simulator.session.status.step, timeout_s=0.2)
    assert simulator.session.stale_commands == 0


def test_in_realtime_it_steps_without_commands_and_holds_where_it_is(bench, monkeypatch):
    states = bench.listen(JointState, 'joint_states')
    simulator = bench.add(SimulatorNode, task='reach', mode='realtime', command_timeout_s=0.3)
    assert reset(bench, episode(horizon=1000)).error_code == 0
    commands = bench.talk(JointState, 'joint_command', qos.COMMAND)
    session, steps = simulator.session, noting_targets(simulator, monkeypatch)
    away = np.array(session.state.joint_position)
    away[0] += 0.1
    assert bench.until(lambda: commands.publish(command(session.stamp_ns, away)) or any(
        np.array_equal(targets, away) for _, targets in steps))
    last = max(i for i, (_, targets) in enumerate(steps) if np.array_equal(targets, away))
    assert bench.until(lambda: len(steps) > last + 12)
    after = [s for s in steps[last:] if not np.array_equal(s[1], away)]
    assert np.array_equal(after[0][0], after[0][1]), 'it does not hold where it is'
    assert all(np.array_equal(targets, after[0][1]) for _, targets in after)
    stamps = [to_ns(state.header.stamp) for state in states]
    assert stamps == sorted(stamps)
