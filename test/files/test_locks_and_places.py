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

"""Files written whole, lock files with their owner, and where the package's own files lie."""

import os
from pathlib import Path
import sys

from il_ros.errors import DatasetError, EpisodeWriteError
from il_ros.files import lock, share
from il_ros.files.atomic import write_all, write_atomically
from il_ros.files.share import MissingShareError, share_path
import pytest


def mode(path: Path) -> int:
    """Return the permissions of a file."""
    return path.stat().st_mode & 0o777


@pytest.fixture(autouse=True)
def usual_mask():
    """Have the usual umask, and forget where the package's files were found."""
    before = os.umask(0o022)
    share_path.cache_clear()
    yield
    os.umask(before)
    share_path.cache_clear()


def test_a_file_is_written_whole_readable_for_all_and_replaces_the_old_one(tmp_path):
    path = tmp_path / 'file'
    for content in (b'first', b'2'):
        write_atomically(path, content)
        assert path.read_bytes() == content and mode(path) == 0o644
    assert list(tmp_path.iterdir()) == [path]


def test_a_write_that_stops_short_goes_on(tmp_path, monkeypatch):
    real = os.write
    monkeypatch.setattr('il_ros.files.atomic.os.write',
                        lambda descriptor, data: real(descriptor, bytes(data[:2])))
    with open(tmp_path / 'file', 'wb') as file:
        write_all(file.fileno(), b'abcde')
    assert (tmp_path / 'file').read_bytes() == b'abcde'


def test_a_file_that_cannot_be_written_is_named_and_leaves_nothing(tmp_path):
    (tmp_path / 'folder').mkdir()
    with pytest.raises(EpisodeWriteError, match='folder cannot be written: Is a directory'):
        write_atomically(tmp_path / 'folder', b'1')
    (tmp_path / 'plain').touch()
    with pytest.raises(EpisodeWriteError, match='plain/x cannot be written: Not a directory'):
        write_atomically(tmp_path / 'plain' / 'x', b'1')
    assert sorted(path.name for path in tmp_path.iterdir()) == ['folder', 'plain']


def test_a_lock_has_one_owner_who_is_named_until_it_is_closed(tmp_path):
    path = tmp_path / 'lock'
    path.write_text('a longer text of an owner that was killed\n')
    first = lock.take(path, DatasetError, 'busy')
    assert path.read_text() == f'{os.getpid()}\n'
    with pytest.raises(DatasetError, match=f'^busy, process {os.getpid()}$'):
        lock.take(path, DatasetError, 'busy')
    os.truncate(path, 0)
    with pytest.raises(DatasetError, match='^busy, process unknown$'):
        lock.take(path, DatasetError, 'busy')
    os.close(first)
    os.close(lock.take(path, DatasetError, 'busy'))


def test_a_new_lock_is_readable_for_all_and_a_failure_keeps_no_descriptor(tmp_path, monkeypatch):
    os.close(lock.take(tmp_path / 'lock', DatasetError, 'busy'))
    assert mode(tmp_path / 'lock') == 0o644

    def full(*_):
        raise OSError(28, 'No space left on device')
    monkeypatch.setattr('il_ros.files.lock.os.pwrite', full)
    before = len(os.listdir('/proc/self/fd'))
    with pytest.raises(OSError, match='No space left'):
        lock.take(tmp_path / 'lock', DatasetError, 'busy')
    assert len(os.listdir('/proc/self/fd')) == before


def test_the_first_place_that_has_a_file_gives_it(tmp_path, monkeypatch):
    prefixes = [tmp_path / name for name in ('one', 'two')]
    monkeypatch.setenv('AMENT_PREFIX_PATH', os.pathsep.join(['', *map(str, prefixes)]))
    source = share_path('config', 'params.yaml')
    assert source == Path(share.__file__).resolve().parents[2] / 'config' / 'params.yaml'
    for prefix in reversed(prefixes):
        place = prefix / 'share' / 'il_ros' / 'config' / 'params.yaml'
        place.parent.mkdir(parents=True)
        place.touch()
        share_path.cache_clear()
        assert share_path('config', 'params.yaml') == place


def test_a_missing_file_is_said_with_the_places_in_their_order(tmp_path, monkeypatch):
    monkeypatch.setenv('AMENT_PREFIX_PATH', str(tmp_path))
    monkeypatch.setattr(sys, 'prefix', str(tmp_path / 'environment'))
    source = Path(share.__file__).resolve().parents[2]
    with pytest.raises(MissingShareError) as refused:
        share_path('config', 'none.yaml')
    assert str(refused.value) == (
        f'config/none.yaml is in none of {tmp_path}/share/il_ros, {source}, '
        f'{tmp_path}/environment/share/il_ros')


def test_outside_a_source_tree_the_environment_has_the_files(tmp_path, monkeypatch):
    monkeypatch.delenv('AMENT_PREFIX_PATH', raising=False)
    monkeypatch.setattr(sys, 'prefix', str(tmp_path))
    monkeypatch.setattr(share, '__file__', str(tmp_path / 'a' / 'b' / 'c.py'))
    with pytest.raises(MissingShareError, match=f'is in none of {tmp_path}/share/il_ros$'):
        share_path('config', 'params.yaml')
