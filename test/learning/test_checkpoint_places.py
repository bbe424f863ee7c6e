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

"""What a checkpoint may be put in the place of: another checkpoint, and nothing else."""

import types

from il_ros.errors import LearningError
from il_ros.learning import checkpoint
from il_ros.learning.checkpoint import DOCUMENT
import pytest


@pytest.mark.parametrize('content', ['run.json', 'episodes/main/rollout-r01-004000.mcap'])
def test_a_folder_with_anything_else_in_it_is_never_replaced(tmp_path, policy, content):
    kept = tmp_path / 'run' / content
    kept.parent.mkdir(parents=True)
    kept.write_text('precious')
    for folder in (tmp_path / 'run', tmp_path):
        with pytest.raises(LearningError, match='which is not part of a checkpoint'):
            checkpoint.save(folder, policy, replace=True)
    assert kept.read_text() == 'precious'


def test_a_file_is_never_replaced(tmp_path, policy):
    (tmp_path / 'notes').write_text('precious')
    with pytest.raises(LearningError, match='notes holds a file'):
        checkpoint.save(tmp_path / 'notes', policy, replace=True)
    assert (tmp_path / 'notes').read_text() == 'precious'


def test_an_empty_folder_or_half_a_checkpoint_is_replaced(tmp_path, policy):
    (tmp_path / 'empty').mkdir()
    (tmp_path / 'half').mkdir()
    (tmp_path / 'half' / DOCUMENT).write_text('{')
    for name in ('empty', 'half'):
        sha256 = checkpoint.save(tmp_path / name, policy, replace=True)
        assert checkpoint.load(tmp_path / name).sha256 == sha256


def test_a_file_system_without_exchange_still_replaces(tmp_path, make_policy, monkeypatch):
    checkpoint.save(tmp_path / 'policy', make_policy(0))
    libc = types.SimpleNamespace(renameat2=lambda *_: -1)
    monkeypatch.setattr('ctypes.CDLL', lambda *_, **__: libc)
    after = checkpoint.save(tmp_path / 'policy', make_policy(1), replace=True)
    assert checkpoint.load(tmp_path / 'policy').sha256 == after
    assert [path.name for path in tmp_path.iterdir()] == ['policy']
