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

"""The tables of a LeRobot data set, before pyarrow makes files of them."""

import json
import sys
import types

from il_ros.contract.episode_spec import EXPERT, POLICY
from il_ros.runs.export import lerobot
from il_ros.runs.export.lerobot import export_lerobot
import numpy as np
import pytest
from test_exports import run  # noqa: F401


@pytest.fixture
def tables(run, tmp_path, monkeypatch):  # noqa: F811
    """Return the tables of two rounds by their place, each with its note, and the JSON files."""
    found = {}
    output = tmp_path / 'out'
    monkeypatch.setitem(sys.modules, 'pyarrow', types.ModuleType('pyarrow'))
    monkeypatch.setattr(lerobot, '_write_table', lambda path, columns, note=None: found.update(
        {path.name if path.name == 'tasks.parquet' else path.parts[-3]: (columns, note)}))
    assert export_lerobot(run, output) == {'episodes': 3, 'steps': 13}
    found.update({name: json.loads((output / 'meta' / name).read_text())
                  for name in ('stats.json', 'info.json')})
    return found


def test_frames_are_numbered_through_all_and_in_each_episode(tables):
    frames, _ = tables['data']
    assert frames['index'].tolist() == [*range(13)]
    assert frames['frame_index'].tolist() == [*range(8), 0, 1, 0, 1, 2]
    assert frames['episode_index'].tolist() == [0] * 8 + [1] * 2 + [2] * 3
    np.testing.assert_allclose(frames['timestamp'][:3], [0.0, 0.05, 0.1], rtol=1e-6)
    assert frames['timestamp'][8] == 0.0 and set(frames['task_index']) == {0}
    assert frames['next.done'].tolist() == [*[False] * 7, True, False, True, False, False, True]
    assert frames['next.reward'].tolist() == [*[0.0] * 7, 1.0, *[0.0] * 4, 1.0]
    assert frames['intervention'].all() and set(frames['driver']) == {EXPERT} != {POLICY}
    assert frames['observation.state'].shape == (13, 6) and frames['action'].shape == (13, 2)


def test_each_episode_has_its_rows_and_its_place_in_the_first_file(tables):
    rows, _ = tables['episodes']
    assert rows['length'] == [8, 2, 3] and rows['first_step'] == [0, 1, 5]
    assert rows['dataset_from_index'] == [0, 8, 10] and rows['dataset_to_index'] == [8, 10, 13]
    for place in ('data/chunk_index', 'data/file_index', 'meta/episodes/chunk_index',
                  'meta/episodes/file_index'):
        assert rows[place] == [0, 0, 0], place
    assert rows['round'] == [0, 1, 1] and rows['success'] == [True] * 3
    assert rows['stats/index/min'] == [[0.0], [8.0], [10.0]]
    assert rows['stats/index/count'] == [[8], [2], [3]]


def test_tasks_are_looked_up_by_the_index_of_pandas(tables):
    columns, note = tables['tasks.parquet']
    assert columns == {'task_index': [0], 'task': ['push']}
    said = json.loads(note['pandas'])
    assert said['index_columns'] == ['task']
    assert [(one['name'], one['field_name'], one['pandas_type'], one['numpy_type'])
            for one in said['columns']] == [('task', 'task', 'unicode', 'object'),
                                            ('task_index', 'task_index', 'int64', 'int64')]


def test_the_description_has_counts_rate_and_features(tables):
    info, stats = tables['info.json'], tables['stats.json']
    assert (info['total_episodes'], info['total_frames'], info['total_tasks']) == (3, 13, 1)
    assert info['fps'] == 20 and info['splits'] == {'train': '0:3'}
    assert info['features']['action'] == {
        'dtype': 'float32', 'shape': [2], 'names': ['linear_x', 'linear_y']}
    assert info['features']['index'] == {'dtype': 'int64', 'shape': [1], 'names': None}
    assert stats['index'] == {
        'min': [0.0], 'max': [12.0], 'mean': [6.0], 'std': [pytest.approx(14 ** 0.5)],
        'count': [13], 'q01': [pytest.approx(0.12)], 'q10': [pytest.approx(1.2)], 'q50': [6.0],
        'q90': [pytest.approx(10.8)], 'q99': [pytest.approx(11.88)]}
