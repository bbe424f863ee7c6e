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

"""Members that learn together and as if alone, answer with their mean, and know their doubt."""

import dataclasses
import timeit

from il_ros.contract.contract import ActionElement, Contract, Feature, TOOL_VELOCITY
from il_ros.dataset.dataset import Demonstrations
from il_ros.driving import gates
from il_ros.errors import LearningError, PolicyError
from il_ros.learning import checkpoint
from il_ros.learning.config import TrainConfig
from il_ros.learning.fit import fit
from il_ros.learning.nets.mlp import Mlp
from il_ros.learning.normaliser import Normaliser
from il_ros.learning.policy import Policy
import numpy as np
import pytest

CONTRACT = Contract(
    name='plane', rate=20.0,
    features=(Feature('x', elements=('x', 'y'), unit='m', frame_id='base'),),
    action_space=TOOL_VELOCITY, action_frame_id='base',
    actions=(ActionElement('linear_x', 'm/s', -1.0, 1.0),
             ActionElement('linear_y', 'm/s', -0.5, 0.5),
             ActionElement('gripper_opening', 'm', 0.0, 0.08)))

CONFIG = TrainConfig(inputs=('x',), hidden=(32, 32), batch=32, steps=300, warmup_steps=10,
                     learning_rate=3e-3, ensemble=3)


def data(count: int = 200) -> Demonstrations:
    """Return states left of x = 0.2, with a smooth expert and a hand that opens above y = 0."""
    x = np.random.default_rng(0).uniform(-1.0, 0.2, (count, 2)).astype(np.float32)
    actions = np.stack([np.sin(2.0 * x[:, 0]), 0.4 * x[:, 1],
                        np.where(x[:, 1] > -0.4, 0.08, 0.0)], axis=1)
    return Demonstrations(x, actions.astype(np.float32), CONTRACT)


@pytest.fixture(scope='module')
def trained():
    """Return what a fit of three members gave."""
    return fit(data(), data(50), CONTRACT, CONFIG, seed=4)


def member(policy: Policy, at: int) -> Policy:
    """Return one member as a policy of its own."""
    net = Mlp(tuple(weight[at] for weight in policy.net.weights),
              tuple(bias[at] for bias in policy.net.biases))
    return Policy(policy.contract, policy.inputs, policy.normaliser, policy.action_normaliser,
                  net, head=policy.head)


def constant(*answers) -> Policy:
    """Return a policy whose members always give these answers, in units."""
    from il_ros.learning.inputs import Inputs
    biases = np.array(answers, np.float32)
    net = Mlp((np.zeros((len(biases), 2, 3), np.float32),), (biases,))
    zero, one = np.zeros(3, np.float32), np.ones(3, np.float32)
    return Policy(CONTRACT, Inputs(CONTRACT, ['x']), Normaliser(zero[:2], one[:2]),
                  Normaliser(zero, one), net)


def test_the_first_member_learns_what_a_net_alone_learns(trained):
    alone = fit(data(), None, CONTRACT, dataclasses.replace(CONFIG, ensemble=1), seed=4).policy
    for together, weight in zip(trained.policy.net.weights, alone.net.weights):
        np.testing.assert_allclose(together[0], weight, atol=2e-3)
    seen = data(50).observations
    np.testing.assert_allclose(member(trained.policy, 0).act_batch(seen), alone.act_batch(seen),
                               atol=5e-3)


def test_the_members_differ_and_all_have_learnt(trained):
    answers = [member(trained.policy, at).act_batch(data().observations) for at in range(3)]
    assert not np.allclose(answers[0], answers[1], atol=1e-3)
    for answer in answers:
        assert np.abs(answer - data().actions)[:, 0].mean() < 0.1
    assert 0.0 < trained.train_loss < 0.2
    assert 0.0 < trained.held_out_loss < 0.2


def test_the_same_seed_gives_the_same_ensemble(trained):
    again = fit(data(), None, CONTRACT, CONFIG, seed=4)
    for one, other in zip(trained.policy.net.weights, again.policy.net.weights):
        np.testing.assert_array_equal(one, other)


def test_the_answer_is_the_mean_of_the_members(trained):
    seen = data(50).observations
    mean = np.mean([member(trained.policy, at).act_batch(seen) for at in range(3)], axis=0)
    together = trained.policy.act_batch(seen)
    np.testing.assert_allclose(together[:, :2], mean[:, :2], atol=1e-2)
    np.testing.assert_allclose(together, [trained.policy.act(one) for one in seen], atol=1e-5)
    assert set(together[:, 2]) <= {0.0, np.float32(0.08)}


def test_novelty_is_larger_where_nothing_was_learnt(trained):
    known = [trained.policy.novelty(one) for one in data(100).observations]
    unknown = [trained.policy.novelty(one + 3.0) for one in data(100).observations]
    assert np.median(unknown) > 5.0 * np.median(known) > 0.0


def test_novelty_has_the_unit_of_disagreement():
    disagreement = gates.Disagreement(CONTRACT)
    one, other = (0.3, 0.1, 0.08), (-0.1, 0.4, 0.08)
    # Two members are one sd from their mean, and two sds from each other.
    half = 0.5 * disagreement(one, other)
    assert constant(one, other).novelty(np.zeros(2, np.float32)) == pytest.approx(half)
    shut = (*other[:2], 0.0)
    assert constant(one, shut).novelty(np.zeros(2, np.float32)) == (
        disagreement(one, shut)) == 1.0


def test_members_that_differ_beyond_the_same_bound_doubt():
    policy = constant((4.0, 0.0, 0.08), (9.0, 0.0, 0.08))
    assert policy.act(np.zeros(2, np.float32))[0] == 1.0
    assert policy.novelty(np.zeros(2, np.float32)) == 2.5


def test_the_hand_follows_the_mean_of_the_members():
    assert constant((0, 0, 0.08), (0, 0, 0.05), (0, 0, 0.0)).act(np.zeros(2, np.float32))[2] == (
        np.float32(0.08))
    assert constant((0, 0, 0.05), (0, 0, 0.0), (0, 0, 0.0)).act(np.zeros(2, np.float32))[2] == 0.0


def test_the_answer_at_the_mean_is_that_of_all_members_and_not_bounded():
    np.testing.assert_allclose(constant((4.0, 0.1, 0.08), (9.0, 0.3, 0.0)).at_mean(),
                               [6.5, 0.2, 0.04], rtol=1e-6)
    alone = member(constant((4.0, 0.1, 0.08), (9.0, 0.3, 0.0)), 1)
    np.testing.assert_allclose(alone.at_mean(), [9.0, 0.3, 0.0], rtol=1e-6)


def test_a_document_that_names_no_members_is_of_a_net_alone():
    net = member(constant((4.0, 0.1, 0.08), (9.0, 0.3, 0.0)), 0).net
    document = {'widths': [2, 3]}
    assert Mlp.from_document(document, net.tensors()).members == 1


def test_a_net_alone_has_no_novelty():
    assert member(constant((0, 0, 0), (0, 0, 0)), 0).novelty(np.zeros(2, np.float32)) == -1.0


def test_an_input_that_is_not_finite_has_no_answer(trained):
    with pytest.raises(PolicyError, match='input x.y is nan'):
        trained.policy.act(np.array([0.0, np.nan], np.float32))
    with pytest.raises(PolicyError, match='observation 1: input x.x is inf'):
        trained.policy.act_batch(np.array([[0.0, 0.0], [np.inf, 0.0]], np.float32))


def test_layers_of_different_ensembles_make_no_net():
    with pytest.raises(LearningError, match='members follows one of'):
        Mlp((np.zeros((2, 3, 4), np.float32), np.zeros((3, 4, 1), np.float32)),
            (np.zeros((2, 4), np.float32), np.zeros((3, 1), np.float32)))


def test_a_checkpoint_holds_all_members(trained, tmp_path):
    sha256 = checkpoint.save(tmp_path / 'a', trained.policy)
    loaded = checkpoint.load(tmp_path / 'a', sha256)
    seen = data(20).observations
    np.testing.assert_array_equal(loaded.act_batch(seen), trained.policy.act_batch(seen))
    assert loaded.novelty(seen[0]) == trained.policy.novelty(seen[0])
    assert loaded.net.members == 3


def test_four_members_of_usual_size_answer_within_a_control_step():
    chance = np.random.default_rng(0)
    sizes = ((2, 256), (256, 256), (256, 3))
    policy = constant(*chance.normal(size=(4, 3)))
    net = Mlp(tuple(chance.normal(size=(4, *size)).astype(np.float32) / 16.0 for size in sizes),
              tuple(np.zeros((4, size[1]), np.float32) for size in sizes))
    policy = Policy(CONTRACT, policy.inputs, policy.normaliser, policy.action_normaliser, net)
    values = np.zeros(2, np.float32)
    best_s = min(timeit.repeat(lambda: policy.propose(values), number=50, repeat=20)) / 50
    assert best_s < 1e-3, f'{best_s * 1e6:.0f} us'
