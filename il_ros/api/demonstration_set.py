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

"""Demonstration set: whole episodes, and the pairs that a policy learns from."""

from collections.abc import Mapping
import dataclasses

from il_ros.dataset.dataset import Demonstrations
import numpy as np


@dataclasses.dataclass(frozen=True, eq=False)
class Demonstration:
    """One whole episode of T steps."""

    seed: int
    success: bool
    cause: int
    """Why it ended: ``EpisodeStatus.cause``."""

    observations: np.ndarray
    """Shape ``(T + 1, obs_dim)``, float32; row ``t`` precedes action ``t``."""

    actions: np.ndarray
    """Shape ``(T, act_dim)``, float32: what the environment was given."""

    labels: np.ndarray
    """Shape ``(T, act_dim)``, float32: the expert's answers. In a demonstration the actions."""

    images: Mapping[str, np.ndarray] = dataclasses.field(default_factory=dict)
    """By the names of the contract's image features, shape ``(T + 1, h, w, channels)``, uint8."""

    @property
    def steps(self) -> int:
        """Return T."""
        return len(self.actions)


@dataclasses.dataclass(frozen=True, eq=False)
class DemonstrationSet(Demonstrations):
    """
    Whole episodes, and the N pairs of observation and label that they give; ``len`` is N.

    ``observations`` has the shape ``(N, obs_dim)``, ``actions``, the labels, ``(N, act_dim)``,
    both float32: the episodes' rows one after the other, each episode without its last state.
    """

    task: str = ''
    episodes: tuple[Demonstration, ...] = ()
    """In the order of the seeds."""
