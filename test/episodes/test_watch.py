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

"""What is said of topics while they are recorded: rates, gaps, steps that are missing or late."""

import math

from il_ros.episodes.watch import Arrivals, ClockWatch, EpisodeWatch, seconds, StepTally
from il_ros.episodes.watch import TopicWatch
from il_ros.episodes.wire.keys import Key
import pytest

NS = 1_000_000_000


def heard(*times_s: float) -> Arrivals:
    """Return arrivals at these times."""
    arrivals = Arrivals()
    for now_s in times_s:
        arrivals.hear(now_s)
    return arrivals


@pytest.mark.parametrize('times, now, rate', [
    ((), 1.0, 0.0), ((1.0,), 1.0, 0.0), ((1.0, 1.0), 1.0, 0.0), ((1.0, 1.5), 1.5, 2.0),
    ((1.0, 1.25, 1.5), 1.5, 4.0), ((1.0, 2.0, 3.0), 3.0, 1.0), ((1.0, 2.0, 3.0), 3.5, 1.0),
    ((1.0, 2.0, 3.0), 4.5, 0.0), ((1.0, 2.5, 3.0, 3.5), 3.5, 2.0)])
def test_the_rate_is_that_of_the_last_two_seconds(times, now, rate):
    assert heard(*times).rate_hz(now) == rate


def test_the_largest_gap_is_kept_and_the_age_is_that_of_the_last_message():
    arrivals = heard(1.0, 4.0, 4.5)
    assert arrivals.largest_gap_s == 3.0 and arrivals.age_s(5.25) == 0.75
    assert heard().age_s(1.0) == math.inf and heard(7.0).largest_gap_s == 0.0


def test_steps_count_once_in_any_order():
    tally = StepTally()
    assert (len(tally), tally.missing, tally.newest) == (0, 0, -1)
    for step in (0, 3, 1, 3, 0, 2, 5):
        tally.add(step)
    assert (len(tally), tally.missing, tally.newest) == (5, 1, 5)
    assert (tally.repeats, tally.late) == (2, 2)
    tally.add(4)
    assert (len(tally), tally.missing, tally.repeats, tally.late) == (6, 0, 2, 3)
    tally.add(5)
    assert (len(tally), tally.repeats) == (6, 3)


@pytest.mark.parametrize('off_ns, found', [(1000, 0), (1001, 1001), (-1000, 0), (-1001, -1001)])
def test_a_stamp_may_contradict_the_clock_by_the_tolerance(off_ns, found):
    watch = ClockWatch(1000)
    assert watch.jump_ns(5000, 70_000) == 0
    assert watch.jump_ns(5000 + 200 + off_ns, 70_200) == found


@pytest.mark.parametrize('off_ns, found', [(1000, False), (1001, True)])
def test_a_stamp_that_agrees_with_the_steps_is_believed(off_ns, found):
    watch = ClockWatch(1000, period_ns=500)
    watch.jump_ns(10_000, 0, 3)
    assert bool(watch.jump_ns(10_000 + 2 * 500 + off_ns, 90_000, 5)) == found


def test_a_repeated_stamp_is_compared_with_the_first_of_its_time():
    watch = ClockWatch(1000)
    watch.jump_ns(0, 0)
    assert [watch.jump_ns(0, 600), watch.jump_ns(0, 1000), watch.jump_ns(0, 1600)] == [
        0, 0, -1600]
    assert watch.jump_ns(0, 2500) == 0


def test_a_topic_says_what_is_wrong_and_how_it_goes():
    topic = TopicWatch(NS, NS // 20)
    assert topic.trouble(9.0, 1.0) == '' and topic.values('a', 9.0) == {'a.recorded': '0'}
    for step, now_s in ((0, 1.0), (1, 1.5), (4, 1.75), (1, 1.75), (3, 2.0)):
        topic.hear(step, now_s)
    topic.overflowed = 2
    assert topic.dropped == 3
    assert topic.trouble(3.0, 1.0) == '1 missing, 2 dropped, the disk is too slow'
    assert topic.trouble(3.25, 1.0).endswith('too slow, silent for 1.2 s')
    assert topic.values('a', 2.5) == {
        'a.recorded': '2', 'a.dropped': '3', 'a.repeated': '1', 'a.late': '1',
        'a.rate_hz': '4.0', 'a.largest_gap_s': '0.500', 'a.age_s': '0.500'}


def test_an_episode_says_which_topic_is_in_trouble_and_after_its_end_none_is_silent():
    watch = EpisodeWatch(('a', 'b'), 1.0, 20.0)
    for topic, step in (('a', 0), ('a', 2), ('b', 0)):
        key = Key(step * NS // 20, step=step, episode_id='e', phase=0)
        assert watch.hear(topic, key, step * NS // 20) == 0
    assert watch.trouble(0.5, 1.0) == 'a: 1 missing'
    assert watch.trouble(5.0, 1.0) == 'a: 1 missing, silent for 4.9 s; b: silent for 5.0 s'
    assert watch.trouble(5.0, 1.0, ended=True) == 'a: 1 missing'
    watch.overflow('b')
    assert watch.topics['b'].dropped == 1
    assert watch.has({'a': 2, 'b': 1}) and not watch.has({'a': 3, 'b': 1})
    assert {name.split('.')[0] for name in watch.values(1.0)} == {'a', 'b'}
    jump = watch.hear('b', Key(9 * NS, step=1, episode_id='e', phase=0), NS // 20)
    assert seconds(jump) == '+8.9 s' and len(watch.topics['b'].steps) == 1


@pytest.mark.parametrize('rate_hz, jumps', [(20.0, False), (10.0, True)])
def test_lockstep_that_runs_faster_than_time_is_no_jump_at_the_rate_of_the_steps(rate_hz, jumps):
    watch = EpisodeWatch(('a',), 1.0, rate_hz)
    for step, stamp_ns, steady_ns in ((0, 0, 0), (100, 5 * NS, NS // 10)):
        found = watch.hear('a', Key(stamp_ns, step=step, episode_id='e', phase=0), steady_ns)
    assert bool(found) == jumps
