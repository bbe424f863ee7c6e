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

"""An episode depends on its seed and what it is sent, and on nothing that came before."""

from pathlib import Path
import subprocess
import sys

from fingerprints import broken_off, fingerprint, misbehave
from il_ros.sim.environment import Environment
import numpy as np
import pytest

SEEDS = (3, 4)


@pytest.fixture(scope='session')
def fresh():
    """Return the function that fingerprints episodes of a task in a process of its own."""
    known: dict[str, list[str]] = {}

    def ask(task: str) -> list[str]:
        if task not in known:
            said = subprocess.run(
                [sys.executable, str(Path(__file__).parent / 'fingerprints.py'), task,
                 *map(str, SEEDS)], capture_output=True, text=True, timeout=120, check=True,
                env={'PYTHONPATH': str(Path(__file__).parents[2])}).stdout
            known[task] = [line.split()[1] for line in said.splitlines()
                           if line.startswith('fingerprint')]
        return known[task]

    return ask


def test_after_episodes_of_a_bad_policy_an_episode_equals_that_of_a_fresh_process(
        environment, fresh):
    misbehave(environment, seed=0, episodes=3, horizon=100)
    for seed in SEEDS:
        broken_off(environment, seed=seed)
    task = environment.simulation.task.name
    assert [fingerprint(environment, seed) for seed in SEEDS] == fresh(task)


def test_continuing_episodes_leave_nothing_behind(environment, fresh):
    task = environment.simulation.task.name
    fingerprint(environment, 11, continuing=True, horizon=150)
    misbehave(environment, seed=1, episodes=2, continuing=True, horizon=60)
    assert [fingerprint(environment, seed) for seed in SEEDS] == fresh(task)


def test_a_continuing_episode_is_the_same_after_episodes_of_a_bad_policy(environment):
    alone = Environment(environment.simulation.task.name)
    expected = fingerprint(alone, 12, continuing=True, horizon=150)
    alone.close()
    misbehave(environment, seed=2, episodes=2, horizon=100)
    assert fingerprint(environment, 12, continuing=True, horizon=150) == expected


def test_seeds_give_the_same_episodes_in_any_order(environment):
    seeds = list(range(1_000_000, 1_000_004))
    forwards = {seed: fingerprint(environment, seed) for seed in seeds}
    mixed = {seed: fingerprint(environment, seed)
             for seed in np.random.default_rng(0).permutation(seeds).tolist()}
    assert mixed == forwards
    assert len(set(forwards.values())) == len(seeds)


def test_pictures_change_nothing(push):
    expected = fingerprint(push, 5)
    assert fingerprint(push, 5, between=push.render) == expected


def test_an_episode_that_is_cut_short_is_the_beginning_of_the_longer_one(push):
    short, _ = push.reset(seed=7, options={'horizon': 5})
    long, _ = push.reset(seed=7, options={'horizon': 50})
    np.testing.assert_array_equal(short, long)
