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

"""The arm's own messages: states with one stamp, commands by joint name."""

import random
from types import SimpleNamespace

from il_ros.ros.conversion.messages import to_ns
from il_ros.ros.conversion.robot_messages import camera_info, CommandError, CommandReader
from il_ros.ros.conversion.robot_messages import image_message, StateMessages
from il_ros.sim.state import State
from il_ros.tasks.protocol import Status
import numpy as np
import pytest
from rclpy.serialization import deserialize_message, serialize_message
from sensor_msgs.msg import JointState

JOINTS = ('a', 'b', 'c')


def state(**fields) -> State:
    """Return a state with one object."""
    return State(**{
        'joint_position': np.array([0.1, 0.2, 0.3]), 'joint_velocity': np.array([1.0, 2.0, 3.0]),
        'tool_position': np.array([0.4, 0.5, 0.6]), 'tool_orientation': np.array([1.0, 0, 0, 0]),
        'object_positions': np.array([[0.7, 0.8, 0.9]]),
        'object_orientations': np.array([[0, 0, 1.0, 0]]),
        'goal_position': np.array([1 / 3, 0.0, 1e-17]),
        'goal_orientation': np.array([0.0, 0.0, 0.6, 0.8]), 'success': False, 'end': 0, 'cause': 0,
        'step': 3, 'horizon': 80, 'goals_reached': 0, **fields})


def filled(stamp_ns: int = 12_345_678_901) -> StateMessages:
    """Return the messages of a state."""
    messages = StateMessages(JOINTS, 1, 'base')
    messages.fill(stamp_ns, state(), Status('e', 'push', 5, 3, 80, 1, 0, 0, False, 2, 'why'))
    return messages


def test_every_message_of_a_state_has_its_stamp_and_frame():
    messages = filled()
    for name in ('joint_states', 'tool_pose', 'object_poses', 'goal_pose', 'episode'):
        header = getattr(messages, name).header
        assert (to_ns(header.stamp), header.frame_id) == (12_345_678_901, 'base')


def test_numbers_travel_as_float64_bit_for_bit():
    messages = filled()
    goal = deserialize_message(serialize_message(messages.goal_pose), type(messages.goal_pose))
    assert (goal.pose.position.x, goal.pose.position.z) == (1 / 3, 1e-17)
    assert (goal.pose.orientation.z, goal.pose.orientation.w) == (0.6, 0.8)
    joints = messages.joint_states
    assert (joints.name, joints.position.tolist(), joints.velocity.tolist()) == (
        ['a', 'b', 'c'], [0.1, 0.2, 0.3], [1.0, 2.0, 3.0])
    tool, box = messages.tool_pose.pose, messages.object_poses.poses[0]
    assert (tool.orientation.x, tool.orientation.w, box.orientation.z, box.position.y) == (
        1.0, 0.0, 1.0, 0.8)


def test_the_status_says_all_that_the_session_says():
    episode = filled().episode
    assert (episode.episode_id, episode.task, episode.seed, episode.step, episode.horizon,
            episode.phase, episode.goals_reached, episode.reason) == (
        'e', 'push', 5, 3, 80, 1, 2, 'why')


def test_a_second_state_replaces_the_first():
    messages = filled()
    messages.fill(99, state(joint_position=np.array([9.0, 8.0, 7.0])), Status())
    assert messages.joint_states.position.tolist() == [9.0, 8.0, 7.0]
    assert to_ns(messages.tool_pose.header.stamp) == 99
    assert (messages.episode.episode_id, messages.episode.reason) == ('', '')


def test_targets_are_read_by_name_in_any_order():
    read, chance = CommandReader(JOINTS), random.Random(3)
    targets = {'a': 0.1, 'b': 0.2, 'c': 0.3}
    for _ in range(6):
        names = chance.sample(JOINTS, 3)
        message = JointState(name=names, position=[targets[name] for name in names])
        np.testing.assert_array_equal(read(message), [0.1, 0.2, 0.3])


@pytest.mark.parametrize('names, positions, sentence', [
    (['a', 'b'], [0.0, 0.0], 'expected each of'),
    (['a', 'b', 'b'], [0.0, 0.0, 0.0], 'expected each of'),
    (['a', 'b', 'd'], [0.0, 0.0, 0.0], 'expected each of'),
    (['a', 'b', 'c', 'd'], [0.0] * 4, 'expected each of'),
    (['c', 'b', 'a'], [0.0, 0.0], '2 positions for 3 joints'),
    (['a', 'b', 'c'], [0.0, float('nan'), 0.0], 'not finite'),
    (['a', 'b', 'c'], [0.0, 0.0, float('-inf')], 'not finite')])
def test_a_command_that_cannot_be_used_is_refused_and_the_next_good_one_is_read(
        names, positions, sentence):
    read = CommandReader(JOINTS)
    with pytest.raises(CommandError, match=sentence):
        read(JointState(name=names, position=positions))
    good = JointState(name=['b', 'a', 'c'], position=[2.0, 1.0, 3.0])
    np.testing.assert_array_equal(read(good), [1.0, 2.0, 3.0])


def test_an_image_keeps_its_pixels_and_its_camera_its_centre():
    pixels = np.arange(2 * 3 * 3, dtype=np.uint8).reshape(2, 3, 3)
    image = image_message(pixels, 42, 'camera')
    assert (image.height, image.width, image.step, image.encoding) == (2, 3, 9, 'rgb8')
    np.testing.assert_array_equal(np.frombuffer(image.data, np.uint8).reshape(2, 3, 3), pixels)
    info = camera_info(SimpleNamespace(header=image.header, height=2, width=3), 10.0)
    assert (info.header, info.k[0], info.k[2], info.k[5]) == (image.header, 10.0, 1.5, 1.0)
