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
Zero mean and unit variance, with a floor under each unit's standard deviation.

A nearly constant input that is scaled to unit variance is noise blown up, and its smallest
change on the arm leaves the range that the network has seen.
"""

from collections.abc import Sequence
import dataclasses
import types

from il_ros.errors import LearningError, NoDataError, NotFiniteError
import numpy as np

FLOORS = types.MappingProxyType({
    'm': 0.005,       # about the reach of a gripper's play; below it positions say little
    'rad': 0.05,      # about the same at the end of a 0.1 m lever
    'm/s': 0.02,      # 1 mm a step at 20 Hz
    'rad/s': 0.1,     # 5 mrad a step at 20 Hz
    'N': 0.5,         # noise of a wrist sensor
    'N m': 0.1,       # noise of joint torques
    '': 0.05,         # quaternion elements: 0.05 is a turn of 0.1 rad
})
"""Smallest standard deviation that data of a unit are divided by."""


@dataclasses.dataclass(frozen=True)
class Normaliser:
    """Shift and scale of each column; immutable once fitted."""

    mean: np.ndarray
    """Shape ``(K,)``, float32, in the columns' own units."""

    sd: np.ndarray
    """Shape ``(K,)``, float32, never below the floor of the unit."""

    def __post_init__(self):
        if self.mean.shape != self.sd.shape or self.mean.ndim != 1:
            raise LearningError(f'a normaliser has mean {self.mean.shape} and sd {self.sd.shape}; '
                                'expected two vectors of one width')
        if not (np.isfinite(self.mean).all() and np.isfinite(self.sd).all()):
            raise NotFiniteError('a normaliser has a mean or sd that is not finite')
        if not (self.sd > 0.0).all():
            raise LearningError('a normaliser has an sd that is not positive')

    @classmethod
    def fit(cls, data: np.ndarray, units: Sequence[str]) -> 'Normaliser':
        """
        Estimate mean and sd of each column.

        :param data: shape ``(N, K)``, N at least 1
        :param units: of the K columns, keys of ``FLOORS``
        :raises NoDataError: if there is no row
        :raises LearningError: if a unit has no floor
        """
        unknown = sorted(set(units) - set(FLOORS))
        if unknown:
            raise LearningError(f'unit {unknown[0]!r} has no smallest sd; known units are '
                                f'{sorted(FLOORS)}')
        if len(data) == 0:
            raise NoDataError('a normaliser cannot be fitted to no data')
        wide = data.astype(np.float64)
        floors = np.array([FLOORS[unit] for unit in units])
        return cls(mean=wide.mean(axis=0).astype(np.float32),
                   sd=np.maximum(wide.std(axis=0), floors).astype(np.float32))

    @property
    def width(self) -> int:
        """Return the number of columns."""
        return len(self.mean)

    def apply(self, data: np.ndarray) -> np.ndarray:
        """Return ``data`` (shape ``(..., K)``) normalised, float32."""
        return (data - self.mean) / self.sd

    def undo(self, data: np.ndarray) -> np.ndarray:
        """Return normalised ``data`` (shape ``(..., K)``) in its own units, float32."""
        return data * self.sd + self.mean
