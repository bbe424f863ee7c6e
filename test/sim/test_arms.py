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

"""The tasks on other arms than the first: the same laws, the same loop, the same records."""

import contextlib

from arm_files import write_arm
import il_ros
from il_ros.contract.contract import ContractError
from il_ros.contract.contract_file import load_contract
from il_ros.robots.model import find_robot
from il_ros.runs.kept_contract import contract_file_of, keep_contract
from il_ros.tasks.contracts import contract_name, contract_text, find_contract, robot_of
import numpy as np
import pytest

SEEDS = range(4)


@pytest.mark.parametrize('robot, task', [
    ('xarm6', 'reach'), ('xarm6', 'push'), ('xarm6', 'pick_place'), ('xarm6', 'lay'),
    ('iiwa', 'reach'), ('iiwa', 'push')])
def test_the_experts_do_their_tasks_on_other_arms(robot, task):
    with contextlib.closing(il_ros.make_env(task, robot=robot)) as env:
        data = il_ros.demonstrate(env, il_ros.make_expert(task, env.contract), SEEDS)
    assert [one.success for one in data.episodes] == [True] * len(SEEDS)


def test_an_arm_of_the_users_own_does_a_task(tmp_path):
    file = str(write_arm(tmp_path))
    with contextlib.closing(il_ros.make_env('push', robot=file)) as env:
        assert env.contract.robot == 'gantry'
        assert env.contract.features[0].elements == ('slide', 'cross', 'lift', 'turn')
        data = il_ros.demonstrate(env, il_ros.make_expert('push', env.contract), SEEDS)
    assert all(one.success for one in data.episodes)


def test_a_hand_of_one_joint_is_observed_in_metres():
    robot = find_robot('xarm6')
    with contextlib.closing(il_ros.make_env('pick_place', robot=robot.name)) as env:
        observation, _ = env.reset(seed=0)
        shown = env.contract.values(observation, 'gripper_opening')
        assert shown == pytest.approx([robot.opening(env.state.joint_position)], abs=1e-6)
        assert shown == pytest.approx([robot.open_width], abs=1e-6)
        for _ in range(12):
            observation, *_ = env.step(np.zeros(4))
        assert env.contract.values(observation, 'gripper_opening') < 0.01
        assert env.state.joint_position[-1] > 0.75


def test_a_contract_names_its_robot_unless_it_is_the_first():
    plain, other = find_contract('push')[0], find_contract('push@xarm6')[0]
    assert (plain.robot, other.robot, other.name) == ('', 'xarm6', 'push@xarm6')
    assert 'robot' not in plain.to_json() and '"robot":"xarm6"' in other.to_json()
    assert il_ros.compose_contract('push', 'xarm6', images=True).name == 'push_image@xarm6'
    assert contract_name('push', 'panda') == 'push'
    assert contract_name('push@xarm6', 'xarm6') == 'push@xarm6'
    with pytest.raises(ContractError, match="is for the robot 'xarm6', not for 'iiwa'"):
        contract_name('push@xarm6', 'iiwa')


def test_a_contract_file_says_its_robot(tmp_path):
    file = tmp_path / 'mine.yaml'
    file.write_text(contract_text('push@xarm6'))
    composed, sources = find_contract('push@xarm6')
    found, found_sources = find_contract(str(file))
    assert (found.features, found.robot) == (composed.features, 'xarm6')
    assert found_sources == sources
    assert robot_of(str(file)).name == 'xarm6'
    write_arm(tmp_path)
    file.write_text(file.read_text().replace('robot: xarm6', 'robot: gantry.yaml'))
    assert robot_of(str(file)).name == find_contract(str(file))[0].robot == 'gantry'


def test_a_contract_that_is_printed_names_the_file_of_its_robot(tmp_path, monkeypatch):
    file, arm = tmp_path / 'mine.yaml', str(write_arm(tmp_path))
    file.write_text(contract_text(contract_name('reach', arm)))
    composed = find_contract(contract_name('reach', arm))[0]
    monkeypatch.setattr('il_ros.robots.model._read', {})  # as in another process
    assert f'robot: {arm}\n' in file.read_text()
    assert find_contract(str(file))[0].features == composed.features
    assert robot_of(str(file)).name == 'gantry'


def test_scale_and_offset_are_for_a_sum(tmp_path):
    file = tmp_path / 'mine.yaml'
    file.write_text(contract_text('push@xarm6').replace('    reduce: sum\n', ''))
    with pytest.raises(ContractError, match='gripper_opening.scale and offset are for a sum'):
        load_contract(file)


@pytest.mark.parametrize('images', [False, True])
def test_a_run_keeps_the_file_of_its_robot(tmp_path, images):
    (tmp_path / 'arms').mkdir()
    contract = contract_name('push_image' if images else 'push',
                             str(write_arm(tmp_path / 'arms')))
    asked, _ = find_contract(contract)
    keep_contract(tmp_path / 'run', contract)
    assert (tmp_path / 'run' / 'contract' / 'gantry.yaml').is_file()
    found = contract_file_of(tmp_path / 'run', asked, 'push')
    assert str(tmp_path / 'run') in found and find_contract(found)[0].id == asked.id
