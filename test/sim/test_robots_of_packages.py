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

"""A robot of another package: a KUKA iiwa without a gripper, from PyBullet's data package."""

import contextlib

import il_ros
from il_ros.contract.contract import ContractError
from il_ros.errors import RobotError
from il_ros.tasks.contracts import contract_text
import numpy as np
import pytest

KUKA = """
import os
from il_ros.robots.model import RobotModel
import numpy as np
import pybullet_data
LIMIT = np.array([2.9, 2.05, 2.9, 2.05, 2.9, 2.05, 3.0])
KUKA = RobotModel(
    name='kuka', urdf=os.path.join(pybullet_data.getDataPath(), 'kuka_iiwa', 'model.urdf'),
    joint_names=tuple(f'lbr_iiwa_joint_{i}' for i in range(1, 8)), arm_joints=7,
    tool_link='lbr_iiwa_link_7', base_frame='lbr_iiwa_link_0', lower=-LIMIT, upper=LIMIT,
    velocity=np.full(7, 2.0), acceleration=np.full(7, 10.0), effort=np.full(7, 200.0),
    home=np.array([0.0, 0.5, 0.0, -1.5, 0.0, 1.1, 0.0]), open_width=0.0,
    workspace_lower=np.array([0.32, -0.3, 0.01]), workspace_upper=np.array([0.68, 0.3, 0.4]),
    tool_down=np.array([0.0, 1.0, 0.0, 0.0]))
"""


REACHABLE = (0, 1, 3)
"""Seeds of starts and goals that this arm, made for a longer tool, can reach."""


@pytest.fixture(params=['kuka', 'arms:KUKA'])
def kuka(package, request):
    """Install a package with a robot; return a name that it has."""
    package('arms', {'robots': {'kuka': 'arms:KUKA'}}, arms=KUKA)
    return request.param


def test_the_loop_of_the_public_interface_runs_on_another_robot(kuka):
    with contextlib.closing(il_ros.make_env('reach', robot=kuka)) as env:
        assert env.contract == il_ros.compose_contract('reach', kuka)
        assert env.contract.features[0].elements[0] == 'lbr_iiwa_joint_1'
        assert 'gripper_opening' not in [feature.name for feature in env.contract.features]
        expert = il_ros.make_expert('reach', env.contract)
        data = il_ros.demonstrate(env, expert, seeds=REACHABLE)
        assert all(one.success for one in data.episodes)
        config = il_ros.TrainConfig(inputs=('goal_position - tool_position',), steps=200)
        policy = il_ros.train(data, config, seed=0)
        assert il_ros.evaluate(env, policy, episodes=10).rate > 0.5


def test_the_camera_sees_another_robot(kuka):
    with contextlib.closing(il_ros.make_env('reach', contract='reach_image', robot=kuka)) as env:
        seen = env.reset(seed=0)[0]['camera']
    with contextlib.closing(il_ros.make_env('reach', contract='reach_image')) as env:
        assert not np.array_equal(seen, env.reset(seed=0)[0]['camera'])


def test_a_robot_is_refused_in_a_sentence(kuka, package, tmp_path):
    with pytest.raises(ContractError, match="needs a gripper; the robot 'kuka' has none"):
        il_ros.make_env('stack', robot=kuka)
    with pytest.raises(RobotError, match="no robot 'ur5'; there are panda, xarm6, iiwa, kuka$"):
        il_ros.compose_contract('reach', 'ur5')
    with pytest.raises(RobotError, match='expected an instance of il_ros.robots.model.RobotModel'):
        il_ros.make_env('reach', robot='arms:LIMIT')
    (tmp_path / 'panda.yaml').write_text(contract_text('reach'))
    with pytest.raises(ContractError, match="is for the robot 'panda', not for 'kuka'; say it"):
        il_ros.make_env('reach', contract=str(tmp_path / 'panda.yaml'), robot=kuka)
