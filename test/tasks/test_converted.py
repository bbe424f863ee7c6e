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

"""Labels in another action space than the expert's own do the same as the expert's."""

import contextlib
import dataclasses

import il_ros
from il_ros.contract.contract import ContractError
from il_ros.errors import RobotError
from il_ros.robots.actions.conversion import ActionConverter
from il_ros.robots.kinematics import Kinematics
from il_ros.tasks.contracts import contract_name, find_contract
from il_ros.tasks.converted import own_contract
from il_ros.tasks.expert import MissingFeatureError
import numpy as np
import pytest
from shipped_arms import PANDA

SPACES = ('tool_delta', 'joint_velocity', 'joint_delta', 'joint_position')
_PATH_M = 1e-3


def _path(contract: str, seed: int) -> tuple[np.ndarray, bool]:
    """Return the tool's positions in an episode of the expert, the goal last, and its success."""
    with contextlib.closing(il_ros.make_env('reach', contract=contract)) as env:
        expert = il_ros.make_expert('reach', env.contract)
        observation, _ = env.reset(seed=seed)
        places, done = [env.state.tool_position], False
        while not done:
            observation, _, ended, cut, info = env.step(expert.act(observation))
            places.append(env.state.tool_position)
            done = ended or cut
        return np.array([*places, env.state.goal_position]), info['success']


def _farthest(points: np.ndarray, line: np.ndarray) -> float:
    """Return how far the farthest of the points is from a line of several parts, m."""
    starts, parts = line[:-1], np.diff(line, axis=0)
    lengths = (parts * parts).sum(axis=1) + 1e-18
    shares = np.clip(((points[:, None] - starts) * parts).sum(axis=2) / lengths, 0.0, 1.0)
    nearest = np.linalg.norm(points[:, None] - starts - shares[..., None] * parts, axis=2)
    return float(nearest.min(axis=1).max())


def _compare(space: str, seeds):
    for seed in seeds:
        (line, _), (found, success) = _path('reach', seed), _path(f'reach+{space}', seed)
        assert success and _farthest(found, line) < _PATH_M, f'seed {seed}'


@pytest.mark.parametrize('space', [
    'tool_delta', 'joint_delta',
    *(pytest.param(space, marks=pytest.mark.drill) for space in SPACES
      if space not in ('tool_delta', 'joint_delta'))])
def test_converted_labels_lead_the_tool_along_the_same_way(space):
    _compare(space, range(2))


@pytest.mark.drill
@pytest.mark.parametrize('space', SPACES)
def test_converted_labels_lead_the_tool_along_the_same_way_in_twenty_episodes(space):
    _compare(space, range(20))


@pytest.mark.parametrize('task', ['push', 'pick_place'])
@pytest.mark.parametrize('space', SPACES)
def test_each_label_asks_for_the_same_step_of_the_tool(task, space):
    kinematics = Kinematics(PANDA)
    with contextlib.closing(il_ros.make_env(task)) as env, contextlib.closing(kinematics):
        expert = il_ros.make_expert(task, env.contract)
        converted = il_ros.make_expert(task, find_contract(f'{task}+{space}')[0])
        observation, _ = env.reset(seed=0)
        for _ in range(12):
            label, other = expert.act(observation), converted.act(observation)
            joints = env.contract.values(observation, 'joint_position').astype(float)
            start, q = kinematics.forward(joints)[0], joints
            linear = [name for name in env.contract.action_names if name != 'gripper_opening']
            wanted = np.zeros(3)
            for value, name in zip(label, linear):
                wanted['xyz'.index(name[-1])] = value * 0.05
            if space == 'tool_delta':
                moved = np.zeros(3)
                moved[:len(linear)] = other[:len(linear)]
            else:
                asked = other[:7].astype(float)
                q = asked if space == 'joint_position' else joints + asked * (
                    0.05 if space == 'joint_velocity' else 1.0)
                moved = kinematics.forward(q)[0] - start
            np.testing.assert_allclose(moved, wanted, atol=3e-4)
            if 'gripper_opening' in env.contract.action_names:
                assert other[-1] == pytest.approx(label[-1])
            observation, *_ = env.step(label)


def test_a_way_there_and_back_is_the_same_action(kinematics):
    tool, joints = (find_contract(name)[0] for name in ('pick_place', 'pick_place+joint_delta'))
    measured = kinematics.settled(np.array([0.5, 0.1, 0.2]), PANDA.tool_down).q[PANDA.arm]
    there = ActionConverter(PANDA, tool, joints, kinematics)
    back = ActionConverter(PANDA, joints, tool, kinematics)
    action = np.array([0.2, -0.3, 0.1, 0.05])
    found = back.convert(np.array(there.convert(action, measured)), measured)
    np.testing.assert_allclose(found, action, atol=2e-3)


@pytest.fixture(scope='module')
def kinematics():
    """Yield the arm's kinematics."""
    made = Kinematics(PANDA)
    yield made
    made.close()


def test_what_cannot_be_converted_is_refused():
    contract, _ = find_contract('reach+joint_velocity')
    hidden = dataclasses.replace(contract, features=tuple(
        dataclasses.replace(one, name='angles') if one.name == 'joint_position' else one
        for one in contract.features))
    with pytest.raises(MissingFeatureError, match="has no feature 'joint_position'"):
        il_ros.make_expert('reach', hidden)
    flat, _ = find_contract('push+tool_delta')
    with pytest.raises(RobotError, match='has no action for linear_z, which its expert commands'):
        ActionConverter(PANDA, own_contract('reach', flat), flat)


def test_an_action_space_is_part_of_a_contracts_name():
    assert contract_name('push', 'xarm6', 'joint_delta') == 'push+joint_delta@xarm6'
    found, _ = find_contract('push_image+joint_delta@xarm6')
    assert found.name == 'push_image+joint_delta@xarm6' and len(found.actions) == 6
    assert il_ros.compose_contract('push', space='tool_velocity').name == 'push'
    for name in ('push+joint_velocity', 'mine.yaml'):
        with pytest.raises(ContractError, match='has its action space already'):
            contract_name(name, space='joint_delta')
    with pytest.raises(ContractError, match='expected one of tool_velocity, joint_position'):
        find_contract('push+torque')
