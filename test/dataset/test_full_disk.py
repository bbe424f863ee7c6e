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

"""A disk that takes no more ends what writes HDF5 with a sentence, and nothing is left behind."""

import json
from pathlib import Path
import shutil
import subprocess
import sys

from il_ros.dataset import hdf5_file
from il_ros.dataset.aggregation import aggregate
from il_ros.dataset.dataset import load
from il_ros.dataset.hdf5_file import written
from il_ros.errors import EpisodeWriteError
import numpy as np
import pytest
from recordings import messages, record, spec

FOUND = """
import json, resource, sys
from pathlib import Path
from il_ros.dataset.aggregation import aggregate
from il_ros.errors import EpisodeWriteError, ExportError
from il_ros.runs.export.robomimic import export_robomimic
run = Path(sys.argv[1])
paths = sorted(run.glob('episodes/main/*.mcap'))
said = []
for limit in map(int, sys.argv[2:]):
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, -1))
    for write in (lambda: aggregate(run / 'dataset.hdf5', [(path, ['b']) for path in paths]),
                  lambda: export_robomimic(run, run / 'exported')):
        try:
            write()
            said.append('written')
        except (EpisodeWriteError, ExportError) as error:
            said.append(str(error))
print(json.dumps(said))
"""
"""Writes under limits on the size of a file, which fail as a full disk does."""


@pytest.fixture
def run(tmp_path) -> Path:
    """Return a run of three episodes, of which the first is aggregated."""
    folder = tmp_path / 'demo'
    paths = []
    for seed in range(3):
        of = spec(f'rollout-r01-{seed:06d}', seed=seed)
        paths.append(record(folder / 'episodes' / 'main', of, messages(of)))
    aggregate(folder / 'dataset.hdf5', [(paths[0], ['a'])])
    return folder


def names(folder: Path) -> list[str]:
    """Return what lies in a folder, but for the lock, which stays."""
    return sorted(path.name for path in folder.iterdir() if not path.name.endswith('.lock'))


def test_a_disk_that_takes_no_more_ends_in_a_sentence_with_nothing_left(run):
    before = names(run)
    limits = [0, 100, 1000, *range(3000, 60_000, 4500)]
    done = subprocess.run([sys.executable, '-c', FOUND, str(run), *map(str, limits)],
                          capture_output=True, text=True, timeout=100.0)
    assert done.returncode == 0, (done.returncode, done.stderr)
    said = json.loads(done.stdout)
    assert len(said) == 2 * len(limits) and said.count('written') < 3
    for aggregated, exported in zip(said[::2], said[1::2]):
        assert aggregated in (
            'written', f'{run}/dataset.hdf5 cannot be written: File too large')
        assert exported in ('written', f'{run}/exported cannot be written: File too large', (
            f'{run}/exported exists already; nothing is overwritten: give another name'))
    key = 'b' if 'written' in said[::2] else 'a'
    assert len(load(run / 'dataset.hdf5', key)) and set(names(run)) - set(before) <= {'exported'}


def test_a_disk_that_is_nearly_full_is_refused_before_anything_is_written(run, monkeypatch):
    usage = shutil.disk_usage(run)._replace(free=60 << 10)
    monkeypatch.setattr(hdf5_file.shutil, 'disk_usage', lambda _: usage)
    with pytest.raises(EpisodeWriteError, match='dataset.hdf5 cannot be written: 60 KiB are free '
                                                'and at least [0-9]+ KiB needed'):
        aggregate(run / 'dataset.hdf5', [(path, ['a'])
                                         for path in run.glob('episodes/main/*.mcap')])
    assert names(run) == ['dataset.hdf5', 'episodes']


@pytest.mark.parametrize('bytes_', [0, 96, 5000, 30_000])
def test_what_the_disk_refuses_can_be_read_until_the_file_is_closed(tmp_path, monkeypatch, bytes_):
    real = hdf5_file.os.pwrite
    left = [bytes_]

    def full(descriptor, data, position):
        if not left[0]:
            raise OSError(28, 'No space left on device')
        count = real(descriptor, data[:left[0]], position)
        left[0] -= count
        return count

    monkeypatch.setattr(hdf5_file.os, 'pwrite', full)
    with pytest.raises(OSError, match='No space left on device'):
        with written(tmp_path / 'file') as (file, check):
            for number in range(40):
                file[f'group_{number}/values'] = np.full(100, number)
                file.flush()
            assert [file[f'group_{number}/values'][7] for number in range(40)] == list(range(40))
            check()


def test_a_file_is_the_one_that_hdf5_alone_writes_and_can_be_added_to(tmp_path):
    import h5py
    path = tmp_path / 'file'
    for name in ('first', 'second'):
        with written(path, libver='latest') as (file, check):
            file.create_dataset(name, data=np.arange(9000.0), chunks=(100,), compression='gzip')
            check()
    with h5py.File(path) as file:
        assert list(file) == ['first', 'second'] and file['second'][8999] == 8999.0
