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
A whole run as data: which stage comes next, and what exactly it has to do.

The order is that of DAgger (Ross, Gordon, Bagnell 2011, Algorithm 3.1): demonstrate, clone,
then roll out, label, aggregate, retrain, and again; each policy is judged while the next one is
fitted. Whoever executes it does only ::

    while stage := next_stage(state):
        state = state.after(stage, execute(stage))
        save(folder, state)

Everything follows from the goal and from what the finished stages brought, so that a killed run
goes on with the stage that it was in. Episodes of that stage that have their receipt are not run
again (``unrecorded``).
"""

import dataclasses
import math
from typing import Collection, Iterator, Sequence

from il_ros.data.spec import DEMONSTRATION, episode_id, EpisodeSpec, EVALUATION, EXPERT, POLICY
from il_ros.data.spec import DrivePlan, ROLLOUT, VALIDATION
from il_ros.interactive.goal import Goal
from il_ros.interactive.ledger import ledger
from il_ros.interactive.outcomes import last_threshold, Trained
from il_ros.interactive.run_state import RunState
from il_ros.interactive.strategy import evaluation_plan, wants_service

(EXPERT_STAGE, DEMONSTRATE, COLLECT, LABEL, AGGREGATE, TRAIN, LOAD, EVALUATE,
 BASELINE) = range(9)
"""Stages as ``RunDagger`` reports them."""

PHASES = ('expert', 'demonstrate', 'collect', 'label', 'aggregate', 'train', 'load', 'evaluate',
          'baseline')
"""Names of those stages, for the table of where the time goes."""

EXPERT_PART, HELD_OUT_PART, LOOP_PART, BASELINE_PART = 'expert', 'held-out', 'loop', 'baseline'

MEASURED_EPISODES = 50
"""Of each evaluation: the first ones, whose states the expert is asked about for mistakes."""


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


@dataclasses.dataclass(frozen=True)
class TrainJob:
    """What the trainer is asked for."""

    filter_key: str
    seed: int
    output: str
    """Folder of the checkpoint, relative to the run's."""
    augmented: bool = False
    """With the strategy's augmentation: the rounds from 1 on."""


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
    for batch in range(1, len(_batches(state)) + 1):
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


def episode_specs(state: RunState, stage: Stage) -> tuple[EpisodeSpec, ...]:
    """Return the episodes of a stage that collects or evaluates, in order."""
    goal = state.goal
    if stage.act == 'evaluate':
        driver = EXPERT if stage.part == EXPERT_PART else POLICY
        final = stage.part != LOOP_PART or stage.round in (0, goal.rounds)
        kind = EVALUATION if stage.part == LOOP_PART else stage.part
        plan = evaluation_plan(driver, goal.seed)
        return _specs(state, stage, kind, EVALUATION, goal.evaluation_seeds(final), plan)
    plan = state.strategy.demonstration(goal.seed)
    if stage.part == HELD_OUT_PART:
        return _specs(state, stage, VALIDATION, VALIDATION, goal.held_out_seeds(), plan)
    if stage.part == BASELINE_PART:
        first, count = _batches(state)[int(stage.name.rpartition('-')[2]) - 1]
        seeds = goal.demonstration_seeds(first, count)
        return _specs(state, stage, BASELINE_PART, DEMONSTRATION, seeds, plan)
    if stage.round == 0:
        seeds = goal.demonstration_seeds(0, goal.demonstrations)
        return _specs(state, stage, DEMONSTRATION, DEMONSTRATION, seeds, plan)
    learner = state.finished.get(f'r{stage.round - 1:02d}-train')
    plan = state.strategy.plan(stage.round, goal.seed, learner)
    return _specs(state, stage, ROLLOUT, ROLLOUT, goal.rollout_seeds(stage.round), plan)


def _specs(state: RunState, stage: Stage, kind: str, purpose: str, seeds: range,
           plan: DrivePlan) -> tuple[EpisodeSpec, ...]:
    goal = state.goal
    return tuple(
        EpisodeSpec(episode_id=episode_id(kind, stage.round, seed), run=goal.run, task=goal.task,
                    purpose=purpose, round=stage.round, seed=seed, horizon=goal.horizon,
                    continuing=goal.continuing, options=goal.options, plan=plan)
        for seed in seeds)


def gate_threshold(state: RunState, stage: Stage, receipts: Sequence) -> float:
    """
    Return where an adapted threshold stands when a stage begins, or goes on.

    :param receipts: of the episodes of the stage that are recorded already, in order
    :returns: -1: the plan's own
    """
    here = last_threshold(receipts)
    before = state.finished.get(_collect_stage(stage.round - 1).name) if stage.round else None
    if here >= 0.0 or stage.part != LOOP_PART or stage.act != 'collect' or before is None:
        return here
    return before.gate_threshold


def unrecorded(specs: tuple[EpisodeSpec, ...],
               recorded: Collection[str]) -> tuple[EpisodeSpec, ...]:
    """
    Return the episodes that still have to be run.

    :param recorded: ids that have a receipt on disk
    """
    return tuple(spec for spec in specs if spec.episode_id not in recorded)


def episodes_to_label(state: RunState, stage: Stage) -> tuple[str, ...]:
    """
    Return the ids of the episodes whose states the service is asked about.

    For ``label``: this round's rollouts without flags, those stamps that the expert did not
    answer in the loop. For ``measure``: the first ones of the stage's evaluation, all stamps.
    """
    act = 'collect' if stage.act == 'label' else 'evaluate'
    specs = episode_specs(state, dataclasses.replace(stage, act=act))
    if stage.act == 'measure':
        return tuple(spec.episode_id for spec in specs[:MEASURED_EPISODES])
    flagged = state.finished[f'r{stage.round:02d}-collect'].flagged
    return tuple(spec.episode_id for spec in specs if spec.episode_id not in flagged)


def filter_key(stage: Stage) -> str:
    """Return the key of the aggregated data set that a stage writes or trains on."""
    return 'baseline' if stage.part == BASELINE_PART else f'round_{stage.round}'


def dataset_episodes(state: RunState, stage: Stage) -> tuple[str, ...]:
    """Return the ids of the episodes in the data set of an ``aggregate`` stage, in order."""
    if stage.part == BASELINE_PART:
        return tuple(episode for episode, _ in same_labels(state))
    ids = []
    for round_ in range(stage.round + 1):
        collect = _collect_stage(round_)
        flagged = state.finished[collect.name].flagged
        ids += [spec.episode_id for spec in episode_specs(state, collect)
                if spec.episode_id not in flagged]
    return tuple(ids)


def aggregated_stages(state: RunState, stage: Stage) -> tuple[Stage, ...]:
    """Return the ``aggregate`` stages up to this one: their keys stay in the data set."""
    stages = []
    for one in planned_stages(state):
        if one.act == 'aggregate':
            stages.append(one)
        if one.name == stage.name:
            break
    return tuple(stages)


def held_out_episodes(state: RunState) -> tuple[str, ...]:
    """Return the ids of the demonstrations that only the loss and epsilon look at."""
    stage = Stage('held-out-collect', 'collect', HELD_OUT_PART, 0, DEMONSTRATE)
    return tuple(spec.episode_id for spec in episode_specs(state, stage))


def train_job(state: RunState, stage: Stage) -> TrainJob:
    """Return the fit of a ``train`` stage: every fit of a run starts from the same seed."""
    loop = stage.part == LOOP_PART
    name = f'round_{stage.round:02d}' if loop else 'baseline'
    return TrainJob(filter_key(stage), state.goal.seed, f'checkpoints/{name}',
                    augmented=loop and stage.round > 0)


def checkpoint_for(state: RunState, stage: Stage) -> Trained | None:
    """
    Return the checkpoint that has to run while a stage is executed; None: none.

    For ``load`` it is the one to be loaded. After a restart the policy node may run another one
    or none: compare its hash, and load this first.
    """
    if stage.act == 'load' or (stage.act == 'evaluate' and stage.part != EXPERT_PART):
        part = 'baseline' if stage.part == BASELINE_PART else f'r{stage.round:02d}'
    elif stage.act == 'collect' and stage.part == LOOP_PART and stage.round > 0:
        part = f'r{stage.round - 1:02d}'
    else:
        return None
    return state.finished[f'{part}-train']


def same_labels(state: RunState) -> list[tuple[str, int]]:
    """
    Return the baseline's demonstrations, as (id, labels): nearest to the last round's labels.

    They are the first whole demonstrations whose labels come nearest to that number: round 0's,
    then fresh ones, in the order of their seeds, none left out for being long or short.
    """
    target = ledger(state)[-1].labels
    best, total, count = None, 0, 0
    demonstrations = _demonstrations(state)
    for index, (_, labels) in enumerate(demonstrations):
        total += labels
        distance = abs(total - target)
        if best is None or distance <= best:
            best, count = distance, index + 1
    return demonstrations[:count]


def _demonstrations(state: RunState) -> list[tuple[str, int]]:
    stages = [_collect_stage(0)]
    batches = sum(name.startswith('baseline-collect-') for name in state.finished)
    stages += [Stage(f'baseline-collect-{batch}', 'collect', BASELINE_PART, state.goal.rounds,
                     BASELINE) for batch in range(1, batches + 1)]
    found = []
    for stage in stages:
        outcome = state.finished[stage.name]
        ids = [spec.episode_id for spec in episode_specs(state, stage)]
        found += [(episode, labels)
                  for episode, labels in zip(ids, outcome.labels_by_episode)
                  if episode not in outcome.flagged]
    return found


def _collect_stage(round_: int) -> Stage:
    return Stage(f'r{round_:02d}-collect', 'collect', LOOP_PART, round_,
                 COLLECT if round_ else DEMONSTRATE)


def _batches(state: RunState) -> list[tuple[int, int]]:
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
