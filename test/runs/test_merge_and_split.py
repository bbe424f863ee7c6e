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


"""Runs become one and are parted, and every file stays what its receipt says."""

import argparse
import dataclasses
import os

from il_ros.cli.dataset_verbs import split
from il_ros.contract.contract import ActionElement
from il_ros.contract.episode_spec import EXPERT, POLICY
from il_ros.dataset.dataset import DATASET, filter_keys, HELD_OUT, load
from il_ros.episodes.discards import discard, discarded
from il_ros.episodes.label_file import labels_path, read_labels
from il_ros.episodes.reader import read_episode
from il_ros.episodes.receipts import INCOMPLETE, read_receipt, receipt_path
from il_ros.episodes.writer import EpisodeWriter
from il_ros.errors import DatasetError, EpisodeFileError, MergeError, SplitError
from il_ros.runs.inventory import episodes_of, find_run, take_inventory
from il_ros.runs.merge import merge_runs
from il_ros.runs.rebuild import keys_of, rebuild
from il_ros.runs.split import draw_episodes, sort_episodes, split_into_keys, split_into_runs
from il_ros.runs.verification import verify_run
import numpy as np
import pytest
from recordings import CONTRACT, messages, record, SCHEMAS, spec
from test_verification import label


def make_run(folder, *seeds, **fields):
    """Record an episode a seed into a run."""
    for seed in seeds:
        of = spec(f'rollout-r01-{seed:06d}', seed=seed, **fields)
        record(folder / 'episodes' / 'main', of, messages(of, 8))
    return folder


def test_a_run_is_found_by_its_name_and_by_its_path(tmp_path):
    folder = make_run(tmp_path / 'one', 1)
    assert find_run(tmp_path, 'one') == folder
    assert find_run('nowhere', str(folder)) == folder
    with pytest.raises(Exception, match="no run 'two': neither .*two nor two has a folder"):
        find_run(tmp_path, 'two')


def test_merged_runs_have_all_episodes_with_what_lies_beside_them(tmp_path):
    one, two = make_run(tmp_path / 'one', 1, 2), make_run(tmp_path / 'two', 3)
    label(episodes_of(one)[0])
    discard(episodes_of(two)[0], 1, 3)
    merged = merge_runs([one, two], tmp_path / 'both')
    paths = episodes_of(tmp_path / 'both')
    assert merged.episodes == 3 and [path.parent.name for path in paths] == ['one', 'one', 'two']
    assert verify_run(tmp_path / 'both') == []
    assert read_labels(paths[0], read_episode(paths[0])).asked.all()
    assert discarded(paths[2]) == ((1, 3),)
    assert read_receipt(receipt_path(paths[2])).path == f'episodes/two/{paths[2].name}'


def test_two_episodes_of_one_id_are_refused_or_renamed(tmp_path):
    one, two = make_run(tmp_path / 'one', 1), make_run(tmp_path / 'two', 1, round=3)
    label(episodes_of(two)[0])
    discard(episodes_of(two)[0], 1, 3)
    with pytest.raises(MergeError, match=r'two/.*the id rollout-r01-000001 exists already'):
        merge_runs([one, two], tmp_path / 'both')
    assert not (tmp_path / 'both').exists()
    merged = merge_runs([one, two], tmp_path / 'both', rename=True)
    assert merged.renamed == {'two/rollout-r01-000001': 'rollout-r01-000001-2'}
    assert verify_run(tmp_path / 'both') == []
    old, new = read_episode(episodes_of(two)[0]), read_episode(episodes_of(tmp_path / 'both')[1])
    assert new.spec == dataclasses.replace(old.spec, episode_id='rollout-r01-000001-2')
    for field in dataclasses.fields(old):
        if isinstance(getattr(old, field.name), np.ndarray):
            np.testing.assert_array_equal(getattr(new, field.name), getattr(old, field.name))
    assert new.content_sha256() == old.content_sha256()
    assert discarded(episodes_of(tmp_path / 'both')[1]) == ((1, 3),)
    assert read_labels(episodes_of(tmp_path / 'both')[1], new).answers.valid.all()


def test_the_same_episode_in_two_runs_is_taken_once(tmp_path):
    one, two = make_run(tmp_path / 'one', 1), make_run(tmp_path / 'two', 1, 2)
    merged = merge_runs([one, two], tmp_path / 'both')
    assert (merged.episodes, merged.repeated) == (2, ('rollout-r01-000001',))


@pytest.mark.parametrize('change', [
    label, lambda path: discard(path, 1, 3), discard], ids=['labels', 'steps', 'discarded'])
def test_two_copies_of_an_episode_with_other_labels_or_discards_are_refused(tmp_path, change):
    one, two = make_run(tmp_path / 'one', 1), make_run(tmp_path / 'two', 1)
    change(episodes_of(two)[0])
    for runs in ([one, two], [two, one]):
        with pytest.raises(MergeError, match='the same episode as .* but with other later label'):
            merge_runs(runs, tmp_path / 'both', rename=True)
    change(episodes_of(one)[0])
    assert merge_runs([one, two], tmp_path / 'both').episodes == 1


def test_a_source_that_cannot_be_read_is_named_and_not_the_output(tmp_path):
    one = make_run(tmp_path / 'one', 1)
    labels_path(episodes_of(one)[0]).mkdir()
    with pytest.raises(EpisodeFileError, match='one/.*labels.mcap cannot be read: it is a folder'):
        merge_runs([one], tmp_path / 'both')
    assert not (tmp_path / 'both').exists()


def test_all_that_is_copied_is_on_the_disk_before_it_gets_its_name(tmp_path, monkeypatch):
    one = make_run(tmp_path / 'one', 1, 2)
    label(episodes_of(one)[0])
    synced, missing, sync, rename = set(), [], os.fsync, os.rename

    def noted_sync(descriptor):
        synced.add(os.path.realpath(f'/proc/self/fd/{descriptor}'))
        sync(descriptor)

    def noted_rename(old, new):
        missing.extend(path for path in [old, *old.rglob('*')] if str(path) not in synced)
        rename(old, new)
    monkeypatch.setattr(os, 'fsync', noted_sync)
    monkeypatch.setattr(os, 'rename', noted_rename)
    merge_runs([one], tmp_path / 'both')
    assert len(list((tmp_path / 'both').rglob('*.mcap'))) == 3
    assert synced and missing == []


def test_a_damaged_episode_is_not_merged_and_nothing_is_left(tmp_path):
    one, two = make_run(tmp_path / 'one', 1), make_run(tmp_path / 'two', 2)
    path = episodes_of(two)[0]
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(EpisodeFileError, match=str(path)):
        merge_runs([one, two], tmp_path / 'both')
    assert sorted(place.name for place in tmp_path.iterdir()) == ['one', 'two']


def test_runs_of_different_contracts_are_refused(tmp_path):
    one = make_run(tmp_path / 'one', 1)
    other = dataclasses.replace(CONTRACT, actions=(
        ActionElement('linear_x', 'm/s', -1.0, 1.0), CONTRACT.actions[1]))
    of = spec('rollout-r01-000002')
    writer = EpisodeWriter(tmp_path / 'two' / 'episodes' / 'main', of, other, SCHEMAS, 0)
    for topic, raw in messages(of, 4):
        writer.write(topic, raw.replace(CONTRACT.id.to_bytes(8, 'little'),
                                        other.id.to_bytes(8, 'little')), 1)
    writer.close()
    with pytest.raises(DatasetError, match='recorded with the contract push'):
        merge_runs([one, tmp_path / 'two'], tmp_path / 'both')


def test_a_run_that_exists_is_not_merged_into(tmp_path):
    one = make_run(tmp_path / 'one', 1)
    with pytest.raises(MergeError, match='one exists already; nothing is overwritten'):
        merge_runs([one], one)


@pytest.fixture
def run(tmp_path):
    """Return a run of rounds 0 to 2, driven by the expert, the policy, and both."""
    folder = tmp_path / 'demo'
    for seed, (round_, drivers) in enumerate([
            (0, [EXPERT] * 8), (0, [EXPERT] * 8), (1, [POLICY] * 8), (2, [POLICY, EXPERT] * 4)]):
        of = spec(f'rollout-r{round_:02d}-{seed:06d}', seed=seed, round=round_)
        record(folder / 'episodes' / 'main', of, messages(of, 8, drivers))
    of = spec('validation-r00-000009', seed=9, purpose='validation')
    record(folder / 'episodes' / 'main', of, messages(of, 8)[:-2])
    return folder


@pytest.mark.parametrize('by, sizes', [
    ('round', {'of_round_0': 3, 'of_round_1': 1, 'of_round_2': 1}),
    ('driver', {'driver_expert': 2, 'driver_mixed': 1, 'driver_policy': 2}),
    ('outcome', {'outcome_incomplete': 1, 'outcome_success': 4}),
    ('purpose', {'purpose_rollout': 4, 'purpose_validation': 1})])
def test_episodes_are_sorted(run, by, sizes):
    assert {name: len(group) for name, group in sort_episodes(run, by).items()} == sizes


def test_parts_become_filter_keys_beside_those_that_are_there(run):
    (run / 'episodes' / 'main' / 'validation-r00-000009.mcap').unlink()
    rebuild(run, keys_of(run))
    made = split_into_keys(run, sort_episodes(run, 'driver'))
    assert set(filter_keys(run / DATASET)) == {
        'round_0', 'round_1', 'round_2', 'driver_expert', 'driver_mixed', 'driver_policy'}
    assert made.labels['driver_expert'] == 16
    assert len(load(run / DATASET, 'driver_expert')) == 16
    assert len(load(run / DATASET, 'round_2')) == 32
    assert verify_run(run)[0].path.name == 'validation-r00-000009.json'


def test_a_data_set_that_is_made_anew_keeps_the_order_of_its_demos(run):
    of = spec('validation-r00-000008', seed=8, purpose='validation')
    record(run / 'episodes' / 'main', of, messages(of, 8))
    planned = {'validation-r00-000008': (HELD_OUT,), 'rollout-r02-000003': ('round_2',),
               'rollout-r00-000001': ('round_0', 'round_2'), 'rollout-r01-000002': ('round_2',)}
    for step, plan in enumerate((planned, None, planned)):
        rebuild(run, keys_of(run, plan))
        assert keys_of(run) == planned and list(keys_of(run)) == list(planned)
        discard(run / 'episodes' / 'main' / 'rollout-r02-000003.mcap', step, step + 1)
    split_into_keys(run, sort_episodes(run, 'round', to_train=True))
    assert list(keys_of(run))[:4] == list(planned)


def test_without_a_data_set_held_out_demonstrations_come_first_and_then_the_rounds(tmp_path):
    for name, round_, purpose in (('rollout-r02-000001', 2, 'rollout'),
                                  ('demonstration-r00-000002', 0, 'demonstration'),
                                  ('a-rollout', 1, 'rollout'), ('validation', 0, 'validation')):
        of = spec(name, round=round_, purpose=purpose)
        record(tmp_path / 'episodes' / 'main', of, messages(of, 4))
    assert list(keys_of(tmp_path)) == ['validation', 'demonstration-r00-000002', 'a-rollout',
                                       'rollout-r02-000001']


@pytest.mark.parametrize('by, parts', [
    ('round', {'of_round_0': 16, 'of_round_1': 8, 'of_round_2': 8}),
    ('driver', {'driver_expert': 16, 'driver_mixed': 8, 'driver_policy': 8}),
    ('purpose', {'purpose_rollout': 32})])
def test_the_parts_of_a_run_with_held_out_demonstrations_have_none_of_them(run, by, parts):
    held_out = spec('validation-r00-000008', seed=8, purpose='validation')
    record(run / 'episodes' / 'main', held_out, messages(held_out, 8))
    evaluated = spec('evaluation-r00-000007', seed=7, purpose='evaluation')
    record(run / 'episodes' / 'main', evaluated, messages(evaluated, 8))
    made = split_into_keys(run, sort_episodes(run, by, to_train=True))
    assert {key: made.labels[key] for key in parts} == parts
    assert made.labels['round_2'] == 32 and made.labels[HELD_OUT] == 8
    assert len(load(run / DATASET, HELD_OUT)) == 8
    drawn = draw_episodes(run, 0.5, seed=0, to_train=True)
    assert [len(drawn[part]) for part in ('train', 'valid')] == [2, 2]


def test_the_command_parts_a_run_with_held_out_demonstrations(run, capsys):
    of = spec('validation-r00-000008', seed=8, purpose='validation')
    record(run / 'episodes' / 'main', of, messages(of, 8))
    assert split(argparse.Namespace(runs=str(run.parent), run=run.name, by='driver', ratio=None,
                                    seed=0, into='keys')) == 0
    assert 'driver_expert: 2 episodes, 16 labels' in capsys.readouterr().out


def test_held_out_episodes_and_flagged_ones_never_enter_a_part(run):
    with pytest.raises(DatasetError, match='validation'):
        split_into_keys(run, sort_episodes(run, 'purpose'))
    assert keys_of(run)['validation-r00-000009'] == (HELD_OUT,)


def test_a_ratio_draws_the_same_episodes_for_the_same_seed(run):
    groups = draw_episodes(run, 0.6, seed=3)
    assert {name: len(group) for name, group in groups.items()} == {'train': 3, 'valid': 2}
    assert draw_episodes(run, 0.6, seed=3) == groups
    assert any(draw_episodes(run, 0.6, seed) != groups for seed in range(5))


@pytest.mark.parametrize('ratio', [0.0, 1.0, -1.0, float('nan')])
def test_a_ratio_that_is_no_share_is_refused(run, ratio):
    with pytest.raises(SplitError, match='--ratio is'):
        draw_episodes(run, ratio, seed=0)


def test_parts_become_runs_of_their_own(run):
    assert split_into_runs(sort_episodes(run, 'driver'), run) == {
        'demo-driver-expert': 2, 'demo-driver-mixed': 1, 'demo-driver-policy': 2}
    assert verify_run(run.parent / 'demo-driver-policy') == []
    with pytest.raises(SplitError, match='demo-driver-expert exists already'):
        split_into_runs(sort_episodes(run, 'driver'), run)


def test_an_inventory_counts_every_episode_once(run):
    label(episodes_of(run)[0])
    found = take_inventory(run).as_dict()
    assert (found['episodes'], found['steps'], found['later_queries']) == (5, 39, 8)
    assert found['drivers'] == {'expert': 20, 'policy': 19}
    assert found['rounds'] == {'0': 3, '1': 1, '2': 1}
    assert found['flags'] == {'incomplete': 1}
    assert found['rate_hz'] == pytest.approx(20.0) and found['largest_gap_s'] == 0.05
    assert found['unreadable'] == []


def test_an_inventory_names_what_it_could_not_count(run):
    path = episodes_of(run)[1]
    path.write_bytes(path.read_bytes()[:-9])
    found = take_inventory(run)
    assert found.episodes == 4 and path.name in found.unreadable[0]
    assert read_receipt(receipt_path(episodes_of(run)[4])).flags & INCOMPLETE
