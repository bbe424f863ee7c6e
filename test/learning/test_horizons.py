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

"""Histories and chunks from the data set's file to the checkpoint."""

import dataclasses
import json

from il_ros.contract.contract import ActionElement, Contract, Feature, TOOL_VELOCITY
from il_ros.dataset.dataset import Demonstrations, HELD_OUT, labelled, load
from il_ros.dataset.steps import Steps
from il_ros.errors import NoDataError, NotFiniteError
from il_ros.learning import checkpoint
from il_ros.learning.config import TrainConfig
from il_ros.learning.fit import fit
from il_ros.learning.horizons import Horizons
from il_ros.learning.runner import Runner
from il_ros.learning.training_worker import job as jobs
from il_ros.learning.training_worker.protocol import Job
import numpy as np
import pytest

CONTRACT = Contract(
    name='line', rate=20.0, features=(Feature('x', elements=('x',), unit='m', frame_id='base'),),
    action_space=TOOL_VELOCITY, action_frame_id='base',
    actions=(ActionElement('linear_x', 'm/s', -1.0, 1.0),))

CONFIG = TrainConfig(inputs=('x',), hidden=(32,), batch=64, steps=500, learning_rate=5e-3,
                     warmup_steps=20)

LENGTH, EPISODES = 10, 40


def ways(seed: int = 0) -> Steps:
    """Return episodes whose label is five times the last motion; the first stands still."""
    chance = np.random.default_rng(seed)
    moves = chance.uniform(-0.2, 0.2, (EPISODES, LENGTH))
    moves[:, 0] = 0.0
    x = np.cumsum(moves, axis=1) + chance.uniform(-0.5, 0.5, (EPISODES, 1))
    x, moves = (array.reshape(-1, 1).astype(np.float32) for array in (x, moves))
    return Steps(x, 5.0 * moves, np.ones(EPISODES * LENGTH, bool),
                 np.arange(0, EPISODES * LENGTH, LENGTH))


def test_what_one_observation_hides_a_history_shows():
    errors = []
    for history in (1, 2):
        config = dataclasses.replace(CONFIG, history=history)
        policy = fit(labelled(ways(), CONTRACT), None, CONTRACT, config, seed=0).policy
        fresh, runner, error = ways(1), Runner(policy), []
        for row, (x, label) in enumerate(zip(fresh.observations, fresh.actions)):
            runner.begin(str(row // LENGTH))
            error.append(abs(float(runner.act(row, x)[0] - label[0])))
        errors.append(np.mean(error))
    assert errors[0] > 0.3
    assert errors[1] < 0.06


@pytest.mark.parametrize('change', [{}, {'loss': 'mixture'}, {'loss': 'cross_entropy'},
                                    {'loss': 'nll', 'ensemble': 2}],
                         ids=lambda change: '-'.join(map(str, change.values())) or 'mse')
def test_a_chunk_is_learnt_up_to_the_end_of_an_episode(change):
    x = np.random.default_rng(0).choice([-0.5, 0.5], (EPISODES, 1))
    actions = np.tile(np.array([0.2, -0.4, 0.6]), (EPISODES, 1)) * np.sign(x)
    # The goal's side is seen at the first step alone; the last label is followed by the end.
    seen = np.hstack([x, np.zeros((EPISODES, 2))])
    steps = Steps(seen.reshape(-1, 1).astype(np.float32),
                  actions.reshape(-1, 1).astype(np.float32), np.ones(3 * EPISODES, bool),
                  np.arange(0, 3 * EPISODES, 3))
    config = dataclasses.replace(CONFIG, chunk=3, execute=3, **change)
    result = fit(labelled(steps, CONTRACT), labelled(steps, CONTRACT), CONTRACT, config, seed=0)
    assert result.held_out_loss == pytest.approx(result.train_loss, abs=1e-6)
    for side in (-0.5, 0.5):
        planned, _ = result.policy.propose(np.array([side], np.float32))
        np.testing.assert_allclose(planned[:, 0], np.sign(side) * np.array([0.2, -0.4, 0.6]),
                                   atol=0.05)


def test_without_the_episodes_there_is_no_history_and_no_chunk():
    pairs = labelled(ways(), CONTRACT)
    alone = Demonstrations(pairs.observations, pairs.actions, CONTRACT)
    for change in ({'history': 2}, {'chunk': 2}):
        with pytest.raises(NoDataError, match='which episodes they are from'):
            fit(alone, None, CONTRACT, dataclasses.replace(CONFIG, **change), seed=0)


def test_an_observation_without_a_label_must_be_finite_too():
    steps = ways()
    steps.valid[7], steps.observations[7] = False, np.nan
    with pytest.raises(NotFiniteError, match='observation 7 of the training data'):
        fit(labelled(steps, CONTRACT), None, CONTRACT, dataclasses.replace(CONFIG, history=2),
            seed=0)


def test_a_job_reads_the_episodes_and_its_checkpoint_knows_its_horizons(
        tmp_path, dataset_file, training_yaml):
    training_yaml.write_text(training_yaml.read_text() + (
        'history: 2\nchunk: 3\nexecute: 2\ntemporal_ensembling: true\nensemble: 2\n'
        'loss: mixture\ncomponents: 4\n'))
    done = jobs.run(Job(dataset=str(dataset_file), filter_key='round_0',
                        config=str(training_yaml), output=str(tmp_path / 'policy'),
                        held_out_key=HELD_OUT), lambda _: None, lambda: False)
    policy = checkpoint.load(tmp_path / 'policy', done.sha256)
    assert policy.horizons == Horizons(2, 3, 2, True)
    assert (policy.head.kind, policy.head.components, policy.net.members) == ('mixture', 4, 2)
    assert done.labels == 150
    assert done.held_out_loss > 0.0
    assert 0 <= done.epsilon_mistakes <= done.epsilon_states == 50


def test_the_episodes_of_the_file_are_those_of_the_key(dataset_file):
    for key, rows in (('round_0', slice(0, 150)), (HELD_OUT, slice(150, 200))):
        found, plain = load(dataset_file, key, with_steps=True), load(dataset_file, key)
        np.testing.assert_array_equal(found.observations, plain.observations)
        np.testing.assert_array_equal(found.steps.observations, plain.observations)
        assert found.steps.starts.tolist() == [0]
        assert len(found.steps.valid) == rows.stop - rows.start
        assert plain.steps is None


def test_a_checkpoint_of_version_1_is_still_read(tmp_path, policy, observations):
    checkpoint.save(tmp_path / 'policy', policy)
    path = tmp_path / 'policy' / checkpoint.DOCUMENT
    document = json.loads(path.read_text())
    for key in ('head', 'members', 'horizons', 'sha256'):
        document.pop(key)
    document['version'] = 1
    weights = (tmp_path / 'policy' / checkpoint.WEIGHTS).read_bytes()
    document['sha256'] = checkpoint._digest(weights, document)
    path.write_text(json.dumps(document))
    loaded = checkpoint.load(tmp_path / 'policy')
    np.testing.assert_array_equal(loaded.act_batch(observations), policy.act_batch(observations))
    assert loaded.horizons == Horizons()
