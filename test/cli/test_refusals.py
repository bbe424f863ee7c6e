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

import errno
import os
from pathlib import Path

from il_ros.cli.parser import main
from il_ros.errors import EpisodeWriteError
from il_ros.files.atomic import write_atomically
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
    (('--output', '.'), 'which is not part of a checkpoint'),
    (('--config', 'nowhere.yaml'), 'nowhere.yaml: cannot be read')])
def test_a_checkpoint_that_cannot_be_written_is_refused_before_training(
        tmp_path, monkeypatch, capsys, words, sentence):
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'runs' / 'mine' / 'episodes').mkdir(parents=True)
    assert sentence in refused(capsys, 'train', '--run', 'mine', *words)
    assert [path.name for path in tmp_path.rglob('*')] == ['runs', 'mine', 'episodes']


@pytest.mark.parametrize('place', ['/etc/hostname/x', '/proc/x'])
@pytest.mark.parametrize('words', [
    ('dataset', 'plot', 'mine', '--output', 'PLACE'),
    ('dataset', 'export', 'mine', '--to', 'robomimic', '--output', 'PLACE'),
    ('dataset', 'merge', 'mine', '--output', 'PLACE'),
    ('error-growth', '--policy', 'a=b', '--output', 'PLACE'),
    ('error-growth', '--policy', 'a=b', '--publish', 'PLACE'),
    ('study', '--quick', '--runs', 'PLACE'),
    ('study', '--quick', '--publish', 'PLACE')])
def test_a_folder_that_cannot_be_written_into_is_named_at_once(
        tmp_path, monkeypatch, capsys, words, place):
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'runs' / 'mine' / 'episodes' / 'main').mkdir(parents=True)
    (tmp_path / 'runs' / 'mine' / 'episodes' / 'main' / 'a.mcap').touch()
    said = refused(capsys, *[place if word == 'PLACE' else word for word in words])
    assert place in said and 'cannot be written' in said
    assert len(list(tmp_path.rglob('*'))) == 5


@pytest.mark.parametrize('error, sentence', [
    (OSError(errno.EIO, os.strerror(errno.EIO)), 'Input/output error'),
    (OSError(errno.EROFS, 'Read-only file system', '/a/file'), '/a/file: Read-only file system'),
    (OSError('14 KiB are free and at least 20 KiB needed'), '14 KiB are free and at least')])
def test_an_error_of_the_operating_system_is_one_sentence(monkeypatch, capsys, error, sentence):
    from il_ros.cli import dataset_verbs

    def fail(_words):
        raise error
    monkeypatch.setattr(dataset_verbs, 'dataset', fail)
    assert refused(capsys, 'dataset', 'info', 'r').startswith(f'il_ros: {sentence}')


def test_a_file_below_a_file_is_named():
    with pytest.raises(EpisodeWriteError, match='/etc/hostname/x cannot be written: Not a dir'):
        write_atomically(Path('/etc/hostname/x'), b'')
