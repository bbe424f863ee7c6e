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

"""What the raw look at a message finds is what the real serialisation put there."""

from hypothesis import given, settings, strategies as st
from il_ros.episodes.wire import keys
from il_ros.errors import BadMessageError
from il_ros_interfaces.msg import Action, EpisodeStatus, Executed, Observation
import pytest
from rclpy.serialization import serialize_message
from sensor_msgs.msg import Image, JointState

words = st.text(st.characters(min_codepoint=33, max_codepoint=0x2fff, exclude_categories=('Cs',)),
                max_size=23)
numbers = st.integers(0, 2 ** 32 - 1)
seconds = st.integers(-2 ** 31, 2 ** 31 - 1)
nanoseconds = st.integers(0, 999_999_999)
floats = st.lists(st.floats(width=32, allow_nan=False), max_size=9)
many = settings(max_examples=150, deadline=None)


def stamped(message, sec: int, nanosec: int, frame: str):
    """Return the message with this header."""
    message.header.stamp.sec, message.header.stamp.nanosec = sec, nanosec
    message.header.frame_id = frame
    return message


@many
@given(seconds, nanoseconds, words, st.integers(0, 2 ** 64 - 1), numbers, st.integers(0, 255),
       words, floats, st.integers(0, 2))
def test_an_observation_is_found_by_stamp_episode_step_and_phase(
        sec, nanosec, frame, contract_id, step, phase, episode_id, values, images):
    message = stamped(Observation(
        contract_id=contract_id, step=step, phase=phase, episode_id=episode_id, values=values,
        images=[Image(encoding='rgb8')] * images), sec, nanosec, frame)
    key = keys.observation_key(serialize_message(message))
    assert key == (sec * 10 ** 9 + nanosec, episode_id, step, phase)


@many
@given(seconds, nanoseconds, words, numbers, st.integers(0, 255), numbers,
       st.floats(0, 1, width=32), words, floats, st.lists(words, max_size=3))
def test_an_executed_step_is_found_by_stamp_episode_and_step(
        sec, nanosec, frame, step, driver, limits, beta, episode_id, values, joints):
    message = stamped(Executed(
        step=step, driver=driver, chosen=driver, limits=limits, beta=beta, gate=-1.0,
        episode_id=episode_id, values=values, command=JointState(name=joints),
        candidates=[Action(values=values)]), sec, nanosec, frame)
    key = keys.executed_key(serialize_message(message))
    assert key == (sec * 10 ** 9 + nanosec, episode_id, step, -1)


@many
@given(seconds, nanoseconds, words, words, words, numbers, numbers, numbers,
       st.integers(0, 255), st.booleans(), numbers, words)
def test_a_status_is_found_by_stamp_episode_step_and_phase_and_says_its_reason(
        sec, nanosec, frame, episode_id, task, seed, step, horizon, phase, success, goals, reason):
    message = stamped(EpisodeStatus(
        episode_id=episode_id, task=task, seed=seed, step=step, horizon=horizon, phase=phase,
        end=phase, cause=phase, success=success, goals_reached=goals, reason=reason),
        sec, nanosec, frame)
    raw = serialize_message(message)
    assert keys.status_key(raw) == (sec * 10 ** 9 + nanosec, episode_id, step, phase)
    assert keys.status_reason(raw) == reason


def test_what_stands_behind_a_key_is_not_looked_at_and_what_is_cut_before_is_refused():
    message = stamped(Observation(step=7, episode_id='mine', values=[0.5] * 9), 1, 2, 'arm')
    raw = serialize_message(message)
    end = raw.index(b'mine') + 5
    for size in (end, end + 1, len(raw)):
        assert keys.observation_key(raw[:size]) == (1_000_000_002, 'mine', 7, 0)
    for size in range(4, end):
        with pytest.raises(BadMessageError, match=f'a message of {size} bytes ends inside'):
            keys.observation_key(raw[:size])


def test_an_episode_that_is_no_text_is_refused():
    raw = serialize_message(Executed(episode_id='mine')).replace(b'mine', b'\xffine')
    with pytest.raises(BadMessageError, match='episode_id or reason is not UTF-8'):
        keys.executed_key(raw)
