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

"""Standard messages to one observation: by joint name, in one frame, finite, paired by stamp."""

import random

from geometry_msgs.msg import Pose, PoseArray, PoseStamped, TwistStamped, WrenchStamped
from il_ros.contract.contract import Contract, Feature, TOOL_VELOCITY
from il_ros.contract.contract_file import NUMBERS, Source, TWIST, WRENCH
from il_ros.ros.conversion.assembly import Extractor, ObservationError
from il_ros.ros.conversion.messages import to_stamp
from il_ros.ros.conversion.pairing import ExactPairing, MAX_PENDING
import numpy as np
import pytest
from sensor_msgs.msg import JointState
from std_msgs.msg import Float64MultiArray

BASE = 'panda_link0'
JOINTS = ('shoulder', 'elbow', 'wrist')
FINGERS = ('left', 'right')


def extractor() -> Extractor:
    """Return an extractor of joints, opening, tool, second object; velocities are not asked."""
    features = (
        Feature('joint_position', 0, 0, JOINTS, 'rad'),
        Feature('opening', 0, 3, ('sum',), 'm'),
        Feature('tool_position', 0, 4, ('x', 'y', 'z'), 'm', BASE),
        Feature('object_orientation', 0, 7, ('x', 'y', 'z', 'w'), '', BASE))
    sources = (
        Source('joint_position', 'joint_states', 'position', JOINTS),
        Source('opening', 'joint_states', 'position', FINGERS, 'sum'),
        Source('tool_position', 'tool_pose', 'position'),
        Source('object_orientation', 'object_poses', 'orientation', index=1))
    return Extractor(Contract('test', 20.0, features, TOOL_VELOCITY, BASE, ()), sources)


def messages(joints: dict | None = None) -> dict:
    """Return one message a topic; ``joints`` by name, in the order of the message."""
    if joints is None:
        joints = {'shoulder': 0.1, 'elbow': 0.2, 'wrist': 0.3, 'left': 0.01, 'right': 0.02}
    state = JointState(name=list(joints), position=list(joints.values()))
    tool = PoseStamped()
    tool.pose.position.x, tool.pose.position.y, tool.pose.position.z = 0.4, 0.5, 0.6
    objects = PoseArray(poses=[Pose(), Pose()])
    objects.poses[1].orientation.z = 1.0
    objects.poses[1].orientation.w = 0.0
    tool.header.frame_id = objects.header.frame_id = BASE
    return {'joint_states': state, 'tool_pose': tool, 'object_poses': objects}


EXPECTED = np.array([0.1, 0.2, 0.3, 0.03, 0.4, 0.5, 0.6, 0, 0, 1, 0], np.float32)


def test_the_observation_is_the_same_for_any_order_of_joints_and_any_others_among_them():
    extract, chance = extractor(), random.Random(0)
    for extra in ({}, {'gripper_motor': 9.0}, {'wheel': float('nan'), 'lid': 7.0}):
        joints = dict(zip((*JOINTS, *FINGERS), (0.1, 0.2, 0.3, 0.01, 0.02)), **extra)
        for _ in range(5):
            shuffled = dict(chance.sample(list(joints.items()), len(joints)))
            np.testing.assert_array_equal(extract(messages(shuffled)), EXPECTED)


def test_a_missing_joint_is_refused_by_name_also_after_good_messages():
    extract = extractor()
    extract(messages())
    with pytest.raises(ObservationError, match=r"lacks \['elbow'\]"):
        extract(messages({'shoulder': 0.1, 'wrist': 0.3, 'left': 0.0, 'right': 0.0}))
    np.testing.assert_array_equal(extract(messages()), EXPECTED)


def test_a_joint_that_is_named_twice_is_refused_by_name():
    parts = messages()
    parts['joint_states'].name[4] = 'left'
    parts['joint_states'].name.append('right')
    parts['joint_states'].position.append(0.0)
    with pytest.raises(ObservationError, match=r"\['left'\] more than once"):
        extractor()(parts)


def test_fewer_positions_than_names_are_refused():
    parts = messages()
    parts['joint_states'].position = parts['joint_states'].position[:3]
    with pytest.raises(ObservationError, match='3 entries for 5 names'):
        extractor()(parts)


@pytest.mark.parametrize('bad', [float('nan'), float('inf'), 1e39])
def test_a_value_that_is_not_finite_as_float32_is_refused_by_feature_and_element(bad):
    parts = messages()
    parts['tool_pose'].pose.position.y = bad
    with pytest.raises(ObservationError, match=r'tool_position\.y is not finite'):
        with np.errstate(over='ignore'):
            extractor()(parts)


def test_nan_in_a_field_that_no_feature_uses_is_nobodys_business():
    parts = messages()
    parts['joint_states'].velocity = [float('nan')] * 5
    parts['joint_states'].effort = [float('nan')] * 5
    parts['tool_pose'].pose.orientation.w = float('nan')
    parts['object_poses'].poses[0].position.x = float('nan')
    np.testing.assert_array_equal(extractor()(parts), EXPECTED)


@pytest.mark.parametrize('topic', ['tool_pose', 'object_poses'])
def test_a_pose_in_another_frame_is_refused_with_both_names(topic):
    parts = messages()
    parts[topic].header.frame_id = 'world'
    with pytest.raises(ObservationError, match=f"{topic} is in frame 'world'; expected '{BASE}'"):
        extractor()(parts)


def test_too_few_objects_are_refused_with_the_feature_that_wants_one_more():
    parts = messages()
    parts['object_poses'].poses.pop()
    with pytest.raises(ObservationError, match='has 1 poses; feature object_orientation wants '):
        extractor()(parts)


def at(stamp_ns: int) -> JointState:
    """Return a message with this stamp."""
    message = JointState()
    message.header.stamp = to_stamp(stamp_ns)
    return message


TOPICS = ('episode', 'joint_states', 'tool_pose')


def test_equal_stamps_are_paired_in_any_order_and_never_unequal_ones():
    chance = random.Random(1)
    arrivals = [(step, topic) for step in range(6) for topic in TOPICS]
    for _ in range(20):
        # Each stream keeps its order; the streams overtake each other.
        chance.shuffle(arrivals)
        for topic in TOPICS:
            slots = [i for i, (_, t) in enumerate(arrivals) if t == topic]
            for slot, step in zip(slots, range(6)):
                arrivals[slot] = (step, topic)
        pairing, complete = ExactPairing(TOPICS), []
        for step, topic in arrivals:
            done = pairing.add(topic, at(1000 + step))
            if done:
                complete.append(done[0])
                assert {m.header.stamp.nanosec for m in done[1].values()} == {done[0]}
        assert complete == list(range(1000, 1006))
        assert (pairing.dropped, pairing.missing()) == (0, [])


def test_the_stream_that_an_incomplete_stamp_waits_for_is_named():
    pairing = ExactPairing(TOPICS)
    pairing.add('episode', at(5))
    pairing.add('joint_states', at(5))
    assert pairing.missing() == ['tool_pose']


def test_a_stamp_that_stays_incomplete_is_dropped_and_counted_once_later_ones_are_whole():
    pairing = ExactPairing(TOPICS)
    pairing.add('episode', at(1))
    for topic in TOPICS:
        done = pairing.add(topic, at(2))
    assert done[0] == 2
    assert pairing.dropped == 1
    assert pairing.add('tool_pose', at(1)) is None


def test_messages_from_the_future_do_not_push_out_those_of_now():
    pairing = ExactPairing(TOPICS)
    for stamp_ns in range(10**9, 10**9 + 2 * MAX_PENDING):
        pairing.add('joint_states', at(stamp_ns))
    for topic in TOPICS:
        done = pairing.add(topic, at(1))
    assert done[0] == 1


def test_incomplete_stamps_do_not_pile_up_while_one_stream_is_gone():
    pairing = ExactPairing(TOPICS)
    for stamp_ns in range(1, 101):
        assert pairing.add('episode', at(stamp_ns)) is None
    assert len(pairing._pending) == MAX_PENDING
    assert pairing.dropped == 100 - MAX_PENDING


def sensed(force_x: float = 1.5, touch: tuple[float, ...] = (0.1, 0.2)) -> dict:
    """Return one message of a wrist, a tool's tip, and fingertips."""
    wrench, twist = WrenchStamped(), TwistStamped()
    wrench.header.frame_id = 'wrist'
    wrench.wrench.force.x, twist.twist.angular.z = force_x, -0.5
    return {'wrist': wrench, 'tip': twist, 'fingertips': Float64MultiArray(data=list(touch))}


def sensors() -> Extractor:
    """Return an extractor of the above; the force's frame counts."""
    features = (Feature('force', 0, 0, ('x', 'y', 'z'), 'N', 'wrist'),
                Feature('turning', 0, 3, ('x', 'y', 'z'), 'rad/s'),
                Feature('touch', 0, 6, ('left', 'right')))
    sources = (Source('force', 'wrist', 'force', type=WRENCH),
               Source('turning', 'tip', 'angular', type=TWIST),
               Source('touch', 'fingertips', 'data', type=NUMBERS))
    return Extractor(Contract('test', 20.0, features, TOOL_VELOCITY, BASE, ()), sources)


def test_wrenches_twists_and_numbers_are_read_as_the_contract_says():
    np.testing.assert_array_equal(
        sensors()(sensed()), np.array([1.5, 0, 0, 0, 0, -0.5, 0.1, 0.2], np.float32))


@pytest.mark.parametrize('changes, sentence', [
    ({'force_x': float('nan')}, 'force.x is not finite'),
    ({'touch': (0.1, float('inf'))}, 'touch.right is not finite'),
    ({'touch': (0.1,)}, 'fingertips has 1 numbers; feature touch has 2'),
    ({'touch': (0.1,) * 3}, 'fingertips has 3 numbers; feature touch has 2')])
def test_numbers_that_are_not_finite_or_not_as_many_are_refused(changes, sentence):
    with pytest.raises(ObservationError, match=sentence):
        sensors()(sensed(**changes))


def test_a_wrench_of_another_frame_is_refused():
    messages = sensed()
    messages['wrist'].header.frame_id = 'base'
    with pytest.raises(ObservationError, match="wrist is in frame 'base'; expected 'wrist'"):
        sensors()(messages)
