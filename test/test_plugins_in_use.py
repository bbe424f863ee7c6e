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

"""Tasks, experts, strategies and nets of other packages, where ours are expected."""

import os
from pathlib import Path
import subprocess
import sys

from il_ros import plugins
from il_ros.contract.contract import ContractError
from il_ros.errors import DamagedError, UnknownTaskError
from il_ros.experiments.label_efficiency.plan import run_name
from il_ros.interactive.strategies import load_strategy, make_strategy, settings_path
from il_ros.interactive.strategy import StrategyError, UnknownStrategyError
from il_ros.learning import checkpoint
from il_ros.learning.config import training_path
from il_ros.learning.inputs import Inputs
from il_ros.learning.nets.mlp import Mlp
from il_ros.learning.normaliser import Normaliser
from il_ros.learning.policy import Policy
from il_ros.tasks.contracts import find_contract
from il_ros.tasks.expert_registry import make_expert, UnknownExpertError
from il_ros.tasks.registry import make_task
import numpy as np
from plugin_package import write_package
import pytest

ROOT = Path(__file__).resolve().parent.parent

BUTTON = """
from il_ros.tasks.reach.expert import ReachExpert
from il_ros.tasks.reach.task import Reach
class PressExpert(ReachExpert):
    task = 'press_button'
class PressButton(Reach):
    '''Press a button.'''
    name = 'press_button'
    expert = PressExpert
class Bare(Reach):
    name = 'bare'
"""


@pytest.fixture
def button(package):
    """Install a package with two tasks, of which one brings its expert along."""
    package('buttons', {'tasks': {'press_button': 'buttons:PressButton', 'bare': 'buttons:Bare'}},
            buttons=BUTTON)
    plugins.trust('buttons:PressButton', 'own:Own', 'own:Heir', 'absent_module:Task')


def reach_contract():
    return find_contract('reach')[0]


@pytest.mark.parametrize('name', ['press_button', 'buttons:PressButton'])
def test_a_task_of_another_package_is_made_under_the_name_it_was_asked_for_by(button, name):
    task = make_task(name)
    assert (type(task).__name__, task.name) == ('PressButton', name)


@pytest.mark.parametrize('name', ['press_button', 'buttons:PressButton'])
def test_a_task_brings_its_expert_along(button, name):
    assert make_expert(name, reach_contract()).name == 'press_button expert 1'


def test_an_expert_that_is_registered_comes_before_the_one_that_the_task_brings(button, package):
    package('skilled', {'experts': {'press_button': 'skilled:Skilled'}},
            skilled='from buttons import PressExpert\nclass Skilled(PressExpert):\n'
                    '    version = 2\n')
    assert make_expert('press_button', reach_contract()).name == 'press_button expert 2'


def test_a_task_without_an_expert_says_so(button):
    with pytest.raises(UnknownExpertError, match="'bare' of the package buttons: "
                                                 'buttons:Bare.expert is None; expected'):
        make_expert('bare', reach_contract())


@pytest.mark.parametrize('name', ['juggle', 'absent_module:Task', 'buttons:PressExpert'])
def test_tasks_and_experts_that_are_not_there_keep_their_errors(button, name):
    with pytest.raises(UnknownTaskError):
        make_task(name)
    with pytest.raises(UnknownExpertError) as caught:
        make_expert(name, reach_contract())
    assert caught.value.code == 400


def test_gymnasium_knows_the_tasks_of_other_packages_and_imports_none(tmp_path):
    pytest.importorskip('gymnasium', reason='needs gymnasium: make test')
    write_package(tmp_path, 'buttons', {'tasks': {
        'press_button': 'buttons:PressButton', 'pick-place': 'buttons:Rival'}},
        {'buttons': BUTTON})
    code = ('import sys, gymnasium, il_ros\n'
            'for name in ("PressButton", "PickPlace"):\n'
            '    print(gymnasium.registry[f"il_ros/{name}-v0"].kwargs["task"])\n'
            'print(not {"buttons", "pybullet"} & set(sys.modules))')
    path = os.pathsep.join((str(tmp_path), str(ROOT)))
    done = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True,
                          timeout=60, env={**os.environ, 'PYTHONPATH': path})
    assert done.stdout.split() == ['press_button', 'pick_place', 'True'], done.stderr


STILL = """
from il_ros.driving.driving import HUMAN
from il_ros.interactive.strategy import demonstration_plan, Strategy
class Still(Strategy):
    '''Only demonstrations.'''
    config = 'still.yaml'
    def check(self):
        pass
    def learner_plan(self, round_, seed, trained):
        return demonstration_plan(seed)
class Bare(Still):
    config = ''
"""


@pytest.fixture
def still(package):
    package('quiet', {'strategies': {'still': 'quiet:Still', 'bare': 'quiet:Bare'}}, quiet=STILL)


def test_a_strategy_of_another_package_brings_its_settings_along(still, tmp_path):
    (tmp_path / 'still.yaml').write_text('learner: {ensemble: 2}\n')
    plugins.trust('quiet:Still')
    for name in ('still', 'quiet:Still'):
        strategy = load_strategy(name, settings_path(name))
        assert (strategy.name, strategy.learner) == (name, {'ensemble': 2})


def test_a_strategy_without_a_file_of_settings_has_its_defaults(still):
    assert settings_path('bare') is None
    assert load_strategy('bare', None).settings == {}


def test_strategies_that_are_not_there_keep_their_errors(still):
    with pytest.raises(UnknownStrategyError, match='dagger, gated, .*, still, bare$'):
        settings_path('imitate')
    plugins.trust('quiet:HUMAN')
    with pytest.raises(StrategyError, match='subclass of il_ros.interactive.strategy.Strategy'):
        make_strategy('quiet:HUMAN')


def test_a_task_brings_contract_and_training_along(button, tmp_path):
    (tmp_path / 'own.py').write_text(
        'from buttons import PressButton\nclass Own(PressButton):\n    name = "own"\n'
        'class Heir(Own):\n    pass\n')
    (tmp_path / 'training.yaml').touch()
    for name in ('own:Own', 'own:Heir'):
        contract, _ = find_contract(name)
        assert (contract.name, contract.features) == ('own', reach_contract().features)
        assert training_path('', name) == training_path('own', name) == tmp_path / 'training.yaml'


def test_the_runs_of_a_study_have_names_that_runs_may_have():
    assert run_name('pick_place', 'gated', 1) == 'pick_place-gated-1'
    assert run_name('my.buttons:Press', 'gated', 1) == 'my_buttons_press-gated-1'


@pytest.mark.parametrize('name, reason', [
    ('juggle', "no contract 'juggle': there is no task"),
    ('absent_module:Task', 'put its folder on PYTHONPATH')])
def test_a_task_without_a_contract_says_so(button, name, reason):
    with pytest.raises(ContractError, match=reason):
        find_contract(name)


NET = """
from il_ros.learning.nets.mlp import Mlp
class Twin(Mlp):
    kind = 'twin'
"""


@pytest.fixture
def checkpoint_of(tmp_path):
    """Return the function that saves a policy whose file names this architecture."""
    def write(architecture: str) -> Path:
        kind = type('Forged', (Mlp,), {'kind': architecture})
        contract = reach_contract()
        inputs = Inputs(contract, ['goal_position'])
        net = kind((np.zeros((3, 3), np.float32),), (np.zeros(3, np.float32),))
        one = Normaliser(np.zeros(3, np.float32), np.ones(3, np.float32))
        folder = tmp_path / 'checkpoint'
        checkpoint.save(folder, Policy(contract, inputs, one, one, net, {}))
        return folder
    return write


def test_a_checkpoint_may_have_the_net_of_an_installed_package(package, checkpoint_of):
    package('nets', {'policies': {'twin': 'nets:Twin'}}, nets=NET)
    assert type(checkpoint.load(checkpoint_of('twin')).net).__name__ == 'Twin'


@pytest.mark.parametrize('architecture', ['nets:Twin', 'twin', 'nets'])
def test_a_checkpoint_cannot_have_a_module_imported(package, checkpoint_of, architecture):
    package('nets', {}, nets='raise SystemExit("imported")')
    with pytest.raises(DamagedError, match=rf'policy\.json: .*{architecture!r} is unknown; '
                                           'expected one of'):
        checkpoint.load(checkpoint_of(architecture))
    assert 'nets' not in sys.modules
