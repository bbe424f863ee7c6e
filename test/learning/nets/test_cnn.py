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

"""Learning from images: the net, its training, its checkpoint, on worlds made of coloured dots."""

import dataclasses

import h5py
from il_ros.contract.contract import ActionElement, Contract, Feature, IMAGE, TOOL_VELOCITY
from il_ros.dataset.dataset import Demonstrations
from il_ros.dataset.frames import Frames
from il_ros.errors import ContractMismatchError, DamagedError, InputsError, LearningError
from il_ros.errors import NoDataError
from il_ros.learning import checkpoint
from il_ros.learning.config import TrainConfig
from il_ros.learning.fit import fit
from il_ros.learning.horizons import Horizons
from il_ros.learning.nets.cnn import Cnn, convolve, Encoder, spatial_softmax
from il_ros.learning.nets.cnn_network import EncoderNetwork, make_cnn, random_crop, random_shifts
from il_ros.learning.nets.cnn_network import to_cnn
from il_ros.learning.nets.mlp import Mlp
from il_ros.learning.policy import Policy
from il_ros.learning.runner import Runner
import numpy as np
import pytest
import torch

SIZE = 24
CONTRACT = Contract(
    name='dots', rate=20.0,
    features=(
        Feature('camera', kind=IMAGE, height=SIZE, width=SIZE, encoding='rgb8'),
        Feature('tool_position', start=0, elements=('x', 'y'), unit='m', frame_id='base'),
        Feature('secret', kind=IMAGE, start=1, height=8, width=8, encoding='mono8',
                privileged=True)),
    action_space=TOOL_VELOCITY, action_frame_id='base',
    actions=(ActionElement('linear_x', 'm/s', -0.5, 0.5),
             ActionElement('linear_y', 'm/s', -0.5, 0.5)))

CONFIG = TrainConfig(
    inputs=('tool_position',), architecture='cnn', images=('camera',), channels=(8, 8),
    strides=(2, 1), hidden=(32,), batch=32, steps=200, warmup_steps=10, learning_rate=5e-3)

SHORT = dataclasses.replace(CONFIG, steps=10)


def pairs(count: int, seed: int = 0) -> Demonstrations:
    """Return states with a green dot somewhere; the expert goes from the tool to the dot."""
    chance = np.random.default_rng(seed)
    tool = chance.uniform(-0.2, 0.2, (count, 2)).astype(np.float32)
    images = np.full((count, SIZE, SIZE, 3), 90, np.uint8)
    corner = chance.integers(0, SIZE - 3, (count, 2))
    for image, (row, column) in zip(images, corner):
        image[row:row + 4, column:column + 4] = (20, 220, 20)
    place = ((corner[:, ::-1] + 1.5) / (SIZE - 1) - 0.5) * 0.4
    return Demonstrations(tool, (place - tool).astype(np.float32), CONTRACT,
                          images={'camera': images})


@pytest.fixture(scope='module')
def fitted():
    """Return the result of a fit that is long enough."""
    return fit(pairs(300), pairs(50, 1), CONTRACT, CONFIG, seed=0)


@pytest.fixture(scope='module')
def policies():
    """Return policies after a few steps, by the number of members."""
    return {members: fit(pairs(40), None, CONTRACT,
                         dataclasses.replace(SHORT, ensemble=members), seed=0).policy
            for members in (1, 2)}


def test_it_learns_where_the_dot_is(fitted):
    fresh = pairs(200, 2)
    error = np.abs(fitted.policy.act_batch(fresh.observations, fresh.images) - fresh.actions)
    assert np.median(error) < 0.01
    blank = {'camera': np.zeros_like(fresh.images['camera'])}
    blind = np.abs(fitted.policy.act_batch(fresh.observations, blank) - fresh.actions)
    assert np.median(blind) > 5.0 * np.median(error), 'it does not look'


def test_numpy_on_the_arm_computes_what_torch_learned(fitted):
    data, policy = pairs(50, 1), fitted.policy
    seen = policy.normaliser.apply(data.observations)
    out = policy.net.forward(seen, data.images['camera'])
    wanted = policy.action_normaliser.apply(data.actions)
    assert np.mean((out - wanted) ** 2) == pytest.approx(fitted.held_out_loss, rel=1e-4)


@pytest.mark.parametrize('members', [1, 2])
def test_one_observation_is_answered_as_in_a_batch(policies, members):
    data, policy = pairs(9, 3), policies[members]
    batch = policy.act_batch(data.observations, data.images)
    for at, values in enumerate(data.observations):
        images = {'camera': data.images['camera'][at], 'unused': None}
        assert np.allclose(policy.act(values, images), batch[at], atol=1e-6)
        runner = Runner(policy)
        assert np.array_equal(runner.act(at, values, images), policy.act(values, images))
        assert (runner.uncertainty > 0.0) == (members > 1)


@pytest.mark.parametrize('members', [1, 2])
def test_a_checkpoint_answers_as_before_and_equal_fits_are_equal(tmp_path, policies, members):
    data, policy = pairs(9, 3), policies[members]
    digest = checkpoint.save(tmp_path / 'a', policy)
    loaded = checkpoint.load(tmp_path / 'a', digest)
    assert loaded.images == ('camera',)
    assert np.array_equal(loaded.act_batch(data.observations, data.images),
                          policy.act_batch(data.observations, data.images))
    torch.manual_seed(99)
    again = fit(pairs(40), None, CONTRACT, dataclasses.replace(SHORT, ensemble=members), seed=0)
    assert checkpoint.save(tmp_path / 'b', again.policy) == digest


def test_the_shifts_are_drawn_from_the_seed_and_change_the_fit():
    cropped = dataclasses.replace(SHORT, crop_px=2)
    nets = [fit(pairs(40), None, CONTRACT, config, seed=0).policy.net.tensors()
            for config in (cropped, cropped, SHORT)]
    names = list(nets[0])
    assert all(np.array_equal(nets[0][name], nets[1][name]) for name in names)
    assert not all(np.array_equal(nets[0][name], nets[2][name]) for name in names)


def test_a_random_crop_is_a_shift_with_the_border_repeated():
    image = torch.arange(SIZE * SIZE * 3).reshape(1, SIZE, SIZE, 3).to(torch.uint8)
    drawn = random_shifts((60,), 1, torch.Generator().manual_seed(0))
    found = random_crop(image.repeat(60, 1, 1, 1), drawn)
    padded = np.pad(image[0].numpy(), ((1, 1), (1, 1), (0, 0)), mode='edge')
    shifts = [padded[y:y + SIZE, x:x + SIZE] for y in range(3) for x in range(3)]
    chosen = {at for crop in found.numpy() for at in range(9)
              if np.array_equal(crop, shifts[at])}
    assert chosen == set(range(9))


def test_chunks_of_actions_are_learned_from_images():
    config = dataclasses.replace(SHORT, chunk=3, execute=2)
    data, steps = pairs(12), Episodes(12)
    data = dataclasses.replace(data, steps=steps)
    policy = fit(data, None, CONTRACT, config, seed=0).policy
    actions, _ = policy.propose(data.observations[0], {'camera': data.images['camera'][0]})
    assert actions.shape == (3, 2)


class Episodes:
    """One episode whose every step has a label."""

    def __init__(self, count: int):
        data = pairs(count)
        self.observations, self.actions = data.observations, data.actions
        self.valid = np.ones(count, bool)

    def windows(self, history: int) -> np.ndarray:
        return np.arange(len(self.valid))[:, None].repeat(history, axis=1)

    def chunks(self, chunk: int) -> tuple[np.ndarray, np.ndarray]:
        rows = np.arange(len(self.valid))[:, None] + np.arange(chunk)
        return rows.clip(max=len(self.valid) - 1), rows < len(self.valid)


def test_a_convolution_is_the_one_of_torch():
    chance = np.random.default_rng(0)
    maps = chance.normal(size=(2, 11, 9, 3)).astype(np.float32)
    kernel = chance.normal(size=(3, 3, 3, 5)).astype(np.float32)
    wanted = torch.nn.functional.conv2d(
        torch.from_numpy(maps).permute(0, 3, 1, 2),
        torch.from_numpy(kernel).permute(3, 2, 0, 1), stride=2)
    assert np.allclose(convolve(maps, kernel, 2), wanted.permute(0, 2, 3, 1).numpy(), atol=1e-4)


@pytest.mark.parametrize('row, column', [(0, 0), (4, 0), (2, 6), (1, 3)])
def test_a_peak_becomes_its_place(row, column):
    maps = np.zeros((1, 5, 7, 2), np.float32)
    maps[0, row, column, 1] = 1000.0
    x, y = spatial_softmax(maps)[0, 1], spatial_softmax(maps)[0, 3]
    assert (x, y) == pytest.approx((column / 3.0 - 1.0, row / 2.0 - 1.0), abs=1e-5)
    assert spatial_softmax(maps)[0, [0, 2]] == pytest.approx([0.0, 0.0], abs=1e-6)


@pytest.mark.parametrize('images, part', [
    ({}, 'found none'), ({'camera': np.zeros((8, 8, 3), np.uint8)}, 'found uint8 of (8, 8, 3)'),
    ({'camera': np.zeros((SIZE, SIZE, 3), np.float32)}, 'found float32')])
def test_an_observation_without_the_image_is_refused(policies, images, part):
    with pytest.raises(InputsError) as refusal:
        policies[1].act(np.zeros(2, np.float32), images)
    assert part in str(refusal.value) and 'image camera' in str(refusal.value)


@pytest.mark.parametrize('name, part', [('front', 'camera, secret'), ('secret', 'privileged')])
def test_an_image_that_a_policy_cannot_have_is_refused(name, part):
    with pytest.raises(InputsError, match=part):
        fit(pairs(4), None, CONTRACT, dataclasses.replace(SHORT, images=(name,)), seed=0)


def test_data_without_the_images_are_refused():
    data = dataclasses.replace(pairs(4), images={})
    with pytest.raises(NoDataError, match='images camera of shape None'):
        fit(data, None, CONTRACT, SHORT, seed=0)


def test_images_that_lie_on_the_disk_are_learned_like_those_in_memory(tmp_path):
    data, order = pairs(40), np.arange(40)[::-1]
    with h5py.File(tmp_path / 'dataset.hdf5', 'w') as file:
        file['data/demo_0/obs/camera'] = data.images['camera'][::-1]
    frames = Frames(tmp_path / 'dataset.hdf5', 'camera', [('demo_0', 40)], order,
                    (SIZE, SIZE, 3))
    lazy = dataclasses.replace(data, images={'camera': frames})
    nets = [fit(one, lazy, CONTRACT, SHORT, seed=0) for one in (data, lazy)]
    assert nets[0].held_out_loss == nets[1].held_out_loss > 0.0
    frames.close()


def test_strides_that_leave_nothing_of_the_image_are_refused():
    with pytest.raises(InputsError, match='leave nothing of an image of 24x24'):
        fit(pairs(4), None, CONTRACT, dataclasses.replace(
            SHORT, channels=(8, 8, 8), strides=(8, 8, 8)), seed=0)


def test_a_graph_with_another_image_is_refused(policies):
    camera = dataclasses.replace(CONTRACT.features[0], width=48)
    other = dataclasses.replace(CONTRACT, features=(camera, *CONTRACT.features[1:]))
    with pytest.raises(ContractMismatchError, match='camera: expected .*24x24.*found .*24x48'):
        checkpoint.check(policies[1], other)
    checkpoint.check(policies[1], CONTRACT)


def test_a_history_of_images_is_refused(policies):
    policy = policies[1]
    net = dataclasses.replace(policy.net, mlp=Mlp(
        (np.zeros((2 * 2 + 16, 2), np.float32),), (np.zeros(2, np.float32),)))
    with pytest.raises(LearningError, match='history of 2; expected 1'):
        Policy(CONTRACT, policy.inputs, policy.normaliser, policy.action_normaliser, net,
               horizons=Horizons(history=2))


def two_cameras() -> Cnn:
    generator = torch.Generator().manual_seed(0)
    shapes = {'camera': (24, 24, 3), 'wrist': (12, 12, 1)}
    return to_cnn(make_cnn(shapes, (4,), (2,), (3, 5), generator), tuple(shapes))


def test_each_camera_has_its_own_encoder():
    net = two_cameras()
    assert net.images == ('camera', 'wrist') and net.widths == (3, 5)
    out = net.forward(np.zeros(3, np.float32), np.zeros((24, 24, 3), np.uint8),
                      np.zeros((12, 12, 1), np.uint8))
    assert out.shape == (5,)
    restored = Cnn.from_document(net.document(), net.tensors())
    assert all(np.array_equal(array, restored.tensors()[name])
               for name, array in net.tensors().items())


@pytest.mark.parametrize('forge', [
    lambda document, tensors: document.update(encoders={}),
    lambda document, tensors: document.update(encoders=7),
    lambda document, tensors: document['encoders']['wrist'].update(strides=[2, 2]),
    lambda document, tensors: document['encoders']['wrist'].update(strides=[0]),
    lambda document, tensors: document['encoders']['wrist'].update(strides=[1] * 10**6),
    lambda document, tensors: document['encoders']['wrist'].update(strides=['2']),
    lambda document, tensors: document.update(members=2),
    lambda document, tensors: document.update(widths=[-99, 5]),
    lambda document, tensors: document.pop('encoders'),
    lambda document, tensors: tensors.pop('encoders.wrist.0.bias'),
    lambda document, tensors: tensors.update(more=np.zeros(1, np.float32)),
    lambda document, tensors: tensors.update(
        {'encoders.wrist.0.bias': np.zeros((9,), np.float32)}),
    lambda document, tensors: tensors.update(
        {'encoders.wrist.0.kernel': np.zeros((5, 3, 1, 4), np.float32)}),
    lambda document, tensors: tensors.update(
        {'encoders.wrist.0.kernel': np.zeros((5, 5, 1, 4), np.float64)})])
def test_a_forged_document_is_no_net(forge):
    net = two_cameras()
    document, tensors = net.document(), net.tensors()
    forge(document, tensors)
    with pytest.raises((LearningError, KeyError, TypeError, AttributeError, ValueError)):
        Cnn.from_document(document, tensors)


def test_a_checkpoint_whose_net_cannot_see_its_image_is_refused(tmp_path, policies):
    small = dataclasses.replace(CONTRACT.features[0], height=4, width=4)
    contract = dataclasses.replace(CONTRACT, features=(small, *CONTRACT.features[1:]))
    policy = policies[1]
    checkpoint.save(tmp_path / 'a', policy)
    with pytest.raises(LearningError, match='cannot see the image camera'):
        Policy(contract, policy.inputs, policy.normaliser, policy.action_normaliser, policy.net)
    policy.contract, before = contract, policy.contract
    checkpoint.save(tmp_path / 'b', policy)
    policy.contract = before
    with pytest.raises(DamagedError, match='cannot see the image camera'):
        checkpoint.load(tmp_path / 'b')


def test_the_sharpness_ends_in_the_last_kernel():
    generator = torch.Generator().manual_seed(0)
    network = EncoderNetwork((16, 16, 3), (4, 6), (1, 2), generator)
    encoder = network.to_encoder()
    assert isinstance(encoder, Encoder) and encoder.strides == (1, 2)
    image = np.random.default_rng(0).integers(0, 256, (2, 16, 16, 3), np.uint8)
    with torch.no_grad():
        wanted = network(torch.from_numpy(image)).numpy()
    assert np.allclose(encoder.forward(image), wanted, atol=1e-5)


@pytest.mark.parametrize('channels, sizes, fails', [
    ((3, 4, 5, 6), (4, 5, 6), False), ((3, 4, 4, 6), (4, 5, 6), True),
    ((3, 4, 5, 6), (4, 5, 5), True), ((3, 5, 5, 6), (4, 5, 6), True)])
def test_each_layer_takes_what_the_one_before_gives(channels, sizes, fails):
    shapes = [(3, 3, before, after) for before, after in zip(
        channels[:-1], (4, 5, 6))]
    encoder = Encoder(tuple(np.zeros(shape, np.float32) for shape in shapes),
                      tuple(np.zeros(size, np.float32) for size in sizes), (1, 1, 1))
    mlp = Mlp((np.zeros((14, 2), np.float32),), (np.zeros(2, np.float32),))
    if not fails:
        assert Cnn({'camera': encoder}, mlp).widths[0] == 2
        return
    with pytest.raises(LearningError, match='a layer for camera has kernel'):
        Cnn({'camera': encoder}, mlp)


@pytest.mark.parametrize('shape, left', [((5, 5, 3), 1), ((5, 6, 3), 1), ((4, 9, 3), 0)])
def test_layers_may_leave_one_pixel_of_an_image_and_not_none(shape, left):
    def made():
        return EncoderNetwork(shape, (4,), (1,), torch.Generator())
    if left:
        assert made().layers[0].weight.shape == (4, 3, 5, 5)
        return
    with pytest.raises(InputsError, match='leave nothing of an image of 4x9 pixels'):
        made()
