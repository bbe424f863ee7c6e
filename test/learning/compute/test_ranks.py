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

"""Several processes of one fit learn what one alone learns; threads stand in for them here."""

import contextlib
import dataclasses
import threading

from il_ros.contract.contract import ActionElement, Contract, Feature, IMAGE, TOOL_VELOCITY
from il_ros.learning.compute.ranks import ALONE, Ranks
from il_ros.learning.config import TrainConfig
from il_ros.learning.fit import fit, one_thread, UNKNOWN
import numpy as np
import pytest
import torch

CONTRACT = Contract(
    name='bench', rate=20.0,
    features=(Feature('way', start=0, elements=('x', 'y', 'z'), unit='m', frame_id='base'),
              Feature('camera', kind=IMAGE, height=12, width=12, encoding='rgb8',
                      elements=(), unit='')),
    action_space=TOOL_VELOCITY, action_frame_id='base',
    actions=(ActionElement('linear_x', 'm/s', -0.5, 0.5),
             ActionElement('linear_y', 'm/s', -0.5, 0.5)))
PLAIN = TrainConfig(inputs=('way',), hidden=(16,), batch=13, steps=60, warmup_steps=10,
                    device='cpu')
CONFIGS = {
    'plain': PLAIN,
    'ensemble': dataclasses.replace(PLAIN, ensemble=3, loss='nll'),
    'chunks': dataclasses.replace(PLAIN, chunk=4, execute=2, loss='huber'),
    'chunks of an ensemble': dataclasses.replace(PLAIN, chunk=4, ensemble=2, loss='mixture'),
    'images': dataclasses.replace(PLAIN, architecture='cnn', images=('camera',), channels=(4, 4),
                                  strides=(2, 1), crop_px=2),
    'images of an ensemble': dataclasses.replace(
        PLAIN, architecture='cnn', images=('camera',), channels=(4,), strides=(2,), crop_px=2,
        ensemble=2)}


@dataclasses.dataclass(frozen=True)
class Pairs:
    """Observations, images and labels: one episode, whose every step has a label."""

    observations: np.ndarray
    actions: np.ndarray
    images: dict

    @property
    def steps(self):
        return self

    @property
    def valid(self) -> np.ndarray:
        return np.ones(len(self.actions), bool)

    def windows(self, history: int) -> np.ndarray:
        return np.arange(len(self.actions))[:, None].repeat(history, axis=1)

    def chunks(self, chunk: int) -> tuple[np.ndarray, np.ndarray]:
        rows = np.arange(len(self.actions))[:, None] + np.arange(chunk)
        return rows.clip(max=len(self.actions) - 1), rows < len(self.actions)


def pairs(count: int, seed: int = 0) -> Pairs:
    """Return pairs of chance."""
    rng = np.random.default_rng(seed)
    way = rng.uniform(-0.2, 0.2, (count, 3)).astype(np.float32)
    return Pairs(way, way[:, :2] * 2.0,
                 {'camera': rng.integers(0, 256, (count, 12, 12, 3), np.uint8)})


class Threads:
    """What the stand-ins for processes share."""

    def __init__(self, count: int):
        self.barrier = threading.Barrier(count, timeout=30.0)
        self.parts = [torch.empty(0)] * count


@dataclasses.dataclass(frozen=True)
class Thread(Ranks):
    """A thread in the place of a process."""

    threads: Threads = dataclasses.field(default_factory=lambda: Threads(1))

    def joined(self, device):
        return contextlib.nullcontext()

    def sum(self, tensor):  # noqa: A003
        self.threads.parts[self.rank] = tensor.clone()
        self.threads.barrier.wait()
        tensor.copy_(torch.stack(self.threads.parts).sum(dim=0))
        self.threads.barrier.wait()
        return tensor


def together(count: int, config: TrainConfig) -> list:
    """Fit in so many threads and return what each of them has."""
    shared, results = Threads(count), [None] * count

    def one(rank: int):
        results[rank] = fit(pairs(29), pairs(7, 1), CONTRACT, config, 3,
                            ranks=Thread(rank, count, threads=shared))
    threads = [threading.Thread(target=one, args=(rank,)) for rank in range(count)]
    with one_thread():
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    return results


@pytest.mark.parametrize('shape', [(7,), (2, 9)])
@pytest.mark.parametrize('count', [1, 2, 3, 7])
def test_shares_are_a_whole_batch_in_order_and_differ_by_one_at_most(shape, count):
    batch = torch.arange(np.prod(shape)).view(shape)
    shares = [Ranks(rank, count).share(batch) for rank in range(count)]
    assert torch.equal(torch.cat(shares, dim=-1), batch)
    sizes = [share.shape[-1] for share in shares]
    assert max(sizes) - min(sizes) <= 1 <= min(sizes)


def test_a_process_alone_has_the_whole_batch_and_waits_for_nobody():
    batch = torch.arange(5)
    assert ALONE.leads
    assert ALONE.device('cpu') == 'cpu'
    assert torch.equal(ALONE.share(batch), batch)
    assert ALONE.sum(batch) is batch


@pytest.mark.parametrize('name', CONFIGS)
def test_two_learn_what_one_learns(name):
    config = CONFIGS[name]
    with one_thread():
        alone = fit(pairs(29), pairs(7, 1), CONTRACT, config, 3)
    leads, other = together(2, config)
    weights = leads.policy.net.tensors()
    for name, expected in alone.policy.net.tensors().items():
        if name != f'encoders.camera.{len(config.channels) - 1}.bias':  # the softmax undoes it
            np.testing.assert_allclose(weights[name], expected, rtol=0.0, atol=1e-5, err_msg=name)
    for report, expected in zip(leads.curve, alone.curve, strict=True):
        assert dataclasses.astuple(report) == pytest.approx(
            dataclasses.astuple(expected), rel=1e-4)
    assert leads.train_loss == pytest.approx(alone.train_loss, rel=1e-4)
    assert (other.train_loss, other.held_out_loss) == (UNKNOWN, UNKNOWN)
    assert leads.policy.info['processes'] == 2
    assert 'processes' not in alone.policy.info
    assert all(np.array_equal(weights[name], same)
               for name, same in other.policy.net.tensors().items())
