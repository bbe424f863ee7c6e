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

from il_ros.contract.episode_spec import ABORTED, ENDED, FAULT, IDLE, RUNNING
from il_ros.errors import ImitationError
from il_ros.nodes.simulator import SimulatorNode
from il_ros.ros import qos
from il_ros.ros.conversion.messages import spec_to_message, to_ns
from il_ros.sim.simulation import Simulation
from il_ros_interfaces.msg import EpisodeStatus
from il_ros_interfaces.srv import EndEpisode, ResetTask
import numpy as np
import pytest
from seam import Bench, command, episode, reset
from sensor_msgs.msg import CameraInfo, Image, JointState
from shipped_arms import PANDA
from std_msgs.msg import Bool


@pytest.fixture
def simulator(bench) -> SimulatorNode:
    """Return a simulator in lockstep that has an episode running."""
    node = bench.add(SimulatorNode, task='reach')
    assert reset(bench, episode(horizon=50)).error_code == 0
    return node


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
    ({'task': 'x' * 10_000}, 'expected a name of at most 64 characters'),
    ({'task': 'x' * 1_000_000}, 'expected at most 20000'),
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
