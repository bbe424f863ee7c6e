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

"""Pairing by the newest, as realtime does it: which beats become observations, with what."""

import random
from types import SimpleNamespace

from il_ros.ros.conversion.assembly import ObservationError
from il_ros.ros.conversion.messages import to_ns, to_stamp
from il_ros.ros.conversion.pairing import AsOfPairing, Cadence
import pytest

MS = 1_000_000
PERIOD_MS, START_MS = 50, 1_000_000
TOPICS = ('episode', 'joint_states', 'tool_pose')


def message(time_ms: float, word: str = ''):
    """Return a stand-in for a stamped message."""
    stamp = to_stamp(round((START_MS + time_ms) * MS))
    return SimpleNamespace(header=SimpleNamespace(stamp=stamp), word=word)


def add(pairing: AsOfPairing, topic: str, said, came_ms: float | None = None):
    """Add a message that came when its stamp says, or at another time of the steady clock."""
    came_ns = to_ns(said.header.stamp) if came_ms is None else round((START_MS + came_ms) * MS)
    return pairing.add(topic, said, came_ns)


@pytest.fixture
def pairing() -> AsOfPairing:
    """Return a pairing at 20 Hz, with a tolerance of 100 ms."""
    return AsOfPairing(TOPICS, 'joint_states', PERIOD_MS * MS, 100 * MS)


def beats(pairing: AsOfPairing, times_ms: list[float]) -> list[float]:
    """Say the beat at these times, the others just before; return the beats that were paired."""
    found = []
    for time_ms in times_ms:
        for topic in ('episode', 'tool_pose'):
            assert add(pairing, topic, message(time_ms - 1.0)) is None
        paired = add(pairing, 'joint_states', message(time_ms))
        if paired is not None:
            found.append(paired[0] / MS - START_MS)
    return found


def test_each_beat_is_paired_with_the_newest_of_the_others(pairing):
    add(pairing, 'episode', message(-30.0, 'old'))
    add(pairing, 'episode', message(-10.0, 'new'))
    add(pairing, 'tool_pose', message(-20.0))
    _, messages = add(pairing, 'joint_states', message(0.0))
    assert messages['episode'].word == 'new' and set(messages) == set(TOPICS)


def test_what_is_later_than_the_beat_does_not_stand_for_what_was_then(pairing):
    for time_ms in (0.0, 50.0, 100.0):
        add(pairing, 'episode', message(time_ms, str(time_ms)), came_ms=500.0)
        add(pairing, 'tool_pose', message(time_ms + 3.0, str(time_ms)), came_ms=500.0)
    paired = [add(pairing, 'joint_states', message(time_ms), came_ms=500.0)
              for time_ms in (0.0, 50.0, 100.0)]
    assert [messages['episode'].word for _, messages in paired] == ['0.0', '50.0', '100.0']
    # Nothing of the first beat's time is known but what came after it.
    assert [messages['tool_pose'].word for _, messages in paired] == ['0.0', '0.0', '50.0']


def test_a_beat_that_comes_late_costs_none(pairing):
    late = [0.0, 50.0, 120.0, 150.0, 224.0, 250.0, 385.0, 435.0]
    assert beats(pairing, late) == late


def test_a_beat_that_comes_early_costs_none(pairing):
    early = [0.0, 50.0, 76.0, 150.0, 200.0]
    assert beats(pairing, early) == early


def test_a_stream_of_twenty_times_the_rate_is_thinned_out_to_it(pairing):
    found = beats(pairing, [2.5 * number for number in range(800)])
    assert abs(len(found) - 40) <= 1
    assert all(late - early == pytest.approx(50.0, abs=2.5)
               for early, late in zip(found[1:], found[2:]))


@pytest.mark.parametrize('drift', [0.9995, 1.0005])
def test_a_clock_that_drifts_loses_no_beat(pairing, drift):
    times = [PERIOD_MS * drift * number for number in range(3000)]
    assert len(beats(pairing, times)) == len(times)


def test_a_stream_in_step_is_waited_for(pairing):
    for topic in TOPICS:
        add(pairing, topic, message(0.0))
    assert add(pairing, 'joint_states', message(50.0)) is None
    assert add(pairing, 'tool_pose', message(50.0)) is None
    paired = add(pairing, 'episode', message(50.0, 'of this beat'))
    assert paired is not None and paired[1]['episode'].word == 'of this beat'


def test_a_stream_that_falls_out_of_step_costs_one_beat(pairing):
    for topic in ('episode', 'tool_pose', 'joint_states'):
        add(pairing, topic, message(0.0))
    assert add(pairing, 'joint_states', message(50.0)) is None
    assert add(pairing, 'joint_states', message(100.0)) is not None
    assert pairing.dropped == 1


def test_a_stream_that_is_too_old_is_named(pairing):
    add(pairing, 'episode', message(195.0))
    add(pairing, 'tool_pose', message(0.0))
    assert add(pairing, 'joint_states', message(200.0)) is None
    assert pairing.missing() == ['tool_pose'] and pairing.dropped == 1


def test_no_stamp_makes_a_stream_fresh_that_has_stopped(pairing):
    add(pairing, 'tool_pose', message(3000.0), came_ms=-10.0)
    found = []
    for number in range(10):
        add(pairing, 'episode', message(50.0 * number))
        if add(pairing, 'joint_states', message(50.0 * number)) is not None:
            found.append(number)
    assert found == [0, 1]
    assert pairing.missing() == ['tool_pose']


def test_a_stamp_in_the_future_is_refused_and_said_by_how_much(pairing):
    beats(pairing, [0.0, 50.0])
    with pytest.raises(ObservationError, match='3.010 s later than that of joint_states'):
        add(pairing, 'tool_pose', message(3060.0), came_ms=60.0)
    assert beats(pairing, [100.0]) == [100.0]


def test_a_stream_that_comes_while_no_beat_does_is_not_in_the_future(pairing):
    beats(pairing, [0.0])
    add(pairing, 'tool_pose', message(900.0))
    assert beats(pairing, [950.0]) == [950.0]


def test_two_late_beats_after_each_other_leave_the_third_one_out():
    cadence = Cadence(20 * MS)
    taken = [at for at in (0.0, 74.0, 91.6, 102.1, 120.0) if cadence.takes(round(
        (START_MS + at) * MS))]
    assert taken == [0.0, 74.0, 91.6, 120.0]


def test_whatever_beats_a_late_timer_makes_each_one_that_is_published_is_paired(pairing):
    rng = random.Random(0)
    cadence = Cadence(PERIOD_MS * MS)
    fired = [k * PERIOD_MS + rng.expovariate(1.0 / 15.0) for k in range(2000)]
    published = [at for at in sorted(fired) if cadence.takes(round((START_MS + at) * MS))]
    assert len(published) > 1500
    assert beats(pairing, published) == pytest.approx(published, abs=1e-5)


def test_what_has_no_stamp_is_of_the_beat_after_which_it_came_and_grows_old():
    touch = AsOfPairing(('joint_states', 'touch'), 'joint_states', PERIOD_MS * MS, 100 * MS,
                        {'touch': 2})
    paired = []
    for time_ms in range(0, 400, PERIOD_MS):
        paired.append(add(touch, 'joint_states', message(time_ms)))
        if time_ms < 150:
            touch.add('touch', SimpleNamespace(word=time_ms), (START_MS + time_ms + 1) * MS)
    assert [messages and messages[1]['touch'].word for messages in paired] == [
        None, 0, 50, 100, 100, 100, None, None]
