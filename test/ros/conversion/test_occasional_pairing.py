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

"""Exact pairing where a stream comes every so many steps only, as a slower camera does."""

import random
from types import SimpleNamespace

from il_ros.ros.conversion.messages import to_stamp
from il_ros.ros.conversion.pairing import AsOfPairing, OccasionalPairing
import pytest

PERIOD_NS = 50_000_000
EVERY = 3


def said(step: int):
    """Return a message of a step; ``step`` is read of the episode's status alone."""
    stamp = to_stamp(1_000_000_000 + step * PERIOD_NS)
    return SimpleNamespace(header=SimpleNamespace(stamp=stamp), step=step)


def pairing() -> OccasionalPairing:
    """Return the pairing of two streams of every step and a camera."""
    return OccasionalPairing(('episode', 'joints'), {'camera': EVERY})


@pytest.mark.parametrize('seed', range(5))
def test_each_step_has_the_image_of_the_last_due_step_in_any_order_of_arrival(seed):
    pair, chance = pairing(), random.Random(seed)
    for step in range(11):
        topics = ['episode', 'joints', *(['camera'] if step % EVERY == 0 else [])]
        chance.shuffle(topics)
        found = [pair.add(topic, said(step)) for topic in topics]
        assert found[:-1] == [None] * (len(topics) - 1), 'it did not wait'
        stamp_ns, messages = found[-1]
        assert stamp_ns == 1_000_000_000 + step * PERIOD_NS
        assert (messages['joints'].step, messages['camera'].step) == (step, step - step % EVERY)
    assert pair.dropped == 0


def test_a_due_step_waits_for_its_image_which_is_named():
    pair = pairing()
    for topic in ('camera', 'episode', 'joints'):
        pair.add(topic, said(0))
    assert pair.add('episode', said(3)) is pair.add('joints', said(3)) is None
    assert pair.missing() == ['camera']
    assert pair.add('camera', said(3))[1]['camera'].step == 3


def test_who_joins_in_the_midst_takes_the_image_that_is_said_again():
    pair = pairing()
    pair.add('episode', said(5))
    assert pair.add('joints', said(5)) is None
    assert pair.missing() == ['camera']
    assert pair.add('camera', said(3))[1]['camera'].step == 3


def test_images_from_the_future_do_not_push_out_those_of_now():
    pair = pairing()
    for step in range(10**6, 10**6 + 20):
        pair.add('camera', said(step))
    for topic in ('camera', 'episode', 'joints'):
        done = pair.add(topic, said(0))
    assert done[1]['camera'].step == 0


def test_a_repeated_step_is_complete_without_its_image_coming_again():
    pair = pairing()
    for topic in ('camera', 'episode', 'joints'):
        pair.add(topic, said(0))
    pair.add('joints', said(0))
    assert pair.add('episode', said(0))[1]['camera'].step == 0


def test_in_realtime_a_slower_stream_is_never_waited_for_and_may_be_older():
    topics, seen = ('episode', 'joints', 'camera'), []
    pair = AsOfPairing(topics, 'joints', PERIOD_NS, PERIOD_NS, {'camera': EVERY})
    for step in range(10):
        if step % EVERY == 0 and step < 6:
            pair.add('camera', said(step), step * PERIOD_NS)
        pair.add('episode', said(step), step * PERIOD_NS)
        complete = pair.add('joints', said(step), step * PERIOD_NS)
        seen.append(complete and complete[1]['camera'].step)
    assert seen == [0, 0, 0, 3, 3, 3, 3, None, None, None]
    assert pair.missing() == ['camera']
