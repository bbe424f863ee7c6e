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

"""Images come out of an aggregated file beside the observation that they were taken with."""

import dataclasses
import json
from pathlib import Path

import h5py
from il_ros.contract.contract import Feature, IMAGE
from il_ros.dataset.aggregation import aggregate
from il_ros.dataset.dataset import Demonstrations, load, SCHEMA_VERSION
from il_ros.dataset.frames import Frames
from il_ros.errors import DatasetError
import numpy as np
import pytest
import recordings

SHAPE = (2, 3, 3)
CONTRACT = dataclasses.replace(recordings.CONTRACT, features=(
    *recordings.CONTRACT.features,
    Feature('camera', IMAGE, height=2, width=3, encoding='rgb8')))


def pictures(first: int, stop: int) -> np.ndarray:
    """Return images whose every byte is the number of their row."""
    return np.array([np.full(SHAPE, row, np.uint8) for row in range(first, stop)])


@pytest.fixture
def path(tmp_path) -> Path:
    """Return a data set of demos of 3, 2 and 4 steps; row 1 has no label, ``a`` lacks demo 1."""
    found = tmp_path / 'dataset.hdf5'
    edges = [0, 3, 5, 9]
    index = [{'name': f'demo_{demo}', 'source': str(demo), 'start': start, 'stop': stop}
             for demo, (start, stop) in enumerate(zip(edges, edges[1:]))]
    with h5py.File(found, 'w') as file:
        for demo in index:
            file[f'data/{demo["name"]}/obs/camera'] = pictures(demo['start'], demo['stop'])
        flat = file.create_group('il_ros')
        flat.attrs.update({'schema_version': SCHEMA_VERSION, 'contract': CONTRACT.to_json(),
                           'contract_id': np.uint64(CONTRACT.id)})
        flat['observations'] = np.repeat(np.arange(9, dtype=np.float32)[:, None], 6, axis=1)
        flat['actions'] = np.zeros((9, 2), np.float32)
        flat['label_valid'] = np.array([1, 0, 1, 1, 1, 1, 1, 1, 1], np.uint8)
        flat['index'] = np.frombuffer(json.dumps(index).encode(), np.uint8)
        file['mask/a'] = np.array(['demo_0', 'demo_2'], 'S')
        file['mask/b'] = np.array(['demo_1', 'demo_2'], 'S')
    return found


def frames(path: Path, rows, shape=SHAPE) -> Frames:
    """Return images of the three demos."""
    return Frames(path, 'camera', [('demo_0', 3), ('demo_1', 2), ('demo_2', 4)], rows, shape)


def test_rows_are_read_in_the_order_asked_for_across_demos(path):
    all_ = frames(path, np.arange(9))
    assert all_[:][:, 0, 0, 0].tolist() == list(range(9))
    np.testing.assert_array_equal(all_[np.array([8, 2, 3, 2, 0])],
                                  pictures(0, 9)[[8, 2, 3, 2, 0]])
    assert all_[4].shape == (1, *SHAPE) and all_[4][0, 0, 0, 0] == 4
    all_.close()
    all_.close()


def test_a_choice_of_rows_has_their_number_shape_and_bytes(path):
    some = frames(path, [1, 4, 6])
    assert len(some) == 3 and some.shape == (3, *SHAPE)
    assert some.nbytes == 3 * 18 == some[:].nbytes
    assert some[np.array([True, False, True])][:, 0, 0, 0].tolist() == [1, 6]


def test_images_that_are_missing_or_of_another_shape_are_named(path):
    with pytest.raises(DatasetError, match=r'of demo_1 have shape \(2, 2, 3, 3\); expected '
                                           r'\(2, 2, 3, 1\)'):
        frames(path, [3, 4], (2, 3, 1))[:]
    too_long = Frames(path, 'camera', [('demo_1', 3)], np.arange(3), SHAPE)
    with pytest.raises(DatasetError, match=r'have shape \(2, 2, 3, 3\); expected \(3, 2, 3, 3\)'):
        too_long[:]
    with pytest.raises(DatasetError, match='the images wrist of demo_1 cannot be read'):
        Frames(path, 'wrist', [('demo_1', 2)], np.arange(2), SHAPE)[:]


@pytest.mark.parametrize('with_steps', [False, True])
def test_each_labelled_observation_has_its_own_image(path, with_steps):
    data = load(path, 'a', with_steps)
    rows = [0, 2, 5, 6, 7, 8]
    assert data.observations[:, 0].tolist() == rows and len(data) == 6
    assert data.images['camera'][:][:, 1, 2, 0].tolist() == rows
    assert (data.steps is not None) == with_steps
    if with_steps:
        assert data.steps.starts.tolist() == [0, 3] and len(data.steps.observations) == 7


def test_a_key_without_the_first_demo_has_the_images_of_its_own(path):
    data = load(path, 'b', with_steps=True)
    assert data.images['camera'][:][:, 0, 0, 0].tolist() == [3, 4, 5, 6, 7, 8]
    assert data.observations[:, 0].tolist() == [3, 4, 5, 6, 7, 8]
    assert data.steps.starts.tolist() == [0, 2]


def test_each_step_of_an_episode_gets_its_image_in_the_data_set(tmp_path, monkeypatch):
    monkeypatch.setattr(recordings, 'CONTRACT', CONTRACT)
    of, wire = recordings.spec(), []
    for topic, raw in recordings.messages(of, 4):
        step = sum(name == 'observation' for name, _ in wire)
        wire.append((topic, raw if topic != 'observation' else recordings.observation(
            of, step, 4, images=[{
                'header': recordings.header(step), 'height': 2, 'width': 3, 'encoding': 'rgb8',
                'is_bigendian': 0, 'step': 9, 'data': [step] * 18}])))
    output = tmp_path / 'made.hdf5'
    aggregate(output, [(recordings.record(tmp_path / 'main', of, wire), ['a'])])
    data = load(output, 'a')
    assert data.observations[:, 0].tolist() == [0, 1, 2, 3]
    np.testing.assert_array_equal(data.images['camera'][:], pictures(0, 4))
    with h5py.File(output) as file:
        stored = file['data/demo_0/obs/camera']
        assert stored.fletcher32 and stored.chunks == (1, *SHAPE), 'one image is read alone'


def test_a_pair_too_few_is_refused():
    two, three = np.zeros((2, 6), np.float32), np.zeros((3, 2), np.float32)
    with pytest.raises(ValueError, match='2 observations have 3 labels'):
        Demonstrations(two, three, CONTRACT)
    with pytest.raises(ValueError, match='3 observations have 2 images camera'):
        Demonstrations(np.zeros((3, 6)), three, CONTRACT, images={'camera': pictures(0, 2)})
    assert len(Demonstrations(two, three[:2], CONTRACT, images={'camera': pictures(0, 2)})) == 2
