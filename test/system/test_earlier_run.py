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

"""
A run that an earlier version recorded is read, verified, evaluated, trained on and exported.

``recorded/earlier_run.tar.xz``: ``il_ros dagger --task reach --demonstrations 2 --rounds 1
--episodes-per-round 1 --final-evaluation-episodes 2 --no-baseline --seed 3``, then relabelled.
"""

import json
from pathlib import Path
import tarfile

import h5py
from il_ros.cli.parser import main
from il_ros.episodes.reader import read_episode
from il_ros.runs.inventory import episodes_of
import pytest

pytestmark = pytest.mark.system

RECORDED = Path(__file__).parent / 'recorded' / 'earlier_run.tar.xz'


@pytest.fixture
def runs(tmp_path):
    """Return the folder that holds the run ``earlier``."""
    with tarfile.open(RECORDED) as archive:
        archive.extractall(tmp_path, filter='data')
    return tmp_path


def test_an_earlier_run_is_read_and_verified(runs, capfd):
    assert main(['dataset', 'verify', 'earlier', '--runs', str(runs)]) == 0
    assert '19 episodes' in capfd.readouterr().out
    assert main(['dataset', 'info', 'earlier', '--json', '--runs', str(runs)]) == 0
    assert json.loads(capfd.readouterr().out)['episodes'] == 19
    episode = read_episode(next(path for path in episodes_of(runs / 'earlier')
                                if path.stem == 'demonstration-r00-030000'))
    assert episode.spec.task == 'reach' and episode.success and episode.steps == 14


def test_an_earlier_run_is_trained_on_and_exported(runs):
    config = runs / 'earlier' / 'training.yaml'
    for words in (['train', '--run', 'earlier', '--output', str(runs / 'again'),
                   '--config', str(config)],
                  ['dataset', 'export', 'earlier', '--to', 'robomimic', '--output',
                   str(runs / 'exported')]):
        assert main([*words, '--runs', str(runs)]) == 0
    assert (runs / 'again' / 'policy.safetensors').is_file()
    exported, = (runs / 'exported').glob('*.hdf5')
    with h5py.File(exported) as file:
        assert len(file['data']) >= 3


def test_an_earlier_checkpoint_still_drives(runs):
    policy = runs / 'earlier' / 'checkpoints' / 'round_01'
    result = runs / 'result.json'
    assert main(['evaluate', '--task', 'reach', '--policy', str(policy), '--episodes', '2',
                 '--json', str(result), '--runs', str(runs)]) == 0
    found = json.loads(result.read_text())['episodes']
    assert [episode['seed'] for episode in found] == [1_000_000, 1_000_001]
