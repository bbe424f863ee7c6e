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

"""A folder appears whole under its name or not at all, and refusals leave nothing behind."""

import os
from pathlib import Path
import stat

from il_ros.errors import DatasetError, ImitationError
from il_ros.files import folders
from il_ros.files.folders import new_folder, require_place, require_writable, sweep, write_folder
import pytest


def names(folder: Path) -> list[str]:
    """Return what lies in a folder, hidden names too."""
    return sorted(path.name for path in folder.iterdir())


def test_a_folder_is_written_with_its_parents_and_nothing_beside_it(tmp_path):
    folder = tmp_path / 'a' / 'b' / 'made'
    write_folder(folder, {'one': b'1', 'two': b''})
    assert names(folder.parent) == ['made'] and names(folder) == ['one', 'two']
    assert (folder / 'one').read_bytes() == b'1'
    other = folder.with_name('other')
    write_folder(other, {'one': b'2'})
    assert names(folder.parent) == ['made', 'other']


def test_a_folder_that_is_there_is_replaced_only_when_asked(tmp_path):
    folder = tmp_path / 'made'
    write_folder(folder, {'one': b'1', 'two': b'2'})
    with pytest.raises(FileExistsError, match='made exists already'):
        write_folder(folder, {'one': b'new'})
    assert names(folder) == ['one', 'two'] and (folder / 'one').read_bytes() == b'1'
    write_folder(folder, {'one': b'new'}, replace=True)
    assert names(folder) == ['one'] and (folder / 'one').read_bytes() == b'new'
    assert names(tmp_path) == ['made']


@pytest.mark.parametrize('exchanges', [True, False])
def test_full_folders_are_exchanged_also_where_the_file_system_cannot(
        tmp_path, monkeypatch, exchanges):
    calls = []

    class Library:

        def renameat2(self, *arguments):
            calls.append(arguments)
            return -1
    if not exchanges:
        monkeypatch.setattr(folders.ctypes, 'CDLL', lambda *_, **__: Library())
    folder = tmp_path / 'made'
    write_folder(folder, {'one': b'1'})
    before = folder.stat().st_ino
    write_folder(folder, {'two': b'2'}, replace=True)
    assert names(folder) == ['two'] and names(tmp_path) == ['made']
    assert folder.stat().st_ino != before
    if not exchanges:
        (here, _, there, target, how), = calls
        assert (here, there, how) == (-100, -100, 2) and target == os.fsencode(folder)


def test_an_exchange_takes_one_step_where_linux_can(tmp_path):
    fresh, folder = tmp_path / 'fresh', tmp_path / 'folder'
    for place in (fresh, folder):
        place.mkdir()
        (place / place.name).touch()
    folders._exchange(fresh, folder)
    assert names(tmp_path) == ['folder', 'fresh']
    assert (names(folder), names(fresh)) == (['fresh'], ['folder'])


def test_what_a_killed_writer_left_is_swept_and_nothing_else(tmp_path):
    for name in ('.made.tmp-1', '.made.tmp-22', '.other.tmp-1', '.made.tmpfile', 'made.tmp-1'):
        (tmp_path / name).mkdir()
        (tmp_path / name / 'file').touch()
    sweep(tmp_path / 'made')
    assert names(tmp_path) == ['.made.tmpfile', '.other.tmp-1', 'made.tmp-1']
    sweep(tmp_path / 'nowhere' / 'made')
    (tmp_path / '.made.tmp-3').touch()
    sweep(tmp_path / 'made')
    assert '.made.tmp-3' in names(tmp_path), 'a file is no folder that a writer left'


def test_a_write_that_fails_leaves_nothing(tmp_path):
    with pytest.raises(OSError, match='File name too long'):
        write_folder(tmp_path / 'made', {'one': b'1', 'x' * 300: b'2'})
    assert names(tmp_path) == []


def test_a_folder_that_can_be_written_into_is_left_as_it_was(tmp_path):
    require_writable(tmp_path / 'a' / 'b', DatasetError)
    assert names(tmp_path) == []
    (tmp_path / 'a').mkdir()
    require_writable(tmp_path / 'a' / 'b', DatasetError)
    require_writable(tmp_path / 'a', DatasetError)
    assert names(tmp_path) == ['a'] and names(tmp_path / 'a') == []


def test_a_folder_that_somebody_else_makes_meanwhile_can_be_written_into(tmp_path, monkeypatch):
    (tmp_path / 'a').mkdir()
    monkeypatch.setattr(Path, 'exists', lambda path: path == tmp_path)
    require_writable(tmp_path / 'a', DatasetError)
    assert names(tmp_path) == ['a']


def test_a_folder_that_cannot_be_written_into_is_named_with_the_reason(tmp_path):
    (tmp_path / 'file').touch()
    with pytest.raises(DatasetError, match='file/made cannot be written into: Not a directory; '
                                           'choose another folder'):
        require_writable(tmp_path / 'file' / 'made', DatasetError)
    with pytest.raises(DatasetError, match='cannot be written into: File name too long'):
        require_writable(tmp_path / 'a' / ('x' * 300), DatasetError)
    assert names(tmp_path) == ['file']


def test_the_place_of_an_output_is_a_file_in_a_folder_that_exists(tmp_path):
    require_place(tmp_path / 'plot.svg', '--output', ImitationError)
    assert names(tmp_path) == []
    with pytest.raises(ImitationError, match='--output is .*no/plot.svg.; there is no such'):
        require_place(tmp_path / 'no' / 'plot.svg', '--output', ImitationError)
    with pytest.raises(ImitationError, match='which is a folder; expected a file'):
        require_place(tmp_path, '--output', ImitationError)


def test_a_new_folder_gets_its_name_when_all_of_it_is_there(tmp_path):
    output = tmp_path / 'made'
    with new_folder(output, DatasetError) as partial:
        assert not output.exists() and names(partial) == []
        (partial / 'deep').mkdir()
        (partial / 'deep' / 'file').write_text('1')
    assert (output / 'deep' / 'file').read_text() == '1' and names(tmp_path) == ['made']
    assert stat.S_ISDIR(output.stat().st_mode)
    with pytest.raises(DatasetError, match='made exists already; nothing is overwritten'):
        with new_folder(output, DatasetError):
            raise AssertionError('never begun')
    assert names(output) == ['deep']


def test_a_new_folder_that_fails_is_gone_and_what_was_left_is_not_taken_over(tmp_path):
    left = tmp_path / '.made.partial'
    left.mkdir()
    (left / 'old').touch()
    with pytest.raises(DatasetError, match='made cannot be written: no room'):
        with new_folder(tmp_path / 'made', DatasetError) as partial:
            assert names(partial) == []
            raise OSError('no room')
    assert names(tmp_path) == []
    with new_folder(tmp_path / 'a' / 'made', DatasetError):
        pass
    assert names(tmp_path / 'a') == ['made']


@pytest.mark.parametrize('write', [
    lambda output: write_folder(output, {'file': b'1'}),
    lambda output: _fill(output)])
def test_every_file_and_folder_is_synced_before_the_name_appears(tmp_path, monkeypatch, write):
    synced = []
    real = os.fsync
    monkeypatch.setattr('il_ros.files.atomic.os.fsync', lambda descriptor: (
        synced.append((Path(os.readlink(f'/proc/self/fd/{descriptor}')).name,
                       (tmp_path / 'made').exists())), real(descriptor)))
    write(tmp_path / 'made')
    assert synced[0] == ('file', False) and synced[-1] == (tmp_path.name, True)
    assert len(synced) == 3 and not synced[1][1]


def _fill(output: Path):
    with new_folder(output, DatasetError) as partial:
        (partial / 'file').touch()
