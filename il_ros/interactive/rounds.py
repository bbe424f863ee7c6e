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

import math
from typing import Iterator

from il_ros.interactive.goal import Goal
from il_ros.interactive.ledger import ledger
from il_ros.interactive.outcomes import Collected
from il_ros.interactive.run_state import RunState
from il_ros.interactive.stage import BASELINE_PART, collect_stage, EXPERT_PART, FINAL_PART
from il_ros.interactive.stage import HELD_OUT_PART, LOOP_PART, Stage, stage_name
from il_ros.interactive.strategy import wants_service


def next_stage(state: RunState, fitting: Stage | None = None) -> Stage | None:
    """
    Return the first stage that is not finished; None: there is none, or it waits for the fit.

    :param fitting: a ``train`` stage that is under way meanwhile; until its policy is loaded the
        one before can be judged
    """
    for stage in planned_stages(state):
        if state.has(stage) or stage == fitting:
            continue
        return None if fitting and stage.act == 'load' else stage
    return None


def planned_stages(state: RunState) -> Iterator[Stage]:
    """
    Yield the stages in order, as far as they are known.

    A policy is judged behind the next fit, so that the two can go side by side; with
    ``keep_better`` at once, for the next round needs to know which one is loaded. The baseline is
    known when the last round is aggregated, and its demonstrations batch by batch, for what a
    batch brings decides whether another one is needed.
    """
    goal = state.goal
    if goal.final_evaluation_episodes:
        yield Stage('evaluate', EXPERT_PART, 0)
    yield Stage('collect', HELD_OUT_PART, 0)
    for round_ in range(goal.rounds + 1):
        yield from _round(state, round_)
    if goal.baseline and goal.rounds:
        yield from _baseline(state)
    elif goal.keep_better:
        yield Stage('load', FINAL_PART, goal.rounds)
    else:
        yield from _judge(goal, goal.rounds)


def _round(state: RunState, round_: int) -> Iterator[Stage]:
    yield collect_stage(round_)
    if wants_service(state.strategy.plan(round_, state.goal.seed)):
        yield Stage('label', LOOP_PART, round_)
    yield Stage('aggregate', LOOP_PART, round_)
    yield Stage('train', LOOP_PART, round_)
    if state.goal.keep_better:
        yield Stage('load', LOOP_PART, round_)
        yield from _judge(state.goal, round_)
        if round_:
            yield Stage('choose', LOOP_PART, round_)
        return
    if round_:
        yield from _judge(state.goal, round_ - 1)
    yield Stage('load', LOOP_PART, round_)


def _judge(goal: Goal, round_: int) -> Iterator[Stage]:
    if goal.round_seeds(round_):
        yield Stage('evaluate', LOOP_PART, round_)
        yield Stage('measure', LOOP_PART, round_)


def _baseline(state: RunState) -> Iterator[Stage]:
    last = state.goal.rounds
    if not state.has(Stage('aggregate', LOOP_PART, last)):
        return
    for batch in range(1, len(baseline_batches(state)) + 1):
        collect = Stage('collect', BASELINE_PART, last, batch)
        yield collect
        if not state.has(collect):
            return
    for act in ('aggregate', 'train'):
        yield Stage(act, BASELINE_PART, last)
    if not state.goal.keep_better:
        yield from _judge(state.goal, last)
    if state.goal.final_evaluation_episodes:
        for act in ('load', 'evaluate', 'measure'):
            yield Stage(act, BASELINE_PART, last)
    yield Stage('load', FINAL_PART, last)


def aggregated_stages(state: RunState, stage: Stage) -> tuple[Stage, ...]:
    """Return the ``aggregate`` stages up to this one: their keys stay in the data set."""
    stages = []
    for one in planned_stages(state):
        if one.act == 'aggregate':
            stages.append(one)
        if one.name == stage.name:
            break
    return tuple(stages)


def baseline_batches(state: RunState) -> list[tuple[int, int]]:
    """
    Return the baseline's batches of fresh demonstrations, as (first, count), known so far.

    A batch is as many as are needed if they bring labels as those before; the last one is not
    finished yet unless the labels suffice.
    """
    goal, target, first = state.goal, ledger(state)[-1].labels, state.goal.demonstrations
    outcome = state.outcome(Collected, stage_name('collect', 0))
    batches: list[tuple[int, int]] = []
    episodes, labels = 0, 0
    while True:
        episodes, labels = episodes + outcome.episodes, labels + outcome.labels
        room = len(goal.demonstration_seeds(first, target))
        if labels >= target or not room:
            return batches
        count = math.ceil((target - labels) * episodes / labels) if labels else episodes
        batches.append((first, min(count, room)))
        first += batches[-1][1]
        found = state.find(Collected, stage_name('collect', BASELINE_PART, len(batches)))
        if found is None:
            return batches
        outcome = found
