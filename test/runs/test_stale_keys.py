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

"""Filter keys that are older than the run: made anew where that is possible, else refused."""

from pathlib import Path

from il_ros.cli import train as training
from il_ros.cli.parser import main
from il_ros.dataset.dataset import DATASET, filter_keys, HELD_OUT, load
from il_ros.episodes.discards import discard
from il_ros.errors import DatasetError, ImitationError
from il_ros.runs.export.segments import segments_of
from il_ros.runs.rebuild import behind, fresh_keys, keys_of, rebuild, refresh
from il_ros.runs.split import draw_episodes, sort_episodes, split_into_keys
from il_ros.runs.verification import verify_run
import pytest
from recordings import messages, record, spec

EIGHT = 8
"""Steps, and so labels, of each episode."""


def add(folder: Path, *seeds: int, purpose: str = 'demonstration', round_: int = 0):
    """Record an episode a seed into a run."""
    for seed in seeds:
        of = spec(f'{purpose}-r{round_:02d}-{seed:06d}', seed=seed, purpose=purpose, round=round_)
        record(folder / 'episodes' / 'main', of, messages(of, EIGHT))


def path_of(folder: Path, seed: int) -> Path:
    """Return the file of a demonstration."""
    return folder / 'episodes' / 'main' / f'demonstration-r00-{seed:06d}.mcap'


@pytest.fixture
def run(tmp_path):
    """Return a run of four demonstrations, three of them drawn for training."""
    folder = tmp_path / 'r3'
    add(folder, 0, 1, 2, 3)
    split_into_keys(folder, draw_episodes(folder, 0.75, seed=0, to_train=True))
    return folder


@pytest.fixture
def train(run, monkeypatch, capsys):
    """Return the function that trains up to the fit; it returns what was said."""
    def refuse(**_):
        raise ImitationError('as far as the fit')

    monkeypatch.setattr(training, 'WorkerClient', refuse)

    def call(key: str) -> str:
        capsys.readouterr()
        assert main(['train', '--run', 'r3', '--runs', str(run.parent), '--filter-key', key]) == 1
        said = capsys.readouterr()
        return said.out + said.err
    return call


@pytest.mark.parametrize('key', ['round_0', 'train'])
def test_keys_that_are_older_than_episodes_are_refused(run, train, key):
    assert 'as far as the fit' in train(key) and 'older' not in train(key)
    add(run, 4, 5)
    said = train(key)
    assert f'{run / DATASET} is older than 2 episodes, e.g. demonstration-r00-000004' in said
    assert said.endswith(f'il_ros dataset split {run} --ratio 0.9\n')


def test_the_advice_is_the_way_in_which_the_keys_were_drawn(run, train):
    (run / DATASET).unlink()
    split_into_keys(run, sort_episodes(run, 'driver', to_train=True))
    add(run, 4)
    said = train('round_0')
    assert 'is older than 1 episode, e.g.' in said
    assert said.endswith(f'il_ros dataset split {run} --by driver\n')


def test_a_run_without_filter_keys_says_so_and_how_to_get_them(run, train):
    (run / DATASET).unlink()
    said = train('round_3')
    assert f'{run} has no filter keys, for they stand in its dataset.hdf5, which is not' in said
    assert said.endswith(f'il_ros dataset split {run} --ratio 0.9\n') and 'deleted' not in said


def test_a_deleted_data_set_is_made_anew_where_a_plan_names_the_keys(run, capsys):
    planned = {name: ('round_0',) for name in keys_of(run)}
    (run / DATASET).unlink()
    training._bring_up_to_date(run, 'round_0', planned)
    assert 'was missing; rebuilt from 4 episodes' in capsys.readouterr().out
    assert len(load(run / DATASET, 'round_0')) == 4 * EIGHT


def test_a_data_set_that_is_not_there_is_not_called_damaged(run):
    with pytest.raises(DatasetError, match='all.hdf5 is not there; expected the data set of a'):
        load(run / 'all.hdf5', 'all')


@pytest.mark.parametrize('change', [
    lambda path: discard(path, 0, 3), discard, lambda path: path.unlink()],
    ids=['steps', 'episode', 'gone'])
def test_what_changed_or_went_since_is_made_anew_with_the_keys_that_were_drawn(
        run, train, change):
    before = keys_of(run)
    change(path_of(run, 1))
    left = 3 * EIGHT + (4 if path_of(run, 1).exists() and not any(
        receipt.flags for _, receipt in training.receipts_in(run / 'episodes')) else 0)
    said = train('round_0')
    assert f'{run / DATASET} was older than 1 episode' in said and 'as far as the fit' in said
    assert len(load(run / DATASET, 'round_0')) == left
    assert keys_of(run).items() <= before.items()
    assert 'older' not in train('round_0')


def test_a_flagged_episode_is_not_what_keys_are_older_than(run, train):
    add(run, 4)
    discard(path_of(run, 4))
    assert 'older' not in train('train')


def test_drawing_anew_brings_the_newer_episodes_under_the_keys_of_the_rounds(run):
    split_into_keys(run, sort_episodes(run, 'driver', to_train=True))
    add(run, 4, 5)
    add(run, 6, purpose='validation')
    add(run, 7, purpose='rollout', round_=1)
    keys, old = fresh_keys(run)
    assert old == ('driver_policy', 'train', 'valid')
    made = split_into_keys(run, draw_episodes(run, 0.5, seed=0, to_train=True), keys)
    assert made.labels == {'round_0': 6 * EIGHT, 'round_1': 7 * EIGHT, HELD_OUT: EIGHT,
                           'train': 4 * EIGHT, 'valid': 3 * EIGHT}
    assert not behind(run).newer and 'driver_policy' not in filter_keys(run / DATASET)


def test_a_plan_decides_what_a_data_set_has_to_have_and_drawn_keys_stay_beside_it(run):
    planned = {name: ('round_0',) for name in keys_of(run)}
    add(run, 4)
    assert behind(run).newer and not behind(run, planned).newer
    discard(path_of(run, 1), 0, 3)
    rebuild(run, keys_of(run, planned))
    assert set(filter_keys(run / DATASET)) == {'round_0', 'train', 'valid'}


def test_a_planned_data_set_is_made_anew_only_where_it_has_to_be(run):
    planned = {name: ('round_0',) for name in keys_of(run)}
    assert refresh(run, planned) is None
    discard(path_of(run, 1), 0, 3)
    assert refresh(run, planned).labels['round_0'] == 3 * EIGHT + 4
    assert refresh(run, planned) is None
    for content in (None, b'damaged'):
        (run / DATASET).unlink()
        if content is not None:
            (run / DATASET).write_bytes(content)
        assert refresh(run, planned).labels == {'round_0': 3 * EIGHT + 4}
    with pytest.raises(ImitationError, match='as far as this'):
        (run / DATASET).unlink()
        refresh(run, planned, stop)


def stop():
    """End the work."""
    raise ImitationError('as far as this')


def test_exports_leave_out_keys_that_are_older_than_an_episode(run):
    assert {key for one in segments_of(run) for key in one.keys} == {'round_0', 'train', 'valid'}
    add(run, 4)
    assert {one.keys for one in segments_of(run)} == {('round_0',)}


def test_a_data_set_that_has_a_discarded_episode_is_found(run):
    discard(path_of(run, 1))
    finding, = verify_run(run)
    assert finding.outdated and 'demonstration-r00-000001' in finding.sentence
