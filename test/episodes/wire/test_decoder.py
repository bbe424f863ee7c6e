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

"""The fast decoder gives exactly what rclpy gives, whatever the lengths in a message."""

import array
import random

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from geometry_msgs.msg import Point, Pose, PoseArray, PoseStamped, Quaternion
from il_ros.episodes.wire.decoder import Decoder
from il_ros.errors import DecodeError
from il_ros_interfaces.msg import Action, Contract, EpisodeStatus, Executed, Feature, Observation
import pytest
from rclpy.serialization import deserialize_message, serialize_message
from sensor_msgs.msg import CameraInfo, Image, JointState


def word(rng: random.Random) -> str:
    return ''.join(rng.choice('abcé_0') for _ in range(rng.randrange(9)))


def floats(rng: random.Random, code: str) -> array.array:
    return array.array(code, [rng.gauss(0.0, 10.0) for _ in range(rng.randrange(5))])


def stamped(message, rng: random.Random):
    message.header.stamp.sec = rng.randrange(-2**31, 2**31)
    message.header.stamp.nanosec = rng.randrange(2**32)
    message.header.frame_id = word(rng)
    return message


def pose(rng: random.Random) -> Pose:
    return Pose(position=Point(x=rng.random(), y=rng.random(), z=-rng.random()),
                orientation=Quaternion(x=rng.random(), w=rng.random()))


def joint_state(rng: random.Random) -> JointState:
    return stamped(JointState(
        name=[word(rng) for _ in range(rng.randrange(4))], position=floats(rng, 'd'),
        velocity=floats(rng, 'd'), effort=floats(rng, 'd')), rng)


def action(rng: random.Random) -> Action:
    return stamped(Action(
        contract_id=rng.randrange(2**64), source=rng.randrange(4), engaged=rng.random() < 0.5,
        policy_id=rng.randrange(2**64), values=floats(rng, 'f'), uncertainty=-1.0), rng)


def observation(rng: random.Random) -> Observation:
    pixels = array.array('B', [rng.randrange(256) for _ in range(rng.randrange(7))])
    images = [stamped(Image(height=1, encoding='rgb8', data=pixels), rng)]
    return stamped(Observation(
        contract_id=rng.randrange(2**64), step=rng.randrange(2**32), phase=1,
        episode_id=word(rng), values=floats(rng, 'f'), images=images[:rng.randrange(2)]), rng)


def executed(rng: random.Random) -> Executed:
    return stamped(Executed(
        step=rng.randrange(2**32), driver=2, limits=rng.randrange(2**32), beta=rng.random(),
        gate=-1.0, episode_id=word(rng), values=floats(rng, 'f'), noise=floats(rng, 'f'),
        command=joint_state(rng), candidates=[action(rng) for _ in range(rng.randrange(3))]), rng)


def status(rng: random.Random) -> EpisodeStatus:
    return stamped(EpisodeStatus(
        episode_id=word(rng), task=word(rng), seed=rng.randrange(2**32), phase=2,
        success=rng.random() < 0.5, reason=word(rng)), rng)


def contract(rng: random.Random) -> Contract:
    return Contract(id=rng.randrange(2**64), name=word(rng), rate=rng.random(), features=[
        Feature(name=word(rng), elements=[word(rng) for _ in range(rng.randrange(4))],
                privileged=rng.random() < 0.5) for _ in range(rng.randrange(4))])


def pose_array(rng: random.Random) -> PoseArray:
    return stamped(PoseArray(poses=[pose(rng) for _ in range(rng.randrange(3))]), rng)


MAKERS = [joint_state, action, observation, executed, status, contract, pose_array,
          lambda rng: stamped(PoseStamped(pose=pose(rng)), rng)]


@pytest.mark.parametrize('make', MAKERS)
def test_a_message_equals_the_one_that_rclpy_makes(make):
    rng = random.Random(1)
    decode = Decoder(type(make(rng)))
    for _ in range(60):
        message = make(rng)
        raw = serialize_message(message)
        decoded = decode(raw)
        assert decoded == deserialize_message(raw, type(message))
        assert type(decoded) is type(message)


@pytest.mark.parametrize('make', MAKERS)
def test_what_was_decoded_can_be_published_again(make):
    message = make(random.Random(2))
    decoded = Decoder(type(message))(serialize_message(message))
    assert deserialize_message(serialize_message(decoded), type(message)) == decoded


def test_two_messages_share_nothing():
    decode = Decoder(JointState)
    raw = serialize_message(JointState(name=['a'], position=array.array('d', [1.0])))
    one, other = decode(raw), decode(raw)
    one.name.append('b')
    one.position[0] = 2.0
    one.header.frame_id = 'c'
    assert other == decode(raw)


def test_text_behind_a_changed_length_is_never_read_by_the_old_layout():
    decode = Decoder(JointState)
    for names in (['ab', 'c'], ['a', 'bc'], ['abc'], []):
        assert decode(serialize_message(JointState(name=names))).name == names


def test_bytes_that_are_cut_short_are_refused():
    raw = serialize_message(JointState(name=['joint'], position=array.array('d', [1.0, 2.0])))
    with pytest.raises(DecodeError, match='ends inside position'):
        Decoder(JointState)(raw[:40])


def test_big_endian_is_left_to_rclpy():
    raw = serialize_message(JointState())
    with pytest.raises(DecodeError, match='little-endian'):
        Decoder(JointState)(b'\x00\x00' + raw[2:])


def test_a_type_with_fields_of_another_kind_is_left_to_rclpy():
    with pytest.raises(DecodeError, match='not known'):
        Decoder(CameraInfo)(serialize_message(CameraInfo()))
    statuses = [DiagnosticStatus(level=b'\x01', values=[KeyValue(key='a', value='b')])]
    with pytest.raises(DecodeError, match='not known'):
        Decoder(DiagnosticArray)(serialize_message(DiagnosticArray(status=statuses)))
