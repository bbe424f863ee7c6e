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

"""What HDF5 takes for a file: what the disk refused is read back, and room is reckoned exactly."""

import os
import shutil

from il_ros.dataset import hdf5_file
from il_ros.dataset.hdf5_file import _Disk, require_room
import pytest

MARGIN = 64 << 10


@pytest.fixture
def disk(tmp_path, monkeypatch):
    """Return a file that takes six bytes in all and refuses the rest."""
    real, left = os.pwrite, [6]

    def full(descriptor, data, position):
        if not left[0]:
            raise OSError(28, 'No space left on device')
        count = real(descriptor, bytes(data)[:left[0]], position)
        left[0] -= count
        return count
    monkeypatch.setattr(hdf5_file.os, 'pwrite', full)
    made = _Disk(tmp_path / 'file')
    yield made
    made.close()


def test_what_was_written_last_stands_there_wherever_it_is_kept(disk):
    assert disk.write(b'abcdefgh') == 8 and disk.tell() == 8 == disk.size
    disk.seek(4)
    assert disk.write(b'XYZ') == 3
    assert disk.seek(0) == 0
    assert disk.read() == b'abcdXYZh' and disk.tell() == 8
    assert disk.seek(-2, os.SEEK_END) == 6 and disk.read(1) == b'Z'
    assert disk.seek(-2, os.SEEK_CUR) == 5 and disk.read() == b'YZh'
    disk.seek(0)
    assert disk.read(0) == b'' and disk.tell() == 0
    buffer = bytearray(5)
    assert disk.readinto(buffer) == 5 and buffer == b'abcdX'


def test_nothing_reads_as_zeros_and_what_was_refused_is_said(disk):
    disk.check()
    disk.write(b'abcdefgh')
    with pytest.raises(OSError, match='No space left'):
        disk.check()
    disk.seek(6)
    assert disk.read(4) == b'gh\0\0'


def test_a_file_is_as_long_as_it_was_last_set(disk):
    disk.write(b'abcdef')
    assert disk.truncate(3) == 3 == disk.size
    disk.seek(0)
    assert disk.read() == b'abc'
    disk.seek(5)
    assert disk.truncate() == 5 and disk.seek(0, os.SEEK_END) == 5


@pytest.mark.parametrize('least', [0, 1 << 20])
def test_room_is_what_is_written_and_64_kib_to_the_byte(tmp_path, monkeypatch, least):
    def have(free: int):
        usage = shutil.disk_usage(tmp_path)._replace(free=free)
        monkeypatch.setattr(hdf5_file.shutil, 'disk_usage', lambda _: usage)
    have(MARGIN + least)
    require_room(tmp_path, least)
    have(MARGIN + least - 1)
    needed = (MARGIN + least) >> 10
    with pytest.raises(OSError, match=f'^{needed - 1} KiB are free and at least {needed} KiB'):
        require_room(tmp_path, least)
