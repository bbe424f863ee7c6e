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
Measure what learners inherit of a biased expert: where the puck lies at the end, beside the goal.

``python tools/measure_inherited_bias.py --options '{"expert": {"bias": {...}}}' NAME=CHECKPOINT``
prints a line for the unbiased expert, the biased one and each learner: successes, and the mean
offset of the puck from the goal in the last state, with 95 % intervals, episodes resampled. All
get the same resets.
"""

import argparse
from collections.abc import Callable
from pathlib import Path
import sys

from il_ros.contract.episode_spec import LARGEST_SEED
from il_ros.evaluation.interval import wilson
from il_ros.experiments.error_growth.analysis import Estimate, weights
from il_ros.interactive.goal import EVALUATION_SEEDS
from il_ros.learning import checkpoint
from il_ros.learning.runner import Runner
from il_ros.sim.environment import Environment
from il_ros.sim.episode_loop import Act, run_episode
from il_ros.tasks.expert_registry import make_expert
import numpy as np


def ends(environment: Environment, make: Callable[[], Act],
         seeds: range) -> tuple[np.ndarray, np.ndarray]:
    """
    Run the episodes.

    :param make: returns who drives one episode
    :returns: where the object lies beside the goal, shape ``(E, 3)``, m; successes, ``(E,)``
    """
    offsets, successes = [], []
    for seed in seeds:
        ending = run_episode(environment, make(), seed)
        offsets.append(environment.state.object_positions[0] - environment.state.goal_position)
        successes.append(ending.success)
    return np.array(offsets), np.array(successes)


def line(name: str, offsets: np.ndarray, successes: np.ndarray) -> str:
    """Return the line of the table; offsets in mm."""
    weight = weights(len(offsets), np.random.default_rng(0))
    means = 1000.0 * weight @ offsets[:, :2] / weight.sum(axis=1, keepdims=True)
    found = wilson(int(successes.sum()), len(successes))
    cells = [f'{one.value:6.1f} ({one.low:.1f} to {one.high:.1f})'
             for one in map(Estimate.of, means.T)]
    return (f'{name:24}{found.k:4}/{found.n:<5}{100 * found.low:3.0f}-{100 * found.high:<3.0f} %'
            f'   x {cells[0]:24}y {cells[1]}')


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.strip().split('\n')[0])
    parser.add_argument('--task', default='push')
    parser.add_argument('--options', required=True, help='of the biased expert, as il_ros dagger')
    parser.add_argument('--episodes', type=int, default=200)
    parser.add_argument('--first-seed', type=int, default=EVALUATION_SEEDS)
    parser.add_argument('learners', nargs='*', metavar='NAME=CHECKPOINT')
    words = parser.parse_args()
    seeds = range(words.first_seed, words.first_seed + words.episodes)
    if not seeds or not 0 <= seeds[0] <= seeds[-1] <= LARGEST_SEED:
        parser.error(f'--first-seed is {words.first_seed} with {words.episodes} episodes; '
                     f'expected seeds from 0 to {LARGEST_SEED}')
    environment = Environment(words.task)

    def driver(expert=None, policy=None) -> Callable[[], Act]:
        if policy is None:
            return lambda: lambda step, values: expert.act(values)
        return lambda: Runner(policy).act
    drivers = {name: driver(make_expert(words.task, environment.contract, options))
               for name, options in (('expert', ''), ('biased expert', words.options))}
    for text in words.learners:
        name, _, folder = text.partition('=')
        policy = checkpoint.load(Path(folder))
        checkpoint.check(policy, environment.contract)
        drivers[name] = driver(policy=policy)
    print('success, 95 %; offset of the object from the goal at the end, mm, 95 %')
    for name, make in drivers.items():
        print(line(name, *ends(environment, make, seeds)), flush=True)
    environment.close()
    return 0


if __name__ == '__main__':
    sys.exit(main())
