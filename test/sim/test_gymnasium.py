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

import warnings

import gymnasium
from gymnasium.utils.env_checker import check_env
from il_ros.data.contract_file import load_contract
from il_ros.share import share_path
from il_ros.sim.registration import ENVIRONMENTS, register_environments
from il_ros.sim.tasks.registry import TASKS
import numpy as np
import pytest

MODULE = 'il_ros.sim.registration'


def test_each_task_is_registered():
    assert sorted(ENVIRONMENTS.values()) == sorted(TASKS)
    register_environments()
    assert set(ENVIRONMENTS) <= set(gymnasium.registry)


@pytest.mark.parametrize('name', ENVIRONMENTS)
def test_the_registered_environment_passes_gymnasiums_check(name):
    environment = gymnasium.make(f'{MODULE}:{name}', render_mode='rgb_array')
    with warnings.catch_warnings():
        # Observations have no bounds, and the checker warns of that.
        warnings.filterwarnings('ignore', message='.*infinity.*')
        warnings.simplefilter('error', DeprecationWarning)
        check_env(environment.unwrapped)
    environment.close()


def test_the_spaces_are_those_of_the_contract(environment):
    path = share_path('config', 'contracts', f'{environment.simulation.task.name}.yaml')
    contract, _ = load_contract(path)
    assert environment.observation_space.shape == (contract.width,)
    np.testing.assert_array_equal(environment.action_space.low, contract.lower)
    np.testing.assert_array_equal(environment.action_space.high, contract.upper)


def test_a_reset_without_a_seed_goes_on_from_the_last_one(push):
    push.reset(seed=1)
    first, _ = push.reset()
    second, _ = push.reset()
    push.reset(seed=1)
    again, _ = push.reset()
    np.testing.assert_array_equal(first, again)
    assert (first != second).any()


def test_an_episode_says_what_became_of_it(push):
    _, info = push.reset(seed=1, options={'horizon': 2})
    assert info['success'] is False
    action = np.zeros(2, np.float32)
    push.step(action)
    _, reward, terminated, truncated, info = push.step(action)
    assert (reward, terminated, truncated) == (0.0, False, True)
    assert set(info) == {'success', 'cause', 'limits', 'goals_reached'}


def test_an_action_that_is_not_finite_holds_the_arm(push):
    push.reset(seed=1)
    before = push.state.tool_position
    values, _, _, _, info = push.step(np.array([np.nan, 0.1], np.float32))
    assert info['limits'] == 16
    assert np.isfinite(values).all()
    assert np.abs(push.state.tool_position - before).max() < 1e-3
