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

"""Whole episodes as rows of arrays: what a history and a chunk of actions are cut from."""

import dataclasses

import numpy as np


@dataclasses.dataclass(frozen=True)
class Steps:
    """Every step of some episodes, one episode after the other, labelled or not."""

    observations: np.ndarray
    """Shape ``(S, obs_dim)``, float32."""

    actions: np.ndarray
    """Shape ``(S, act_dim)``, float32; a label where ``valid``, anything elsewhere."""

    valid: np.ndarray
    """Shape ``(S,)``, bool: which steps have a label."""

    starts: np.ndarray
    """Shape ``(E,)``, int: the first row of each episode, ascending from 0."""

    def __post_init__(self):
        count = len(self.observations)
        if not count == len(self.actions) == len(self.valid):
            raise ValueError(f'{count} observations have {len(self.actions)} actions and '
                             f'{len(self.valid)} marks; expected as many')
        if count and (not len(self.starts) or self.starts[0] != 0 or self.starts[-1] >= count
                      or (np.diff(self.starts) <= 0).any()):
            raise ValueError(f'episodes start at {self.starts}; expected ascending rows from 0, '
                             f'below {count}')

    def windows(self, history: int) -> np.ndarray:
        """
        Return the rows that a policy with a memory sees at each labelled step.

        :param history: observations in a window; before an episode's start its first one stands
        :returns: shape ``(N, history)``, int64, oldest first
        """
        rows = np.flatnonzero(self.valid)
        first = self.starts[np.searchsorted(self.starts, rows, side='right') - 1]
        return np.maximum(rows[:, None] + np.arange(1 - history, 1), first[:, None])

    def chunks(self, chunk: int) -> tuple[np.ndarray, np.ndarray]:
        """
        Return the rows of the labels that follow each labelled step, itself the first.

        A chunk ends with its episode and before the first step without a label: what the expert
        would have done later it would not have done from there. The rest is padding.

        :param chunk: steps of a chunk
        :returns: rows, shape ``(N, chunk)``, int64, padded with the labelled step's own; and
            which of them count, shape ``(N, chunk)``, bool
        """
        rows = np.flatnonzero(self.valid)
        stops = np.append(self.starts[1:], len(self.valid))
        stop = stops[np.searchsorted(self.starts, rows, side='right') - 1]
        ahead = rows[:, None] + np.arange(chunk)
        counts = (ahead < stop[:, None]) & self.valid[np.minimum(ahead, len(self.valid) - 1)]
        counts = np.logical_and.accumulate(counts, axis=1)
        return np.where(counts, ahead, rows[:, None]), counts
