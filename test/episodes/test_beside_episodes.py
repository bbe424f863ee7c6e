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

"""What lies beside an episode: steps that were taken back, damaged files and misplaced ones."""

from il_ros.episodes.discards import discard, discarded, discards_path
from il_ros.episodes.labels import labels_of
from il_ros.episodes.placing import free_paths, parted, restore_names, set_aside
from il_ros.episodes.reader import read_episode
from il_ros.episodes.receipts import DISCARDED, read_receipt, receipt_path
from il_ros.errors import EpisodeFileError, NoSuchEpisodeError, StepRangeError
import pytest
from recordings import record, spec


@pytest.fixture
def path(tmp_path):
    """Record an episode of twelve steps."""
    return record(tmp_path / 'main', spec())


def names(folder) -> list[str]:
    """Return the names in a folder."""
    return sorted(path.name for path in folder.iterdir())


def test_a_whole_episode_is_taken_back_by_its_flag_alone(path):
    assert discard(path).flags == DISCARDED == read_receipt(receipt_path(path)).flags
    assert discarded(path) == () and not discards_path(path).exists()


@pytest.mark.parametrize('first, last', [(0, 11), (11, 11), (0, 1), (3, 3)])
def test_ranges_of_steps_are_taken_back_first_and_last_included(path, first, last):
    assert discard(path, first, last).flags == 0
    assert discarded(path) == ((first, last),)
    left = labels_of(read_episode(path), discarded=discarded(path)).valid
    assert [step for step in range(12) if not left[step]] == [*range(first, last + 1)]


@pytest.mark.parametrize('first, last', [(0, 12), (5, 4), (-1, 3), (12, 12)])
def test_a_range_that_the_episode_does_not_have_is_refused(path, first, last):
    with pytest.raises(StepRangeError, match=f'has steps 0 to 11; {first} to {last} is no range'):
        discard(path, first, last)
    assert discarded(path) == ()


def test_ranges_are_kept_in_order_and_each_once(path):
    for pair in ((5, 6), (1, 2), (5, 6)):
        discard(path, *pair)
    assert discarded(path) == ((1, 2), (5, 6))
    discards_path(path).write_text('[[1]]')
    with pytest.raises(EpisodeFileError, match='is no list of discarded steps'):
        discarded(path)
    with pytest.raises(NoSuchEpisodeError, match='no episode other was recorded in .*main'):
        discard(path.with_name('other.mcap'))


@pytest.mark.parametrize('name, parts', [
    ('e.mcap', ('e', '.mcap')), ('e.labels.mcap', ('e', '.labels.mcap')),
    ('e.json', ('e', '.json')), ('e.discarded.json', ('e', '.discarded.json')),
    ('e.txt', ('e', '.txt'))])
def test_a_file_of_an_episode_is_known_by_its_ending(tmp_path, name, parts):
    assert parted(tmp_path / name) == parts


def test_the_first_free_number_is_the_same_for_all(tmp_path):
    assert [path.name for path in free_paths(tmp_path, 'a-{}', 'b-{}')] == ['a-1', 'b-1']
    (tmp_path / 'a-1').touch()
    (tmp_path / 'b-2').touch()
    assert [path.name for path in free_paths(tmp_path, 'a-{}', 'b-{}')] == ['a-3', 'b-3']


def test_a_damaged_file_goes_aside_alone_or_with_all_that_belongs_to_it(path):
    discard(path, 1, 2)
    stem = path.stem
    assert set_aside(discards_path(path)).name == f'{stem}.damaged-1.discarded.json'
    assert names(path.parent) == [f'{stem}.damaged-1.discarded.json', f'{stem}.json',
                                  f'{stem}.mcap']
    assert set_aside(path, with_all=True).name == f'{stem}.damaged-2.mcap'
    assert names(path.parent) == [f'{stem}.damaged-1.discarded.json', f'{stem}.damaged-2.json',
                                  f'{stem}.damaged-2.mcap']


def test_files_that_changed_places_get_their_names_back(path):
    other = record(path.parent, spec('rollout-r01-000008', seed=8))
    before = {name: (path.parent / name).read_bytes() for name in names(path.parent)}
    assert restore_names(path.parent) == []
    path.rename(path.with_name('aside'))
    other.rename(path)
    path.with_name('aside').rename(other)
    assert sorted(restore_names(path.parent)) == [(path, None), (other, None)]
    assert {name: (path.parent / name).read_bytes() for name in names(path.parent)} == before


def test_a_copy_under_another_name_never_takes_the_place_of_the_first(path):
    copy = path.with_name('rollout-r01-000009.mcap')
    copy.write_bytes(path.read_bytes())
    (name, aside), = restore_names(path.parent)
    assert name == path and aside.name == f'{path.stem}.damaged-1.mcap'
    assert not copy.exists() and path.exists()


def test_a_renaming_that_was_cut_off_is_finished(path):
    path.rename(path.with_name(f'{path.name}.1.misplaced'))
    assert restore_names(path.parent) == [(path, None)]
    assert path.exists() and names(path.parent) == [f'{path.stem}.json', f'{path.stem}.mcap']
