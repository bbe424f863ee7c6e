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

"""``summary.json``: the numbers of a run, made from its state."""

import dataclasses
import json

from il_ros.evaluation.interval import Interval, wilson
from il_ros.evaluation.paired import Pairs
from il_ros.interactive import stage_work
from il_ros.interactive.ledger import evaluation_queries, expert_seconds, ledger, RoundCost
from il_ros.interactive.outcomes import Chosen, Collected, Compared, Measured, Trained
from il_ros.interactive.rounds import planned_stages
from il_ros.interactive.run_state import RunState
from il_ros.interactive.stage import BASELINE_PART, EXPERT_PART, PHASES, stage_name


@dataclasses.dataclass(frozen=True)
class PolicyResult:
    """Training and evaluation of one policy; None: not yet."""

    trained: Trained | None
    success: Interval | None
    measured: Measured | None

    @property
    def mistakes_per_step(self) -> float:
        """Return mistakes a step on the policy's own states; -1: not measured."""
        return self.measured.per_step if self.measured else -1.0

    @property
    def loss_held_out(self) -> float:
        """Return the loss on held-out demonstrations; -1: not computed."""
        return self.trained.held_out_loss if self.trained else -1.0

    def as_dict(self) -> dict:
        """Return what ``summary.json`` says of every policy alike."""
        trained = self.trained
        return {'success': self.success.as_dict() if self.success else None,
                'mistakes_per_step': round(self.mistakes_per_step, 6),
                'loss_held_out': self.loss_held_out,
                'epsilon': {'k': trained.epsilon_mistakes if trained else 0,
                            'n': trained.epsilon_states if trained else 0}}


@dataclasses.dataclass(frozen=True)
class RoundResult:
    """Costs and policy of a round, as in ``RoundSummary``."""

    cost: RoundCost
    policy: PolicyResult
    comparison: dict | None = None
    """With the policy of the round before, as ``comparison_of`` returns it; None: not made."""


def policy_result(state: RunState, of: int | str) -> PolicyResult:
    """Return the result of the policy of a round, or of the baseline."""
    return PolicyResult(state.find(Trained, stage_name('train', of)), success_of(state, of),
                        state.find(Measured, stage_name('measure', of)))


def success_of(state: RunState, of: int | str) -> Interval | None:
    """Return the success of a round, the baseline or the expert; None: not evaluated yet."""
    outcome = state.find(Collected, stage_name('evaluate', of))
    return wilson(outcome.successes, outcome.episodes) if outcome else None


def round_results(state: RunState) -> tuple[RoundResult, ...]:
    """Return one result a round that has begun; round 0 is behavioural cloning."""
    return tuple(RoundResult(cost, policy_result(state, cost.round),
                             comparison_of(state, cost.round)) for cost in ledger(state))


def comparison_of(state: RunState, round_: int) -> dict | None:
    """
    Return how the policy of a round compares with that of the round before.

    :returns: ``Pairs.as_dict`` in words of this policy and the one before, and how many episodes
        that one had to run for it; None: they were not compared
    """
    found = state.find(Compared, stage_name('evaluate', round_))
    if found is None:
        return None
    pairs = Pairs(found.both, found.only_this, found.only_before, found.neither,
                  found.smallest_difference)
    fields = pairs.as_dict()
    fields['only_this'], fields['only_before'] = fields.pop('only_a'), fields.pop('only_b')
    fields['answer'] = {'A': 'better', 'B': 'worse'}.get(fields['answer'], fields['answer'])
    return {'with_round': round_ - 1, **fields, 'before_episodes': found.before_episodes}


def summarise(state: RunState, horizon: int, rate_hz: float, wall_s: float = -1.0) -> dict:
    """
    Return what ``summary.json`` says, plain values only.

    :param horizon: steps an episode may take, the task's own where the goal says 0
    :param rate_hz: control rate, for the expert's time
    :param wall_s: of the whole run, s; negative: what its stages took together
    """
    results = round_results(state)
    expert = success_of(state, EXPERT_PART)
    timing = timing_of(state)
    return {
        'task': state.goal.task, 'strategy': state.goal.strategy, 'seed': state.goal.seed,
        'horizon': horizon,
        'expert': expert.as_dict() if expert else None,
        'bc': _bc(state, results[0]) if results else None,
        'rounds': [_round(result) for result in results[1:]],
        'bc_same_labels': _baseline(state),
        **({'choices': _choices(state)} if state.goal.keep_better else {}),
        'evaluation_queries': evaluation_queries(state),
        'expert_seconds': round(expert_seconds(state, rate_hz), 3),
        'control_steps_per_s': round(control_steps_per_s(state), 1),
        'wall_s': round(wall_s if wall_s >= 0.0 else sum(timing.values()), 3),
        'timing': timing,
        'faults': [dataclasses.asdict(fault) for fault in state.faults]}


def summary_json(summary: dict) -> str:
    """Return the text of ``summary.json``."""
    return json.dumps(summary, indent=1, allow_nan=False) + '\n'


def _bc(state: RunState, result: RoundResult) -> dict:
    collected = state.outcome(Collected, stage_name('collect', 0))
    return {'labels': result.cost.labels,
            'demonstrations': collected.episodes - len(collected.flagged),
            **result.policy.as_dict()}


def _round(result: RoundResult) -> dict:
    cost = dataclasses.asdict(result.cost)
    names = ('round', 'labels', 'queries', 'watched')
    steps = ('expert_driven_steps', 'policy_driven_steps', 'takeovers', 'objects_lost')
    fields = result.policy.as_dict()
    return {**{name: cost[name] for name in names},
            'success': fields.pop('success'),
            'mistakes_per_step': fields.pop('mistakes_per_step'),
            **{name: cost[name] for name in steps}, **fields,
            **({'comparison': result.comparison} if result.comparison else {}),
            **({'person_labels': result.cost.person_labels} if result.cost.person_seconds
               else {})}


def _choices(state: RunState) -> list[dict]:
    choices = []
    for chosen in state.all_of(Chosen):
        fields = dataclasses.asdict(chosen)
        del fields['seconds']
        choices.append({**fields, 'loaded': chosen.loaded})
    return choices


def _baseline(state: RunState) -> dict | None:
    if state.find(Trained, stage_name('train', BASELINE_PART)) is None:
        return None
    chosen = stage_work.same_labels(state)
    return {'labels': sum(labels for _, labels in chosen), 'demonstrations': len(chosen),
            **policy_result(state, BASELINE_PART).as_dict()}


def timing_of(state: RunState) -> dict[str, float]:
    """Return the seconds that each phase took, in the order of ``PHASES``."""
    seconds: dict[str, float] = {}
    for stage in planned_stages(state):
        if state.has(stage):
            took = state.finished[stage.name].seconds
            seconds[stage.phase] = seconds.get(stage.phase, 0.0) + took
    return {phase: round(seconds[phase], 3) for phase in PHASES if phase in seconds}


def control_steps_per_s(state: RunState) -> float:
    """Return control steps per second of wall time while episodes ran, with their resets."""
    collected = state.all_of(Collected)
    seconds = sum(one.seconds for one in collected)
    return sum(one.steps for one in collected) / seconds if seconds > 0.0 else 0.0
