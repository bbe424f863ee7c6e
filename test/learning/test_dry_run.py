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
"""The dry run: what was fitted passes it however little, and a poisoned one does not."""

from il_ros.contract.contract import ActionElement, Contract, Feature, TOOL_VELOCITY
from il_ros.dataset.dataset import Demonstrations
from il_ros.errors import DamagedError, DryRunError
from il_ros.learning import checkpoint
from il_ros.learning.config import TrainConfig
from il_ros.learning.dry_run import dry_run
from il_ros.learning.fit import fit
from il_ros.learning.nets.mlp import Mlp
from il_ros.learning.normaliser import Normaliser
from il_ros.learning.policy import NO_IMAGES, Policy
import numpy as np
import pytest

CONTRACT = Contract(
    'plane', 20.0,
    (Feature('tool_position', elements=('x', 'y'), unit='m', frame_id='base'),
     Feature('goal_position', start=2, elements=('x', 'y'), unit='m', frame_id='base')),
    TOOL_VELOCITY, 'base', (ActionElement('linear_x', 'm/s', -0.5, 0.5),
                            ActionElement('linear_y', 'm/s', -0.5, 0.5)))


def demonstrations(count: int) -> Demonstrations:
    """Return states near the origin and a saturated law's labels."""
    observations = np.random.default_rng(0).uniform(-0.1, 0.1, (count, 4)).astype(np.float32)
    wanted = 10.0 * (observations[:, 2:] - observations[:, :2])
    return Demonstrations(observations, CONTRACT.clip(wanted).astype(np.float32), CONTRACT)


def fitted(count: int = 100, **fields) -> Policy:
    """Return a policy that was fitted to so many labels."""
    config = TrainConfig(**{'inputs': ('goal_position - tool_position',), 'hidden': (32, 32),
                            'warmup_steps': 0, **fields})
    return fit(demonstrations(count), None, CONTRACT, config, 0).policy


def far_away() -> list:
    """Return states a metre from where anything was learnt."""
    rows = np.random.default_rng(1).uniform(-1.0, 1.0, (100, 4)).astype(np.float32)
    return [(row, NO_IMAGES) for row in rows]


@pytest.mark.parametrize('fields', [
    {'steps': 1}, {'steps': 5}, pytest.param({'steps': 2000}, marks=pytest.mark.drill),
    {'steps': 5, 'loss': 'nll'},
    pytest.param({'steps': 500, 'loss': 'mixture'}, marks=pytest.mark.drill),
    {'steps': 5, 'loss': 'cross_entropy'}, {'steps': 5, 'ensemble': 3},
    pytest.param({'steps': 500, 'learning_rate': 0.03}, marks=pytest.mark.drill)])
@pytest.mark.parametrize('count', [
    1, pytest.param(10, marks=pytest.mark.drill), 100])
def test_a_policy_that_was_fitted_however_little_passes_also_far_from_its_data(fields, count):
    dry_run(fitted(count, **fields), far_away())


def test_most_answers_of_a_well_fitted_policy_may_lie_outside_the_bounds():
    policy = fitted(steps=2000)
    answers = np.array([policy.propose(row)[0][0] for row, _ in far_away()])
    assert np.mean(~CONTRACT.accepts(answers)) > 0.5
    dry_run(policy, far_away())


def test_a_fit_that_diverged_is_refused_with_the_element_and_its_bounds():
    policy = fitted(steps=20, learning_rate=1.0, schedule='constant')
    with pytest.raises(DryRunError, match=r'linear_[xy] is up to .* m/s, expected -0.5 to 0.5'):
        dry_run(policy, far_away())


def changed(policy: Policy, normaliser: Normaliser, bias: float = 0.0) -> Policy:
    """Return the policy with another normaliser, and this bias on its last layer."""
    net = policy.net
    last = net.biases[-1] + np.float32(bias)
    return Policy(policy.contract, policy.inputs, normaliser, policy.action_normaliser,
                  Mlp(net.weights, (*net.biases[:-1], last)), policy.info)


def test_an_answer_far_outside_to_its_own_training_is_refused_without_any_observation():
    policy = fitted(steps=300)
    with pytest.raises(DryRunError, match='1 of 1 answers to the mean of its training inputs'):
        dry_run(changed(policy, policy.normaliser, bias=1e6), ())


def test_answers_far_outside_to_what_was_observed_are_refused():
    policy = fitted(steps=300)
    narrow = Normaliser(policy.normaliser.mean, policy.normaliser.sd / np.float32(1000.0))
    with pytest.raises(DryRunError, match='of 100 answers to what was observed lately'):
        dry_run(changed(policy, narrow), far_away())


def test_a_checkpoint_whose_action_normaliser_no_labels_can_have_given_is_refused(tmp_path):
    policy = fitted(steps=5)
    for mean in (1e6, 0.6):
        lie = Normaliser(np.array([0.0, mean], np.float32), policy.action_normaliser.sd)
        checkpoint.save(tmp_path / f'{mean}', Policy(
            CONTRACT, policy.inputs, policy.normaliser, lie, policy.net))
        with pytest.raises(DamagedError, match='action_normaliser: the mean of linear_y is .* '
                                               'expected -0.5 to 0.5, where every label lies'):
            checkpoint.load(tmp_path / f'{mean}')
