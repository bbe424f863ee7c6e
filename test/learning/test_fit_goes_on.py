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

"""A fit that is killed goes on where it was, and ends in the same weights, bit for bit."""

import dataclasses
import hashlib

from il_ros.contract.contract import ActionElement, Contract, Feature, IMAGE, TOOL_VELOCITY
from il_ros.errors import CanceledError
from il_ros.learning import fit_file
from il_ros.learning.config import TrainConfig
from il_ros.learning.fit import fit
from il_ros.learning.fit_file import FitFile
import numpy as np
import pytest

CONTRACT = Contract(
    name='bench', rate=20.0,
    features=(Feature('way', start=0, elements=('x', 'y', 'z'), unit='m', frame_id='base'),
              Feature('camera', kind=IMAGE, height=16, width=16, encoding='rgb8',
                      elements=(), unit='')),
    action_space=TOOL_VELOCITY, action_frame_id='base',
    actions=(ActionElement('linear_x', 'm/s', -0.5, 0.5),
             ActionElement('linear_y', 'm/s', -0.5, 0.5)))
PLAIN = TrainConfig(inputs=('way',), hidden=(32, 32), batch=16, steps=650)
BRIEF = dataclasses.replace(PLAIN, steps=230)
CONFIGS = {
    'plain': PLAIN,
    'ensemble': dataclasses.replace(PLAIN, ensemble=3, loss='nll', steps=330),
    'images': dataclasses.replace(PLAIN, architecture='cnn', images=('camera',), channels=(4, 4),
                                  strides=(2, 1), crop_px=2, steps=130)}


@dataclasses.dataclass(frozen=True)
class Pairs:
    """Observations, images and labels."""

    observations: np.ndarray
    actions: np.ndarray
    images: dict


def pairs(count: int, seed: int = 0) -> Pairs:
    """Return pairs of chance."""
    rng = np.random.default_rng(seed)
    way = rng.uniform(-0.2, 0.2, (count, 3)).astype(np.float32)
    return Pairs(way, way[:, :2] * 2.0, {
        'camera': rng.integers(0, 256, (count, 16, 16, 3), np.uint8)})


@pytest.fixture(autouse=True)
def _always_due(monkeypatch):
    monkeypatch.setattr(fit_file, 'EVERY_S', 0.0)
    monkeypatch.setattr(fit_file, 'SHARE', 0.0)


def run(config, folder, stop_at: int = 0, seed: int = 3, data=None, reports=None):
    """Fit, or give up after so many steps of this process."""
    steps = []

    def cancelled():
        steps.append(1)
        return stop_at and len(steps) > stop_at
    return fit(data or pairs(100), pairs(20, 1), CONTRACT, config, seed,
               [].append if reports is None else reports.append, cancelled,
               FitFile(folder / 'policy')), len(steps)


def killed(*args, **settings):
    """Fit until it is killed."""
    with pytest.raises(CanceledError):
        run(*args, **settings)


def digest(result) -> str:
    """Return a hash of the weights."""
    found = hashlib.sha256()
    for name, array in sorted(result.policy.net.tensors().items()):
        found.update(name.encode() + array.tobytes())
    return found.hexdigest()


@pytest.mark.parametrize('name', CONFIGS)
def test_a_fit_that_is_killed_again_and_again_ends_in_the_same_weights(name, tmp_path):
    config = CONFIGS[name]
    whole, steps = run(config, tmp_path / 'whole')
    assert steps == config.steps
    for _ in range(config.steps // 110):
        killed(config, tmp_path / 'killed', stop_at=110)
    reports = []
    result, left = run(config, tmp_path / 'killed', reports=reports)
    assert left < config.steps - 50
    assert digest(result) == digest(whole)
    assert result.curve == whole.curve
    assert (result.train_loss, result.held_out_loss) == (whole.train_loss, whole.held_out_loss)
    assert reports[0].step == config.steps - left


@pytest.mark.parametrize('change', ['seed', 'config', 'data', 'held_out'])
def test_what_another_fit_left_is_never_used(change, tmp_path):
    killed(BRIEF, tmp_path, stop_at=110)
    settings = {'seed': {'seed': 4}, 'data': {'data': pairs(100, 9)}}.get(change, {})
    config = dataclasses.replace(BRIEF, learning_rate=2e-3) if change == 'config' else BRIEF
    if change == 'held_out':
        result = fit(pairs(100), None, CONTRACT, config, 3, file=FitFile(tmp_path / 'policy'))
        expected = fit(pairs(100), None, CONTRACT, config, 3)
    else:
        result, steps = run(config, tmp_path, **settings)
        assert steps == BRIEF.steps
        expected, _ = run(config, tmp_path / 'fresh', **settings)
    assert digest(result) == digest(expected)
    assert result.curve == expected.curve


@pytest.mark.parametrize('damage', [
    lambda data: data[:len(data) // 2], lambda data: data[:-8] + b'\0' * 8, lambda data: b'',
    lambda data: data[32:]])
def test_a_damaged_file_is_not_used(damage, tmp_path):
    killed(BRIEF, tmp_path, stop_at=110)
    path = FitFile(tmp_path / 'policy').path
    path.write_bytes(damage(path.read_bytes()))
    assert run(BRIEF, tmp_path)[1] == BRIEF.steps


def test_a_disk_that_refuses_does_not_stop_the_fit(tmp_path):
    (tmp_path / 'file').write_text('in the way')
    result, steps = run(BRIEF, tmp_path / 'file')
    assert steps == BRIEF.steps
    assert digest(result) == digest(run(BRIEF, tmp_path)[0])


def test_a_fit_is_saved_no_more_often_than_it_may_cost(tmp_path, monkeypatch):
    monkeypatch.setattr(fit_file, 'EVERY_S', 1000.0)
    killed(BRIEF, tmp_path, stop_at=110)
    assert not list(tmp_path.iterdir())
