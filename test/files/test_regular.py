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

"""Files that are none: a pipe, a device or a folder is refused at once, and never waited for."""

import io
import os
from pathlib import Path
import socket

from il_ros.contract.contract_file import load_contract
from il_ros.dataset.dataset import opened
from il_ros.episodes.discards import discarded
from il_ros.episodes.mcap import read_mcap
from il_ros.episodes.receipts import file_sha256, read_receipt
from il_ros.errors import ImitationError
from il_ros.files.regular import NotRegularError, open_regular, read_bytes, read_text
from il_ros.interactive import run_state
from il_ros.interactive.strategies import load_strategy
from il_ros.learning import checkpoint
from il_ros.learning.config import TrainConfig
from il_ros.teleop.mapping import load_joy_mapping
import pytest

READERS = {
    'contract.yaml': load_contract, 'training.yaml': TrainConfig.load,
    'strategy.yaml': lambda path: load_strategy('gated', path),
    'mapping.yaml': lambda path: load_joy_mapping(str(path)),
    'receipt.json': read_receipt, 'hashed.mcap': file_sha256, 'episode.mcap': read_mcap,
    'episode.discarded.json': lambda path: discarded(path.with_name('episode.mcap')),
    'run.json': lambda path: run_state.load(path.parent),
    'dataset.hdf5': lambda path: opened(path).__enter__(),
    'policy.json': lambda path: checkpoint.load(path.parent),
    'policy.safetensors': lambda path: _load_beside_document(path)}


def _load_beside_document(path: Path):
    path.with_name('policy.json').write_text('{}')
    checkpoint.load(path.parent)


@pytest.mark.parametrize('name', READERS)
def test_a_pipe_in_the_place_of_a_file_is_refused_by_name_and_not_waited_for(tmp_path, name):
    os.mkfifo(tmp_path / name)
    with pytest.raises(ImitationError) as refusal:
        READERS[name](tmp_path / name)
    assert name in str(refusal.value)
    assert 'a named pipe, no regular file' in str(refusal.value)


@pytest.mark.parametrize('name', READERS)
def test_a_device_without_an_end_in_the_place_of_a_file_is_refused(tmp_path, name):
    (tmp_path / name).symlink_to('/dev/zero')
    with pytest.raises(ImitationError, match='a device, no regular file'):
        READERS[name](tmp_path / name)


def test_a_folder_and_a_socket_are_no_regular_files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(NotRegularError, match='a folder, no regular file'):
        open_regular(tmp_path)
    with socket.socket(socket.AF_UNIX) as there:
        there.bind('socket')
        with pytest.raises(NotRegularError, match='a socket, no regular file'):
            open_regular('socket')


def test_what_became_a_pipe_after_the_first_look_is_refused_as_well(tmp_path, monkeypatch):
    os.mkfifo(tmp_path / 'file')
    monkeypatch.setattr('il_ros.files.regular.require_regular', lambda path: None)
    with pytest.raises(NotRegularError, match='a named pipe'):
        open_regular(tmp_path / 'file')


def test_a_regular_file_comes_back_whole_and_what_is_no_text_is_named(tmp_path):
    path = tmp_path / 'file'
    path.write_bytes(b'a' * 100_000 + b'\xff')
    assert read_bytes(path) == path.read_bytes()
    with pytest.raises(OSError, match='no text in UTF-8 at byte 100000'):
        read_text(path)


def test_a_regular_file_is_opened_without_a_buffer(tmp_path):
    (tmp_path / 'file').write_bytes(b'one\ntwo')
    with open_regular(tmp_path / 'file') as file:
        assert isinstance(file, io.FileIO) and file.read(2) == b'on'
        assert os.lseek(file.fileno(), 0, os.SEEK_CUR) == 2
