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

"""Behavioural cloning on problems whose answer is known."""

import dataclasses

from il_ros.contract.contract import ActionElement, Contract, Feature, TOOL_VELOCITY
from il_ros.errors import CanceledError, InputsError, NoDataError, NotFiniteError
from il_ros.learning.config import TrainConfig
from il_ros.learning.fit import _batches, fit, rate
from il_ros.learning.fit_state import AdamW
import numpy as np
import pytest
import torch

CONTRACT = Contract(
    name='bench', rate=20.0,
    features=(
        Feature('tool_position', start=0, elements=('x', 'y', 'z'), unit='m', frame_id='base'),
        Feature('goal_position', start=3, elements=('x', 'y', 'z'), unit='m', frame_id='base')),
    action_space=TOOL_VELOCITY, action_frame_id='base',
    actions=(ActionElement('linear_x', 'm/s', -0.5, 0.5),
             ActionElement('linear_y', 'm/s', -0.5, 0.5),
             ActionElement('gripper_opening', 'm', 0.0, 0.08)))

CONFIG = TrainConfig(inputs=('goal_position - tool_position',), hidden=(64, 64), batch=64,
                     steps=600, learning_rate=3e-3)

SHORT = dataclasses.replace(CONFIG, steps=120)


@dataclasses.dataclass(frozen=True)
class Pairs:
    """Observations and labels."""

    observations: np.ndarray
    actions: np.ndarray


def linear_expert(observations: np.ndarray) -> np.ndarray:
    """Go straight to the goal at 1/s; open the hand above it, close it below."""
    way = observations[:, 3:] - observations[:, :3]
    return np.stack([way[:, 0], way[:, 1], np.where(way[:, 2] > 0.0, 0.08, 0.0)],
                    axis=1).astype(np.float32)


def pairs(count: int, seed: int = 0) -> Pairs:
    observations = np.random.default_rng(seed).uniform(-0.2, 0.2, (count, 6)).astype(np.float32)
    return Pairs(observations, linear_expert(observations))


def weights(result) -> np.ndarray:
    return np.concatenate([array.ravel() for array in result.policy.net.tensors().values()])


def test_a_linear_expert_is_cloned_to_a_centimetre_a_second():
    result = fit(pairs(500), pairs(200, 1), CONTRACT, CONFIG, seed=0)
    fresh = pairs(300, 2)
    error = np.abs(result.policy.act_batch(fresh.observations) - fresh.actions)
    assert error[:, :2].mean() < 0.01
    assert np.mean(error[:, 2] > 0.04) < 0.05
    assert result.labels == 500
    assert 0.0 < result.train_loss < 0.05
    assert 0.0 < result.held_out_loss < 0.1


def test_the_same_seed_gives_the_same_weights_and_losses():
    first, second = (fit(pairs(100), pairs(20, 1), CONTRACT, SHORT, seed=7) for _ in range(2))
    np.testing.assert_array_equal(weights(first), weights(second))
    np.testing.assert_allclose([p.train_loss for p in first.curve],
                               [p.train_loss for p in second.curve], rtol=0.0, atol=1e-6)
    assert first.curve == second.curve


def test_the_steps_are_those_of_the_optimiser_of_torch_bit_for_bit():
    start = torch.rand(30, generator=torch.Generator().manual_seed(0))
    mine, theirs = (torch.nn.Parameter(start.clone()) for _ in range(2))
    ours = AdamW([mine], 0.01)
    optimiser = torch.optim.AdamW([theirs], lr=1.0, weight_decay=0.01, fused=True)
    for step in range(1, 20):
        for each in (ours, optimiser):
            each.zero_grad()
        for weights_ in (mine, theirs):
            (weights_ ** 3).sum().backward()
        optimiser.param_groups[0]['lr'] = 0.1 / step
        optimiser.step()
        ours.step(0.1 / step)
    assert torch.equal(mine, theirs)
    for moment, value in optimiser.state[theirs].items():
        assert torch.equal(ours.state[mine][moment], value)


def test_another_seed_gives_other_weights():
    first, second = (fit(pairs(100), None, CONTRACT, SHORT, seed=seed) for seed in (1, 2))
    assert not np.array_equal(weights(first), weights(second))


def test_nobody_elses_chance_is_used_or_disturbed():
    before = torch.random.get_rng_state()
    first = fit(pairs(100), None, CONTRACT, SHORT, seed=7)
    assert torch.equal(torch.random.get_rng_state(), before)
    torch.rand(3)
    np.testing.assert_array_equal(weights(first),
                                  weights(fit(pairs(100), None, CONTRACT, SHORT, seed=7)))


def test_held_out_demonstrations_change_no_weight():
    first = fit(pairs(100), None, CONTRACT, SHORT, seed=7)
    second = fit(pairs(100), pairs(50, 3), CONTRACT, SHORT, seed=7)
    np.testing.assert_array_equal(weights(first), weights(second))
    assert first.held_out_loss == -1.0
    assert all(report.held_out_loss == -1.0 for report in first.curve)
    assert second.curve[-1].held_out_loss == pytest.approx(second.held_out_loss, abs=1e-6)


def test_progress_comes_every_fifty_steps_and_after_the_last():
    reports = []
    fit(pairs(100), None, CONTRACT, SHORT, seed=0, progress=reports.append)
    assert [report.step for report in reports] == [50, 100, 120]
    assert all(report.steps == 120 for report in reports)


def test_a_cancelled_fit_stops_at_the_next_step():
    calls = []

    def cancelled():
        calls.append(1)
        return len(calls) == 10

    with pytest.raises(CanceledError, match='at step 9 of 120'):
        fit(pairs(100), None, CONTRACT, SHORT, seed=0, cancelled=cancelled)


def test_one_pair_is_enough_to_learn_it_by_heart():
    one = pairs(1)
    result = fit(one, None, CONTRACT, SHORT, seed=0)
    np.testing.assert_allclose(result.policy.act(one.observations[0]), one.actions[0], atol=1e-3)


def test_without_a_label_there_is_nothing_to_fit():
    with pytest.raises(NoDataError):
        fit(pairs(0), None, CONTRACT, SHORT, seed=0)


@pytest.mark.parametrize('broken', [
    Pairs(np.zeros((3, 5), np.float32), np.zeros((3, 3), np.float32)),
    Pairs(np.zeros((3, 6), np.float32), np.zeros((3, 2), np.float32)),
    Pairs(np.zeros((3, 6), np.float32), np.zeros((2, 3), np.float32))])
def test_data_of_another_shape_are_refused(broken):
    with pytest.raises(NoDataError, match='expected'):
        fit(broken, None, CONTRACT, SHORT, seed=0)
    with pytest.raises(NoDataError, match='held-out data have shapes'):
        fit(pairs(10), broken, CONTRACT, SHORT, seed=0)


@pytest.mark.parametrize('what', ['observations', 'actions'])
@pytest.mark.parametrize('value', [np.nan, np.inf])
def test_data_that_are_not_finite_are_refused_with_their_row(what, value):
    data = pairs(10)
    getattr(data, what)[4, 1] = value
    with pytest.raises(NotFiniteError, match='4 of the training data'):
        fit(data, None, CONTRACT, SHORT, seed=0)


def test_a_loss_that_explodes_is_reported(monkeypatch):
    square = torch.nn.functional.mse_loss
    monkeypatch.setattr(torch.nn.functional, 'mse_loss',
                        lambda *pair: square(*pair).exp().exp().exp().exp())
    with pytest.raises(NotFiniteError, match='training loss is (nan|inf) at step 50'):
        fit(pairs(50), None, CONTRACT, SHORT, seed=0)


def test_an_input_that_the_contract_lacks_is_refused():
    with pytest.raises(InputsError, match='puck'):
        fit(pairs(10), None, CONTRACT, dataclasses.replace(SHORT, inputs=('puck',)), seed=0)


def test_the_learning_rate_rises_and_then_falls_to_zero():
    config = dataclasses.replace(CONFIG, steps=1000, warmup_steps=100)
    rates = [rate(config, step) for step in range(1000)]
    assert rates[0] == pytest.approx(0.01)
    assert rates[99] == 1.0
    assert all(a >= b for a, b in zip(rates[100:], rates[101:]))
    assert 0.0 <= rates[-1] < 1e-4


def test_each_pair_is_seen_equally_often():
    batches = list(_batches(90, 12, 750, torch.Generator().manual_seed(0)))
    assert {len(batch) for batch in batches} == {12}
    assert torch.bincount(torch.cat(batches)).tolist() == [100] * 90
