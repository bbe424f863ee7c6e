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

"""The training configuration."""

from il_ros import plugins
from il_ros.errors import TrainConfigError
from il_ros.learning.config import NoTrainingError, TrainConfig, training_path
from il_ros.learning.inputs import image_features, Inputs
from il_ros.tasks.contracts import compose_contract
from il_ros.tasks.registry import TASKS
import pytest

SEEING = {'inputs': ['a'], 'architecture': 'cnn', 'images': ['camera']}


@pytest.mark.parametrize('images', [False, True])
@pytest.mark.parametrize('task', TASKS)
def test_each_task_has_inputs_that_its_contract_can_give(task, images):
    contract = compose_contract(task, images=images)
    config = TrainConfig.of(task, contract.name)
    assert Inputs(contract, config.inputs).width >= 2
    assert image_features(contract, config.images) == contract.images


@pytest.mark.parametrize('fields, part', [
    ({}, 'inputs is missing'),
    ({'inputs': []}, 'inputs is ()'),
    ({'inputs': 'tool_position'}, "inputs is 'tool_position'; expected a list"),
    ({'inputs': [1]}, 'inputs is (1,)'),
    ({'inputs': ['a'], 'epochs': 3}, "unknown key 'epochs'"),
    ({'inputs': ['a'], 'loss': 'hinge'}, "loss is 'hinge'; expected one of mse, huber,"),
    ({'inputs': ['a'], 'loss': ['mse']}, "loss is ['mse']; expected one of"),
    ({'inputs': ['a'], 'hidden': [0]}, 'hidden is (0,)'),
    ({'inputs': ['a'], 'hidden': 256}, 'hidden is 256; expected a list'),
    ({'inputs': ['a'], 'batch': 12.5}, 'batch is 12.5; expected a whole number'),
    ({'inputs': ['a'], 'batch': True}, 'batch is True'),
    ({'inputs': ['a'], 'steps': 0}, 'steps is 0'),
    ({'inputs': ['a'], 'steps': 10, 'warmup_steps': 11}, 'warmup_steps is 11'),
    ({'inputs': ['a'], 'learning_rate': float('nan')}, 'learning_rate is nan'),
    ({'inputs': ['a'], 'learning_rate': '1e-3'}, "learning_rate is '1e-3'"),
    ({'inputs': ['a'], 'weight_decay': -0.1}, 'weight_decay is -0.1'),
    ({'inputs': ['a'], 'huber_delta': 0}, 'huber_delta is 0; expected a number above 0'),
    ({'inputs': ['a'], 'components': 1}, 'components is 1; expected a whole number in 2..64'),
    ({'inputs': ['a'], 'bins': 2.0}, 'bins is 2.0'),
    ({'inputs': ['a'], 'binning': 'equal'}, "binning is 'equal'; expected one of quantile, "),
    ({'inputs': ['a'], 'ensemble': 0}, 'ensemble is 0'),
    ({'inputs': ['a'], 'history': 65}, 'history is 65; expected a whole number in 1..64'),
    ({'inputs': ['a'], 'chunk': True}, 'chunk is True'),
    ({'inputs': ['a'], 'chunk': 4, 'execute': 5}, 'execute is 5; expected a whole number in 1..4'),
    ({'inputs': ['a'], 'temporal_ensembling': 1}, 'temporal_ensembling is 1; expected true or'),
    ({'inputs': ['a'], 'images': ['camera']}, "images is ('camera',); expected names of image"),
    ({'inputs': ['a'], 'architecture': 'cnn'}, 'images is (); expected names of image features'),
    ({**SEEING, 'images': ['camera', 'camera']}, "images is ('camera', 'camera')"),
    ({**SEEING, 'images': 'camera'}, "images is 'camera'; expected a list"),
    ({**SEEING, 'channels': []}, 'channels is (); expected 1 to 8 numbers'),
    ({**SEEING, 'channels': [16, 0, 8]}, 'channels is (16, 0, 8)'),
    ({**SEEING, 'strides': [2, 2]}, 'strides is (2, 2); expected as many as channels'),
    ({**SEEING, 'strides': [2, 2, 9]}, 'strides is (2, 2, 9)'),
    ({**SEEING, 'crop_px': -1}, 'crop_px is -1; expected a whole number in 0..64'),
    ({**SEEING, 'history': 2}, 'history is 2; expected 1 together with images'),
    ({**SEEING, 'shift': {}}, 'shift is Shift('),
    (['inputs'], "the content is ['inputs']; expected a mapping")])
def test_a_configuration_that_cannot_be_used_names_its_key(fields, part):
    with pytest.raises(TrainConfigError) as refusal:
        TrainConfig.from_dict(fields)
    assert part in str(refusal.value)


@pytest.mark.parametrize('text', [
    'inputs: [a', '!!python/object/apply:os.system ["true"]', 'inputs: [a]\nepochs: 3', '\x00'])
def test_a_file_that_is_no_configuration_is_named(tmp_path, text):
    path = tmp_path / 'bad.yaml'
    path.write_text(text)
    with pytest.raises(TrainConfigError, match='bad.yaml'):
        TrainConfig.load(path)


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(TrainConfigError, match='none.yaml'):
        TrainConfig.load(tmp_path / 'none.yaml')


def test_a_file_for_a_whole_run_has_the_training_beside_the_strategy(tmp_path):
    path = tmp_path / 'run.yaml'
    path.write_text('strategy:\n  gate: {threshold: 0.4}\ntraining:\n  inputs: [a]\n')
    assert TrainConfig.load(path) == TrainConfig(inputs=('a',))
    path.write_text('strategy:\n  gate: {threshold: 0.4}\n')
    with pytest.raises(TrainConfigError, match="run.yaml: key 'training' is missing"):
        TrainConfig.load(path)


@pytest.mark.parametrize('contract, task, name', [
    ('', 'push', 'training'), ('push', 'push', 'training'), ('mine', 'push', 'training'),
    ('push_image', 'push', 'training_image')])
def test_a_task_has_its_training_beside_it_and_another_one_for_images(contract, task, name):
    path = training_path(contract, task)
    assert (path.parent.name, path.name) == (task, f'{name}.yaml')
    assert TrainConfig.of(task, contract) == TrainConfig.load(path)


def test_a_task_of_another_package_can_be_trained_on_images(package):
    package('plain', {}, plain='from il_ros.tasks.stack.task import Stack\n'
                               'from il_ros.tasks.base import Task\n'
                               'class Plain(Stack):\n    name = "plain"\n')
    contract = compose_contract('plain:Plain', images=True)
    config = TrainConfig.of('plain:Plain', contract.name)
    assert image_features(contract, config.images) == contract.images
    assert Inputs(contract, config.inputs).width > 8


def test_where_a_task_has_no_training_it_is_named(package):
    package('plain', {}, plain='from il_ros.tasks.base import Task\n'
                               'class Plain(Task):\n    pass\n')
    plugins.trust('plain:Plain')
    with pytest.raises(NoTrainingError, match="'plain:Plain' has no training.yaml"):
        training_path('', 'plain:Plain')
    with pytest.raises(TrainConfigError, match="for the task 'moon': there is no task 'moon'"):
        TrainConfig.of('moon')
