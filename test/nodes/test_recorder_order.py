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

"""The recorder while messages are late, doubled, out of order or missing, and clocks jump."""

import random
import time

from diagnostic_msgs.msg import DiagnosticStatus
from il_ros.contract.episode_spec import ABORTED, ENDED, OPERATOR, TERMINATED
from il_ros.episodes.reader import read_episode
from il_ros.episodes.receipts import CLOCK_JUMP, DROPS
from il_ros.episodes.watch import EpisodeWatch
from il_ros.ros.conversion.messages import float32s
from il_ros.ros.qos import RECORD
from il_ros_interfaces.msg import EpisodeStatus, Executed, Observation
import numpy as np
import pytest
from recording_stage import CONTRACT, PERIOD_NS, Reports, Stage
from seam import episode, stamps

KINDS = (EpisodeStatus, Observation, Executed)
RESUME_S = 1.0


@pytest.fixture
def stage(bench, tmp_path) -> Stage:
    """Return a recorder and the topics around it."""
    return Stage(bench, tmp_path)


def shuffled(chance: random.Random, steps: int) -> list[tuple[type, int]]:
    """Return the messages of an episode: 5 % twice, 5 % 200 ms late, all a little out of order."""
    places = []
    for step in range(steps + 1):
        for kind in KINDS:
            if kind is Executed and step == steps:
                continue
            for _ in range(1 + (chance.random() < 0.05)):
                late = 4.0 if chance.random() < 0.05 else 0.0
                places.append((step + late + chance.uniform(-0.7, 0.7), step, kind))
    return [(kind, step) for _, step, kind in sorted(places, key=lambda place: place[:2])]


def test_what_is_said_again_of_an_earlier_attempt_is_not_recorded(stage):
    stage.open()
    for step in (2, 3, 4):
        stage.say(EpisodeStatus, step)
    stage.say(EpisodeStatus, 5, phase=ENDED, end=ABORTED, cause=OPERATOR)
    stage.bench.until(lambda: False, timeout_s=0.2)
    stage.shift_ns = 10 * PERIOD_NS
    stage.play(3)
    receipt = stage.receipt()
    assert (receipt.steps, receipt.flags, receipt.dropped) == (3, 0, 0)
    assert len(read_episode(stage.folder / f'{episode().episode_id}.mcap').stamps_ns) == 4


@pytest.mark.parametrize('count', [2, pytest.param(30, marks=pytest.mark.drill)])
def test_messages_in_any_order_make_the_episode_that_they_make_in_order(stage, count):
    chance, steps, late, repeats = random.Random(7), 40, 0, 0
    stage.open()
    stage.play(steps)
    oracle = stage.receipt()
    for number in range(2, count + 2):
        spec = episode(number)
        stage.open(spec)
        watch = stage.recorder._recording.watch
        for kind, step in shuffled(chance, steps):
            last = {'phase': ENDED} if step == steps and kind is not Executed else {}
            if last and kind is EpisodeStatus:
                last.update(end=TERMINATED, cause=1, success=True)
            stage.say(kind, step, spec.episode_id, **last)
        receipt = stage.receipt()
        assert (receipt.steps, receipt.flags, receipt.dropped) == (steps, 0, 0)
        assert receipt.content_sha256 == oracle.content_sha256
        recorded = read_episode(stage.folder / f'{spec.episode_id}.mcap')
        assert (np.diff(recorded.stamps_ns) > 0).all()
        np.testing.assert_array_equal(recorded.commands[:, 0], np.arange(steps))
        for steps_of in (topic.steps for topic in watch.topics.values()):
            late, repeats = late + steps_of.late, repeats + steps_of.repeats
    assert late > count and repeats > count
    print(f'{count} of {count} episodes as in order; {late} late, {repeats} repeated')


@pytest.mark.parametrize('shift_s', [60.0, -60.0, 'zero', 'still'])
def test_no_episode_spans_a_jump_of_the_clock_and_the_next_one_begins_at_once(stage, shift_s):
    reports = Reports(stage)
    stage.open()
    for step in range(10):
        stage.say_step(step)
    assert stage.bench.until(lambda: stage.heard('executed') == 10)
    jumped = time.monotonic()
    if shift_s == 'still':
        for step in range(10, 50):
            stage.shift_ns = -(step - 9) * PERIOD_NS
            stage.say_step(step)
            if stage.bench.until(lambda: stage.receipts, timeout_s=PERIOD_NS * 1e-9):
                break
    else:
        stage.shift_ns = -stage.stamp_ns(10) if shift_s == 'zero' else round(shift_s * 1e9)
        for step in range(10, 14):
            stage.say_step(step)
    receipt = stage.receipt()
    print(f'{shift_s}: closed {time.monotonic() - jumped:.2f} s after the jump')
    assert receipt.flags & CLOCK_JUMP and 'the clock jumped by' in receipt.error_msg
    assert receipt.steps == 9
    recorded = read_episode(stage.folder / f'{episode().episode_id}.mcap')
    assert (np.diff(recorded.stamps_ns) == PERIOD_NS).all()
    assert reports.last()[0] == DiagnosticStatus.ERROR
    sane = time.monotonic()
    assert stage.open(episode(2)).error_code == 0
    stage.play(3, episode_id=episode(2).episode_id)
    receipt = stage.receipt()
    assert (receipt.steps, receipt.flags) == (3, 0)
    assert time.monotonic() - sane < RESUME_S
    assert reports.now()[0] == DiagnosticStatus.OK


def test_actions_on_another_clock_than_their_observations_are_no_episode(stage):
    stage.open()
    for step in range(3):
        stage.say(EpisodeStatus, step)
        stage.say(Observation, step)
        stage.shift_ns = 10 ** 15
        stage.say(Executed, step)
        stage.shift_ns = 0
    stage.end(3)
    receipt = stage.receipt()
    assert (receipt.steps, receipt.dropped) == (0, 3)
    assert receipt.flags & DROPS


def test_rate_gap_age_and_drops_of_each_topic_are_told_while_it_happens(bench, tmp_path):
    stage = Stage(bench, tmp_path, stale_s=0.2)
    reports = Reports(stage)
    stage.open()
    for step in range(20):
        stage.say(EpisodeStatus, step)
        stage.say(Observation, step)
        if step not in (5, 6):
            stage.say(Executed, step)
        bench.until(lambda: False, timeout_s=0.01)
    assert bench.until(lambda: stage.heard('executed') == 18)
    level, message, values = reports.now()
    assert level == DiagnosticStatus.WARN and 'executed: 2 missing' in message
    assert (values['executed.recorded'], values['executed.dropped']) == ('18', '2')
    assert values['observation.dropped'] == '0'
    assert 5.0 < float(values['observation.rate_hz']) < 120.0
    assert float(values['executed.largest_gap_s']) >= 0.02
    bench.until(lambda: False, timeout_s=0.3)
    assert 'observation: silent for 0.' in reports.now()[1]
    stage.end(20)
    assert stage.receipt().dropped == 2
    assert reports.now()[1] == 'idle'


def test_what_is_read_again_is_what_was_on_air(stage):
    live = {kind: stage.bench.listen(kind, topic, RECORD) for kind, topic in (
        (Observation, 'observation'), (Executed, 'executed'))}
    chance = np.random.default_rng(3)
    stage.open()
    for step in range(50):
        stage.say(EpisodeStatus, step)
        stage.say(Observation, step, values=float32s(chance.normal(size=CONTRACT.width)))
        stage.say(Executed, step, values=float32s(chance.normal(size=3)))
    stage.end(50)
    stage.receipt()
    recorded = read_episode(stage.folder / f'{episode().episode_id}.mcap')
    for kind, rows in ((Observation, recorded.observations), (Executed, recorded.executed)):
        assert stage.bench.until(lambda: len(live[kind]) == len(rows))
        heard = np.array([message.values for message in live[kind]], np.float32)
        assert np.abs(heard - rows).max() == 0.0
    assert recorded.stamps_ns.tolist() == stamps(live[Observation])


def test_steps_are_counted_once_in_any_order_and_gaps_as_they_are():
    watch = EpisodeWatch(('a',), 1.0, 20.0).topics['a']
    for step in (0, 2, 1, 1, 5, 2, 7):
        watch.hear(step, 0.0)
    assert (len(watch.steps), watch.steps.missing) == (5, 3)
    assert (watch.steps.late, watch.steps.repeats) == (1, 2)
