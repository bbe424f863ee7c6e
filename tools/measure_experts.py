#!/usr/bin/env python3
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
Measure the experts: from reset, after random actions, and from states visited by a cloned policy.

``python tools/measure_experts.py [--tasks push …] [--resets 300] [--takeovers 100]`` prints one
line a task and condition and ends with 1 if one falls short of its pass mark. Seeds are the
validation range's: neither training nor evaluation sees these episodes.
"""

import argparse
from collections.abc import Callable, Iterator
import dataclasses
import sys

from il_ros.contract.episode_spec import LOST, NOT_ENDED
from il_ros.learning.config import TrainConfig
from il_ros.learning.fit import fit
from il_ros.sim.environment import Environment
from il_ros.tasks.expert import Expert
from il_ros.tasks.expert_registry import make_expert
from il_ros.tasks.registry import TASKS
import numpy as np

FIRST_SEED = 500_000
DEMONSTRATION_SEED = 0
HELD_ACTIONS, HELD_STEPS = 3, 10
LATEST_TAKEOVER = 30
FROM_RESET, AFTER_TAKEOVER = 295 / 300, 0.95
"""Shares of successes that pass."""

Act = Callable[[np.ndarray], np.ndarray]
"""From an observation, shape ``(D,)``, to an action, shape ``(act_dim,)``."""


@dataclasses.dataclass(frozen=True)
class Pairs:
    """What a policy is cloned from: states of the expert's own, and what it did there."""

    observations: np.ndarray
    actions: np.ndarray


@dataclasses.dataclass
class Score:
    """Episodes that the expert drove to the end; those lost before its turn stand apart."""

    successes: int = 0
    episodes: int = 0
    lost_before: int = 0
    over_before: int = 0
    steps: int = 0

    def line(self, task: str, what: str) -> str:
        """Return the line of the table."""
        return (f'{task:12}{what:24}{self.successes:4}/{self.episodes:<5}'
                f'{self.steps / max(self.successes, 1):8.1f}{self.lost_before:10}'
                f'{self.over_before:10}')


def drive(environment: Environment, act: Act, observation: np.ndarray,
          steps: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield observation and action of at most ``steps`` steps, until the episode ends."""
    while steps > 0 and environment.state.end == NOT_ENDED:
        action = act(observation)
        yield observation, action
        observation = environment.step(action)[0]
        steps -= 1
    yield observation, np.empty(0, np.float32)


def finish(environment: Environment, expert: Expert, observation: np.ndarray, score: Score):
    """Let the expert drive a running episode to its end, and count it."""
    if environment.state.end != NOT_ENDED:
        score.lost_before += environment.state.cause == LOST
        score.over_before += environment.state.cause != LOST
        return
    steps = sum(1 for _ in drive(environment, expert.act, observation, sys.maxsize)) - 1
    score.episodes += 1
    score.successes += environment.state.success
    score.steps += steps if environment.state.success else 0


def from_reset(environment: Environment, expert: Expert, episodes: int) -> Score:
    """Measure the expert alone."""
    score = Score()
    for seed in range(FIRST_SEED, FIRST_SEED + episodes):
        finish(environment, expert, environment.reset(seed=seed)[0], score)
    return score


def held_actions(contract, seed: int) -> Act:
    """Return an actor that holds each of a few random actions for some steps."""
    rng = np.random.default_rng(seed)
    actions = rng.uniform(contract.lower, contract.upper, (HELD_ACTIONS, len(contract.actions)))
    if contract.gripper_index >= 0:
        at = contract.gripper_index
        bounds = (contract.lower[at], contract.upper[at])
        actions[:, at] = rng.choice(bounds, HELD_ACTIONS)
    held = iter(np.repeat(actions.astype(np.float32), HELD_STEPS, axis=0))
    return lambda observation: next(held)


def after_held_actions(environment: Environment, expert: Expert, episodes: int) -> Score:
    """Measure the expert from where random actions led; it then has the task's whole horizon."""
    score, seed, before = Score(), FIRST_SEED, HELD_ACTIONS * HELD_STEPS
    horizon = environment.simulation.task.horizon + before
    while score.episodes < episodes:
        observation, _ = environment.reset(seed=seed, options={'horizon': horizon})
        act = held_actions(environment.contract, seed)
        *_, (observation, _) = drive(environment, act, observation, before)
        finish(environment, expert, observation, score)
        seed += 1
    return score


def clone(environment: Environment, expert: Expert, demonstrations: int = 10) -> Act:
    """Return a policy cloned from a few demonstrations."""
    pairs = []
    for seed in range(DEMONSTRATION_SEED, DEMONSTRATION_SEED + demonstrations):
        observation, _ = environment.reset(seed=seed)
        pairs += list(drive(environment, expert.act, observation, sys.maxsize))[:-1]
    data = Pairs(*(np.array(rows, np.float32) for rows in zip(*pairs)))
    config = TrainConfig.of(expert.task)
    return fit(data, None, environment.contract, config, seed=0).policy.act


def amid_a_clone(environment: Environment, expert: Expert, episodes: int) -> Score:
    """
    Measure the expert from the midst of a cloned policy's episodes.

    The clone's episode is run twice: to see how long it is, and again up to the takeover, at half
    of it or at the 30th step, whichever comes first. The expert then has the whole horizon.
    """
    score, seed, policy = Score(), FIRST_SEED, clone(environment, expert)
    horizon = environment.simulation.task.horizon
    while score.episodes < episodes:
        observation, _ = environment.reset(seed=seed)
        length = sum(1 for _ in drive(environment, policy, observation, sys.maxsize)) - 1
        cut = min(LATEST_TAKEOVER, length // 2)
        observation, _ = environment.reset(seed=seed, options={'horizon': horizon + cut})
        *_, (observation, _) = drive(environment, policy, observation, cut)
        finish(environment, expert, observation, score)
        seed += 1
    return score


def main() -> int:
    """Print the table; return 1 if a pass mark is missed."""
    parser = argparse.ArgumentParser(description=__doc__.strip().split('\n')[0])
    parser.add_argument('--tasks', nargs='+', default=list(TASKS), choices=list(TASKS))
    parser.add_argument('--resets', type=int, default=300)
    parser.add_argument('--takeovers', type=int, default=100)
    arguments = parser.parse_args()
    print(f'{"task":12}{"expert drives":24}{"success":10}{"steps":>8}{"lost":>10}{"over":>10}')
    passed = True
    for task in arguments.tasks:
        environment = Environment(task)
        expert = make_expert(task, environment.contract)
        for what, measure, episodes, mark in (
                ('from reset', from_reset, arguments.resets, FROM_RESET),
                ('after random actions', after_held_actions, arguments.takeovers, AFTER_TAKEOVER),
                ("on a clone's states", amid_a_clone, arguments.takeovers, AFTER_TAKEOVER)):
            score = measure(environment, expert, episodes)
            passed &= score.successes >= mark * score.episodes
            print(score.line(task, what), flush=True)
        environment.close()
    return 0 if passed else 1


if __name__ == '__main__':
    sys.exit(main())
