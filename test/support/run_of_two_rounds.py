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

"""The states of a run of two rounds, stage by stage, with made-up outcomes."""

from il_ros.interactive.goal import Goal
from il_ros.interactive.ledger import ledger
from il_ros.interactive.outcomes import Aggregated, Collected, Labelled, Loaded, Measured, Trained
from il_ros.interactive.rounds import next_stage
from il_ros.interactive.run_state import RunState

GOAL = Goal(run='r', task='push', strategy='dagger', rounds=2, demonstrations=2,
            episodes_per_round=3, evaluation_episodes=5, final_evaluation_episodes=8)


def _outcome(state, stage):
    if stage.act == 'collect':
        expert = 0 if stage.part == 'loop' and stage.round else 30
        answers = 3 * expert
        return Collected(3, 3, 90, answers, answers, answers, 0, 1, (expert,) * 3, (), 2.0)
    if stage.act == 'evaluate':
        count = 5 if stage.name == 'r01-evaluate' else 8
        return Collected(count, 4, 40 * count, 0, 0, 0, 0, 1, (0,) * count, (), 4.0)
    return {'label': Labelled(90, 80, 0.5, 1.0), 'measure': Measured(60, 50, 5, 0, (0.1,), 1.0),
            'aggregate': Aggregated(2, ledger(state)[-1].labels, 0.25), 'load': Loaded(0.5),
            'train': Trained('checkpoints/x', 'ab', 7, 60, 0.1, 0.2, 3, 100, 3.0)}[stage.act]


def states_of_a_run() -> list[RunState]:
    """Return the state before the first stage, and after each."""
    states = [RunState(GOAL)]
    while stage := next_stage(states[-1]):
        states.append(states[-1].after(stage, _outcome(states[-1], stage)))
    return states
