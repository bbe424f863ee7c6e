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

"""What a net's output means: decoded in NumPy, taught in torch, both of one mind."""

import dataclasses
import math

from il_ros.contract.contract import ActionElement, Contract, Feature, TOOL_VELOCITY
from il_ros.dataset.dataset import Demonstrations
from il_ros.errors import LearningError
from il_ros.learning.config import TrainConfig
from il_ros.learning.fit import fit
from il_ros.learning.heads import Categorical, from_document, Gaussian, LEAST_SD, Mean, Mixture
from il_ros.learning.heads import QUANTILE, UNIFORM
import numpy as np
import pytest
import torch

LABELS = np.random.default_rng(3).normal(size=(300, 2)).astype(np.float32)
HEADS = {
    'mean': Mean(2), 'huber': Mean(2, 0.5), 'gaussian': Gaussian(2), 'mixture': Mixture(2, 3),
    'categorical': Categorical.fit(LABELS, 12, UNIFORM)}

CONTRACT = Contract(
    name='line', rate=20.0, features=(Feature('x', elements=('x',), unit='m', frame_id='base'),),
    action_space=TOOL_VELOCITY, action_frame_id='base',
    actions=(ActionElement('linear_x', 'm/s', -1.0, 1.0),
             ActionElement('gripper_opening', 'm', 0.0, 0.08)))

CONFIG = TrainConfig(inputs=('x',), hidden=(32,), batch=64, steps=400, learning_rate=5e-3,
                     warmup_steps=20)

LOSSES = [{'loss': 'mse'}, {'loss': 'huber'}, {'loss': 'nll'}, {'loss': 'mixture'},
          {'loss': 'cross_entropy'}, {'loss': 'cross_entropy', 'binning': 'uniform'}]


def data(action, count: int = 400, seed: int = 0) -> Demonstrations:
    """Return states on a line, labelled with a velocity and a hand that is open beyond zero."""
    chance = np.random.default_rng(seed)
    x = chance.uniform(-1.0, 1.0, (count, 1)).astype(np.float32)
    actions = np.hstack([action(x, chance), np.where(x > 0.0, 0.08, 0.0)])
    return Demonstrations(x, actions.astype(np.float32), CONTRACT)


def descend(head, target: np.ndarray, steps: int = 400) -> np.ndarray:
    """Return the action of an output that descends the loss to one target."""
    generator = torch.Generator().manual_seed(0)
    out = torch.randn(head.width, generator=generator).requires_grad_()
    optimiser = torch.optim.Adam([out], lr=0.05)
    for _ in range(steps):
        optimiser.zero_grad()
        head.loss(out, torch.from_numpy(target)).backward()
        optimiser.step()
    return head.decode(out.detach().numpy())


@pytest.mark.parametrize('head', HEADS.values(), ids=HEADS)
def test_the_output_that_the_loss_teaches_is_decoded_to_the_label(head):
    label = LABELS[7]
    width = np.ptp(LABELS, axis=0).max() / 12 if head.kind == 'categorical' else 0.02
    np.testing.assert_allclose(descend(head, label), label, atol=width)


@pytest.mark.parametrize('head', HEADS.values(), ids=HEADS)
def test_a_loss_is_never_below_zero_and_padding_does_not_count(head):
    generator = torch.Generator().manual_seed(1)
    out = 3.0 * torch.randn(2, 50, head.width, generator=generator)
    targets = torch.from_numpy(LABELS[:100]).view(2, 50, 2)
    assert head.loss(out, targets).item() >= 0.0
    counts = torch.ones_like(targets)
    torch.testing.assert_close(head.loss(out, targets, counts), head.loss(out, targets))
    counts[:, 10:] = 0.0
    padded = torch.where(counts > 0.0, targets, 1e3)
    torch.testing.assert_close(head.loss(out, padded, counts),
                               head.loss(out[:, :10], targets[:, :10]))


@pytest.mark.parametrize('head', HEADS.values(), ids=HEADS)
def test_a_head_comes_back_from_its_document(head):
    again = from_document(head.document(), 2, 1)
    out = np.random.default_rng(0).normal(size=(20, head.width)).astype(np.float32)
    assert (again.kind, again.width) == (head.kind, head.width)
    np.testing.assert_array_equal(again.decode(out), head.decode(out))


def test_the_losses_are_those_of_torch():
    out, targets = torch.from_numpy(LABELS[:50]), torch.from_numpy(LABELS[50:100])
    torch.testing.assert_close(HEADS['huber'].loss(out, targets),
                               torch.nn.functional.huber_loss(out, targets, delta=0.5))
    raw = torch.zeros(50, 2)
    sd = math.sqrt(LEAST_SD * 2.0)
    expected = -torch.distributions.Normal(out, sd).log_prob(targets).mean()
    highest = -math.log(LEAST_SD) - 0.5 * math.log(2.0 * math.pi)
    torch.testing.assert_close(HEADS['gaussian'].loss(torch.cat([out, raw], dim=1), targets),
                               expected + highest)
    logits = torch.randn(50, 3, generator=torch.Generator().manual_seed(0))
    means = out.repeat(1, 3) + torch.arange(6) / 5.0
    mixture = torch.distributions.MixtureSameFamily(
        torch.distributions.Categorical(logits=logits), torch.distributions.Independent(
            torch.distributions.Normal(means.view(50, 3, 2), sd), 1))
    torch.testing.assert_close(
        HEADS['mixture'].loss(torch.cat([logits, means, torch.zeros(50, 6)], dim=1), targets),
        -mixture.log_prob(targets).mean() / 2.0 + highest)


def test_bins_hold_about_equally_many_labels_or_are_about_equally_wide():
    uniform = Categorical.fit(LABELS, 5, UNIFORM)
    quantile = Categorical.fit(LABELS, 5, QUANTILE)
    for at in range(2):
        assert np.ptp(np.diff(uniform.edges[at])) < 0.4
        bins = np.searchsorted(quantile.edges[at], LABELS[:, at])
        assert np.bincount(bins).tolist() == [60] * 5


def test_equal_labels_share_a_bin_whose_centre_they_are():
    labels = np.array([[-1.0]] * 10 + [[0.5]] * 3 + [[2.0]] * 40, np.float32)
    for binning in (UNIFORM, QUANTILE):
        head = Categorical.fit(labels, 40, binning)
        assert set(head.centres[0]) <= {-1.0, 0.5, 2.0, np.float32(-7.0 / 10.0)}
    assert head.width == len(head.centres[0])
    assert Categorical.fit(labels[:10], 40, QUANTILE).width == 1


def test_an_element_with_fewer_bins_is_never_decoded_beyond_them():
    head = Categorical.fit(LABELS, 12, UNIFORM, two={1: (-1.0, 1.0)})
    out = np.random.default_rng(0).normal(size=(200, head.width)).astype(np.float32)
    assert set(head.decode(out)[:, 1]) == {-1.0, 1.0}


@pytest.mark.parametrize('edges, centres', [
    ([[0.0]], [[1.0]]), ([[1.0, 0.0]], [[0.0, 1.0, 2.0]]), ([[math.inf]], [[0.0, 1.0]])])
def test_bins_that_do_not_fit_are_refused(edges, centres):
    with pytest.raises(LearningError):
        Categorical(edges, centres)


@pytest.mark.parametrize('change', LOSSES, ids=lambda change: '-'.join(change.values()))
def test_every_loss_learns_a_line_and_a_hand(change):
    config = dataclasses.replace(CONFIG, **change)
    policy = fit(data(lambda x, _: 0.8 * x), None, CONTRACT, config, seed=0).policy
    fresh = data(lambda x, _: 0.8 * x, seed=1)
    error = np.abs(policy.act_batch(fresh.observations) - fresh.actions)
    assert error[:, 0].mean() < (0.06 if config.loss == 'cross_entropy' else 0.03)
    assert np.mean(error[:, 1] > 0.04) < 0.03


@pytest.mark.parametrize('change, picks', [
    ({'loss': 'mse'}, False), ({'loss': 'nll'}, False), ({'loss': 'mixture'}, True),
    ({'loss': 'cross_entropy'}, True), ({'loss': 'cross_entropy', 'binning': 'uniform'}, True)],
    ids=lambda value: '-'.join(value.values()) if isinstance(value, dict) else '')
def test_of_two_ways_a_mixture_and_bins_take_one_and_squared_error_the_middle(change, picks):
    def either(x, chance):
        return chance.choice([-0.6, 0.6], (len(x), 1), p=[0.4, 0.6]) + 0.02 * x

    config = dataclasses.replace(CONFIG, **change)
    policy = fit(data(either), None, CONTRACT, config, seed=0).policy
    speed = np.abs(policy.act_batch(data(either, seed=1).observations)[:, 0])
    if picks:
        assert np.mean(np.abs(speed - 0.6) < 0.05) > 0.95
    else:
        assert speed.mean() < 0.35
