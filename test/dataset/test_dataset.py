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

import dataclasses
import json
import os
import random

from benchmarks.loading import from_episodes
import h5py
from il_ros.contract.episode_spec import DrivePlan, EXPERT, LABEL_EXPERT_DRIVEN, POLICY
from il_ros.dataset import aggregation
from il_ros.dataset.aggregation import aggregate, reason_of
from il_ros.dataset.dataset import filter_keys, HELD_OUT, load, round_sets, training_episode
from il_ros.episodes.discards import discard
from il_ros.episodes.label_file import write_labels
from il_ros.episodes.reader import read_episode
from il_ros.episodes.receipts import DROPS, read_receipt, receipt_path
from il_ros.errors import DatasetError, EpisodeFileError, EpisodeWriteError
import numpy as np
import pytest
import recordings
from recordings import executed, messages, record, spec


@pytest.fixture
def run(tmp_path):
    """Return what records into a run: the episode's number, and fields of its specification."""
    def episode(number: int, wire=None, **fields):
        of = spec(f'rollout-r01-{number:06d}', seed=number, **fields)
        made = messages(of) if wire is None else wire(of)
        return record(tmp_path / 'episodes' / 'main', of, made)
    episode.output = tmp_path / 'dataset.hdf5'
    return episode


def seeds(data) -> list[int]:
    """Return the seeds of the episodes that pairs came from."""
    return sorted(set(data.observations[:, 1].astype(int).tolist()))


def test_a_round_is_in_every_later_one():
    assert round_sets(0, 2) == ('round_0', 'round_1', 'round_2')
    assert round_sets(2, 2) == ('round_2',)


def test_d_grows_by_a_round_and_held_out_demonstrations_stay_apart(run):
    paths = [run(number) for number in range(4)]
    held_out = run(9, purpose='validation')
    result = aggregate(run.output, [
        (paths[0], round_sets(0, 1)), (paths[1], round_sets(0, 1)),
        (paths[2], round_sets(1, 1)), (paths[3], round_sets(1, 1)), (held_out, [HELD_OUT])])
    assert result.labels == {'round_0': 24, 'round_1': 48, HELD_OUT: 12}
    assert (result.demos, result.steps, result.skipped) == (5, 60, ())
    assert sorted(filter_keys(run.output)) == [HELD_OUT, 'round_0', 'round_1']
    assert seeds(load(run.output, 'round_0')) == [0, 1]
    assert seeds(load(run.output, 'round_1')) == [0, 1, 2, 3]
    assert seeds(load(run.output, HELD_OUT)) == [9]


def test_the_file_gives_the_same_pairs_as_the_episodes(run):
    plan = DrivePlan(driver=POLICY, labels=LABEL_EXPERT_DRIVEN)
    paths = [run(number, lambda of: messages(of, 12, [POLICY, EXPERT] * 6), plan=plan)
             for number in range(3)]
    aggregate(run.output, [(path, ['round_0']) for path in paths])
    straight, loaded = from_episodes(paths), load(run.output, 'round_0')
    np.testing.assert_array_equal(loaded.observations, straight.observations)
    np.testing.assert_array_equal(loaded.actions, straight.actions)
    assert loaded.contract == straight.contract == recordings.CONTRACT
    assert loaded.observations[:, 0].tolist() == [1, 3, 5, 7, 9, 11] * 3
    assert loaded.observations.dtype == loaded.actions.dtype == np.float32


def test_the_layout_is_that_of_robomimic(run):
    plan = DrivePlan(driver=POLICY, labels=LABEL_EXPERT_DRIVEN)
    path = run(3, lambda of: messages(of, 12, [POLICY, EXPERT] * 6), plan=plan)
    aggregate(run.output, [(path, ['round_0'])])
    with h5py.File(run.output) as file:
        assert json.loads(file['data'].attrs['env_args'])['env_name'] == 'il_ros/Push-v0'
        assert file['data'].attrs['total'] == 12
        assert file['mask/round_0'][()].tolist() == [b'demo_0']
        demo = file['data/demo_0']
        assert demo.attrs['num_samples'] == 12
        assert demo['obs/tool_position'].shape == (12, 3)
        assert demo['obs/goal_position'].shape == (12, 3)
        assert demo['actions'].shape == demo['executed_actions'].shape == (12, 2)
        assert demo['label_valid'][()].tolist() == [0, 1] * 6
        assert demo['label_source'][()].tolist() == [0, EXPERT] * 6
        assert demo['rewards'][()].tolist() == [0.0] * 11 + [1.0]
        assert demo['dones'][()].tolist() == [0] * 11 + [1]
        np.testing.assert_array_equal(demo['executed_actions'][0], np.float32([-0.2, 0.3]))


def test_another_round_keeps_the_demos_that_are_there(run):
    first, second = run(0), run(1)
    aggregate(run.output, [(first, ['round_0'])])
    before = run.output.stat().st_ino
    first.rename(first.with_suffix('.moved'))
    with pytest.raises(EpisodeFileError, match='rollout-r01-000000.mcap'):
        training_episode(first)
    result = aggregate(run.output, [(first, ['round_0', 'round_1']), (second, ['round_1'])])
    assert result.labels == {'round_0': 12, 'round_1': 24}
    assert seeds(load(run.output, 'round_1')) == [0, 1]
    assert run.output.stat().st_ino != before


def test_an_episode_that_is_no_longer_wanted_goes(run):
    first, second = run(0), run(1)
    aggregate(run.output, [(first, ['a']), (second, ['a'])])
    assert aggregate(run.output, [(second, ['b'])]).demos == 1
    assert filter_keys(run.output) == ('b',)
    assert seeds(load(run.output, 'b')) == [1]


def test_labels_that_came_later_and_steps_taken_back_are_taken_up(run):
    path = run(0, lambda of: [
        (topic, executed(of, 4, candidates=[]) if index == 14 else raw)
        for index, (topic, raw) in enumerate(messages(of))])
    assert aggregate(run.output, [(path, ['a'])]).labels == {'a': 11}
    write_labels(path, read_episode(path), np.array([4]), np.float32([[0.4, 0.4]]),
                 np.array([True]), 'push 1.0')
    assert aggregate(run.output, [(path, ['a'])]).labels == {'a': 12}
    np.testing.assert_array_equal(load(run.output, 'a').actions[4], np.float32([0.4, 0.4]))
    discard(path, 2, 5)
    assert aggregate(run.output, [(path, ['a'])]).labels == {'a': 8}


@pytest.mark.parametrize('purpose, key', [
    ('evaluation', 'round_0'), ('evaluation', HELD_OUT), ('validation', 'round_0')])
def test_episodes_for_judging_never_enter_training(run, purpose, key):
    path = run(0, purpose=purpose)
    with pytest.raises(DatasetError, match=f'is a {purpose} episode'):
        aggregate(run.output, [(path, [key])])
    assert not run.output.exists()


def test_flagged_episodes_are_left_out_unless_asked_for(run):
    good = run(0)
    gap = run(1, lambda of: [m for i, m in enumerate(messages(of)) if i != 20])
    gone = run(2)
    discard(gone)
    entries = [(path, ['a']) for path in (good, gap, gone)]
    result = aggregate(run.output, entries)
    assert result.skipped == ((gap, 'messages missing'), (gone, 'discarded'))
    assert seeds(load(run.output, 'a')) == [0]
    assert aggregate(run.output, entries, allowed_flags=DROPS).skipped == ((gone, 'discarded'),)
    assert seeds(load(run.output, 'a')) == [0, 1]


@pytest.mark.parametrize('flags, allowed, said', [
    (1, 0, 'incomplete'), (2, 0, 'messages missing'), (4, 0, 'a jump of the clock'),
    (8, 0, 'discarded'), (15, 5, 'messages missing, discarded'), (1, 1, ''), (0, 0, '')])
def test_the_reason_names_each_flag_that_matters(run, flags, allowed, said):
    receipt = dataclasses.replace(read_receipt(receipt_path(run(0))), flags=flags)
    assert reason_of(receipt, allowed) == said
    assert allowed or reason_of(receipt) == said


def test_every_array_that_is_read_for_training_has_check_sums(run):
    aggregate(run.output, [(run(0), ['a'])])
    with h5py.File(run.output) as file:
        for name in ('observations', 'actions', 'label_valid', 'index'):
            assert file[f'il_ros/{name}'].fletcher32, name
        assert file['mask/a'].fletcher32


def test_two_contracts_do_not_mix(run, monkeypatch):
    first = run(0)
    other = dataclasses.replace(recordings.CONTRACT, name='reach')
    monkeypatch.setattr(recordings, 'CONTRACT', other)
    second = run(1)
    with pytest.raises(DatasetError, match='000001.mcap was recorded with the contract reach'):
        aggregate(run.output, [(first, ['a']), (second, ['a'])])
    assert not run.output.exists()


def test_nothing_at_all_is_no_data_set(run):
    with pytest.raises(DatasetError, match='no episode'):
        aggregate(run.output, [])
    path = run(0)
    with pytest.raises(DatasetError, match='named twice'):
        aggregate(run.output, [(path, ['a']), (path, ['b'])])
    assert not run.output.exists() and not list(run.output.parent.glob('.*.tmp'))


def test_a_missing_filter_key_is_said_with_those_that_are_there(run):
    aggregate(run.output, [(run(0), ['round_0'])])
    with pytest.raises(DatasetError, match="no filter key 'round_9'; it has round_0"):
        load(run.output, 'round_9')


def test_a_failed_aggregation_leaves_the_old_file(run, monkeypatch):
    first, second = run(0), run(1)
    aggregate(run.output, [(first, ['a'])])

    def full(*_):
        raise OSError(28, 'No space left on device')
    monkeypatch.setattr('il_ros.dataset.aggregation._write_masks', full)
    with pytest.raises(EpisodeWriteError, match='No space left'):
        aggregate(run.output, [(first, ['a']), (second, ['a'])])
    assert seeds(load(run.output, 'a')) == [0]
    assert not list(run.output.parent.glob('.*.tmp'))


def test_a_second_writer_is_refused_and_told_who_is_the_first(run, monkeypatch):
    first, second = run(0), run(1)

    def refused(*_):
        with pytest.raises(DatasetError, match=rf'dataset.hdf5 .*, process {os.getpid()}$'):
            aggregate(run.output, [(first, ['a'])])
        aggregate(run.output.with_name('all.hdf5'), [(second, ['a'])])
        return _write_masks(*_)
    _write_masks = aggregation._write_masks
    monkeypatch.setattr(aggregation, '_write_masks', lambda *_: (
        monkeypatch.undo(), refused(*_))[1])
    aggregate(run.output, [(first, ['a']), (second, ['a'])])
    assert seeds(load(run.output, 'a')) == [0, 1]
    aggregate(run.output, [(first, ['a'])])
    assert seeds(load(run.output, 'a')) == [0]


def test_a_damaged_file_is_named_and_made_anew(run):
    path = run(0)
    aggregate(run.output, [(path, ['a'])])
    whole = run.output.read_bytes()
    oracle = load(run.output, 'a')
    for size in (0, 100, len(whole) // 2, len(whole) - 1):
        run.output.write_bytes(whole[:size])
        with pytest.raises(DatasetError, match='dataset.hdf5'):
            load(run.output, 'a')
    aggregate(run.output, [(path, ['a'])])
    np.testing.assert_array_equal(load(run.output, 'a').actions, oracle.actions)


def test_a_flipped_bit_never_gives_wrong_pairs(run):
    aggregate(run.output, [(run(0), ['a'])])
    whole, oracle = run.output.read_bytes(), load(run.output, 'a')
    for bit in random.Random(6).sample(range(8 * len(whole)), 300):
        damaged = bytearray(whole)
        damaged[bit // 8] ^= 1 << bit % 8
        run.output.write_bytes(damaged)
        try:
            data = load(run.output, 'a')
        except DatasetError:
            continue
        np.testing.assert_array_equal(data.observations, oracle.observations)
        np.testing.assert_array_equal(data.actions, oracle.actions)
        assert data.contract == oracle.contract
