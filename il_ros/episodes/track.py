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

"""The messages of one topic of an episode, as columns in the order of their stamps."""

from il_ros.episodes.episode import Answers
from il_ros.episodes.wire.cdr import groups
from il_ros.episodes.wire.schema import Schema
import numpy as np

NS = 1_000_000_000
"""Nanoseconds in a second."""


class Track:
    """The rows of one topic, in the order of their stamps, repeats left out."""

    def __init__(self, schema: Schema, raws: list[bytes], episode_id: str):
        self.groups = list(groups(schema, raws))
        self.stamps = np.zeros(len(raws), np.int64)
        self.steps = np.zeros(len(raws), np.int64)
        for members, rows in self.groups:
            strangers = rows['episode_id'] != episode_id.encode()
            if strangers.any():
                raise ValueError(f'a message of {schema.name} belongs to the episode '
                                 f'{rows["episode_id"][strangers][0].decode(errors="replace")!r}')
            self.stamps[members] = (rows['header.stamp.sec'].astype(np.int64) * NS
                                    + rows['header.stamp.nanosec'])
            self.steps[members] = rows['step']
        self.stamps, self._first = np.unique(self.stamps, return_index=True)
        self.steps = self.steps[self._first]
        self._total = len(raws)

    def __len__(self) -> int:
        return len(self.stamps)

    def unbroken(self) -> int:
        """Return how many steps from 0 on are there without a gap."""
        gaps = np.flatnonzero(self.steps != np.arange(len(self)))
        return int(gaps[0]) if gaps.size else len(self)

    def column(self, name: str, dtype: type) -> np.ndarray:
        """Return a field that every message has, shape ``(n,)``."""
        column: np.ndarray = np.zeros(self._total, dtype)
        for members, rows in self.groups:
            column[members] = rows[name]
        return column[self._first]

    def matrix(self, name: str, width: int, dtype: type) -> np.ndarray:
        """
        Return a sequence field, shape ``(n, width)``; rows that are empty are zero.

        :raises ValueError: if a message carries another number of entries
        """
        matrix: np.ndarray = np.zeros((self._total, width), dtype)
        for members, rows in self.groups:
            found = rows[name].shape[1]
            if found not in (0, width):
                raise ValueError(f'{name} has {found} entries; expected {width}')
            if found:
                matrix[members] = rows[name]
        return matrix[self._first]

    def images(self, index: int, shape: tuple[int, int, int]) -> np.ndarray:
        """
        Return one image of every message, shape ``(n, height, width, channels)``, uint8.

        :param index: of the image in ``images``
        :param shape: height, width and channels
        :raises ValueError: if a message lacks the image, or carries one of another size
        """
        height, width, channels = shape
        for _, rows in self.groups:
            where = f'images.{index}'
            if f'{where}.data' not in (rows.dtype.names or ()):
                raise ValueError(f'a message has no {where}')
            if (rows[f'{where}.height'] != height).any() or (
                    rows[f'{where}.width'] != width).any():
                raise ValueError(f'{where} has another size than {height}x{width}')
        pixels = self.matrix(f'images.{index}.data', height * width * channels, np.uint8)
        return pixels.reshape(-1, height, width, channels)

    def answers(self, source: int, width: int) -> tuple[Answers, np.ndarray]:
        """Return what one candidate answered to each row, and its policy ids, shape ``(n,)``."""
        answers = Answers.none(self._total, width)
        policy_ids = np.zeros(self._total, np.uint64)
        for members, rows in self.groups:
            for prefix in _candidates(rows):
                chosen = rows[prefix + 'source'] == source
                if rows[prefix + 'values'].shape[1] != width or not chosen.any():
                    continue
                values = rows[prefix + 'values'][chosen]
                usable = np.isfinite(values).all(axis=1)
                places = members[chosen][usable]
                answers.actions[places] = values[usable]
                answers.valid[places] = True
                policy_ids[places] = rows[prefix + 'policy_id'][chosen][usable]
        return (Answers(answers.actions[self._first], answers.valid[self._first]),
                policy_ids[self._first])


def _candidates(rows: np.ndarray) -> list[str]:
    names = rows.dtype.names or ()
    count = sum(name.startswith('candidates.') and name.endswith('.source') for name in names)
    return [f'candidates.{index}.' for index in range(count)]
