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

"""An architecture of another package, that of the documents: trained, saved, loaded, checked."""

from pathlib import Path
import re

import il_ros
from il_ros.cli.parser import main
from il_ros.errors import TrainConfigError
from il_ros.learning.dry_run import dry_run
from il_ros.learning.fit import fit
import numpy as np
import pytest
from worker_listener import end_of, Listener
import yaml

PAGE = Path(__file__).resolve().parents[3] / 'docs' / 'tutorials' / 'own-policy.md'


@pytest.fixture
def smooth(package, tmp_path, monkeypatch):
    """Install the package of the documents, for this process and its children."""
    source, = re.findall(r'```python\n(from il_ros.learning.nets.net .*?)```', PAGE.read_text(),
                         re.DOTALL)
    package('smoothing', {'policies': {'smooth': 'smoothing:Smooth'}}, smoothing=source)
    monkeypatch.setenv('PYTHONPATH', str(tmp_path))


@pytest.fixture
def data():
    """Return demonstrations of reach."""
    env = il_ros.make_env('reach')
    yield il_ros.demonstrate(env, il_ros.make_expert('reach', env.contract), range(3))
    env.close()


def settings(**changes) -> il_ros.TrainConfig:
    return il_ros.TrainConfig.from_dict({
        'inputs': ['goal_position - tool_position'], 'architecture': 'smooth', 'steps': 200,
        'hidden': [32, 32], **changes})


def test_it_is_trained_saved_and_loaded_like_ours(smooth, data, tmp_path):
    policy = il_ros.train(data, settings(), seed=3)
    il_ros.save_policy(policy, tmp_path / 'saved')
    loaded = il_ros.load_policy(tmp_path / 'saved')
    assert type(loaded.net).__name__ == 'Smooth'
    rows = data.observations
    np.testing.assert_array_equal(loaded.act_batch(rows), policy.act_batch(rows))
    dry_run(loaded, [(row, {}) for row in rows[:10]])
    assert {path.name for path in (tmp_path / 'saved').iterdir()} == {
        'policy.json', 'policy.safetensors'}
    error = np.abs(loaded.act_batch(rows) - data.actions).mean()
    assert error < 0.25 * np.abs(data.actions).mean()


def test_the_same_seed_gives_the_same_weights_and_the_generator_of_torch_is_left_alone(
        smooth, data):
    import torch
    before = torch.random.get_rng_state()
    first, again, other = (fit(data, None, data.contract, settings(steps=1, warmup_steps=0),
                               seed).policy.net.tensors() for seed in (1, 1, 2))
    assert all(np.array_equal(first[name], again[name]) for name in first)
    assert not any(np.array_equal(first[name], other[name]) for name in first)
    assert torch.equal(before, torch.random.get_rng_state())


@pytest.mark.system
def test_the_worker_trains_it(smooth, job, training_yaml):
    document = yaml.safe_load(training_yaml.read_text())
    training_yaml.write_text(yaml.safe_dump(
        {**document, 'architecture': 'smooth', 'hidden': [8, 8]}))
    with Listener(nice=0) as client:
        done = end_of(client, job)
    assert type(il_ros.load_policy(done.path).net).__name__ == 'Smooth'


def test_nothing_is_wrong_with_it(smooth, capsys):
    assert main(['check', 'policies', 'smooth']) == 0
    assert 'nothing is wrong' in capsys.readouterr().out


@pytest.mark.parametrize('change, reason', [
    ({'ensemble': 2}, 'ensemble is 2; expected 1 with the architecture smooth'),
    ({'images': ['camera']}, 'expected names of image features, with an architecture for images'),
    ({'architecture': 'smoothing:Smooth'}, "'smoothing:Smooth' is unknown; expected one of"),
    ({'architecture': ['smooth']}, 'architecture is .*smooth.*; expected a text')])
def test_settings_that_it_does_not_have_are_refused(smooth, change, reason):
    with pytest.raises(TrainConfigError, match=reason):
        settings(**change)
