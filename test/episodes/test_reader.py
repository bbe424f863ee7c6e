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

import random
import shutil
import time
import types

from il_ros.contract.episode_spec import EXPERT, HOLD, POLICY, TELEOP
from il_ros.episodes.labels import labels_of
from il_ros.episodes.reader import head, read_episode
from il_ros.episodes.receipts import DROPS, read_receipt, receipt_path
from il_ros.errors import EpisodeFileError
from mcap.writer import Writer
import numpy as np
import pytest
from recordings import action, BEGIN_NS, CONTRACT, executed, JOINTS, messages, observation
from recordings import PERIOD_NS, record, spec, status


def test_an_episode_comes_back_as_it_went_over_the_wire(tmp_path):
    of = spec(seed=7)
    episode = read_episode(record(tmp_path, of))
    steps = np.arange(13)
    assert episode.spec == of
    assert episode.contract == CONTRACT
    assert episode.complete
    assert episode.success
    assert episode.goals_reached == 1
    np.testing.assert_array_equal(episode.stamps_ns, BEGIN_NS + steps * PERIOD_NS)
    np.testing.assert_array_equal(episode.observations[:, 0], steps)
    np.testing.assert_array_equal(episode.observations[:, 1], 7)
    np.testing.assert_array_equal(episode.executed, np.float32([[-0.2, 0.3]] * 12))
    np.testing.assert_array_equal(episode.expert.actions[:, 1], np.float32(steps[:-1] / 100))
    np.testing.assert_array_equal(episode.policy_ids, 99)
    np.testing.assert_array_equal(episode.commands[:, 0], steps[:-1] * 0.1)
    assert episode.joint_names == JOINTS
    assert not episode.teleop.valid.any()


def test_steps_pair_by_stamp_whatever_the_order_of_arrival(tmp_path):
    of = spec()
    wire = messages(of)
    oracle = read_episode(record(tmp_path / 'in_order', of, wire))
    shuffled = wire + random.Random(1).choices(wire, k=10)
    random.Random(2).shuffle(shuffled)
    episode = read_episode(record(tmp_path / 'shuffled', of, shuffled))
    assert episode.content_sha256() == oracle.content_sha256()
    assert episode.complete


def test_an_expert_without_an_answer_leaves_its_step_unanswered(tmp_path):
    of = spec()
    wire = messages(of)
    wire[3 * 4 + 2] = ('executed', executed(of, 4, candidates=[
        action(EXPERT, ()), action(POLICY, (-0.2, 0.3))]))
    wire[3 * 5 + 2] = ('executed', executed(of, 5, candidates=[
        action(EXPERT, (float('nan'), 0.0)), action(POLICY, (-0.2, 0.3))]))
    wire[3 * 6 + 2] = ('executed', executed(of, 6, HOLD, candidates=[]))
    episode = read_episode(record(tmp_path, of, wire))
    assert np.flatnonzero(~episode.expert.valid).tolist() == [4, 5, 6]
    assert np.flatnonzero(~episode.policy.valid).tolist() == [6]
    assert episode.driver[6] == HOLD
    assert np.isfinite(episode.expert.actions).all()


@pytest.mark.parametrize('value', [3e38, -100.0, 0.502])
def test_an_answer_outside_the_bounds_is_no_label_and_the_receipt_says_so(tmp_path, value):
    of = spec()
    wire = messages(of)
    wire[3 * 4 + 2] = ('executed', executed(of, 4, candidates=[
        action(EXPERT, (value, 0.0)), action(POLICY, (value, 0.3))]))
    wire[3 * 5 + 2] = ('executed', executed(of, 5, TELEOP, candidates=[
        action(TELEOP, (0.0, value))]))
    wire[3 * 6 + 2] = ('executed', executed(of, 6, candidates=[action(EXPERT, (0.5004, 0.0))]))
    path = record(tmp_path, of, wire)
    episode, receipt = read_episode(path), read_receipt(receipt_path(path))
    assert np.flatnonzero(~episode.expert.valid).tolist() == [4, 5]
    assert not episode.teleop.valid.any()
    assert episode.policy.valid[4]
    labels = labels_of(episode)
    assert np.flatnonzero(~labels.valid).tolist() == [4, 5]
    assert labels.actions[6, 0] == 0.5
    assert (episode.refused_labels, receipt.labels) == (2, 10)
    assert receipt.error_msg.startswith('2 answers lie outside the bounds of the contract push')


@pytest.mark.parametrize('topic, steps, dropped', [
    ('observation', 6, 1), ('executed', 7, 1), ('episode', 12, 1)])
def test_an_episode_stops_before_a_gap_and_says_so(tmp_path, topic, steps, dropped):
    of = spec()
    wire = messages(of)
    offset = {'episode': 0, 'observation': 1, 'executed': 2}[topic]
    del wire[3 * 7 + offset]
    path = record(tmp_path, of, wire)
    episode = read_episode(path)
    assert (episode.steps, episode.dropped, episode.complete) == (steps, dropped, False)
    assert read_receipt(receipt_path(path)).flags == DROPS


@pytest.mark.parametrize('position, message, reason', [
    (1, ('observation', observation(spec(), 0, 12, values=[float('nan')] * 6)), 'not finite'),
    (1, ('observation', observation(spec(), 0, 12, values=[0.0] * 5)), '5 entries; expected 6'),
    (1, ('observation', observation(spec(), 0, 12, contract_id=5)), 'another contract'),
    (4, ('observation', observation(spec('other'), 1, 12)), "the episode 'other'"),
    (2, ('executed', executed(spec(), 0, values=[1.0])), '1 entries; expected 2'),
    (2, ('executed', executed(spec(), 0, values=[0.0, float('inf')])), 'not finite'),
    (0, ('episode', status(spec(), 0, 12)[:-8]), 'ends inside goals_reached')])
def test_messages_that_contradict_the_contract_are_refused(tmp_path, position, message, reason):
    wire = messages(spec())
    wire[position] = message
    with pytest.raises(EpisodeFileError, match=reason) as caught:
        record(tmp_path, spec(), wire)
    assert 'rollout-r01-000007.mcap' in str(caught.value)


def test_every_truncation_is_noticed_and_named(tmp_path):
    path = record(tmp_path, spec())
    data = path.read_bytes()
    random_sizes = random.Random(3).sample(range(len(data)), 200)
    for size in [*random_sizes, 0, 7, 8, len(data) - 1]:
        path.write_bytes(data[:size])
        begin = time.monotonic()
        with pytest.raises(EpisodeFileError, match='rollout-r01-000007.mcap'):
            read_episode(path)
        assert time.monotonic() - begin < 0.1


def test_every_flipped_bit_is_noticed_without_the_receipt(tmp_path):
    path = record(tmp_path, spec())
    data = path.read_bytes()
    for bit in random.Random(4).sample(range(8 * len(data)), 400):
        damaged = bytearray(data)
        damaged[bit // 8] ^= 1 << bit % 8
        path.write_bytes(damaged)
        with pytest.raises(EpisodeFileError, match='rollout-r01-000007.mcap'):
            read_episode(path)


def test_a_whole_file_under_another_name_is_refused(tmp_path):
    first = record(tmp_path, spec('rollout-r01-000001'))
    second = record(tmp_path, spec('rollout-r01-000002'))
    shutil.copyfile(first, second)
    with pytest.raises(EpisodeFileError, match='holds the episode rollout-r01-000001'):
        read_episode(second)


def test_files_of_others_are_refused_by_name(tmp_path):
    text, bag = tmp_path / 'notes.mcap', tmp_path / 'bag.mcap'
    text.write_text('no recording')
    with open(bag, 'wb') as file:
        writer = Writer(file, enable_data_crcs=True)
        writer.start()
        writer.finish()
    with pytest.raises(EpisodeFileError, match='notes.mcap is no MCAP file'):
        read_episode(text)
    with pytest.raises(EpisodeFileError, match='bag.mcap was not recorded by il_ros'):
        read_episode(bag)
    with pytest.raises(EpisodeFileError, match='absent.mcap cannot be read'):
        read_episode(tmp_path / 'absent.mcap')


@pytest.mark.parametrize('entries', [{}, {'spec': spec().to_json()}, {
    'contract': CONTRACT.to_json()}])
def test_a_file_that_does_not_say_both_what_it_is_is_foreign(entries):
    foreign = types.SimpleNamespace(path='x.mcap', metadata={'il_ros': entries})
    with pytest.raises(EpisodeFileError, match='x.mcap was not recorded by il_ros'):
        head(foreign)
    whole = types.SimpleNamespace(path='x.mcap', metadata={'il_ros': {
        'spec': spec().to_json(), 'contract': CONTRACT.to_json()}})
    assert head(whole) == (spec(), CONTRACT)
