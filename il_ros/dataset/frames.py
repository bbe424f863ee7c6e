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

"""Images of an aggregated file: one a step, read from the disk when they are asked for."""

from collections.abc import Sequence
from pathlib import Path

import h5py
from il_ros.dataset.hdf5_file import unreadable
from il_ros.errors import DatasetError
from il_ros.files.regular import require_regular
import numpy as np


class Frames:
    """
    The images of one camera, aligned with rows of observations.

    Nothing but the rows' numbers is in memory; ``frames[:]`` reads all, ``nbytes`` bytes. The
    file is kept open: who replaces it under its name changes nothing here.
    """

    def __init__(self, path: Path, name: str, demos: Sequence[tuple[str, int]],
                 rows: np.ndarray, shape: tuple[int, int, int]):
        """
        Open a file.

        :param name: of the camera, a feature of the contract
        :param demos: name and number of steps of each demo, in the order that ``rows`` counts
        :param rows: which steps of these demos, one after the other, shape ``(N,)``, int
        :param shape: height, width and channels
        :raises DatasetError: naming the file, if it cannot be opened
        """
        self.shape = (len(rows), *shape)
        self._path = path
        self._name = name
        self._demos = [demo for demo, _ in demos]
        self._starts = np.cumsum([0, *(steps for _, steps in demos)])[:-1]
        self._rows = np.asarray(rows, np.int64)
        try:
            require_regular(path)
            self._file = h5py.File(path, 'r')
        except OSError as error:
            raise unreadable(path, error) from error

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def nbytes(self) -> int:
        """Return how much memory all images take, in bytes."""
        return int(np.prod(self.shape, dtype=np.int64))

    def __getitem__(self, index) -> np.ndarray:
        """
        Read images, shape ``(n, height, width, channels)``, uint8, in the order asked for.

        :param index: as numpy takes it: a slice, or an array of numbers or of marks
        :raises DatasetError: naming the file and the demo that is damaged
        """
        rows = np.atleast_1d(self._rows[index])
        images = np.empty((len(rows), *self.shape[1:]), np.uint8)
        demos = np.searchsorted(self._starts, rows, side='right') - 1
        for demo in np.unique(demos):
            there = np.flatnonzero(demos == demo)
            steps = rows[there] - self._starts[demo]
            first = int(steps.min())
            block = self._read(self._demos[demo], first, int(steps.max()) + 1)
            images[there] = block[steps - first]
        return images

    def close(self):
        """Close the file; a second call does nothing."""
        self._file.close()

    def _read(self, demo: str, first: int, stop: int) -> np.ndarray:
        try:
            block = self._file[f'data/{demo}/obs/{self._name}'][first:stop]
        except (OSError, KeyError, ValueError, RuntimeError) as error:
            raise DatasetError(f'{self._path}: the images {self._name} of {demo} cannot be read '
                               f'({error})') from error
        if block.shape != (stop - first, *self.shape[1:]):
            raise DatasetError(f'{self._path}: the images {self._name} of {demo} have shape '
                               f'{block.shape}; expected {(stop - first, *self.shape[1:])}')
        return block
