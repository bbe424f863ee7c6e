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

"""An open episode: what belongs to it, when it is whole, and why it ends early."""

import dataclasses

from il_ros.contract.episode_spec import DrivePlan, IDLE, RUNNING
from il_ros.episodes.receipts import CLOCK_JUMP, DROPS, INCOMPLETE, verify
from il_ros.episodes.watch import EpisodeWatch
from il_ros.episodes.wire import keys
from il_ros.episodes.wire.cdr import NS
from il_ros.episodes.writer import EpisodeWriter
from il_ros.errors import StepRangeError
from il_ros.ros.recording.recording import checks_of, EPISODE, EXECUTED, OBSERVATION, Recording
from il_ros.ros.recording.recording import TOPICS, WHOLE
import pytest
from recordings import CONTRACT, messages, SCHEMAS, spec

KEY_OF = {OBSERVATION: keys.observation_key, EXECUTED: keys.executed_key,
          EPISODE: keys.status_key}
STEPS = 12
FINISH_S = 1.0


@pytest.fixture
def begin(tmp_path):
    """Return the function that begins an episode and closes its file in the end."""
    begun = []

    def make(of=spec(), room_mb: int = 1, stream_room_mb: int = 0) -> Recording:
        writer = EpisodeWriter(tmp_path, of, CONTRACT, SCHEMAS, 0)
        begun.append(writer)
        return Recording(of, writer, EpisodeWatch(TOPICS, 1.0, CONTRACT.rate),
                         checks_of(SCHEMAS, CONTRACT), room_mb, stream_room_mb)
    yield make
    for writer in begun:
        writer.abandon()


def said(of=spec()) -> list[tuple[str, bytes]]:
    """Return what is said of an episode, in order."""
    return [(topic, raw) for topic, raw in messages(of, STEPS) if topic in TOPICS]


def hear(recording: Recording, topic: str, raw: bytes, **changed) -> int | None:
    """Let an episode hear a message, whose key may be changed, when its stamp says."""
    key = KEY_OF[topic](raw)._replace(**changed)
    return recording.hear(topic, key, raw, key.stamp_ns, key.stamp_ns)


def test_an_episode_is_whole_with_its_last_message_and_not_before(begin):
    recording = begin()
    flags = [hear(recording, topic, raw) for topic, raw in said()]
    assert flags == [None] * (len(flags) - 1) + [WHOLE]
    assert recording.begun and recording.ended
    receipt = recording.writer.close(flags[-1])
    assert (receipt.steps, receipt.flags) == (STEPS, 0) and verify(recording.writer.path)


def test_in_whatever_order_the_last_one_that_was_missing_makes_it_whole(begin):
    recording, wire_of = begin(), said()
    missing = wire_of.pop(5)
    assert {hear(recording, topic, raw) for topic, raw in wire_of} == {None}
    assert recording.look(0, 0, FINISH_S) is None
    assert hear(recording, *missing) == WHOLE


def test_what_never_came_is_waited_for_as_long_as_was_said(begin):
    recording, wire_of = begin(), said()
    del wire_of[5]
    for topic, raw in wire_of:
        hear(recording, topic, raw)
    ended_ns = max(KEY_OF[topic](raw).stamp_ns for topic, raw in wire_of)
    assert recording.look(ended_ns, ended_ns, FINISH_S) is None
    assert recording.look(ended_ns + round(1.1 * FINISH_S * NS), ended_ns, FINISH_S) == DROPS


def test_an_adapted_threshold_is_waited_for(begin):
    of = dataclasses.replace(spec(), plan=DrivePlan(gate='novelty', target_rate=0.1))
    recording = begin(of)
    assert {hear(recording, topic, raw) for topic, raw in said(of)} == {None}
    assert recording.hear_threshold(0.25) == WHOLE and recording.gate_threshold == 0.25


@pytest.mark.parametrize('changed', [{'phase': IDLE}, {'phase': RUNNING, 'stamp_ns': 10 ** 15}])
def test_a_task_that_began_anew_ends_an_episode_whose_end_will_never_come(begin, changed):
    recording, wire_of = begin(), said()
    for topic, raw in wire_of[:6]:
        assert hear(recording, topic, raw) is None
    status = next(raw for topic, raw in wire_of if topic == EPISODE)
    assert hear(recording, EPISODE, status, episode_id='', **changed) == INCOMPLETE
    assert recording.reason == 'the task was restarted'


def test_the_old_end_of_an_earlier_attempt_is_not_that_of_this_one(begin):
    recording, wire_of = begin(), said()
    for topic, raw in wire_of[-2:]:
        assert hear(recording, topic, raw) is None
    assert not recording.begun and not recording.ended


def test_a_clock_that_jumps_closes_the_episode_before_the_jump(begin):
    recording, wire_of = begin(), said()
    for topic, raw in wire_of[:9]:
        assert hear(recording, topic, raw) is None
    topic, raw = wire_of[9]
    key = KEY_OF[topic](raw)
    counts = dict(recording.writer.counts)
    assert recording.hear(topic, key._replace(stamp_ns=key.stamp_ns + 60 * NS), raw, key.stamp_ns,
                          key.stamp_ns) == CLOCK_JUMP
    assert 'the clock jumped by +60.0 s' in recording.reason and recording.writer.counts == counts


def test_what_has_no_room_is_dropped_and_counted_but_for_the_end(begin):
    recording, wire_of = begin(room_mb=0), said()
    flags = [hear(recording, topic, raw) for topic, raw in wire_of]
    assert flags[-1] == WHOLE
    assert recording.writer.counts[EXECUTED] == 0 and recording.writer.counts[EPISODE] == 1
    assert recording.watch.topics[EXECUTED].dropped == STEPS


def test_a_range_that_is_none_is_not_taken_back(begin):
    recording = begin()
    with pytest.raises(StepRangeError, match='4 to 2 is no range of steps of'):
        recording.discard(4, 2)
    recording.discard(2, 4)
    assert recording.discards == [(2, 4)]
