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

"""Training sets beside checkpoints, and the drift from them that ``il_ros error-growth`` tells."""

import json
from pathlib import Path

import h5py
from il_ros.cli import parser
from il_ros.dataset.dataset import DATASET, SCHEMA_VERSION
from il_ros.experiments.error_growth import plots
from il_ros.experiments.error_growth.training_states import drift, NoTrainingSetError
from il_ros.experiments.error_growth.training_states import training_states
from il_ros.experiments.rollouts import Conditions, Rollout, RolloutRunner
from il_ros.learning import checkpoint
from il_ros.learning.normaliser import Normaliser
import numpy as np
import pytest

STEPS = 60
SMALL = ('--episodes', '4', '--horizon', str(STEPS), '--expert-episodes', '2',
         '--first-seed', '500000')


@pytest.fixture(scope='module')
def shown() -> list[Rollout]:
    """Return two endless episodes of the expert, observations kept."""
    rollouts = RolloutRunner(Conditions('push', STEPS, True), keep_observations=True)
    yield [rollouts.run(seed) for seed in (0, 1)]
    rollouts.close()


@pytest.fixture(scope='module')
def trained(follower, shown, tmp_path_factory) -> Path:
    """Return a checkpoint in a run whose data set has the expert's first episode, but 3 steps."""
    run, policy = tmp_path_factory.mktemp('run'), checkpoint.load(follower)
    valid = np.ones(2 * STEPS, np.uint8)
    valid[:3] = 0
    index = [{'name': f'demo_{k}', 'start': k * STEPS, 'stop': (k + 1) * STEPS} for k in (0, 1)]
    with h5py.File(run / DATASET, 'w') as file:
        flat = file.create_group('il_ros')
        flat.attrs.update(schema_version=SCHEMA_VERSION, contract=policy.contract.to_json(),
                          contract_id=np.uint64(policy.contract.id))
        flat['observations'] = np.concatenate([one.observations for one in shown])
        flat['actions'] = np.concatenate([one.expert for one in shown])
        flat['label_valid'] = valid
        flat['index'] = np.frombuffer(json.dumps(index).encode(), np.uint8)
        file['mask/round_0'] = np.array([b'demo_0'])
    folder = run / 'checkpoints' / 'round_00'
    rows = policy.inputs.apply(shown[0].observations[3:])
    policy.normaliser = Normaliser.fit(rows, policy.inputs.units)
    checkpoint.save(folder, policy, {'filter_key': 'round_0', 'labels': STEPS - 3})
    return folder


def test_the_training_states_are_the_labelled_ones_of_the_filter_key(trained, shown):
    states = training_states(trained, checkpoint.load(trained))
    np.testing.assert_array_equal(states, shown[0].observations[3:])


@pytest.mark.parametrize('info, sentence', [
    ({}, 'does not name its training set'),
    ({'filter_key': 'round_7'}, "no data set with the filter key 'round_7'"),
    ({'filter_key': 'round_0', 'labels': 58}, "has 57 labels under 'round_0'"),
    ({'filter_key': 'round_0', 'labels': 57}, "has other states under 'round_0' than those")])
def test_a_training_set_that_is_not_there_or_another_is_not_taken(
        trained, follower, tmp_path, info, sentence):
    folder = trained.parent / tmp_path.name
    checkpoint.save(folder, checkpoint.load(follower), info)
    with pytest.raises(NoTrainingSetError, match=sentence):
        training_states(folder, checkpoint.load(folder))


def test_the_distance_is_zero_on_the_training_set_and_in_its_own_inputs_elsewhere(
        trained, shown):
    policy = checkpoint.load(trained)
    states = training_states(trained, policy)
    found = drift(policy, states, shown[:1], shown[1:], STEPS + 5)
    assert found.distances.shape == (1, STEPS + 5) and found.training_states == STEPS - 3
    np.testing.assert_allclose(found.distances[0, 3:], 0.0, atol=1e-6)
    seen = policy.normaliser.apply(policy.inputs.apply(shown[1].observations))
    known = policy.normaliser.apply(policy.inputs.apply(states))
    wanted = np.linalg.norm(seen[:, None] - known, axis=2).min(axis=1).mean()
    assert found.on_expert_states == pytest.approx(wanted, abs=1e-5) and wanted > 0.001


def test_the_command_tells_the_drift_of_those_whose_training_set_is_found(
        trained, follower, tmp_path, capsys, monkeypatch):
    for name in ('growth', 'exponents', 'goals', 'after_first_mistake'):
        monkeypatch.setattr(plots, name, lambda *_: '<svg/>')
    words = ['error-growth', *SMALL, '--policy', f'known={trained}', '--policy',
             f'unknown={follower}', '--output', str(tmp_path / 'out')]
    assert parser.main([*words, '--drift-episodes', '3']) == 0
    text = capsys.readouterr().out
    known, unknown = json.loads((tmp_path / 'out/compounding.json').read_text())['policies']
    assert (known['drift']['episodes'], known['drift']['training_states']) == (3, STEPS - 3)
    last = known['drift']['distance'][-1]
    assert 0.0 < last['low'] <= last['value'] <= last['high']
    assert unknown['drift'] is None and 'unknown: drift unknown' in text
    assert parser.main([*words, '--drift-episodes', '0']) == 0
    assert 'drift' not in capsys.readouterr().out
    without, _ = json.loads((tmp_path / 'out/compounding.json').read_text())['policies']
    assert {**known, 'drift': None} == without
