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
from typing import Annotated

from il_ros.errors import LearningError
from il_ros.settings import Settings
from msgspec import Meta

LONGEST = 1024
"""Steps of a history or a chunk."""


@dataclasses.dataclass(frozen=True)
class Horizons(Settings, refusal=LearningError):
    """Observation, prediction and action horizon of a policy, in control steps."""

    history: Annotated[int, Meta(ge=1, le=LONGEST)] = 1
    """Observations that it sees: the newest and those before it."""

    chunk: Annotated[int, Meta(ge=1, le=LONGEST)] = 1
    """Actions that it answers at once (Zhao et al., RSS 2023, section IV.A)."""

    execute: Annotated[int, Meta(ge=1, le=LONGEST)] = 1
    """Actions of a chunk that are carried out before the next one is asked for."""

    temporal_ensembling: bool = False
    """An action is the weighted mean of all chunks that reach this step (same, section IV.A)."""

    def __post_init__(self):
        super().__post_init__()
        self.refuse_unless(self.execute <= self.chunk, 'execute', 'no more than the chunk has')

    @property
    def plain(self) -> bool:
        """Tell whether one observation is answered by one action, without any memory."""
        return self.history == 1 and self.chunk == 1

    @property
    def queued(self) -> bool:
        """Tell whether an answer can rest on an observation before the newest."""
        return self.execute > 1 or (self.temporal_ensembling and self.chunk > 1)
