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

"""A data set that another program has open is left alone, and never called damaged."""

import argparse
import errno
import os
import subprocess
import sys

from il_ros.cli.dataset_verbs import repair
from il_ros.dataset.aggregation import aggregate
from il_ros.dataset.dataset import DATASET, filter_keys, load
from il_ros.dataset.frames import Frames
from il_ros.dataset.hdf5_file import unreadable
from il_ros.episodes.discards import discard
from il_ros.errors import DatasetBusyError, DatasetError
from il_ros.runs.inventory import episodes_of
from il_ros.runs.rebuild import fresh_keys, keys_of
from il_ros.runs.split import draw_episodes, split_into_keys
from il_ros.runs.verification import verify_run
import numpy as np
import pytest
from recordings import messages, record, spec

HOLD = "import h5py, sys; file = h5py.File(sys.argv[1], 'r+'); print('open'); sys.stdin.read()"
BUSY = 'dataset.hdf5 is open in another program; close it and try again$'


@pytest.fixture
def run(tmp_path):
    """Return a run of two episodes with drawn filter keys."""
    folder = tmp_path / 'demo'
    for seed in range(2):
        of = spec(f'rollout-r01-{seed:06d}', seed=seed)
        record(folder / 'episodes' / 'main', of, messages(of))
    split_into_keys(folder, draw_episodes(folder, 0.5, seed=0))
    return folder


@pytest.fixture
def held(run):
    """Let another process have the run's data set open for writing."""
    process = subprocess.Popen([sys.executable, '-u', '-c', HOLD, str(run / DATASET)],
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout.readline() == b'open\n'
    yield
    process.stdin.close()
    assert process.wait(timeout=20.0) == 0
    process.stdout.close()
    assert {'train', 'valid'} <= set(filter_keys(run / DATASET))


def test_a_data_set_that_is_open_elsewhere_is_left_alone_and_says_so(run, held, capsys):
    discard(episodes_of(run)[0], 1, 2)
    entries = [(path, ['round_0']) for path in episodes_of(run)]
    for use in (lambda: load(run / DATASET, 'train'), lambda: keys_of(run),
                lambda: fresh_keys(run), lambda: aggregate(run / DATASET, entries),
                lambda: split_into_keys(run, draw_episodes(run, 0.5, seed=1)),
                lambda: Frames(run / DATASET, 'x', [('demo_0', 1)], np.arange(1), (1, 1, 1))):
        with pytest.raises(DatasetBusyError, match=BUSY):
            use()
    finding, = verify_run(run)
    assert finding.busy and 'is open in another program' in finding.sentence
    assert repair(argparse.Namespace(runs=str(run.parent), run=run.name)) == 1
    assert 'dataset.hdf5 is open in another program' in capsys.readouterr().out
    assert not list(run.glob('*damaged*'))


@pytest.mark.parametrize('error, sentence', [
    (PermissionError(errno.EACCES, 'text of HDF5'), 'x cannot be read: Permission denied'),
    (OSError(errno.EIO, 'text of HDF5'), 'x cannot be read: Input/output error'),
    (OSError('unable to open file (file is already open for write)'), 'h5clear -s x')])
def test_what_may_be_whole_is_never_to_be_deleted(error, sentence):
    found = unreadable('x', error)
    assert isinstance(found, DatasetBusyError) and str(found).endswith(sentence)
    assert 'deleted' not in str(found)


def test_what_is_damaged_or_no_file_is_derived_and_may_be_deleted(tmp_path):
    os.mkfifo(tmp_path / 'pipe')
    (tmp_path / 'text').write_text('no HDF5')
    for name in ('pipe', 'text'):
        with pytest.raises(DatasetError, match='deleted, it is rebuilt') as caught:
            filter_keys(tmp_path / name)
        assert not isinstance(caught.value, DatasetBusyError)
