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

"""Episodes with images: read, hashed, aggregated, and loaded beside the labels."""

import dataclasses

from benchmarks.loading import from_episodes
import h5py
from il_ros.contract.contract import Feature, IMAGE
from il_ros.contract.episode_spec import DrivePlan, EXPERT, LABEL_EXPERT_DRIVEN, POLICY
from il_ros.dataset.aggregation import aggregate
from il_ros.dataset.dataset import load
from il_ros.episodes.reader import read_episode
from il_ros.episodes.writer import EpisodeWriter
from il_ros.errors import DatasetError, EpisodeFileError
import numpy as np
import pytest
from recordings import CONTRACT, executed, header, observation, SCHEMAS, spec, status

SHAPE = (6, 8, 3)
WITH_CAMERA = dataclasses.replace(CONTRACT, features=(
    *CONTRACT.features, Feature('camera', IMAGE, height=6, width=8, encoding='rgb8')))
STEPS = 9


def picture(seed: int, step: int) -> np.ndarray:
    """Return the image of a step: noise that no other step has."""
    return np.random.default_rng([seed, step]).integers(0, 256, SHAPE, np.uint8)


def image(of, step: int, **changes) -> dict:
    """Return the image message of a step."""
    return {'header': header(step), 'height': 6, 'width': 8, 'encoding': 'rgb8',
            'is_bigendian': 0, 'step': 24, 'data': picture(of.seed, step).tobytes(), **changes}


def record(folder, seed: int, drivers=None, images=lambda of, step: [image(of, step)], **fields):
    """Record an episode with images; return its file."""
    of = spec(f'rollout-r01-{seed:06d}', seed=seed, **fields)
    writer = EpisodeWriter(folder, of, WITH_CAMERA, SCHEMAS, min_free_bytes=0)
    for step in range(STEPS + 1):
        writer.write('episode', status(of, step, STEPS), step)
        writer.write('observation', observation(
            of, step, STEPS, contract_id=WITH_CAMERA.id, images=images(of, step)), step)
        if step < STEPS:
            driver = (drivers or [POLICY] * STEPS)[step]
            writer.write('executed', executed(of, step, driver), step)
    writer.close()
    return writer.path


def expected(seed: int, steps) -> np.ndarray:
    """Return the images of these steps."""
    return np.array([picture(seed, step) for step in steps])


def test_an_episode_has_an_image_for_each_state_and_its_hash_covers_them(tmp_path):
    episode = read_episode(record(tmp_path, 3))
    found = episode.images['camera']
    assert (found.shape, found.dtype) == ((STEPS + 1, *SHAPE), np.uint8)
    np.testing.assert_array_equal(found, expected(3, range(STEPS + 1)))
    changed = dict(episode.images, camera=found.copy())
    changed['camera'][4, 2, 2, 0] ^= 1
    other = dataclasses.replace(episode, images=changed)
    assert other.content_sha256() != episode.content_sha256()


@pytest.mark.parametrize('images, sentence', [
    (lambda of, step: [], 'a message has no images.0'),
    (lambda of, step: [image(of, step, height=8, width=6)] if step == 4 else [image(of, step)],
     'images.0 has another size than 6x8'),
    (lambda of, step: [image(of, step, data=b'abc')], 'images.0.data has 3 entries')])
def test_an_episode_whose_images_are_not_the_contracts_is_refused(tmp_path, images, sentence):
    with pytest.raises(EpisodeFileError, match=sentence):
        record(tmp_path, 3, images=images)


def test_the_file_gives_the_images_of_the_labelled_states_in_robomimics_layout(tmp_path):
    plan = DrivePlan(driver=POLICY, labels=LABEL_EXPERT_DRIVEN)
    drivers = [POLICY] * 4 + [EXPERT] * 3 + [POLICY] * 2
    paths = [record(tmp_path, 1), record(tmp_path, 2, drivers, plan=plan), record(tmp_path, 3)]
    output = tmp_path / 'dataset.hdf5'
    aggregate(output, [(paths[0], ['other']), (paths[1], ['all']), (paths[2], ['all'])])
    rows = np.concatenate([expected(2, range(4, 7)), expected(3, range(STEPS))])
    data = load(output, 'all')
    frames = data.images['camera']
    assert frames.shape == rows.shape and frames.nbytes == rows.nbytes
    assert len(data) == len(frames) == 12
    np.testing.assert_array_equal(frames[:], rows)
    chosen = np.array([11, 0, 5, 5, 2])
    np.testing.assert_array_equal(frames[chosen], rows[chosen])
    np.testing.assert_array_equal(frames[np.arange(12) > 9], rows[10:])
    straight = from_episodes(paths[1:])
    np.testing.assert_array_equal(straight.images['camera'], rows)
    np.testing.assert_array_equal(straight.observations, data.observations)
    assert len(load(output, 'all', with_steps=True).images['camera']) == 12
    with h5py.File(output) as file:
        camera = file['data/demo_1/obs/camera']
        assert (camera.dtype, camera.shape) == (np.uint8, (STEPS, *SHAPE))
        assert (camera.chunks, camera.compression) == ((1, *SHAPE), 'gzip')


def test_frames_that_are_open_outlive_the_next_round(tmp_path):
    first, second = record(tmp_path, 1), record(tmp_path, 2)
    output = tmp_path / 'dataset.hdf5'
    aggregate(output, [(first, ['all'])])
    frames = load(output, 'all').images['camera']
    aggregate(output, [(second, ['all'])])
    np.testing.assert_array_equal(frames[:], expected(1, range(STEPS)))
    np.testing.assert_array_equal(load(output, 'all').images['camera'][:],
                                  expected(2, range(STEPS)))


def test_a_damaged_image_is_named_with_its_demo_and_the_file(tmp_path):
    output = tmp_path / 'dataset.hdf5'
    aggregate(output, [(record(tmp_path, 1), ['all'])])
    with h5py.File(output) as file:
        chunk = file['data/demo_0/obs/camera'].id.get_chunk_info(5)
    data = bytearray(output.read_bytes())
    data[chunk.byte_offset + chunk.size // 2] ^= 255
    output.write_bytes(data)
    frames = load(output, 'all').images['camera']
    assert frames[:5].shape == (5, *SHAPE)
    with pytest.raises(DatasetError, match=r'dataset.hdf5: the images camera of demo_0 cannot'):
        frames[:]
