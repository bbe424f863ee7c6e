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
What exactly a stage of a run has to do: its episodes, its data, its checkpoint, its fit.

Which stage comes next stands in ``rounds.py``. Here, too, everything follows from the goal and
from what the finished stages brought; episodes that have their receipt are not run again
(``unrecorded``).
"""

import dataclasses
from typing import Collection, Sequence

from il_ros.contract.episode_spec import DEMONSTRATION, DrivePlan, episode_id, EpisodeSpec
from il_ros.contract.episode_spec import EVALUATION, EXPERT, POLICY, ROLLOUT, VALIDATION
from il_ros.interactive.goal import SEQUENTIAL
from il_ros.interactive.ledger import ledger
from il_ros.interactive.outcomes import Collected, last_threshold, Trained
from il_ros.interactive.rounds import baseline_batches
from il_ros.interactive.run_state import RunState
from il_ros.interactive.stage import BASELINE_PART, collect_stage, EXPERT_PART, FINAL_PART
from il_ros.interactive.stage import HELD_OUT_PART, LOOP_PART, Stage, stage_name
from il_ros.interactive.strategy import evaluation_plan

MEASURED_EPISODES = 50
"""Of each evaluation: the first ones, whose states the expert is asked about for mistakes."""


@dataclasses.dataclass(frozen=True)
class TrainJob:
    """What the trainer is asked for."""

    filter_key: str
    seed: int
    output: str
    """Folder of the checkpoint, relative to the run's."""
    augmented: bool = False
    """With the strategy's augmentation: the rounds from 1 on."""


def episode_specs(state: RunState, stage: Stage) -> tuple[EpisodeSpec, ...]:
    """Return the episodes of a stage that collects or evaluates, in order."""
    goal = state.goal
    if stage.act == 'evaluate':
        driver = EXPERT if stage.part == EXPERT_PART else POLICY
        loop = stage.part == LOOP_PART
        seeds = goal.round_seeds(stage.round) if loop else goal.evaluation_seeds(final=True)
        plan = evaluation_plan(driver, goal.seed)
        return _specs(state, stage, EVALUATION if loop else stage.part, EVALUATION, seeds, plan)
    plan = state.strategy.demonstration(goal.seed)
    if stage.part == HELD_OUT_PART:
        return _specs(state, stage, VALIDATION, VALIDATION, goal.held_out_seeds(), plan)
    if stage.part == BASELINE_PART:
        first, count = baseline_batches(state)[stage.batch - 1]
        seeds = goal.demonstration_seeds(first, count)
        return _specs(state, stage, BASELINE_PART, DEMONSTRATION, seeds, plan)
    if stage.round == 0:
        seeds = goal.demonstration_seeds(0, goal.demonstrations)
        return _specs(state, stage, DEMONSTRATION, DEMONSTRATION, seeds, plan)
    plan = state.strategy.plan(stage.round, goal.seed, state.learner(stage.round))
    return _specs(state, stage, ROLLOUT, ROLLOUT, goal.rollout_seeds(stage.round), plan)


def is_sequential(state: RunState, stage: Stage) -> bool:
    """Tell whether a stage evaluates a policy beside the one before, until it is sure."""
    return (state.goal.evaluate == SEQUENTIAL and stage.act == 'evaluate'
            and stage.part == LOOP_PART and 0 < stage.round < state.goal.rounds)


def specs_before(specs: Sequence[EpisodeSpec]) -> tuple[EpisodeSpec, ...]:
    """Return the same held-out episodes for the policy of the round before."""
    return tuple(dataclasses.replace(
        spec, round=spec.round - 1,
        episode_id=episode_id(spec.purpose, spec.round - 1, spec.seed)) for spec in specs)


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
    before = state.find(Collected, stage_name('collect', stage.round - 1))
    if here >= 0.0 or stage.part != LOOP_PART or stage.act != 'collect' or before is None:
        return here
    return before.gate_threshold


def unrecorded(specs: Sequence[EpisodeSpec],
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
        evaluated = state.outcome(Collected, dataclasses.replace(stage, act=act).name).episodes
        return tuple(spec.episode_id for spec in specs[:min(MEASURED_EPISODES, evaluated)])
    flagged = state.outcome(Collected, stage_name('collect', stage.round)).flagged
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
        collect = collect_stage(round_)
        flagged = state.outcome(Collected, collect.name).flagged
        ids += [spec.episode_id for spec in episode_specs(state, collect)
                if spec.episode_id not in flagged]
    return tuple(ids)


def held_out_episodes(state: RunState) -> tuple[str, ...]:
    """Return the ids of the demonstrations that only the loss and epsilon look at."""
    specs = episode_specs(state, Stage('collect', HELD_OUT_PART, 0))
    return tuple(spec.episode_id for spec in specs)


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
    of: int | str
    if stage.part == FINAL_PART:
        of = state.loaded_round(stage.round)
    elif stage.act == 'load' or (stage.act == 'evaluate' and stage.part != EXPERT_PART):
        of = BASELINE_PART if stage.part == BASELINE_PART else stage.round
    elif stage.act == 'collect' and stage.part == LOOP_PART and stage.round > 0:
        of = state.loaded_round(stage.round - 1)
    else:
        return None
    return state.outcome(Trained, stage_name('train', of))


def compared_episodes(state: RunState, round_: int) -> list[tuple[str, str]]:
    """
    Return the held-out episodes of a round's policy beside those of the one loaded before.

    :returns: their ids, the new policy's first; each pair has one seed
    """
    new, before = (episode_specs(state, Stage('evaluate', LOOP_PART, of))
                   for of in (round_, state.loaded_round(round_ - 1)))
    return [(one.episode_id, other.episode_id) for one, other in zip(new, before)]


def same_labels(state: RunState) -> list[tuple[str, int]]:
    """
    Return the baseline's demonstrations, as (id, labels): nearest to the last round's labels.

    They are the first whole demonstrations whose labels come nearest to that number: round 0's,
    then fresh ones, in the order of their seeds, none left out for being long or short.
    """
    target = ledger(state)[-1].labels
    best, total, count = None, 0, 0
    recorded = _demonstrations(state)
    for index, (_, labels) in enumerate(recorded):
        total += labels
        distance = abs(total - target)
        if best is None or distance <= best:
            best, count = distance, index + 1
    return recorded[:count]


def demonstration_stages(state: RunState) -> list[Stage]:
    """Return the finished stages that recorded demonstrations to train on: round 0's first."""
    stages = [collect_stage(0)]
    batch = Stage('collect', BASELINE_PART, state.goal.rounds, batch=1)
    while state.has(batch):
        stages.append(batch)
        batch = dataclasses.replace(batch, batch=batch.batch + 1)
    return stages


def _demonstrations(state: RunState) -> list[tuple[str, int]]:
    found = []
    for stage in demonstration_stages(state):
        outcome = state.outcome(Collected, stage.name)
        ids = [spec.episode_id for spec in episode_specs(state, stage)]
        found += [(episode, labels)
                  for episode, labels in zip(ids, outcome.labels_by_episode)
                  if episode not in outcome.flagged]
    return found
