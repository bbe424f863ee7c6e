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
Fingerprints of simulated episodes, also of those in a process of their own.

``python fingerprints.py TASK SEED...`` prints a line a seed.
"""

import hashlib
import sys

from il_ros.sim.environment import Environment
from il_ros.tasks.expert_registry import make_expert
import numpy as np


def fingerprint(environment: Environment, seed: int, between=lambda: None, **options) -> str:
    """
    Return a hash of all that an expert's episode sends and reads.

    :param between: called after each step
    """
    expert = make_expert(environment.simulation.task.name, environment.contract)
    digest = hashlib.sha256()
    values, _ = environment.reset(seed=seed, options=options)
    over = False
    while not over:
        values, _, terminated, truncated, _ = environment.step(expert.act(values))
        over = terminated or truncated
        digest.update(environment.sent.positions.tobytes())
        _digest(digest, environment.state)
        between()
    return digest.hexdigest()


def misbehave(environment: Environment, seed: int, episodes: int, **options):
    """Run episodes of held random actions, and of some that push down on the table."""
    rng = np.random.default_rng(seed)
    contract = environment.contract
    for episode in range(episodes):
        environment.reset(seed=int(rng.integers(1000)), options=options)
        over, step = False, 0
        while not over:
            if step % 10 == 0:
                action = rng.uniform(contract.lower, contract.upper).astype(np.float32)
                if episode % 2 and 'linear_z' in contract.action_names:
                    action[contract.action_names.index('linear_z')] = -0.5
            _, _, terminated, truncated, _ = environment.step(action)
            over, step = terminated or truncated, step + 1


def broken_off(environment: Environment, seed: int, steps: int = 25):
    """Stop an expert in the midst of it, with an object in its hand if the task has one."""
    expert = make_expert(environment.simulation.task.name, environment.contract)
    values, _ = environment.reset(seed=seed)
    for _ in range(steps):
        values, _, terminated, _, _ = environment.step(expert.act(values))
        if terminated:
            return


def _digest(digest, state):
    for array in (state.joint_position, state.joint_velocity, state.tool_position,
                  state.tool_orientation, state.object_positions, state.object_orientations,
                  state.goal_position):
        digest.update(array.tobytes())
    digest.update(repr((state.success, state.end, state.cause, state.step)).encode())


if __name__ == '__main__':
    made = Environment(sys.argv[1])
    for word in sys.argv[2:]:
        print('fingerprint', fingerprint(made, int(word)))
