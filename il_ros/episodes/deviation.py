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

"""Deviation of a replayed episode from the recorded one."""

from typing import NamedTuple

from il_ros.contract.contract import VALUES
from il_ros.episodes.episode import Episode
import numpy as np


class Deviation(NamedTuple):
    """The largest difference of one feature between two episodes."""

    feature: str
    unit: str
    largest: float
    """Of any element, in ``unit``."""
    step: int
    """Where that was."""


def deviations(recorded: Episode, driven: Episode) -> list[Deviation]:
    """Return how far apart the states that both episodes have came to be, by feature."""
    steps = min(len(recorded.observations), len(driven.observations))
    apart = np.abs(recorded.observations[:steps].astype(np.float64)
                   - driven.observations[:steps])
    found = []
    for feature in recorded.contract.features:
        if feature.kind == VALUES:
            largest = apart[:, feature.start:feature.stop].max(axis=1)
            step = int(largest.argmax())
            found.append(Deviation(feature.name, feature.unit, float(largest[step]), step))
    return found


def farthest(recorded: Episode, values: np.ndarray) -> tuple[str, float]:
    """
    Return the element of an observation that is farthest from the recorded first one, and how far.

    :param values: shape ``(obs_dim,)``
    """
    apart = np.abs(recorded.observations[0].astype(np.float64) - values)
    index = int(apart.argmax())
    feature = next(one for one in recorded.contract.features
                   if one.kind == VALUES and one.start <= index < one.stop)
    return f'{feature.name}.{feature.elements[index - feature.start]}', float(apart[index])
