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

"""The recorder as a node: what gets a receipt is whole on disk, and what is not is not there."""

import hashlib
import json
import os

from il_ros.contract.episode_spec import ABORTED, ENDED, FAULT, TERMINATED
from il_ros.episodes.reader import read_episode
from il_ros.episodes.receipts import DISCARDED, DROPS, INCOMPLETE
from il_ros.episodes.writer import EpisodeWriter
from il_ros.errors import EpisodeWriteError, ImitationError
from il_ros.nodes.recorder import RecorderNode
from il_ros.ros import qos
from il_ros_interfaces.msg import EpisodeStatus, Executed, Observation
from il_ros_interfaces.srv import Discard, OpenEpisode
import numpy as np
import pytest
from rclpy.lifecycle import TransitionCallbackReturn
from recording_stage import CONTRACT, Stage
from seam import Bench, episode

Response = OpenEpisode.Response


@pytest.fixture
def stage(bench, tmp_path) -> Stage:
    """Return a recorder and the topics around it."""
    return Stage(bench, tmp_path)


def test_a_whole_episode_is_on_disk_when_its_receipt_comes(stage):
    assert stage.open().error_code == 0
    stage.play(3)
    receipt = stage.receipt()
    path = stage.folder.parents[1] / receipt.path
    assert stage.files() == [f'{episode().episode_id}.json', f'{episode().episode_id}.mcap']
    assert hashlib.sha256(path.read_bytes()).hexdigest() == receipt.sha256
    recorded = read_episode(path)
    assert recorded.complete and recorded.spec == receipt.spec == episode()
    np.testing.assert_array_equal(recorded.observations[:, 0], [0, 1, 2, 3])
    np.testing.assert_allclose(recorded.executed, 0.1)
    assert (receipt.steps, receipt.labels, receipt.success, receipt.flags) == (3, 3, True, 0)


def test_messages_of_other_episodes_and_before_the_opening_are_not_recorded(stage):
    stage.say(Observation, 0)
    stage.open()
    for step in range(2):
        stage.say(Observation, step, 'another')
        stage.say(Executed, step, 'another')
    stage.play(2)
    assert stage.receipt().steps == 2


def test_repeats_are_not_recorded_twice(stage):
    stage.open()
    for step in range(3):
        for _ in range(3):
            for kind in (EpisodeStatus, Observation, *((Executed,) if step < 2 else ())):
                end = {'end': TERMINATED} if kind is EpisodeStatus else {}
                stage.say(kind, step, **({'phase': ENDED, **end} if step == 2 else {}))
    receipt = stage.receipt()
    assert (receipt.steps, receipt.dropped, receipt.flags) == (2, 0, 0)


@pytest.mark.parametrize('missing', [(Observation, 1), (Executed, 1), (Executed, 2)])
def test_an_episode_with_a_message_missing_is_closed_and_flagged(bench, tmp_path, missing):
    stage = Stage(bench, tmp_path, finish_s=0.1)
    stage.open()
    stage.play(3, without=[missing])
    receipt = stage.receipt()
    assert receipt.flags & DROPS
    assert receipt.dropped == 1


def test_why_an_episode_was_aborted_is_in_its_receipt(stage):
    stage.open()
    stage.say(EpisodeStatus, 0)
    stage.say(Observation, 0)
    stage.say(Executed, 0)
    stage.say(EpisodeStatus, 1, phase=ENDED, end=ABORTED, cause=FAULT, reason='the lamp fell')
    stage.say(Observation, 1, phase=ENDED)
    receipt = stage.receipt()
    assert (receipt.end, receipt.cause, receipt.error_msg) == (ABORTED, FAULT, 'the lamp fell')


def test_an_episode_of_another_task_or_options_than_its_run_is_refused_at_the_opening(stage):
    stage.open()
    stage.play()
    stage.receipt()
    before = stage.files()
    for seed, fields, sentence in (
            (2, {'task': 'push'}, 'with task reach; task push was asked for'),
            (3, {'options': '{"bumps": {"rate": 0.1}}'}, 'with options none; options {"bumps"')):
        response = stage.open(episode(seed), **fields)
        assert response.error_code == Response.BAD_SPEC
        assert sentence in response.error_msg
    assert stage.files() == before
    assert stage.open(episode(4)).error_code == 0


def test_a_recorded_episode_is_never_overwritten(stage):
    stage.open()
    stage.play()
    before = stage.receipt().sha256
    response = stage.open()
    assert response.error_code == Response.EXISTS
    assert 'recorded already' in response.error_msg
    stage.play()
    path = stage.folder / f'{episode().episode_id}.mcap'
    assert hashlib.sha256(path.read_bytes()).hexdigest() == before


def test_an_opened_episode_that_never_ran_makes_room_for_the_next(stage):
    assert stage.open(episode(1)).error_code == 0
    assert stage.open(episode(1)).error_code == 0
    assert stage.open(episode(2)).error_code == 0
    stage.play(episode_id=episode(2).episode_id)
    assert stage.receipt().spec == episode(2)
    assert stage.files() == [f'{episode(2).episode_id}.{end}' for end in ('json', 'mcap')]


def test_while_an_episode_is_recorded_no_other_is_opened(stage):
    stage.open(episode(1))
    stage.say(Observation, 0)
    assert stage.bench.until(lambda: stage.recorder._recording.writer.counts['observation'])
    response = stage.open(episode(2))
    assert response.error_code == Response.BUSY
    assert episode(1).episode_id in response.error_msg


@pytest.mark.parametrize('fields', [
    {'episode_id': '../../evil'}, {'episode_id': '/etc/evil'}, {'episode_id': 'x' * 300},
    {'episode_id': 'a\nb'}, {'episode_id': 'épisode'}, {'run': 'a/b'},
    {'run': '../evil'}, {'run': ''}, {'purpose': 'sabotage'}])
def test_a_name_that_leads_elsewhere_is_refused_by_field(stage, tmp_path, fields):
    response = stage.open(**fields)
    assert response.error_code == Response.BAD_SPEC
    assert f'{next(iter(fields))} is ' in response.error_msg
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_said_before_the_episode_begins(bench, tmp_path):
    stage = Stage(bench, tmp_path, min_free_mb=1_000_000)
    response = stage.open()
    assert response.error_code == Response.DISK_FULL
    assert 'MiB left' in response.error_msg
    assert stage.files() == []


def test_a_disk_that_fills_up_gives_a_receipt_that_says_so_and_leaves_nothing(
        stage, monkeypatch):
    write, calls = EpisodeWriter.write, []

    def failing(self, topic, raw, log_time_ns):
        calls.append(topic)
        if len(calls) == 4:
            raise EpisodeWriteError(f'{self.path} cannot be recorded: No space left on device')
        return write(self, topic, raw, log_time_ns)
    monkeypatch.setattr(EpisodeWriter, 'write', failing)
    stage.open()
    stage.play()
    receipt = stage.receipt()
    assert receipt.error_code == Response.DISK_FULL
    assert 'No space left' in receipt.error_msg
    assert stage.files() == []
    assert stage.open().error_code == 0
    stage.play()
    assert stage.receipt().error_code == 0


def test_no_episode_is_opened_while_its_topics_have_no_publisher(bench, tmp_path):
    recorder = bench.add(RecorderNode, runs=str(tmp_path))
    recorder._contract = CONTRACT
    status = bench.probe.create_publisher(EpisodeStatus, 'episode', qos.STATUS)
    assert bench.until(lambda: status.get_subscription_count())
    assert bench.until(lambda: recorder._heard['episode'].get_publisher_count())
    with pytest.raises(ImitationError, match='no publisher on observation, executed yet'):
        recorder._open(episode(1))
    assert not list(tmp_path.iterdir())


def test_a_second_recorder_of_the_same_shard_is_refused_with_the_owners_process(bench, tmp_path):
    first = Stage(bench, tmp_path)
    assert first.open().error_code == 0
    with Bench(bench.kind) as other:
        second = other.add(RecorderNode, runs=str(tmp_path))
        second._contract = CONTRACT
        assert other.until(lambda: all(
            heard.get_publisher_count() for heard in second._heard.values()))
        with pytest.raises(ImitationError, match=str(os.getpid())) as refusal:
            second._open(episode(2))
    assert refusal.value.code == Response.LOCKED
    first.play()
    assert first.receipt().error_code == 0


def test_a_recorder_that_is_stopped_keeps_what_there_is_and_marks_it(stage):
    stage.open()
    stage.say(EpisodeStatus, 0)
    stage.say(Observation, 0)
    assert stage.bench.until(lambda: stage.recorder._recording.writer.counts['observation'])
    assert stage.recorder.trigger_deactivate() == TransitionCallbackReturn.SUCCESS
    receipt = stage.receipt()
    assert receipt.flags & INCOMPLETE and receipt.error_msg == 'the recorder was stopped'
    assert stage.files() == [f'{episode().episode_id}.{end}' for end in ('json', 'mcap')]
    assert stage.open(episode(2)).error_code == Response.BUSY


def discard(stage, episode_id, first, last):
    """Ask for a discard."""
    return stage.bench.call(Discard, 'discard', Discard.Request(
        episode_id=episode_id, first_step=first, last_step=last))


def test_an_episode_can_be_discarded_while_it_runs_and_afterwards(stage):
    stage.open(episode(1))
    assert discard(stage, episode(1).episode_id, 0, 0).error_code == 0
    stage.play()
    assert stage.receipt().flags & DISCARDED
    stage.open(episode(2))
    stage.play(episode_id=episode(2).episode_id)
    assert not stage.receipt().flags
    assert discard(stage, episode(2).episode_id, 1, 2).error_code == 0
    assert (stage.folder / f'{episode(2).episode_id}.discarded.json').exists()


@pytest.mark.parametrize('first, last, marked', [(1, 50, [[1, 2]]), (7, 9, None)])
def test_a_discard_while_it_runs_takes_the_steps_that_there_are(stage, first, last, marked):
    stage.open()
    assert discard(stage, episode().episode_id, first, last).error_code == 0
    assert discard(stage, episode().episode_id, 3, 1).error_code == Discard.Response.BAD_RANGE
    stage.play()
    receipt = stage.receipt()
    assert (receipt.steps, receipt.flags, receipt.error_code) == (3, 0, 0)
    beside = stage.folder / f'{episode().episode_id}.discarded.json'
    assert (json.loads(beside.read_text()) if beside.exists() else None) == marked


@pytest.mark.parametrize('episode_id, first, last, code', [
    ('nobody', 0, 0, Discard.Response.NO_SUCH_EPISODE),
    ('', 0, 0, Discard.Response.NO_SUCH_EPISODE),
    ('../x', 0, 0, Discard.Response.NO_SUCH_EPISODE),
    (episode().episode_id, 2, 1, Discard.Response.BAD_RANGE)])
def test_a_discard_of_what_is_not_there_is_refused(stage, episode_id, first, last, code):
    stage.open()
    stage.play()
    stage.receipt()
    response = discard(stage, episode_id, first, last)
    assert (response.error_code, bool(response.error_msg)) == (code, True)


def test_an_episode_that_was_left_open_by_a_crash_is_recorded_anew(stage):
    stage.folder.mkdir(parents=True)
    (stage.folder / f'{episode().episode_id}.mcap.tmp').write_bytes(b'half')
    stage.open()
    stage.play()
    assert stage.receipt().steps == 3
    assert not [name for name in stage.files() if name.endswith('.tmp')]
