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

"""Bumps: seeded, the same whoever drives, recorded with the episode, refused with a sentence."""

import json

from fingerprints import fingerprint, misbehave
from il_ros.errors import SimulationError
from il_ros.sim.bumps import Bumps
from il_ros.tasks.expert_registry import make_expert
import numpy as np
import pytest


def options(rate: float = 0.04, speed: float = 0.5) -> str:
    """Return the options of an episode with bumps."""
    return json.dumps({'bumps': {'rate': rate, 'speed': speed}})


def test_bumps_come_at_their_rate_at_their_speed_and_from_everywhere():
    bumps = Bumps(0.04, 0.5, seed=1)
    drawn = [bump for bump in (bumps.draw() for _ in range(20_000)) if bump is not None]
    velocities = np.array([velocity for velocity, _ in drawn])
    assert 0.035 < len(drawn) / 20_000 < 0.045
    np.testing.assert_allclose(np.linalg.norm(velocities, axis=1), 0.5)
    np.testing.assert_array_equal(velocities[:, 2], 0.0)
    assert np.abs(velocities.mean(axis=0)).max() < 0.05


def test_another_seed_gives_other_bumps_and_the_same_seed_the_same():
    first, again, other = (
        [bumps.draw() is None for _ in range(500)]
        for bumps in (Bumps(0.1, 0.5, seed) for seed in (1, 1, 2)))
    assert first == again != other


def test_an_episode_with_bumps_depends_on_its_seed_alone(environment):
    episode = {'seed': 21, 'options': options(0.3, 0.2), 'horizon': 60}
    expected = fingerprint(environment, **episode)
    assert fingerprint(environment, seed=21, horizon=60) != expected
    misbehave(environment, seed=3, episodes=1, options=options(0.5, 1.0), horizon=40)
    assert fingerprint(environment, **episode) == expected


def test_start_and_goals_are_those_of_the_episode_without_bumps(push):
    calm, _ = push.reset(seed=5)
    bumped, _ = push.reset(seed=5, options={'options': options(1.0)})
    np.testing.assert_array_equal(calm, bumped)


@pytest.mark.parametrize('rate', [0.0, 1.0])
def test_a_bump_moves_the_puck_and_its_absence_does_not(push, rate):
    before = push.simulation.reset(seed=6, options=options(rate))
    after = push.simulation.step(before.joint_position)
    moved = np.linalg.norm(after.object_positions - before.object_positions)
    assert moved == pytest.approx(0.5 / 20.0 * rate, abs=0.006)


@pytest.mark.parametrize('task', ['reach', 'insert'])
def test_where_no_object_is_free_the_tool_is_shoved(environments, task):
    simulation = environments[task].simulation
    before = simulation.reset(seed=6, options=options(1.0))
    after = simulation.step(before.joint_position)
    moved = np.linalg.norm(after.tool_position - before.tool_position)
    assert moved == pytest.approx(0.025, abs=0.005)


def test_the_expert_of_push_finishes_what_bumps_disturb(push):
    expert, successes = make_expert('push', push.contract), 0
    for seed in range(500_000, 500_010):
        values, _ = push.reset(seed=seed, options={'options': options(0.1), 'horizon': 200})
        over = False
        while not over:
            values, _, terminated, truncated, _ = push.step(expert.act(values))
            over = terminated or truncated
        successes += push.state.success
    assert successes >= 8


@pytest.mark.parametrize('asked, words', [
    (0.1, 'option bumps is 0.1; expected a mapping with keys of rate, speed'),
    ({'rate': 0.1}, 'option bumps.speed is missing; expected a number above 0'),
    ({'rate': 0.1, 'speed': 0.5, 'x': 1}, "option bumps has the unknown key 'x'; known are"),
    ({'rate': 1.1, 'speed': 0.5}, r'rate is 1.1; expected a probability in \[0, 1\]'),
    ({'rate': True, 'speed': 0.5}, 'rate is True; expected a probability'),
    ({'rate': float('nan'), 'speed': 0.5}, 'NaN is not a finite number'),
    ({'rate': 0.1, 'speed': 0.0}, 'speed is 0.0; expected a number above 0, at most 2'),
    ({'rate': 0.1, 'speed': 'fast'}, "speed is 'fast'; expected a number"),
    ({'rate': 0.1, 'speed': float('inf')}, 'Infinity is not a finite number')])
def test_bumps_that_cannot_be_are_refused_and_the_episode_goes_on(push, asked, words):
    push.simulation.reset(seed=1)
    with pytest.raises(SimulationError, match=words):
        push.simulation.reset(seed=2, options=json.dumps({'bumps': asked}))
    assert push.simulation.step(push.state.joint_position).step == 1
