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

"""Bad input to the command gets one clear sentence and a non-zero exit, and leaves nothing."""

import dataclasses
import subprocess
import sys

from command_line import config_for, dagger_words, INPUTS
from il_ros.cli.parser import main
from il_ros.learning import checkpoint
from il_ros.learning.inputs import Inputs
from il_ros.learning.nets.mlp import Mlp
from il_ros.learning.normaliser import Normaliser
from il_ros.learning.policy import Policy
from il_ros.tasks.contracts import find_contract
import numpy as np
import pytest

pytestmark = pytest.mark.system
BIASED = '{"expert": {"bias": {"goal_position": [%s]}}}'


def save_policy(folder, task: str = 'reach', rate: float = 20.0):
    """Write a checkpoint with random weights and return its folder."""
    contract, _ = find_contract(task)
    contract = dataclasses.replace(contract, rate=rate)
    width = len(contract.actions)
    net = Mlp((np.ones((3, width), np.float32),), (np.zeros(width, np.float32),))
    scales = [Normaliser(np.zeros(n, np.float32), np.ones(n, np.float32)) for n in (3, width)]
    checkpoint.save(folder, Policy(
        contract, Inputs(contract, ['goal_position - tool_position']), *scales, net, {}))
    return folder


def refused(capfd, *words: str) -> str:
    """Run the command, which must fail, and return its one sentence."""
    capfd.readouterr()
    try:
        code = main([str(word) for word in words])
    except SystemExit as leave:
        code = leave.code
    _, err = capfd.readouterr()
    assert code not in (0, None), err
    assert 'Traceback' not in err
    said = [line for line in err.splitlines() if line.startswith('il_ros')]
    assert len(said) == 1, err
    return said[0]


@pytest.mark.parametrize('words, sentence', [
    (('--contract', 'moon'), "there is no contract 'moon'"),
    (('--contract', 'push_image'), 'the reach expert commands'),
    (('--contract', 'reach_image', '--attach'), "--contract is 'reach_image'"),
    (('--options', BIASED % '0.1'), 'reads 1 elements of goal_position'),
    (('--options', BIASED % '0, 0, 0.1', '--attach'), 'has its expert already'),
    (('--stream', 'camera'), "'camera' is no stream; expected TOPIC:TYPE"),
    (('--stream', 'camera:sensor_msgs/msg/Image', '--attach'), 'has its streams already')])
def test_a_contract_a_handicap_or_a_stream_that_does_not_fit(capfd, tmp_path, words, sentence):
    assert sentence in refused(
        capfd, 'record', '--task', 'reach', '--run', 'r', '--runs', tmp_path, *words)


def left(folder) -> list[str]:
    """Return the files below a folder, but for what the test put there itself."""
    return [str(path) for path in folder.rglob('*') if path.is_file()]


@pytest.mark.parametrize('words, sentence', [
    (('--task', 'moon'), 'moon'), (('--strategy', 'luck'), 'luck'), (('--run', '../x'), '../x'),
    (('--config', '/no/where.yaml'), '/no/where.yaml'), (('--rounds', '-1'), 'rounds'),
    (('--demonstrations', '0'), 'demonstrations'), (('--demonstrations', '-3'), 'demonstrations'),
    (('--seed', '-1'), 'seed'), (('--horizon', '-5'), 'horizon'),
    (('--first-seed', '7'), '7'), (('--rounds', 'two'), "'two' must be an integer between 0")])
def test_a_run_that_cannot_be(capfd, tmp_path, words, sentence):
    runs = tmp_path / 'runs'
    assert sentence in refused(
        capfd, *dagger_words('reach', tmp_path, 'new'), *words)
    assert not runs.exists() or left(runs) == []


@pytest.mark.parametrize('old, new, sentence', [
    (INPUTS['reach'], "['moon_position']", 'moon_position'),
    ('hidden: [32]', 'hiden: [32]', 'hiden'),
    ('strategy: {}', 'strategy: {gate: {treshold: 0.4}}', 'treshold'),
    ('strategy: {}', 'strategy: {gate: {threshold: -0.4}}', 'threshold'),
    ('strategy: {}', 'strategy: [', 'cannot be read')])
def test_a_configuration_that_cannot_work(capfd, tmp_path, old, new, sentence):
    words = dagger_words('reach', tmp_path, 'new')
    path = config_for('reach', tmp_path)
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))
    assert sentence in refused(capfd, *words)
    assert not (tmp_path / 'runs').exists() or left(tmp_path / 'runs') == []


def evaluate(tmp_path, policy, *words):
    """Return the words of a small evaluation."""
    return ['evaluate', '--task', 'reach', '--policy', policy, '--episodes', '2', '--runs',
            tmp_path / 'runs', '--json', tmp_path / 'out.json', *words]


def damaged(folder):
    """Return a checkpoint with a flipped bit."""
    path = save_policy(folder) / checkpoint.WEIGHTS
    path.write_bytes(path.read_bytes()[:-1] + b'x')
    return folder


@pytest.mark.parametrize('make, sentence', [
    (lambda folder: folder, 'expected the folder of a checkpoint'),
    (lambda folder: save_policy(folder, 'push'), 'contract'),
    (lambda folder: save_policy(folder, rate=50.0), 'rate'),
    (damaged, 'SHA-256'),
    (lambda folder: folder.mkdir() or folder, 'not there')])
def test_a_policy_that_cannot_drive_this_arm(capfd, tmp_path, make, sentence):
    policy = make(tmp_path / 'policy')
    assert sentence in refused(capfd, *evaluate(tmp_path, policy))
    assert not (tmp_path / 'out.json').exists()
    assert not (tmp_path / 'runs').exists() or left(tmp_path / 'runs') == []


@pytest.mark.parametrize('words, sentence', [
    (('--task', 'moon'), 'moon'), (('--first-seed', '5'), '5'),
    (('--first-seed', '4294967295', '--episodes', '2'), 'the last seed would be 4294967296'),
    (('--episodes', '0'), 'episodes'),
    (('--episodes', '-2'), 'episodes'), (('--horizon', '-1'), 'horizon'),
    (('--json', '/no/where/out.json'), '/no/where'), (('--run', '../x'), '../x')])
def test_an_evaluation_that_cannot_be(capfd, tmp_path, words, sentence):
    assert sentence in refused(capfd, *evaluate(tmp_path, 'expert', *words))
    assert not (tmp_path / 'out.json').exists()


@pytest.mark.parametrize('words, sentence', [
    (('--task', 'moon'), 'moon'), (('--episodes', '0'), 'episodes'), (('--run', 'A B'), 'A B')])
def test_demonstrations_that_cannot_be(capfd, tmp_path, words, sentence):
    assert sentence in refused(
        capfd, 'record', '--task', 'reach', '--run', 'new', '--episodes', '1', '--runs',
        tmp_path / 'runs', *words)
    assert not (tmp_path / 'runs').exists() or left(tmp_path / 'runs') == []


def test_demonstrations_that_are_there_already_stay_and_damaged_ones_are_named(capfd, tmp_path):
    runs = tmp_path / 'runs'
    words = ['record', '--task', 'reach', '--run', 'new', '--episodes', '2', '--horizon', '20',
             '--runs', str(runs)]
    assert main(words) == 0
    before = {path: path.read_bytes() for path in runs.rglob('*.mcap')}
    assert len(before) == 2
    assert '2 of these demonstrations already' in refused(capfd, *words)
    assert {path: path.read_bytes() for path in runs.rglob('*.mcap')} == before
    for other, sentence in ((('--task', 'push'), 'with task reach; task push was asked for'),
                            (('--options', BIASED % '0, 0.03, 0'), 'with options none'),
                            (('--contract', 'reach_image'), 'contract reach_image (')):
        said = refused(capfd, *words[:-1], runs, '--seed', '900', *other)
        assert sentence in said and str(runs / 'new') in said
    assert {path: path.read_bytes() for path in runs.rglob('*.mcap')} == before
    broken = sorted(before)[0]
    broken.write_bytes(before[broken][:-100])
    train = ['train', '--run', 'new', '--runs', runs, '--config', config_for('reach', tmp_path)]
    assert broken.name in refused(capfd, *train)
    assert not (runs / 'new' / 'checkpoints').exists()
    broken.write_bytes(b'not an episode')
    assert broken.name in refused(capfd, *train)
    assert 'nobody' in refused(capfd, 'train', '--run', 'nobody', '--runs', runs)


def test_a_folder_that_cannot_be_written_to(capfd, tmp_path):
    blocked = tmp_path / 'runs'
    blocked.write_text('a file where the folder of the runs should be')
    assert str(blocked) in refused(
        capfd, 'record', '--task', 'reach', '--run', 'new', '--episodes', '1', '--runs', blocked)
    assert str(blocked) in refused(capfd, *dagger_words('reach', tmp_path, 'new'))


def test_without_the_interfaces_one_sentence_says_what_to_do(tmp_path):
    code = ('import sys; sys.modules["il_ros_interfaces"] = None; '
            'from il_ros.cli.parser import main; '
            f'sys.exit(main(["record", "--task", "reach", "--run", "x", "--runs", "{tmp_path}"]))')
    done = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.startswith('il_ros: the package il_ros_interfaces is not built')
    assert len(done.stderr.splitlines()) == 1


def test_the_help_of_every_verb_teaches(capsys):
    for verb in ('demo', 'dagger', 'record', 'train', 'evaluate'):
        with pytest.raises(SystemExit) as leave:
            main([verb, '--help'])
        assert leave.value.code == 0
        assert len(capsys.readouterr().out.splitlines()) > 6
