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


"""Damage to a run's files is found, whatever was damaged, and the file is named."""

import json
import random
import time

from il_ros.dataset.dataset import DATASET
from il_ros.episodes.discards import discard, discards_path
from il_ros.episodes.label_file import labels_path, write_labels
from il_ros.episodes.reader import read_episode
from il_ros.episodes.receipts import file_sha256, read_receipt, receipt_path
from il_ros.errors import EpisodeFileError
from il_ros.runs.rebuild import keys_of, rebuild
from il_ros.runs.verification import verify_episode, verify_run
import numpy as np
import pytest
from recordings import messages, record, spec

A, B = 'rollout-r01-000001', 'rollout-r01-000002'


@pytest.fixture
def run(tmp_path):
    """Return a run of two episodes, with labels, discards and an aggregated data set."""
    folder = tmp_path / 'runs' / 'demo'
    for name, seed in ((A, 1), (B, 2)):
        of = spec(name, seed=seed, round=1)
        path = record(folder / 'episodes' / 'main', of, messages(of))
        label(path)
    discard(folder / 'episodes' / 'main' / f'{A}.mcap', 2, 4)
    rebuild(folder, keys_of(folder))
    return folder


def label(path):
    """Let a labelling service answer every state of an episode."""
    episode = read_episode(path)
    steps = np.arange(episode.steps)
    write_labels(path, episode, steps, np.full((len(steps), 2), 0.25), np.ones(len(steps), bool),
                 'somebody')


def episode_of(run, name=A):
    """Return the file of an episode."""
    return run / 'episodes' / 'main' / f'{name}.mcap'


def sentences(run):
    """Return what is found, as one text."""
    return '\n'.join(finding.sentence for finding in verify_run(run))


def flip(path, place: int, bit: int):
    """Flip one bit of a file."""
    data = bytearray(path.read_bytes())
    data[place] ^= 1 << bit
    path.write_bytes(data)


def exchange(one, other):
    """Let two files have each other's names."""
    place = one.with_name('elsewhere')
    one.rename(place)
    other.rename(one)
    place.rename(other)


def test_a_whole_run_has_no_findings(run):
    assert verify_run(run) == []


@pytest.mark.parametrize('count', [40, pytest.param(200, marks=pytest.mark.drill)])
def test_every_truncation_is_found_also_without_the_receipt(run, count):
    path, chance = episode_of(run), random.Random(count)
    data = path.read_bytes()
    for _ in range(count):
        path.write_bytes(data[:chance.randrange(len(data))])
        assert_found_at_once(path)


@pytest.mark.parametrize('count', [40, pytest.param(200, marks=pytest.mark.drill)])
def test_every_flipped_bit_is_found_also_without_the_receipt(run, count):
    path, chance = episode_of(run), random.Random(count)
    data = path.read_bytes()
    for _ in range(count):
        path.write_bytes(data)
        flip(path, chance.randrange(len(data)), chance.randrange(8))
        assert_found_at_once(path)


def assert_found_at_once(path):
    """Demand a sentence with the file's name from verification, and from the reader alone."""
    finding, = verify_episode(path)
    assert str(path) in finding.sentence
    begun = time.monotonic()
    with pytest.raises(EpisodeFileError, match=path.name):
        read_episode(path)
    assert time.monotonic() - begun < 0.1


@pytest.mark.parametrize('count', [40, pytest.param(200, marks=pytest.mark.drill)])
def test_every_flipped_bit_of_later_labels_is_found(run, count):
    path, chance = labels_path(episode_of(run)), random.Random(count)
    data = path.read_bytes()
    for _ in range(count):
        path.write_bytes(data)
        flip(path, chance.randrange(len(data)), chance.randrange(8))
        finding, = verify_episode(episode_of(run))
        assert finding.path == path and str(path) in finding.sentence


def test_two_exchanged_files_are_found(run):
    exchange(episode_of(run, A), episode_of(run, B))
    assert {finding.path for finding in verify_run(run)} >= {
        episode_of(run, A), episode_of(run, B)}


def test_two_exchanged_files_are_found_also_with_valid_hashes(run):
    exchange(episode_of(run, A), episode_of(run, B))
    for name in (A, B):
        path = receipt_path(episode_of(run, name))
        fields = json.loads(path.read_text())
        path.write_text(json.dumps({**fields, 'sha256': file_sha256(episode_of(run, name))}))
    assert f'{A}.mcap holds the episode {B}; expected {A}' in sentences(run)


def test_an_exchanged_pair_with_its_receipts_is_found(run):
    for kind in (lambda path: path, receipt_path):
        exchange(kind(episode_of(run, A)), kind(episode_of(run, B)))
    assert f'{A}.json is the receipt of {B}; expected {A}' in sentences(run)


@pytest.mark.parametrize('field, value', [
    ('steps', 11), ('success', False), ('labels', 3), ('content_sha256', '0'), ('flags', 0)])
def test_a_receipt_that_says_something_else_than_its_episode_is_found(run, field, value):
    path = episode_of(run)
    if field == 'flags':
        of = spec('rollout-r01-000003')
        path = record(path.parent, of, messages(of)[:-3])
    fields = json.loads(receipt_path(path).read_text())
    assert fields[field] != value
    receipt_path(path).write_text(json.dumps({**fields, field: value}))
    assert f'{path.stem}.json says something else of {field}' in sentences(run)


@pytest.mark.parametrize('text, sentence', [
    ('[[2, ', 'discarded.json is no list of discarded steps'),
    ('[[2, 12]]', 'discarded.json discards the steps 2 to 12; the episode has 0 to 11')])
def test_discards_that_make_no_sense_are_found(run, text, sentence):
    discards_path(episode_of(run)).write_text(text)
    assert sentence in sentences(run)


def test_exchanged_labels_are_found(run):
    exchange(labels_path(episode_of(run, A)), labels_path(episode_of(run, B)))
    assert f'{A}.labels.mcap holds labels of {B}; expected {A}' in sentences(run)


@pytest.mark.parametrize('remove, left', [('mcap', 'json'), ('json', 'mcap')])
def test_an_episode_without_its_receipt_or_the_other_way_round_is_found(run, remove, left):
    episode_of(run).with_suffix(f'.{remove}').unlink()
    assert f'{A}.{remove}' in sentences(run)


def test_what_a_killed_process_left_is_found(run):
    (run / 'episodes' / 'main' / f'{A}.mcap.tmp').write_text('x')
    assert f'{A}.mcap.tmp was left by a process' in sentences(run)


def test_a_data_set_whose_source_is_gone_or_has_changed_is_found(run):
    discard(episode_of(run), 6, 6)
    finding, = verify_run(run)
    assert finding.outdated and finding.path == run / DATASET
    assert 'made of 1 of 2 episodes that are missing, damaged or have changed' in sentences(run)


@pytest.mark.parametrize('where', [0.3, 0.5, 0.7])
def test_a_damaged_data_set_is_found(run, where):
    path = run / DATASET
    data = path.read_bytes()
    path.write_bytes(data[:int(where * len(data))])
    assert f'{DATASET} cannot be read as a data set' in sentences(run)


def test_a_changed_number_in_a_demo_of_the_data_set_is_found(run):
    import h5py
    with h5py.File(run / DATASET, 'r+') as file:
        file['data/demo_1/actions'][3, 0] += 0.125
    assert 'demo_1 holds another actions than the rows beside it' in sentences(run)


def test_the_receipt_itself_is_read(run):
    flip(receipt_path(episode_of(run)), 0, 3)
    assert f'{A}.json is no receipt' in sentences(run)
    assert read_receipt(receipt_path(episode_of(run, B))).steps == 12
