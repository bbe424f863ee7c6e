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

import subprocess
import sys
import warnings

import gymnasium
from gymnasium.utils.env_checker import check_env
from il_ros.sim.registration import environment_name, register_environments
from il_ros.tasks.contracts import find_contract
from il_ros.tasks.registry import TASKS
import numpy as np
import pytest

FIRST_ONE_OR_THE_OTHER = ['import gymnasium, il_ros', 'import il_ros, gymnasium']
IMPORT_S = 0.1
ENVIRONMENTS = {environment_name(task): task for task in TASKS}


def test_each_task_is_registered():
    register_environments()
    assert set(ENVIRONMENTS) <= set(gymnasium.registry)


def printed_by(code: str) -> str:
    """Run the code in a fresh process and return what it prints."""
    return subprocess.run([sys.executable, '-c', code], capture_output=True, text=True,
                          timeout=60, check=True).stdout


@pytest.mark.parametrize('imports', FIRST_ONE_OR_THE_OTHER)
def test_gymnasium_knows_every_task_by_its_name_whichever_package_is_imported_first(imports):
    printed = printed_by(
        f'{imports}\nprint(*(name for name in {sorted(ENVIRONMENTS)} if name in '
        'gymnasium.registry))\n'
        'print(gymnasium.make("il_ros/Reach-v0").unwrapped.simulation.task.name)\n')
    assert printed.split() == [*sorted(ENVIRONMENTS), 'reach']


@pytest.mark.parametrize('imports, kind', [
    (FIRST_ONE_OR_THE_OTHER[0], 'sync'),
    pytest.param(FIRST_ONE_OR_THE_OTHER[1], 'async', marks=pytest.mark.drill)])
def test_gymnasium_makes_vectors_of_a_task(imports, kind):
    printed = printed_by(
        f'{imports}\nif __name__ == "__main__":\n'
        f'    e = gymnasium.make_vec("il_ros/Reach-v0", 2, vectorization_mode="{kind}")\n'
        '    print(len(e.reset(seed=0)[0]), len(e.step(e.action_space.sample())[0]))\n'
        '    e.close()\n')
    assert printed.split() == ['2', '2']


def test_importing_il_ros_imports_no_gymnasium_and_costs_little():
    code = ('import sys, time; began = time.process_time(); import il_ros; '
            'print(time.process_time() - began, *sys.modules)')
    seconds, *modules = min((printed_by(code).split() for _ in range(3)),
                            key=lambda words: float(words[0]))
    assert not {'gymnasium', 'numpy', 'rclpy', 'torch', 'pybullet'} & set(modules)
    assert float(seconds) <= IMPORT_S


def test_after_its_import_gymnasium_looks_as_if_nobody_had_waited_for_it():
    shown = ('print(type(gymnasium.__loader__).__name__, type(gymnasium.__spec__.loader).__name__,'
             ' [type(finder).__name__ for finder in sys.meta_path])')
    assert printed_by(f'import sys, il_ros, gymnasium\n{shown}') == printed_by(
        f'import sys, gymnasium\n{shown}')


def test_who_only_looks_whether_gymnasium_is_there_does_not_spoil_the_registration():
    assert printed_by('import importlib.util, il_ros\nimportlib.util.find_spec("gymnasium")\n'
                      'import gymnasium\nprint("il_ros/Push-v0" in gymnasium.registry)'
                      ) == 'True\n'


def test_il_ros_is_imported_where_there_is_no_gymnasium():
    assert printed_by(
        'import sys\nclass No:\n    find_spec = lambda *_: None\n'
        'import il_ros\nsys.meta_path[1:] = [No()]\n'
        'try:\n    import gymnasium\nexcept ModuleNotFoundError as error:\n    print(error)'
    ) == "No module named 'gymnasium'\n"


@pytest.mark.parametrize('name', [
    name if task in ('reach', 'push') else pytest.param(name, marks=pytest.mark.drill)
    for name, task in ENVIRONMENTS.items()])
def test_the_registered_environment_passes_gymnasiums_check(name):
    environment = gymnasium.make(name, render_mode='rgb_array')
    with warnings.catch_warnings():
        # Observations have no bounds, and the checker warns of that.
        warnings.filterwarnings('ignore', message='.*infinity.*')
        warnings.simplefilter('error', DeprecationWarning)
        check_env(environment.unwrapped)
    environment.close()


def test_the_spaces_are_those_of_the_contract(environment):
    contract, _ = find_contract(environment.simulation.task.name)
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
