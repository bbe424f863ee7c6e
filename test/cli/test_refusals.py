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

"""What a command refuses before it reads or makes anything: one sentence, exit code 1."""

from il_ros.cli.parser import main
import pytest


def refused(capsys, *words) -> str:
    """Run a command that must fail, and return its one sentence."""
    assert main([str(word) for word in words]) == 1
    sentence, = capsys.readouterr().err.splitlines()
    return sentence


@pytest.mark.parametrize('words, sentence', [
    (('--output', 'nowhere/new'), "--output is 'nowhere/new'; there is no folder nowhere"),
    (('--output', '/etc/hostname/new'), 'there is no folder /etc/hostname'),
    (('--output', '/proc/new'), '/proc cannot be written into'),
    (('--output', '.'), 'which is no part of a checkpoint'),
    (('--config', 'nowhere.yaml'), 'nowhere.yaml: cannot be read')])
def test_a_checkpoint_that_cannot_be_written_is_refused_before_training(
        tmp_path, monkeypatch, capsys, words, sentence):
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'runs' / 'mine' / 'episodes').mkdir(parents=True)
    assert sentence in refused(capsys, 'train', '--run', 'mine', *words)
    assert [path.name for path in tmp_path.rglob('*')] == ['runs', 'mine', 'episodes']
