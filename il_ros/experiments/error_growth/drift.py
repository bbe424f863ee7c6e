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
Drift: how far the states that a policy visits lie from those that it was trained on, over time.

A cloned policy makes mistakes, comes to states that no demonstration has, and makes more mistakes
there (Ross and Bagnell, AISTATS 2010, section 2). The distance is that to the nearest training
state, in the inputs of the policy, each in standard deviations of the training set.
"""

import dataclasses
from typing import Sequence

import numpy as np

_BLOCK = 1 << 22
"""Largest number of distances in memory."""


@dataclasses.dataclass(frozen=True, eq=False)
class Drift:
    """One policy's distances from its training set, in standard deviations of its inputs."""

    distances: np.ndarray
    """Shape ``(E, H)``; an episode that ended early stays where it ended."""
    training_states: int
    on_expert_states: float
    """The mean over states of the expert that are not in the training set."""

    def __post_init__(self):
        if self.distances.ndim != 2 or not self.distances.size:
            raise ValueError(f'distances have shape {self.distances.shape}; expected (E, H)')


def nearest(states: np.ndarray, training: np.ndarray) -> np.ndarray:
    """
    Return each state's distance to the nearest of the training set.

    :param states: shape ``(N, K)``
    :param training: shape ``(M, K)``, M at least 1
    :returns: shape ``(N,)``, float64
    """
    states, training = states.astype(np.float64), training.astype(np.float64)
    norms = (training ** 2).sum(axis=1)
    rows = max(1, _BLOCK // len(training))
    found = [(part ** 2).sum(axis=1) + (norms - 2.0 * part @ training.T).min(axis=1)
             for part in np.split(states, range(rows, len(states), rows))]
    return np.sqrt(np.maximum(np.concatenate(found), 0.0))


def held(rows: Sequence[np.ndarray], horizon: int) -> np.ndarray:
    """
    Return rows of up to ``horizon`` numbers as one array, each one's last number held on.

    :param rows: each of shape ``(T,)``, T at least 1
    :returns: shape ``(len(rows), horizon)``
    """
    last = np.array([len(row) - 1 for row in rows])
    at = np.minimum(np.arange(horizon), last[:, None])
    return np.array([row[columns] for row, columns in zip(rows, at)])


def curve(drift: Drift, ends: Sequence[int], weight: np.ndarray) -> np.ndarray:
    """
    Return the mean distance by time: over steps 1 .. ``ends[0]``, beyond up to ``ends[1]``, ...

    :param weight: of the episodes, shape ``(B, E)``
    :returns: shape ``(B, len(ends))``
    """
    begins = (0, *ends[:-1])
    sums = np.add.reduceat(drift.distances[:, :ends[-1]], begins, axis=1)
    return weight @ (sums / np.diff((0, *ends))) / weight.sum(axis=1, keepdims=True)
