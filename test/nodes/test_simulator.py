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

"""The simulated arm as a node: what it publishes, refuses, and does without commands."""

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from il_ros.bridge.messages import spec_to_message, to_ns, to_stamp
from il_ros.data.spec import ABORTED, ENDED, FAULT, IDLE, RUNNING
from il_ros.errors import ImitationError
from il_ros.nodes import qos
from il_ros.nodes.simulator import SimulatorNode
from il_ros.robots.panda import PANDA
from il_ros.sim.simulation import Simulation
from il_ros_interfaces.msg import EpisodeStatus
from il_ros_interfaces.srv import EndEpisode, ResetTask
import numpy as np
import pytest
from seam import Bench, episode
from sensor_msgs.msg import CameraInfo, Image, JointState
from std_msgs.msg import Bool

NAMES = list(PANDA.joint_names)


def reset(bench, spec):
    """Ask for a reset."""
    return bench.call(ResetTask, 'reset_task', ResetTask.Request(spec=spec_to_message(spec)))


def command(stamp_ns: int, positions, names=NAMES) -> JointState:
    """Return joint targets for a stamp."""
    message = JointState(name=list(names), position=[float(p) for p in positions])
    message.header.stamp = to_stamp(stamp_ns)
    return message


@pytest.fixture
def simulator(bench) -> SimulatorNode:
    """Return a simulator in lockstep that has an episode running."""
    node = bench.add(SimulatorNode, task='reach')
    assert reset(bench, episode(horizon=50)).error_code == 0
    return node


@pytest.fixture
def commands(bench, simulator):
    """Return the publisher of commands."""
    return bench.talk(JointState, 'joint_command', qos.COMMAND)


def test_the_state_is_said_again_while_no_command_comes(bench):
    statuses = bench.listen(EpisodeStatus, 'episode', qos.RECORD_STATUS)
    bench.add(SimulatorNode, task='reach')
    assert bench.until(lambda: len(statuses) >= 3)
    assert {status.phase for status in statuses} == {IDLE}
    assert len({to_ns(status.header.stamp) for status in statuses}) == 1


@pytest.mark.parametrize('fields, sentence', [
    ({'task': 'push'}, "task is 'push'; this simulator runs 'reach'"),
    ({'options': '{"wind": 3}'}, 'has no option wind'),
    ({'options': 'x'}, 'not JSON'),
    ({'options': '[' * 20_000}, 'options are 20000 characters'),
    ({'options': '[' * 4_000}, 'options are nested 4000 levels deep'),
    ({'options': '{"bumps": {"rate": NaN, "speed": 1}}'}, 'not a finite number'),
    ({'options': '{"bumps": {"rate": 1, "speed": ' + '9' * 400 + '}}'}, 'not a finite number'),
    ({'task': 'x' * 1_000_000}, 'task has 1000000 characters'),
    ({'run': '../x'}, "run is '../x'"),
    ({'episode_id': ''}, "episode_id is ''")])
def test_a_reset_that_cannot_be_done_is_refused_with_a_sentence(bench, fields, sentence):
    bench.add(SimulatorNode, task='reach')
    request = ResetTask.Request(spec=spec_to_message(episode()))
    for name, value in fields.items():
        setattr(request.spec, name, value)
    response = bench.call(ResetTask, 'reset_task', request)
    assert response.error_code == ResetTask.Response.BAD_SPEC
    assert sentence in response.error_msg


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
    simulator._diagnostics.publish()

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


def test_no_episode_begins_while_the_emergency_stop_is_pressed(bench):
    estopped = bench.probe.create_publisher(Bool, 'estopped', qos.LATCHED)
    estopped.publish(Bool(data=True))
    simulator = bench.add(SimulatorNode, task='reach')
    assert bench.until(lambda: simulator._stopped)
    refused = reset(bench, episode())
    assert refused.error_code == ResetTask.Response.BUSY
    assert 'the emergency stop is pressed; release it with estop_reset' in refused.error_msg
    assert simulator.session.status.phase == IDLE
    estopped.publish(Bool(data=False))
    assert bench.until(lambda: not simulator._stopped)
    assert reset(bench, episode()).error_code == 0


def test_an_episode_is_ended_from_outside_once_and_only_by_its_own_name(bench, simulator):
    statuses = bench.listen(EpisodeStatus, 'episode', qos.RECORD_STATUS)

    def end(episode_id):
        return bench.call(EndEpisode, 'end_episode', EndEpisode.Request(
            episode_id=episode_id, end=ABORTED, cause=FAULT, reason='the lamp fell')).error_code

    name = simulator.session.status.episode_id
    assert end('another') == EndEpisode.Response.OTHER_EPISODE
    assert end(name) == 0
    assert end(name) == EndEpisode.Response.NOT_RUNNING
    assert bench.until(lambda: statuses and statuses[-1].phase == ENDED)
    last = statuses[-1]
    assert (last.end, last.cause, last.success, last.reason) == (
        ABORTED, FAULT, False, 'the lamp fell')


def test_a_second_writer_is_noticed_and_the_arm_rests_until_it_is_gone():
    with Bench('events') as bench:
        simulator = bench.add(SimulatorNode, task='reach')
        reports = bench.listen(DiagnosticArray, '/diagnostics')
        reset(bench, episode(horizon=50))
        first, second = bench.beside(), bench.beside()
        commands = [other.probe.create_publisher(JointState, 'joint_command', qos.COMMAND)
                    for other in (first, second)]
        assert bench.until(lambda: simulator._commands.two_writers, timeout_s=15.0)
        stamp_ns = simulator.session.stamp_ns
        commands[0].publish(command(stamp_ns, PANDA.home))
        simulator._diagnostics.publish()
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


def test_a_writer_without_the_lease_is_not_heard(bench, simulator):
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
    session, steps, step = simulator.session, [], simulator.session.simulation.step

    def noting(targets):
        steps.append((np.array(session.state.joint_position), np.array(targets)))
        return step(targets)

    monkeypatch.setattr(session.simulation, 'step', noting)
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


@pytest.mark.parametrize('from_outside', [False, True], ids=['at its horizon', 'from outside'])
def test_in_realtime_the_joints_stand_still_once_an_episode_is_over(bench, from_outside):
    states = bench.listen(JointState, 'joint_states')
    simulator = bench.add(SimulatorNode, task='reach', mode='realtime')
    reset(bench, episode(horizon=1000 if from_outside else 6))
    commands = bench.talk(JointState, 'joint_command', qos.COMMAND)
    session = simulator.session
    away = np.array(session.state.joint_position)
    away[0] += 0.1
    assert bench.until(lambda: commands.publish(command(session.stamp_ns, away))
                       or abs(session.state.joint_velocity[0]) > 0.01)
    if from_outside:
        bench.call(EndEpisode, 'end_episode', EndEpisode.Request(
            episode_id=session.status.episode_id, end=ABORTED, cause=FAULT))
    assert bench.until(lambda: session.status.phase == ENDED)
    heard = len(states)
    assert bench.until(lambda: len(states) > heard + 3)
    assert not any(states[-1].velocity)
    assert any(any(state.velocity) for state in states[:heard + 1])


def test_images_come_at_their_own_rate_with_the_stamp_of_the_state(bench):
    images = bench.listen(Image, 'camera/image_raw')
    infos = bench.listen(CameraInfo, 'camera/camera_info')
    simulator = bench.add(SimulatorNode, task='reach', camera=True, camera_every=2,
                          camera_width=32, camera_height=24)
    response = reset(bench, episode(horizon=9))
    commands = bench.talk(JointState, 'joint_command', qos.COMMAND)
    first_ns = to_ns(response.stamp)
    session = simulator.session
    for step in range(1, 4):
        commands.publish(command(session.stamp_ns, session.state.joint_position))
        assert bench.until(lambda: session.status.step == step)
    period_ns = (session.stamp_ns - first_ns) // 3
    assert bench.until(lambda: len(infos) >= 2 and (
        to_ns(infos[-1].header.stamp) == first_ns + 2 * period_ns))
    seen = {to_ns(image.header.stamp) for image in images}
    assert {first_ns, first_ns + 2 * period_ns} <= seen
    assert not seen & {first_ns + period_ns, first_ns + 3 * period_ns}
    assert (images[-1].height, images[-1].width, len(images[-1].data)) == (24, 32, 24 * 32 * 3)
    assert len(set(bytes(images[-1].data))) > 3, 'a picture of nothing'


def test_an_unknown_task_is_refused_with_the_list_of_those_there_are(bench, monkeypatch):
    monkeypatch.setattr('il_ros.nodes.simulator.Simulation', Simulation)
    with pytest.raises(ImitationError, match="no task 'moon'.*reach, push"):
        bench.add(SimulatorNode, task='moon')


@pytest.mark.parametrize('parameters, sentence', [
    ({'rate_hz': -1.0}, 'rate_hz'), ({'rate_hz': float('nan')}, 'rate_hz'),
    ({'mode': 'fast'}, "mode is 'fast'; expected one of lockstep, realtime"),
    ({'rate': 20.0}, 'no parameter rate;'), ({'rate_hz': 'twenty'}, 'rate_hz')])
def test_a_parameter_out_of_range_is_refused_by_name(parameters, sentence):
    with Bench('single') as bench, pytest.raises(ImitationError, match=sentence):
        bench.add(SimulatorNode, **parameters)


def test_the_physics_is_closed_with_the_node(monkeypatch, lasting):
    closed = []

    class Closing:

        def __init__(self, task, **_):
            self.real = Simulation(task)

        def __getattr__(self, name):
            return getattr(self.real, name)

        def close(self):
            closed.append(True)
            self.real.close()

    monkeypatch.setattr('il_ros.nodes.simulator.Simulation', Closing)
    with Bench('single') as bench:
        bench.add(SimulatorNode, task='reach')
    assert closed == [True]


def test_nothing_moves_before_the_first_reset(bench):
    simulator = bench.add(SimulatorNode, task='reach')
    commands = bench.talk(JointState, 'joint_command', qos.COMMAND)
    commands.publish(command(simulator.session.stamp_ns, PANDA.home))
    assert bench.until(lambda: simulator.session.stale_commands == 1)
    assert simulator.session.status.phase != RUNNING
