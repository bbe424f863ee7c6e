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

"""The observer as a node: standard topics in, one observation out or a reason why not."""

import time

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from geometry_msgs.msg import Pose, PoseArray, PoseStamped
from il_ros.contract.episode_spec import RUNNING
from il_ros.errors import ImitationError
from il_ros.nodes.observer import ObserverNode
from il_ros.ros import qos
from il_ros.ros.conversion.messages import contract_from_message, to_ns, to_stamp
from il_ros.tasks.contracts import find_contract
from il_ros_interfaces.msg import Contract, EpisodeStatus, Observation
from il_ros_interfaces.srv import EndEpisode
import pytest
from seam import Bench
from sensor_msgs.msg import JointState
from shipped_arms import PANDA

TOPICS = {'episode': EpisodeStatus, 'joint_states': JointState, 'tool_pose': PoseStamped,
          'object_poses': PoseArray, 'goal_pose': PoseStamped}


class Robot:
    """Publishes the streams of an arm, as the test wants them."""

    def __init__(self, bench):
        self.publishers = {
            topic: bench.talk(kind, topic, qos.STATUS if topic == 'episode' else qos.STREAM)
            for topic, kind in TOPICS.items()}

    def say(self, stamp_ns: int, topics=tuple(TOPICS), step: int = 0, **changes):
        """Publish a stamp on these topics; ``changes``: a function on a topic's message."""
        for topic in topics:
            message = TOPICS[topic]()
            message.header.stamp = to_stamp(stamp_ns)
            message.header.frame_id = 'panda_link0'
            if topic == 'joint_states':
                message.name = list(PANDA.joint_names)
                message.position = [0.01 * n for n in range(9)]
                message.velocity = [0.0] * 9
            elif topic == 'object_poses':
                message.poses = [Pose()]
            elif topic == 'episode':
                message.phase, message.step, message.episode_id = RUNNING, step, 'e'
            if topic in changes:
                changes[topic](message)
            self.publishers[topic].publish(message)


@pytest.fixture
def observations(bench):
    """Return the list that observations come to."""
    return bench.listen(Observation, 'observation')


def test_the_contract_is_latched_with_the_rate_that_was_asked_for(bench):
    bench.add(ObserverNode, contract='push', rate_hz=50.0)
    heard = bench.listen(Contract, 'contract', qos.LATCHED)
    assert bench.until(lambda: heard)
    plain, _ = find_contract('push')
    told = contract_from_message(heard[0])
    assert (told.rate, told.features, told.actions) == (50.0, plain.features, plain.actions)
    assert told.id == heard[0].id != plain.id


@pytest.mark.parametrize('order', [tuple(TOPICS), tuple(TOPICS)[::-1]])
def test_a_stamp_becomes_one_observation_when_its_last_stream_comes(bench, observations, order):
    bench.add(ObserverNode, contract='push')
    robot = Robot(bench)
    robot.say(1000, order[:-1], step=7)
    assert not bench.until(lambda: observations, timeout_s=0.1)
    robot.say(1000, order[-1:], step=7)
    assert bench.until(lambda: observations)
    seen = observations[0]
    assert (to_ns(seen.header.stamp), seen.header.frame_id) == (1000, 'panda_link0')
    assert (seen.step, seen.phase, seen.episode_id) == (7, RUNNING, 'e')
    assert list(seen.values[:7]) == pytest.approx([0.01 * n for n in range(7)])


def test_a_repeated_stamp_gives_the_same_observation_again(bench, observations):
    bench.add(ObserverNode, contract='push')
    robot = Robot(bench)
    robot.say(1000)
    assert bench.until(lambda: len(observations) == 1)
    robot.say(1000, tool_pose=lambda m: setattr(m.pose.position, 'x', 9.0))
    assert bench.until(lambda: len(observations) == 2)
    assert observations[0] == observations[1]


def spoil_position(message):
    """Make a joint's position unknown."""
    message.position[3] = float('nan')


@pytest.mark.parametrize('changes, sentence', [
    ({'joint_states': spoil_position}, 'joint_position.panda_joint4 is not finite'),
    ({'goal_pose': lambda m: setattr(m.header, 'frame_id', 'world')},
     "goal_pose is in frame 'world'"),
    ({'joint_states': lambda m: setattr(m, 'name', ['x'] * 9)}, 'joint_states lacks'),
    ({'joint_states': lambda m: setattr(m, 'name', [])}, 'joint_states lacks'),
    ({'joint_states': lambda m: setattr(m, 'position', [0.0] * 12)},
     'joint_states.position has 12 entries for 9 names'),
    ({'object_poses': lambda m: setattr(m, 'poses', [])}, 'has 0 poses')])
def test_a_bad_message_gives_no_observation_and_a_reason_and_the_next_good_one_does(
        bench, observations, capfd, changes, sentence):
    bench.add(ObserverNode, contract='push')
    robot = Robot(bench)
    robot.say(1000, **changes)
    robot.say(2000)
    assert bench.until(lambda: observations)
    assert [to_ns(seen.header.stamp) for seen in observations] == [2000]
    assert sentence in capfd.readouterr().err


def test_nan_where_no_feature_looks_is_no_reason_to_be_blind(bench, observations):
    bench.add(ObserverNode, contract='push')
    Robot(bench).say(1000, joint_states=lambda m: setattr(m, 'effort', [float('nan')] * 9))
    assert bench.until(lambda: observations)


def test_a_stream_that_does_not_come_is_named_in_the_diagnostics(bench, monkeypatch):
    monkeypatch.setattr('il_ros.nodes.observer.LATE_S', 0.0)
    reports = bench.listen(DiagnosticArray, '/diagnostics')
    observer = bench.add(ObserverNode, contract='push')
    Robot(bench).say(1000, ('episode', 'joint_states', 'tool_pose', 'goal_pose'))
    assert bench.until(lambda: observer._pairing.missing() == ['object_poses'])
    observer.diagnostics.publish()
    assert bench.until(lambda: reports)
    last = reports[-1].status[0]
    assert (last.level, last.message) == (DiagnosticStatus.WARN, 'late: object_poses')


def test_in_realtime_a_beat_takes_the_others_as_they_were_last(bench, observations):
    bench.add(ObserverNode, contract='push', pairing='as_of', tolerance_s=1.0)
    robot = Robot(bench)
    robot.say(1_000_000_000, tuple(t for t in TOPICS if t != 'joint_states'))
    assert bench.until(lambda: not bench.until(lambda: observations, timeout_s=0.1))
    robot.say(1_020_000_000, ('joint_states',))
    assert bench.until(lambda: observations)
    assert to_ns(observations[0].header.stamp) == 1_020_000_000


@pytest.mark.parametrize('contract, sentence', [
    ('moon', "no contract 'moon'.*there are reach"), ('/no/where.yaml', '/no/where.yaml')])
def test_a_contract_that_is_not_there_is_refused_by_name(contract, sentence):
    with Bench('single') as bench, pytest.raises(ImitationError, match=sentence):
        bench.add(ObserverNode, contract=contract)


@pytest.mark.parametrize('shift_s', [60.0, -60.0, 'zero', 'still'])
def test_in_realtime_a_jump_of_the_clock_ends_the_episode_and_the_next_is_observed_at_once(
        bench, observations, shift_s):
    asked = []

    def on_end(request, response):
        asked.append(request)
        return response
    bench.probe.create_service(EndEpisode, 'end_episode', on_end)
    observer = bench.add(ObserverNode, contract='push', pairing='as_of', clock_jump_s=0.5)
    robot = Robot(bench)
    assert bench.until(observer._end.client.service_is_ready)
    begun_ns = time.monotonic_ns()

    def beat(shift_ns: int = 0, rate: int = 1, **changes):
        """Publish a state, and let the time of a period pass."""
        robot.say(begun_ns + rate * (time.monotonic_ns() - begun_ns) + shift_ns, **changes)
        bench.until(lambda: False, timeout_s=0.05)
    for _ in range(3):
        beat()
    assert bench.until(lambda: observations) and not asked
    if shift_s == 'still':
        shift_ns = 0
        assert any(beat(rate=0) or asked for _ in range(40))
    else:
        shift_ns = -begun_ns if shift_s == 'zero' else round(shift_s * 1e9)
        beat(shift_ns)
    assert bench.until(lambda: asked)
    request, = asked
    assert (request.episode_id, request.end, request.cause) == (
        'e', EpisodeStatus.ABORTED, EpisodeStatus.CLOCK_JUMP)
    assert 'the clock of joint_states jumped by' in request.reason
    observations.clear()
    sane = time.monotonic()
    while not observations and time.monotonic() - sane < 1.0:
        beat(shift_ns, episode=lambda m: setattr(m, 'episode_id', 'next'))
    assert [seen.episode_id for seen in observations][-1:] == ['next']
