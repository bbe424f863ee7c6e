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

"""A small contract, policies with random weights, and a data set file."""

import dataclasses
import json

import h5py
from il_ros.contract.contract import ActionElement, Contract, Feature, TOOL_VELOCITY
from il_ros.dataset import dataset
from il_ros.learning.inputs import Inputs
from il_ros.learning.nets.mlp import Mlp
from il_ros.learning.normaliser import Normaliser
from il_ros.learning.policy import Policy
from il_ros.learning.training_worker.protocol import Job
import numpy as np
import pytest

TRAINING_YAML = """
inputs: ['goal_position - tool_position', gripper_opening]
hidden: [16]
batch: 32
steps: 300
warmup_steps: 10
"""
LONG_YAML = 'inputs: [gripper_opening]\nhidden: [256, 256]\nsteps: 10000000\n'


@pytest.fixture
def contract() -> Contract:
    """Return a layout with a gripper."""
    return Contract(
        name='bench', rate=20.0,
        features=(
            Feature('gripper_opening', start=0, elements=('sum',), unit='m'),
            Feature('tool_position', start=1, elements=('x', 'y', 'z'), unit='m', frame_id='base'),
            Feature('goal_position', start=4, elements=('x', 'y', 'z'), unit='m', frame_id='base'),
            Feature('unused', start=7, elements=('a', 'b'), unit='rad')),
        action_space=TOOL_VELOCITY, action_frame_id='base',
        actions=(ActionElement('linear_x', 'm/s', -0.5, 0.5),
                 ActionElement('linear_y', 'm/s', -0.25, 0.5),
                 ActionElement('gripper_opening', 'm', 0.0, 0.08)))


@pytest.fixture
def make_policy(contract):
    """Return a function from a seed to a policy with random weights."""
    def make(seed: int = 0) -> Policy:
        rng = np.random.default_rng(seed)
        inputs = Inputs(contract, ['goal_position - tool_position', 'gripper_opening'])
        sizes = ((inputs.width, 64), (64, 64), (64, len(contract.actions)))
        net = Mlp(tuple(rng.normal(size=size).astype(np.float32) / 4.0 for size in sizes),
                  tuple(rng.normal(size=size[1]).astype(np.float32) for size in sizes))
        return Policy(
            contract, inputs,
            Normaliser(rng.normal(size=4).astype(np.float32), np.full(4, 0.1, np.float32)),
            Normaliser(np.array([0.0, 0.0, 0.04], np.float32),
                       np.array([0.3, 0.2, 0.03], np.float32)),
            net, {'seed': seed})
    return make


@pytest.fixture
def policy(make_policy) -> Policy:
    """Return a policy with random weights."""
    return make_policy()


@pytest.fixture
def observations(contract) -> np.ndarray:
    """Return 200 observations, shape ``(200, D)``."""
    return np.random.default_rng(5).normal(size=(200, contract.width)).astype(np.float32)


@pytest.fixture
def dataset_file(tmp_path, contract, observations):
    """Return the path of an aggregated file: 150 pairs in round_0, 50 held out."""
    way = observations[:, 4:7] - observations[:, 1:4]
    actions = np.stack([way[:, 0], way[:, 1], np.where(way[:, 2] > 0.0, 0.08, 0.0)], axis=1)
    index = [{'name': 'demo_0', 'start': 0, 'stop': 150},
             {'name': 'demo_1', 'start': 150, 'stop': 200}]
    path = tmp_path / 'dataset.hdf5'
    with h5py.File(path, 'w') as file:
        flat = file.create_group('il_ros')
        flat.attrs['schema_version'] = dataset.SCHEMA_VERSION
        flat.attrs['contract'] = contract.to_json()
        flat.attrs['contract_id'] = np.uint64(contract.id)
        flat['observations'] = observations
        flat['actions'] = contract.clip(actions).astype(np.float32)
        flat['label_valid'] = np.ones(200, np.uint8)
        flat['index'] = np.frombuffer(json.dumps(index).encode(), np.uint8)
        file['mask/round_0'] = np.array([b'demo_0'])
        file[f'mask/{dataset.HELD_OUT}'] = np.array([b'demo_1'])
    return path


@pytest.fixture
def training_yaml(tmp_path):
    """Return the path of a configuration that trains in well under a second."""
    path = tmp_path / 'training.yaml'
    path.write_text(TRAINING_YAML)
    return path


@pytest.fixture
def job(dataset_file, training_yaml, tmp_path) -> Job:
    """Return a job of a fraction of a second."""
    return Job(dataset=str(dataset_file), filter_key='round_0', config=str(training_yaml),
               output=str(tmp_path / 'policy'), held_out_key='held_out')


@pytest.fixture
def long_job(job, tmp_path) -> Job:
    """Return a job that ends only when it is made to."""
    path = tmp_path / 'long.yaml'
    path.write_text(LONG_YAML)
    return dataclasses.replace(job, config=str(path))
