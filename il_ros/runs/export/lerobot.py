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
A run in LeRobot's layout, version 3.0: parquet files of frames and episodes, and JSON.

The layout is that of https://huggingface.co/docs/lerobot/lerobot-dataset-v3. Stamps are the true
ones, relative to each episode's first frame; images stand in the frames, as PNG.
"""

from collections.abc import Iterable
import json
from pathlib import Path
import struct
import zlib

from il_ros.contract.contract import Contract
from il_ros.contract.episode_spec import DRIVER_NAMES, EXPERT, TELEOP
from il_ros.errors import ExportError
from il_ros.files.folders import new_folder
from il_ros.runs.export.segments import element_names, LABELS, Segment, segments_of
from il_ros.runs.inventory import Progress
from il_ros.tasks.contracts import robot_called
import numpy as np

VERSION = 'v3.0'
STATE, ACTION, IMAGE = 'observation.state', 'action', 'observation.images.{}'
_FILE = 'chunk-{chunk_index:03d}/file-{file_index:03d}.parquet'
_FIRST = _FILE.format(chunk_index=0, file_index=0)
_SINGLE = {'timestamp': 'float32', 'frame_index': 'int64', 'episode_index': 'int64',
           'index': 'int64', 'task_index': 'int64', 'next.reward': 'float32',
           'next.done': 'bool', 'intervention': 'bool', 'driver': 'int64', 'stamp_ns': 'int64'}
_QUANTILES = {'q01': 0.01, 'q10': 0.1, 'q50': 0.5, 'q90': 0.9, 'q99': 0.99}


def export_lerobot(folder: Path, output: Path, actions: str = LABELS,
                   progress: Progress = iter) -> dict[str, int]:
    """
    Write a run as one LeRobot data set in the new folder ``output``.

    An episode of LeRobot is an unbroken stretch of labelled steps; ``intervention`` marks what
    the expert or a person drove, and each episode has its filter keys.

    :param actions: ``labels`` or ``executed``
    :returns: how many episodes and steps were written
    :raises ExportError: if ``output`` exists, there is nothing to export, or pyarrow is missing
    """
    try:
        import pyarrow  # noqa: F401
    except ModuleNotFoundError as error:
        raise ExportError('the export to lerobot needs pyarrow, which is not installed; run '
                          "pip install 'il_ros[export]' or pip install pyarrow") from error
    segments = list(segments_of(folder, actions, progress))
    contract = segments[0].episode.contract
    tasks = list(dict.fromkeys(segment.episode.spec.task for segment in segments))
    blocks, start = [], 0
    for number, segment in enumerate(segments):
        blocks.append(_frames(segment, number, start, tasks.index(segment.episode.spec.task)))
        start += segment.stop - segment.start
    with new_folder(output, ExportError) as place:
        frames = {name: np.concatenate([block[name] for block in blocks]) for name in blocks[0]}
        _write_table(place / 'data' / _FIRST, frames)
        _write_episodes(place / 'meta' / 'episodes' / _FIRST, segments, blocks)
        _write_tasks(place / 'meta' / 'tasks.parquet', tasks)
        _write_json(place / 'meta' / 'stats.json',
                    {name: _statistics(values) for name, values in frames.items()})
        _write_json(place / 'meta' / 'info.json', _info(contract, len(segments), start, tasks))
    return {'episodes': len(segments), 'steps': start}


def _frames(segment: Segment, number: int, start: int, task: int) -> dict[str, np.ndarray]:
    episode, rows = segment.episode, slice(segment.start, segment.stop)
    count = segment.stop - segment.start
    stamps_ns, driver = episode.stamps_ns[rows], episode.driver[rows]
    values = {
        'timestamp': (stamps_ns - stamps_ns[0]) * 1e-9, 'frame_index': np.arange(count),
        'episode_index': np.full(count, number), 'index': start + np.arange(count),
        'task_index': np.full(count, task), 'next.reward': segment.rewards(),
        'next.done': np.arange(count) == count - 1,
        'intervention': (driver == EXPERT) | (driver == TELEOP), 'driver': driver,
        'stamp_ns': stamps_ns}
    images = {IMAGE.format(name): frames for name, frames in segment.images()}
    return {STATE: episode.observations[rows], ACTION: segment.actions, **images,
            **{name: np.asarray(values[name], form) for name, form in _SINGLE.items()}}


def _info(contract: Contract, episodes: int, frames: int, tasks: list[str]) -> dict:
    names = {STATE: element_names(contract), ACTION: list(contract.action_names)}
    features: dict[str, dict] = {
        name: {'dtype': 'float32', 'shape': [len(entries)], 'names': entries}
        for name, entries in names.items()}
    features.update({IMAGE.format(image.name): {
        'dtype': 'image', 'shape': list(image.shape), 'names': ['height', 'width', 'channels']}
        for image in contract.images})
    features.update({name: {'dtype': form, 'shape': [1], 'names': None}
                     for name, form in _SINGLE.items()})
    rate = contract.rate
    return {
        'codebase_version': VERSION, 'robot_type': robot_called(contract),
        'total_episodes': episodes,
        'total_frames': frames, 'total_tasks': len(tasks), 'chunks_size': 1000,
        'data_files_size_in_mb': 100, 'video_files_size_in_mb': 200,
        'fps': int(rate) if rate == int(rate) else rate, 'splits': {'train': f'0:{episodes}'},
        'data_path': f'data/{_FILE}', 'video_path': None, 'features': features,
        'drivers': {str(number): name for number, name in DRIVER_NAMES.items()}}


def _write_episodes(path: Path, segments: Iterable[Segment], blocks: list[dict]):
    rows: dict[str, list] = {}
    for number, (segment, block) in enumerate(zip(segments, blocks, strict=True)):
        spec, begin = segment.episode.spec, int(block['index'][0])
        row = {
            'episode_index': number, 'tasks': [spec.task], 'length': len(block['index']),
            'data/chunk_index': 0, 'data/file_index': 0, 'dataset_from_index': begin,
            'dataset_to_index': begin + len(block['index']), 'meta/episodes/chunk_index': 0,
            'meta/episodes/file_index': 0, 'episode_id': spec.episode_id,
            'first_step': segment.start, 'purpose': spec.purpose, 'round': spec.round,
            'seed': spec.seed, 'success': bool(segment.episode.success),
            'filter_keys': list(segment.keys)}
        for name, values in block.items():
            row.update({f'stats/{name}/{key}': value
                        for key, value in _statistics(values).items()})
        for name, value in row.items():
            rows.setdefault(name, []).append(value)
    _write_table(path, rows)


def _write_tasks(path: Path, tasks: list[str]):
    # LeRobot looks tasks up by pandas' index, which this note makes of the column.
    numpy_types = {'task': ('unicode', 'object'), 'task_index': ('int64', 'int64')}
    note = {'index_columns': ['task'], 'column_indexes': [], 'columns': [
        {'name': name, 'field_name': name, 'pandas_type': kinds[0], 'numpy_type': kinds[1],
         'metadata': None} for name, kinds in numpy_types.items()],
        'creator': {'library': 'pyarrow', 'version': '0'}, 'pandas_version': '2.0.0'}
    _write_table(path, {'task_index': list(range(len(tasks))), 'task': tasks},
                 {'pandas': json.dumps(note)})


def _write_table(path: Path, columns: dict, metadata: dict | None = None):
    import pyarrow
    from pyarrow import parquet
    arrays = {}
    for name, values in columns.items():
        if isinstance(values, np.ndarray) and values.ndim == 2:
            flat = pyarrow.array(values.reshape(-1))
            arrays[name] = pyarrow.FixedSizeListArray.from_arrays(flat, values.shape[1])
        elif isinstance(values, np.ndarray) and values.ndim == 4:
            arrays[name] = pyarrow.array([{'bytes': png(frame), 'path': None}
                                          for frame in values])
        else:
            arrays[name] = pyarrow.array(values)
    table = pyarrow.table(arrays)
    if metadata:
        table = table.replace_schema_metadata(metadata)
    path.parent.mkdir(parents=True, exist_ok=True)
    parquet.write_table(table, path)


def _statistics(values: np.ndarray) -> dict[str, list]:
    count, pictures = len(values), values.ndim == 4
    if pictures:  # of pictures: a row for each pixel, in [0, 1], and of each channel
        values = values.reshape(-1, values.shape[-1]) / 255.0
    values = np.asarray(values, np.float64).reshape(len(values), -1)
    found = {'min': values.min(axis=0), 'max': values.max(axis=0), 'mean': values.mean(axis=0),
             'std': values.std(axis=0), 'count': np.array([count])}
    found.update({name: np.quantile(values, share, axis=0)
                  for name, share in _QUANTILES.items()})
    if pictures:
        found = {name: array if name == 'count' else array.reshape(-1, 1, 1)
                 for name, array in found.items()}
    return {name: array.tolist() for name, array in found.items()}


def png(frame: np.ndarray) -> bytes:
    """Return a picture, shape ``(height, width, 1 or 3)``, uint8, as a PNG file (RFC 2083)."""
    height, width, channels = frame.shape
    rows = np.zeros((height, 1 + width * channels), np.uint8)  # each row begins with filter 0
    rows[:, 1:] = frame.reshape(height, -1)
    colour = {1: 0, 3: 2}[channels]
    parts = ((b'IHDR', struct.pack('>IIBBBBB', width, height, 8, colour, 0, 0, 0)),
             (b'IDAT', zlib.compress(rows.tobytes(), 6)), (b'IEND', b''))
    return b'\x89PNG\r\n\x1a\n' + b''.join(
        struct.pack('>I', len(data)) + kind + data + struct.pack('>I', zlib.crc32(kind + data))
        for kind, data in parts)


def _write_json(path: Path, content: dict):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=1) + '\n')
