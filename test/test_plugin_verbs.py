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

"""The verbs ``list`` and ``check``: which plug-ins there are, and what is wrong with one."""

from il_ros.cli.parser import main
from il_ros.tasks.contracts import find_contract
import pytest

TASK = """
import dataclasses
import numpy as np
from il_ros.contract.layout import ObjectPose
from il_ros.tasks.base import TaskResult
from il_ros.tasks.reach.expert import ReachExpert
from il_ros.tasks.reach.task import Reach


class GlideExpert(ReachExpert):
    task = 'glide'


class Glide(Reach):
    '''Glide to the goal.'''

    name, expert = 'glide', GlideExpert
    {body}
"""


@pytest.fixture
def glide(package, tmp_path):
    """Return the function that writes a task with these lines in its class, and checks it."""
    (tmp_path / 'training.yaml').write_text('inputs: [goal_position - tool_position]\n')

    def check(body: str = 'pass', name: str = 'glide') -> int:
        package('gliders', {'tasks': {'glide': 'gliders:Glide'}},
                gliders=TASK.format(body=body.replace('\n', '\n    ')))
        return main(['check', 'tasks', name])
    return check


@pytest.mark.parametrize('name', ['glide', 'gliders:Glide'])
def test_nothing_is_wrong_with_a_task_that_is_right(glide, capsys, name):
    assert glide(name=name) == 0
    assert capsys.readouterr().out.endswith('nothing is wrong\n')


@pytest.mark.parametrize('body, finding', [
    ('horizon = 2', 'its expert does not reach the goal from the reset of seed 0 (ended after 2 '
                    'steps), 1 (ended after 2 steps), 2 (ended after 2 steps)'),
    ('horizon = 0', 'its horizon is 0; expected a whole number'),
    ('name = "slide"', "its name is 'slide'; expected 'glide', as in the entry point"),
    ('features = (*Reach.features, ObjectPose("cup"))',
     'feature cup_position wants object 0; the task glide has 0'),
    ('features = ()', "contract glide has no feature 'goal_position'"),
    ('expert = type("Turn", (ReachExpert,), {"action_names": ("angular_z",)})',
     "the reach expert commands ['angular_z']; the contract glide has"),
    ('def evaluate(self, reading, goal):\n    return True',
     'evaluate gives True; expected a TaskResult'),
    ('def evaluate(self, reading, goal):\n    return TaskResult(success=True)', 'success=True'),
    ('def evaluate(self, reading, goal):\n    return reading.colour',
     "AttributeError: 'Reading' object has no attribute 'colour', raised in"),
    ('def sample(self, rng):\n    return 3', 'sample, seed 0: it gives 3; expected a Scene'),
    ('def sample(self, rng):\n    return super().sample(np.random.default_rng())',
     'expected all chance to come from rng'),
    ('def sample(self, rng):\n    return dataclasses.replace(super().sample(rng), '
     'goal_position=np.full(3, np.nan))', 'goal_position is [nan, nan, nan]; expected finite'),
    ('def sample(self, rng):\n    return dataclasses.replace(super().sample(rng), '
     'object_positions=np.zeros((1, 3)))',
     'object_positions has shape (1, 3); expected (0, 3)'),
    ('def resample(self, rng, reading):\n    return dataclasses.replace('
     'super().resample(rng, reading), goal_position=np.full(3, 2.0))',
     'resample, seed 0: goal_position has [2.0, 2.0, 2.0]; expected a place inside')])
def test_what_is_wrong_with_a_task_is_a_sentence(glide, capsys, body, finding):
    assert glide(body) == 1
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("task 'glide' of the package gliders: ")
    assert finding in lines[0]


@pytest.mark.parametrize('kind, name', [
    ('experts', 'stack'), ('strategies', 'novelty'), ('policies', 'cnn'), ('policies', 'mlp'),
    ('robots', 'panda')])
def test_nothing_is_wrong_with_ours(kind, name, capsys):
    assert main(['check', kind, name]) == 0
    assert 'nothing is wrong' in capsys.readouterr().out


@pytest.mark.parametrize('kind, source, finding', [
    ('experts', 'Thing = int', 'expected a subclass of il_ros.tasks.expert.Expert'),
    ('experts', 'from il_ros.tasks.reach.expert import ReachExpert as Thing',
     "its task is 'reach'; expected 'thing'"),
    ('strategies', 'from il_ros.interactive.strategy import Strategy as Thing',
     'NotImplementedError'),
    ('policies', 'class Thing:\n    pass', 'expected a subclass of il_ros.learning.nets.net.Net'),
    ('policies', 'from il_ros.learning.nets.mlp import Mlp as Thing', "its kind is 'mlp'; exp"),
    ('policies', 'from il_ros.learning.nets.mlp import Mlp\n'
     'class Thing(Mlp):\n    kind = "thing"\n'
     '    def forward(self, inputs):\n        return 2 * super().forward(inputs)',
     'forward of from_network differs from the network that was trained'),
    ('policies', 'from il_ros.learning.nets.mlp import Mlp\n'
     'class Thing(Mlp):\n    kind = "thing"\n'
     '    def tensors(self):\n        return {}', 'layers.0.bias is missing'),
    ('robots', 'Thing = 3', 'things:Thing is 3; expected an instance of'),
    ('robots', 'import dataclasses\nfrom il_ros.robots.model import find_robot\n'
     'Thing = dataclasses.replace(find_robot("panda"), urdf="nowhere.urdf")',
     "its urdf is 'nowhere.urdf'; expected the path of a file"),
    ('robots', 'import dataclasses\nfrom il_ros.robots.model import find_robot\n'
     'Thing = dataclasses.replace(find_robot("panda"), tool_link="flange")', 'has no link flange'),
    ('robots', 'import absent_library', 'cannot be imported')])
def test_what_is_wrong_with_another_plug_in_is_a_sentence(package, capsys, kind, source, finding):
    package('things', {kind: {'thing': 'things:Thing'}}, things=source)
    assert main(['check', kind, 'thing']) == 1
    assert finding in capsys.readouterr().out


def test_the_list_has_name_package_and_what_it_is(package, capsys):
    package('gliders', {'tasks': {'glide': 'gliders:Glide', 'torn': 'torn:Torn'}},
            gliders=TASK.format(body='pass'), torn='import absent_library')
    assert main(['list', 'tasks']) == 0
    lines = [line.split(maxsplit=2) for line in capsys.readouterr().out.splitlines()]
    assert lines[0][:2] == ['reach', 'il_ros']
    assert lines[-2] == ['glide', 'gliders', 'Glide to the goal.']
    assert lines[-1][2].startswith("not usable: task 'torn' of the package gliders: torn:Torn "
                                   'cannot be imported: ModuleNotFoundError')


def test_an_unknown_name_is_answered_by_the_list(capsys):
    assert main(['check', 'tasks', 'juggle']) == 1
    assert capsys.readouterr().err.startswith(
        "il_ros: there is no task 'juggle'; there are reach, push")


def test_a_contract_is_printed_as_a_file_that_can_be_used(capsys, tmp_path):
    assert main(['contract', 'push_image']) == 0
    (tmp_path / 'push_image.yaml').write_text(capsys.readouterr().out)
    assert find_contract(str(tmp_path / 'push_image.yaml')) == find_contract('push_image')
    assert main(['contract', 'moon']) == 1
    assert "no contract 'moon'" in capsys.readouterr().err


def test_a_contract_by_images_of_a_task_that_is_named_by_its_module(glide, capsys, monkeypatch):
    assert glide() == 0
    monkeypatch.setenv('IL_ROS_PLUGINS', '')
    capsys.readouterr()
    assert main(['contract', 'gliders:Glide_image']) == 0
    assert 'name: camera' in capsys.readouterr().out
