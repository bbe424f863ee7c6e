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

"""Observation history, action chunk and execution horizon of a policy."""

import dataclasses

from il_ros.errors import LearningError

LONGEST = 1024
"""Steps of a history or a chunk."""


@dataclasses.dataclass(frozen=True)
class Horizons:
    """Observation, prediction and action horizon of a policy, in control steps."""

    history: int = 1
    """Observations that it sees: the newest and those before it."""

    chunk: int = 1
    """Actions that it answers at once (Zhao et al., RSS 2023, section IV.A)."""

    execute: int = 1
    """Actions of a chunk that are carried out before the next one is asked for."""

    temporal_ensembling: bool = False
    """An action is the weighted mean of all chunks that reach this step (same, section IV.A)."""

    def __post_init__(self):
        steps = (self.history, self.chunk, self.execute)
        if not all(isinstance(count, int) and not isinstance(count, bool)
                   and 1 <= count <= LONGEST for count in steps) or self.execute > self.chunk:
            raise LearningError(f'history, chunk and execute are {steps}; expected whole numbers '
                                f'in 1..{LONGEST}, and no more to execute than the chunk has')
        if not isinstance(self.temporal_ensembling, bool):
            raise LearningError(f'temporal_ensembling is {self.temporal_ensembling!r}; expected '
                                'true or false')

    @property
    def plain(self) -> bool:
        """Tell whether one observation is answered by one action, without any memory."""
        return self.history == 1 and self.chunk == 1

    @property
    def queued(self) -> bool:
        """Tell whether an answer can rest on an observation before the newest."""
        return self.execute > 1 or (self.temporal_ensembling and self.chunk > 1)
