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
A whole run as data: which stage comes next.

The order is that of DAgger (Ross, Gordon, Bagnell 2011, Algorithm 3.1): demonstrate, clone,
then roll out, label, aggregate, retrain, and again; each policy is judged while the next one is
fitted. Whoever executes it does only ::

    while stage := next_stage(state):
        state = state.after(stage, execute(stage))
        save(folder, state)

Everything follows from the goal and from what the finished stages brought, so that a killed run
goes on with the stage that it was in. What exactly a stage has to do stands in ``stage_work.py``.
"""

import dataclasses
import math
from typing import Iterator

from il_ros.interactive.goal import Goal
from il_ros.interactive.ledger import ledger
from il_ros.interactive.run_state import RunState
from il_ros.interactive.strategy import wants_service

(EXPERT_STAGE, DEMONSTRATE, COLLECT, LABEL, AGGREGATE, TRAIN, LOAD, EVALUATE,
 BASELINE) = range(9)
"""Stages as ``RunDagger`` reports them."""

PHASES = ('expert', 'demonstrate', 'collect', 'label', 'aggregate', 'train', 'load', 'evaluate',
          'baseline')
"""Names of those stages, for the table of where the time goes."""

EXPERT_PART, HELD_OUT_PART, LOOP_PART, BASELINE_PART = 'expert', 'held-out', 'loop', 'baseline'


@dataclasses.dataclass(frozen=True)
class Stage:
    """One thing to be done; ``act`` says how, ``part`` and ``round`` say for whom."""

    name: str
    """Unique in a run, e.g. ``r03-train``, ``baseline-collect-2``."""
    act: str
    """``collect``, ``evaluate``, ``label``, ``measure``, ``aggregate``, ``train`` or ``load``."""
    part: str
    """The loop, the ceiling, the held-out demonstrations or the baseline."""
    round: int  # noqa: A003
    reported: int
    """As ``RunDagger.Feedback.stage``."""

    @property
    def phase(self) -> str:
        """Return the row of the timing table that this stage counts for."""
        return PHASES[self.reported]


def next_stage(state: RunState, fitting: Stage | None = None) -> Stage | None:
    """
    Return the first stage that is not finished; None: there is none, or it waits for the fit.

    :param fitting: a ``train`` stage that is under way meanwhile; until its policy is loaded the
        one before can be judged
    """
    for stage in planned_stages(state):
        if stage.name in state.finished or stage == fitting:
            continue
        return None if fitting and stage.act == 'load' else stage
    return None


def planned_stages(state: RunState) -> Iterator[Stage]:
    """
    Yield the stages in order, as far as they are known.

    A policy is judged behind the next fit, so that the two can go side by side. The baseline is
    known when the last round is aggregated, and its demonstrations batch by batch, for what a
    batch brings decides whether another one is needed.
    """
    goal = state.goal
    if goal.final_evaluation_episodes:
        yield Stage('expert-evaluate', 'evaluate', EXPERT_PART, 0, EXPERT_STAGE)
    yield Stage('held-out-collect', 'collect', HELD_OUT_PART, 0, DEMONSTRATE)
    for round_ in range(goal.rounds + 1):
        yield from _round(state, round_)
    if goal.baseline and goal.rounds:
        yield from _baseline(state)
    else:
        yield from _judge(goal, goal.rounds)


def _round(state: RunState, round_: int) -> Iterator[Stage]:
    prefix = f'r{round_:02d}'
    reported = COLLECT if round_ else DEMONSTRATE
    yield Stage(f'{prefix}-collect', 'collect', LOOP_PART, round_, reported)
    if wants_service(state.strategy.plan(round_, state.goal.seed)):
        yield Stage(f'{prefix}-label', 'label', LOOP_PART, round_, LABEL)
    yield Stage(f'{prefix}-aggregate', 'aggregate', LOOP_PART, round_, AGGREGATE)
    yield Stage(f'{prefix}-train', 'train', LOOP_PART, round_, TRAIN)
    if round_:
        yield from _judge(state.goal, round_ - 1)
    yield Stage(f'{prefix}-load', 'load', LOOP_PART, round_, LOAD)


def _judge(goal: Goal, round_: int) -> Iterator[Stage]:
    if goal.evaluation_seeds(final=round_ in (0, goal.rounds)):
        yield Stage(f'r{round_:02d}-evaluate', 'evaluate', LOOP_PART, round_, EVALUATE)
        yield Stage(f'r{round_:02d}-measure', 'measure', LOOP_PART, round_, EVALUATE)


def _baseline(state: RunState) -> Iterator[Stage]:
    last = state.goal.rounds
    if f'r{last:02d}-aggregate' not in state.finished:
        return
    for batch in range(1, len(baseline_batches(state)) + 1):
        yield Stage(f'baseline-collect-{batch}', 'collect', BASELINE_PART, last, BASELINE)
        if f'baseline-collect-{batch}' not in state.finished:
            return
    for act in ('aggregate', 'train'):
        yield Stage(f'baseline-{act}', act, BASELINE_PART, last, BASELINE)
    yield from _judge(state.goal, last)
    if state.goal.final_evaluation_episodes:
        for act in ('load', 'evaluate', 'measure'):
            yield Stage(f'baseline-{act}', act, BASELINE_PART, last, BASELINE)
    # A graph that stays up is left with the policy that the run is about.
    yield Stage('final-load', 'load', LOOP_PART, last, LOAD)


def aggregated_stages(state: RunState, stage: Stage) -> tuple[Stage, ...]:
    """Return the ``aggregate`` stages up to this one: their keys stay in the data set."""
    stages = []
    for one in planned_stages(state):
        if one.act == 'aggregate':
            stages.append(one)
        if one.name == stage.name:
            break
    return tuple(stages)


def collect_stage(round_: int) -> Stage:
    """Return the stage that collects for a round; that of round 0 are the demonstrations."""
    return Stage(f'r{round_:02d}-collect', 'collect', LOOP_PART, round_,
                 COLLECT if round_ else DEMONSTRATE)


def baseline_batches(state: RunState) -> list[tuple[int, int]]:
    """
    Return the baseline's batches of fresh demonstrations, as (first, count), known so far.

    A batch is as many as are needed if they bring labels as those before; the last one is not
    finished yet unless the labels suffice.
    """
    goal, target, first = state.goal, ledger(state)[-1].labels, state.goal.demonstrations
    outcome = state.finished['r00-collect']
    batches, episodes, labels = [], 0, 0
    while True:
        episodes, labels = episodes + outcome.episodes, labels + outcome.labels
        room = len(goal.demonstration_seeds(first, target))
        if labels >= target or not room:
            return batches
        count = math.ceil((target - labels) * episodes / labels) if labels else episodes
        batches.append((first, min(count, room)))
        first += batches[-1][1]
        outcome = state.finished.get(f'baseline-collect-{len(batches)}')
        if outcome is None:
            return batches
