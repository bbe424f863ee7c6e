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


"""
A run as robomimic's HDF5: ``data/demo_k/{obs,next_obs,actions,rewards,dones}`` and ``mask``.

The structure is that of https://robomimic.github.io/docs/datasets/overview.html, which
``robomimic.utils.dataset.SequenceDataset`` reads. Every step of every demo has a label.
"""

import json
from pathlib import Path

import h5py
from il_ros.dataset.hdf5_file import written
from il_ros.errors import ExportError
from il_ros.files.folders import new_folder
from il_ros.runs.export.segments import LABELS, Segment, segments_of
from il_ros.runs.inventory import Progress
import numpy as np

FILE_NAME = 'dataset.hdf5'
_GYMNASIUM = 2
"""``EnvType.GYM_TYPE`` of robomimic."""


def export_robomimic(folder: Path, output: Path, actions: str = LABELS,
                     progress: Progress = iter) -> dict[str, int]:
    """
    Write a run as one HDF5 file in the new folder ``output``; filter keys survive.

    :param actions: ``labels`` or ``executed``
    :returns: how many demos and steps were written
    :raises ExportError: if ``output`` exists, or there is nothing to export
    """
    masks: dict[str, list[str]] = {}
    total = 0
    with new_folder(output, ExportError) as place:
        with written(place / FILE_NAME) as (file, check_disk):
            data = file.create_group('data')
            for number, segment in enumerate(segments_of(folder, actions, progress)):
                check_disk()
                name = f'demo_{number}'
                _write(data.create_group(name), segment)
                total += segment.stop - segment.start
                for key in segment.keys:
                    masks.setdefault(key, []).append(name)
            _describe(data, segment, total)
            for key, names in masks.items():
                file.create_dataset(f'mask/{key}', data=np.array(names, 'S'))
    return {'demos': number + 1, 'steps': total}


def _write(group: h5py.Group, segment: Segment):
    spec, count = segment.episode.spec, segment.stop - segment.start
    group.attrs.update({
        'num_samples': count, 'episode_id': spec.episode_id, 'start': segment.start,
        'task': spec.task, 'purpose': spec.purpose, 'round': spec.round, 'seed': spec.seed,
        'success': segment.episode.success})
    for place, shift in (('obs', 0), ('next_obs', 1)):
        for name, values in (*segment.observed(shift), *segment.images(shift)):
            group.create_dataset(f'{place}/{name}', data=values)
    rows = slice(segment.start, segment.stop)
    for name, values in (
            ('actions', segment.actions), ('rewards', segment.rewards()),
            ('dones', (np.arange(count) == count - 1).astype(np.uint8)),
            ('executed_actions', segment.episode.executed[rows]),
            ('driver', segment.episode.driver[rows]),
            ('stamps_ns', segment.episode.stamps_ns[rows])):
        group.create_dataset(name, data=values)


def _describe(data: h5py.Group, segment: Segment, total: int):
    contract = segment.episode.contract
    data.attrs['total'] = total
    data.attrs['env_args'] = json.dumps({
        'env_name': segment.episode.spec.task, 'type': _GYMNASIUM,
        'env_kwargs': {'contract': json.loads(contract.to_json())}})
