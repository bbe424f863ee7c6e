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

"""What a policy answers, and what it never answers."""

import dataclasses
import os
import subprocess
import sys

from hypothesis import given, HealthCheck, settings, strategies
from il_ros.errors import InputsError, LearningError, NotFiniteError, PolicyError
from il_ros.learning.nets.mlp import Mlp
from il_ros.learning.normaliser import Normaliser
from il_ros.learning.policy import Policy
import numpy as np
import pytest


def test_one_observation_and_many_get_the_same_answers(policy, observations):
    alone = np.stack([policy.act(values) for values in observations])
    together = policy.act_batch(observations)
    assert alone.dtype == together.dtype == np.float32
    np.testing.assert_allclose(alone, together, atol=1e-5)


def test_the_same_observation_gets_the_same_answer_to_the_bit(policy, observations):
    first = policy.act(observations[0])
    policy.act(observations[1])
    np.testing.assert_array_equal(policy.act(observations[0]), first)
    np.testing.assert_array_equal(policy.act(observations[0].astype(np.float64)), first)


def test_the_net_is_the_one_that_was_trained(policy, observations):
    torch = pytest.importorskip('torch', reason='needs torch: make test')
    hidden = torch.from_numpy(policy.normaliser.apply(policy.inputs.apply(observations)))
    for weight, bias in zip(policy.net.weights[:-1], policy.net.biases[:-1]):
        hidden = torch.relu(hidden @ torch.from_numpy(weight) + torch.from_numpy(bias))
    out = hidden @ torch.from_numpy(policy.net.weights[-1]) + torch.from_numpy(
        policy.net.biases[-1])
    np.testing.assert_allclose(
        policy.net.forward(policy.normaliser.apply(policy.inputs.apply(observations))),
        out.numpy(), atol=1e-4)


def test_the_hand_is_either_open_or_closed(policy, observations):
    gripper = policy.act_batch(observations)[:, 2]
    assert set(gripper.tolist()) == {0.0, float(np.float32(0.08))}


def test_answers_stay_inside_the_bounds(policy, observations, contract):
    actions = policy.act_batch(observations * 100.0)
    assert (actions >= contract.lower).all()
    assert (actions <= contract.upper).all()
    assert (actions == contract.upper).any()


numbers = strategies.floats(width=32) | strategies.sampled_from(
    [np.nan, np.inf, -np.inf, 3e38, -3e38, 1e-45])


@settings(max_examples=400, deadline=None,
          suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(values=strategies.lists(numbers, min_size=9, max_size=9))
def test_an_answer_is_finite_and_bounded_or_there_is_none(policy, contract, values):
    values = np.array(values, np.float32)
    try:
        action = policy.act(values)
    except PolicyError:
        return
    assert np.isfinite(values[:7]).all()
    assert np.isfinite(action).all()
    assert (action >= contract.lower).all()
    assert (action <= contract.upper).all()


@pytest.mark.parametrize('value', [np.nan, np.inf, -np.inf])
def test_an_input_that_is_not_finite_is_named(policy, observations, value):
    values = observations[0].copy()
    values[5] = value
    with pytest.raises(PolicyError, match='goal_position.y - tool_position.y is'):
        policy.act(values)
    with pytest.raises(PolicyError, match='observation 0: input goal_position.y'):
        policy.act_batch(values[None])


def test_what_the_policy_does_not_look_at_may_be_anything(policy, observations):
    values = observations[0].copy()
    values[7:] = np.nan
    np.testing.assert_array_equal(policy.act(values), policy.act(observations[0]))


def test_an_observation_of_another_width_is_refused(policy):
    with pytest.raises(InputsError, match='has 8 values'):
        policy.act(np.zeros(8, np.float32))


def test_weights_that_are_not_finite_make_no_policy(policy):
    weights = (policy.net.weights[0] * np.float32(np.nan), *policy.net.weights[1:])
    with pytest.raises(NotFiniteError, match='layers.0.weight'):
        _with(policy, net=Mlp(weights, policy.net.biases))


def test_parts_of_different_widths_make_no_policy(policy, contract):
    short = Normaliser(np.zeros(3, np.float32), np.ones(3, np.float32))
    with pytest.raises(LearningError, match='the normaliser is 3 wide; expected 4'):
        _with(policy, normaliser=short)
    fewer = dataclasses.replace(contract, actions=contract.actions[:2])
    with pytest.raises(LearningError, match='expected 2'):
        _with(policy, contract=fewer)


def test_layers_that_do_not_fit_make_no_net():
    with pytest.raises(LearningError, match='gives 3 values to one that takes 4'):
        Mlp((np.zeros((2, 3), np.float32), np.zeros((4, 1), np.float32)),
            (np.zeros(3, np.float32), np.zeros(1, np.float32)))


def test_a_policy_that_was_never_saved_has_no_id(policy):
    assert policy.policy_id == 0


def test_a_policy_acts_without_torch():
    command = 'import sys, il_ros.learning.checkpoint; sys.exit("torch" in sys.modules)'
    path = os.pathsep.join(filter(None, sys.path))
    subprocess.run([sys.executable, '-c', command], check=True,
                   env={**os.environ, 'PYTHONPATH': path})


def _with(policy: Policy, **parts) -> Policy:
    return Policy(**{'contract': policy.contract, 'inputs': policy.inputs,
                     'normaliser': policy.normaliser,
                     'action_normaliser': policy.action_normaliser, 'net': policy.net, **parts})
