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

"""What the simulated camera sees: the state alone, the things that matter, and at which steps."""

import dataclasses

from gymnasium.utils.env_checker import check_env
from il_ros.errors import SimulationError
from il_ros.sim.environment import Environment
from il_ros.sim.observation import ImageObserver
from il_ros.tasks.contracts import find_contract
from il_ros.tasks.expert_registry import make_expert
import numpy as np
import pytest


@pytest.fixture(scope='module', params=['push', 'reach'])
def by_image(request):
    """Yield the environment of a task with its image contract, and its expert."""
    environment = Environment(request.param, contract=f'{request.param}_image')
    yield environment, make_expert(request.param, environment.contract)
    environment.close()


def roll_out(environment, expert, seed: int) -> list[np.ndarray]:
    """Return the images of an episode that the expert drives."""
    seen, _ = environment.reset(seed=seed)
    images, over = [seen['camera']], False
    while not over:
        seen, _, terminated, truncated, _ = environment.step(expert.act(seen['values']))
        images.append(seen['camera'])
        over = terminated or truncated
    return images


@pytest.mark.filterwarnings('ignore:.*')
def test_an_environment_with_images_passes_gymnasiums_check(by_image):
    environment, _ = by_image
    check_env(environment, skip_render_check=True)
    assert environment.observation_space['camera'].shape == (64, 64, 3)


def test_the_image_depends_on_the_state_alone_whatever_came_before(by_image):
    environment, expert = by_image
    first = roll_out(environment, expert, 500_000)
    roll_out(environment, expert, 500_001)
    again = roll_out(environment, expert, 500_000)
    assert len(first) == len(again) > 3
    assert all(np.array_equal(a, b) for a, b in zip(first, again))
    assert not np.array_equal(first[0], first[-1]), 'nothing moves in the picture'


def test_puck_and_goal_are_seen_in_nearly_every_step_of_the_expert(by_image):
    environment, expert = by_image
    images = np.array([image for seed in range(500_000, 500_006)
                       for image in roll_out(environment, expert, seed)], int)
    red, green, blue = np.moveaxis(images, -1, 0)
    goal = ((green > red + 50) & (green > blue + 50)).sum(axis=(1, 2))
    assert (goal >= 4).mean() > 0.95
    if environment.simulation.task.shapes:
        puck = ((red > green + 60) & (red > blue + 60)).sum(axis=(1, 2))
        assert (puck >= 4).mean() > 0.95


def test_a_state_contract_has_no_dictionary_and_the_same_numbers(by_image):
    environment, _ = by_image
    plain = Environment(environment.simulation.task.name)
    values, _ = plain.reset(seed=3)
    seen, _ = environment.reset(seed=3)
    np.testing.assert_array_equal(seen['values'], values)
    plain.close()


def test_what_gives_object_and_goal_away_is_privileged(by_image):
    environment, _ = by_image
    for feature in environment.contract.features:
        assert feature.privileged == feature.name.startswith(('object_', 'goal_')), feature.name


def test_between_two_images_the_last_one_stands():
    contract, sources = find_contract('push_image')
    slow = tuple(dataclasses.replace(source, every=3) for source in sources)
    taken = []
    images = ImageObserver(contract, slow, lambda *size: taken.append(size) or len(taken))
    assert [images.observe(step)['camera'] for step in (0, 1, 2, 3, 4, 0)] == [1, 1, 1, 2, 2, 3]
    assert taken == [(64, 64)] * 3


def test_an_image_that_the_simulation_lacks_is_named():
    contract, sources = find_contract('push_image')
    wrong = (dataclasses.replace(sources[0], topic='wrist/image_raw'), *sources[1:])
    with pytest.raises(SimulationError, match='feature camera.*no rgb8 of wrist/image_raw'):
        ImageObserver(contract, wrong, lambda *_: None)
