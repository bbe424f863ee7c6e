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

"""The ledger: what a run's labels cost, round by round. No cost hides."""

import dataclasses

from il_ros.contract.episode_spec import TELEOP
from il_ros.driving.driving import required_drivers
from il_ros.interactive.outcomes import Aggregated, Collected, Labelled, Measured, Trained
from il_ros.interactive.run_state import RunState
from il_ros.interactive.stage import EXPERT_PART, HELD_OUT_PART, stage_name


@dataclasses.dataclass(frozen=True)
class RoundCost:
    """
    One row of the ledger.

    ``labels``, ``queries`` and ``watched`` are cumulative and include the demonstrations; the
    other figures are the round's own. Round 0 are the demonstrations.
    """

    round: int  # noqa: A003
    labels: int = 0
    """In D."""
    queries: int = 0
    """Every answer of the expert, in the loop and by the service, used or not."""
    watched: int = 0
    """Queries of which no label came."""
    expert_driven_steps: int = 0
    policy_driven_steps: int = 0
    takeovers: int = 0
    objects_lost: int = 0
    in_loop_queries: int = 0
    """Of this round: states on which the expert looked at the arm's own pace."""
    service_seconds: float = 0.0
    """Of this round: the expert's own time in the labelling service, s."""
    person_seconds: float = 0.0
    """Of this round: a person's time beside the arm, by the wall clock, s; 0: a program's."""
    person_labels: int = 0
    """Those of ``labels`` that a person gave by hand."""
    synthetic: int = 0
    """Pairs made up for this round's fit; they are no labels of the expert."""

    def expert_seconds(self, rate_hz: float) -> float:
        """
        Return the expert's time in this round, s: measured of a person, counted of a program.

        A program's answer in the loop takes a control period, for somebody has to look that
        long; the service says itself how long it thought.
        """
        return (self.person_seconds or self.in_loop_queries / rate_hz) + self.service_seconds


def ledger(state: RunState) -> tuple[RoundCost, ...]:
    """Return one row a round that has begun, from round 0 on."""
    rows: list[RoundCost] = []
    row = RoundCost(round=0)
    for round_ in range(state.goal.rounds + 1):
        collected = state.find(Collected, stage_name('collect', round_))
        if collected is None:
            break
        plan = state.strategy.plan(round_, state.goal.seed, state.learner(round_))
        row = _collect(row, round_, collected, TELEOP in required_drivers(plan))
        labelled = state.find(Labelled, stage_name('label', round_))
        if labelled is not None:
            row = _label(row, labelled)
        aggregated = state.find(Aggregated, stage_name('aggregate', round_))
        if aggregated is not None:
            row = _aggregate(row, aggregated)
        trained = state.find(Trained, stage_name('train', round_))
        if trained is not None:
            row = dataclasses.replace(row, synthetic=trained.synthetic)
        rows.append(row)
    return tuple(rows)


def _collect(row: RoundCost, round_: int, collected: Collected,
             by_hand: bool) -> RoundCost:
    return RoundCost(
        round=round_,
        labels=row.labels + collected.labels,
        queries=row.queries + collected.queries,
        watched=row.watched + collected.queries - collected.labels,
        expert_driven_steps=collected.expert_steps,
        policy_driven_steps=collected.policy_steps,
        takeovers=collected.takeovers,
        objects_lost=collected.objects_lost,
        in_loop_queries=collected.queries,
        person_seconds=collected.seconds if by_hand else 0.0)


def _label(row: RoundCost, labelled: Labelled) -> RoundCost:
    return dataclasses.replace(
        row,
        labels=row.labels + labelled.labels,
        queries=row.queries + labelled.asked,
        watched=row.watched + labelled.asked - labelled.labels,
        service_seconds=labelled.expert_seconds)


def _aggregate(row: RoundCost, aggregated: Aggregated) -> RoundCost:
    """Count what D holds: a correction may have been discarded since it was recorded."""
    return dataclasses.replace(row, labels=aggregated.labels,
                               watched=row.queries - aggregated.labels,
                               person_labels=aggregated.person_labels)


def expert_seconds(state: RunState, rate_hz: float) -> float:
    """Return the expert's time that went into D, s; what the evaluation asked is not in it."""
    return sum(row.expert_seconds(rate_hz) for row in ledger(state))


def evaluation_queries(state: RunState) -> int:
    """
    Return the number of expert answers used for evaluation alone.

    The ceiling's own steps, the held-out demonstrations, and the mistakes on rollouts.
    """
    apart = (state.find(Collected, stage_name('evaluate', EXPERT_PART)),
             state.find(Collected, stage_name('collect', HELD_OUT_PART)))
    return (sum(collected.queries for collected in apart if collected is not None)
            + sum(measured.asked for measured in state.all_of(Measured)))
