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

"""``--policy``: a checkpoint's folder, a run's folder and a run's name mean the same thing."""

import os
from pathlib import Path

from il_ros.errors import NoCheckpointError
from il_ros.learning.checkpoint import DOCUMENT
from il_ros.learning.places import find_policy, newest_checkpoint
import pytest


def make_checkpoint(run: Path, name: str, age_s: int = 0) -> Path:
    """Put a checkpoint's document into a run."""
    folder = run / 'checkpoints' / name
    folder.mkdir(parents=True)
    (folder / DOCUMENT).touch()
    os.utime(folder / DOCUMENT, (1_000_000 - age_s, 1_000_000 - age_s))
    return folder


@pytest.mark.parametrize('text', [
    'first', 'runs/first', 'runs/first/', 'runs/first/checkpoints/round_10'])
def test_a_policy_is_found_by_name_and_by_path(tmp_path, monkeypatch, text):
    monkeypatch.chdir(tmp_path)
    wanted = make_checkpoint(Path('runs/first'), 'round_10', age_s=9)
    for other in ('round_09', 'baseline', 'bc', '.round_11.tmp-1'):
        make_checkpoint(Path('runs/first'), other)
    assert find_policy(Path('runs'), text) == wanted


def test_without_rounds_it_is_what_train_made_or_else_the_newest(tmp_path):
    newer, older = (make_checkpoint(tmp_path, name, age) for name, age in (('b', 1), ('a', 5)))
    make_checkpoint(tmp_path, 'baseline')
    assert newest_checkpoint(tmp_path) == newer
    assert older.exists()
    trained = make_checkpoint(tmp_path, 'bc', age_s=9)
    assert newest_checkpoint(tmp_path) == trained


def test_what_is_not_there_is_named_with_what_was_expected(tmp_path):
    with pytest.raises(NoCheckpointError, match="no policy 'nope'; expected the folder of a"):
        find_policy(tmp_path, 'nope')
    (tmp_path / 'empty' / 'episodes').mkdir(parents=True)
    with pytest.raises(NoCheckpointError, match='has no checkpoint; train one: il_ros train'):
        find_policy(tmp_path, 'empty')
