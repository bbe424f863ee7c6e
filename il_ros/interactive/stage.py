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

"""Stages: what a run does one after the other, and their names in ``run.json``."""

import dataclasses

(EXPERT_STAGE, DEMONSTRATE, COLLECT, LABEL, AGGREGATE, TRAIN, LOAD, EVALUATE,
 BASELINE) = range(9)
"""Stages as ``RunDagger`` reports them."""

PHASES = ('expert', 'demonstrate', 'collect', 'label', 'aggregate', 'train', 'load', 'evaluate',
          'baseline')
"""Names of those stages, for the table of where the time goes."""

EXPERT_PART, HELD_OUT_PART, LOOP_PART, BASELINE_PART = 'expert', 'held-out', 'loop', 'baseline'
FINAL_PART = 'final'
"""Loads the rounds' policy again, so that a graph that stays up is left with it."""

_REPORTED = {EXPERT_PART: EXPERT_STAGE, HELD_OUT_PART: DEMONSTRATE, BASELINE_PART: BASELINE}
_ACTS = {'label': LABEL, 'aggregate': AGGREGATE, 'train': TRAIN, 'load': LOAD,
         'evaluate': EVALUATE, 'measure': EVALUATE, 'choose': EVALUATE}


@dataclasses.dataclass(frozen=True)
class Stage:
    """One step of a run; ``act`` is the work, ``part`` and ``round`` the policy concerned."""

    act: str
    """
    ``collect``, ``label``, ``aggregate``, ``train``, ``load``, ``evaluate``, ``measure`` or
    ``choose``.
    """
    part: str
    """The loop, the ceiling, the held-out demonstrations or the baseline."""
    round: int  # noqa: A003
    batch: int = 0
    """Number of a batch of the baseline's demonstrations, from 1 on."""

    @property
    def name(self) -> str:
        """Return the name in ``run.json``, unique in a run: ``r03-train``."""
        return stage_name(self.act, self.round if self.part == LOOP_PART else self.part,
                          self.batch)

    @property
    def reported(self) -> int:
        """Return the stage as ``RunDagger.Feedback.stage`` has it."""
        if self.part in _REPORTED:
            return _REPORTED[self.part]
        return _ACTS.get(self.act, COLLECT if self.round else DEMONSTRATE)

    @property
    def phase(self) -> str:
        """Return the row of the timing table that this stage counts for."""
        return PHASES[self.reported]


def stage_name(act: str, of: int | str, batch: int = 0) -> str:
    """
    Return the name of a stage in ``run.json``.

    :param of: a round of the loop, or another part of the run
    """
    prefix = f'r{of:02d}' if isinstance(of, int) else of
    return f'{prefix}-{act}-{batch}' if batch else f'{prefix}-{act}'


def collect_stage(round_: int) -> Stage:
    """Return the stage that collects for a round; that of round 0 are the demonstrations."""
    return Stage('collect', LOOP_PART, round_)
