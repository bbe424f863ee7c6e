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

from il_ros.episodes.label_file import labels_path, read_labels, use_labels, write_labels
from il_ros.episodes.mcap import read_mcap
from il_ros.episodes.reader import read_episode
from il_ros.episodes.receipts import verify
from il_ros.episodes.wire.schema import ACTION
from il_ros.errors import EpisodeFileError, LabelError
from mcap_ros2._dynamic import generate_dynamic
import numpy as np
import pytest
from recordings import ACTION_SCHEMA, BEGIN_NS, CONTRACT, PERIOD_NS, record, spec

STEPS = np.array([2, 3, 7])
ACTIONS = np.float32([[0.1, -0.2], [0.0, 0.0], [0.5, 0.25]])
VALID = np.array([True, False, True])


@pytest.fixture
def recorded(tmp_path):
    """Return an episode's file and its content."""
    path = record(tmp_path, spec())
    return path, read_episode(path)


def test_labels_come_back_on_the_steps_that_were_asked_about(recorded):
    path, episode = recorded
    write_labels(path, episode, STEPS, ACTIONS, VALID, 'push 1.0', seconds=0.5)
    stored = read_labels(path, episode)
    assert np.flatnonzero(stored.asked).tolist() == [2, 3, 7]
    assert np.flatnonzero(stored.answers.valid).tolist() == [2, 7]
    np.testing.assert_array_equal(stored.answers.actions[[2, 7]], ACTIONS[VALID])
    assert (stored.labeller, stored.seconds) == ('push 1.0', 0.5)
    assert verify(path).sha256


def test_an_episode_that_nobody_labelled_later_has_none(recorded):
    assert read_labels(*recorded) is None


def test_an_episode_is_relabelled_by_another_expert(recorded):
    path, episode = recorded
    write_labels(path, episode, STEPS, ACTIONS, VALID, 'first')
    write_labels(path, episode, STEPS[:1], ACTIONS[:1], VALID[:1], 'second')
    stored = read_labels(path, episode)
    assert (stored.labeller, stored.asked.sum()) == ('second', 1)


def test_labels_that_are_there_can_be_put_to_use_and_stay_what_they_are(recorded):
    path, episode = recorded
    use_labels(path, episode)
    assert read_labels(path, episode) is None
    write_labels(path, episode, STEPS, ACTIONS, VALID, 'push 1.0', 0.5, labelled_at_ns=77)
    before, whole = read_labels(path, episode), labels_path(path).read_bytes()
    use_labels(path, episode)
    after = read_labels(path, episode)
    assert (before.used, after.used) == (False, True)
    np.testing.assert_array_equal(after.answers.actions, before.answers.actions)
    np.testing.assert_array_equal(after.asked, before.asked)
    assert (after.labeller, after.seconds) == (before.labeller, before.seconds)
    assert {log_ns for *_, log_ns in read_mcap(labels_path(path)).in_order()} == {77}
    write_labels(path, episode, STEPS, ACTIONS, VALID, 'push 1.0', 0.5, labelled_at_ns=77)
    assert labels_path(path).read_bytes() == whole


def test_the_records_are_actions_as_the_wire_has_them(recorded):
    path, episode = recorded
    write_labels(path, episode, STEPS, ACTIONS, VALID, 'push 1.0')
    decode = generate_dynamic(ACTION_SCHEMA.name, ACTION_SCHEMA.text)[ACTION]
    _, raws = read_mcap(labels_path(path)).messages(ACTION)
    for raw, step, action, valid in zip(raws, STEPS, ACTIONS, VALID, strict=True):
        message = decode(raw)
        stamp = message.header.stamp
        assert stamp.sec * 10**9 + stamp.nanosec == BEGIN_NS + step * PERIOD_NS
        assert (message.header.frame_id, message.contract_id) == ('panda_link0', CONTRACT.id)
        assert (message.source, message.engaged, message.uncertainty) == (1, True, -1.0)
        assert list(message.values) == (action.tolist() if valid else [])


def test_ros_reads_the_records(recorded):
    serialization = pytest.importorskip('rclpy.serialization', reason='needs rclpy: make test')
    message_of = pytest.importorskip(
        'il_ros_interfaces.msg', reason='needs il_ros_interfaces: make test').Action
    path, episode = recorded
    write_labels(path, episode, STEPS, ACTIONS, VALID, 'push 1.0')
    _, raws = read_mcap(labels_path(path)).messages(ACTION)
    message = serialization.deserialize_message(raws[2], message_of)
    assert (list(message.values), message.contract_id) == (ACTIONS[2].tolist(), CONTRACT.id)
    assert message.uncertainty == -1.0


@pytest.mark.parametrize('steps, actions, valid, reason', [
    ([2, 3], ACTIONS, [True] * 3, 'expected shape'),
    ([3, 2, 7], ACTIONS, VALID, 'ascending'), ([2, 3, 12], ACTIONS, VALID, 'within 0 to 11'),
    (STEPS, ACTIONS * np.float32('nan'), VALID, 'not finite'),
    (STEPS, ACTIONS * 100, VALID, 'step 2 lies outside the bounds: linear_x is 10 m/s; expected')])
def test_labels_that_do_not_fit_are_refused(recorded, steps, actions, valid, reason):
    path, episode = recorded
    with pytest.raises(LabelError, match=reason):
        write_labels(path, episode, np.array(steps), actions, np.array(valid), 'push 1.0')
    assert not labels_path(path).exists()


def test_labels_of_another_episode_are_refused(recorded, tmp_path):
    path, episode = recorded
    write_labels(path, episode, STEPS, ACTIONS, VALID, 'push 1.0')
    other = record(tmp_path, spec('rollout-r01-000008'))
    labels_path(path).rename(labels_path(other))
    with pytest.raises(EpisodeFileError, match='labels of rollout-r01-000007'):
        read_labels(other, read_episode(other))


def test_stored_labels_outside_the_bounds_are_refused_with_their_file(recorded, monkeypatch):
    path, episode = recorded
    monkeypatch.setattr('il_ros.episodes.label_file._refuse_outside', lambda *_: None)
    write_labels(path, episode, STEPS, ACTIONS * 100, VALID, 'push 1.0')
    monkeypatch.undo()
    with pytest.raises(EpisodeFileError, match=r'labels\.mcap holds no labels: .* outside'):
        read_labels(path, episode)


def test_damaged_labels_are_named(recorded):
    path, episode = recorded
    write_labels(path, episode, STEPS, ACTIONS, VALID, 'push 1.0')
    data = labels_path(path).read_bytes()
    for size in range(0, len(data), 37):
        labels_path(path).write_bytes(data[:size])
        with pytest.raises(EpisodeFileError, match='labels.mcap'):
            read_labels(path, episode)
