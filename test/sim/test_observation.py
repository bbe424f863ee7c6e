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

import dataclasses

from il_ros.errors import SimulationError
from il_ros.sim.observation import Observer
from il_ros.tasks.contracts import find_contract
import numpy as np
import pytest
from shipped_arms import PANDA


def test_an_observation_has_the_contracts_features_in_order(pick_place):
    values, _ = pick_place.reset(seed=1)
    state, contract = pick_place.state, pick_place.contract
    expected = {
        'joint_position': state.joint_position[:7], 'joint_velocity': state.joint_velocity[:7],
        'gripper_opening': [state.joint_position[7:].sum()],
        'tool_position': state.tool_position, 'tool_orientation': state.tool_orientation,
        'object_position': state.object_positions[0],
        'object_orientation': state.object_orientations[0], 'goal_position': state.goal_position}
    assert [feature.name for feature in contract.features] == list(expected)
    for name, value in expected.items():
        np.testing.assert_array_equal(contract.values(values, name), np.float32(value))
    assert values.dtype == np.float32


def test_joints_are_found_by_name_in_any_order(push):
    contract, sources = find_contract('push')
    turned = (dataclasses.replace(sources[0], joints=sources[0].joints[::-1]), *sources[1:])
    push.reset(seed=1)
    values = Observer(PANDA, contract, turned, push.simulation.kinematics).observe(push.state)
    np.testing.assert_array_equal(values[:7], np.float32(push.state.joint_position[6::-1]))


@pytest.mark.parametrize('change', [
    {'topic': 'wrench', 'field': 'force'}, {'joints': ('elbow',)}, {'field': 'effort'}])
def test_a_feature_that_the_simulation_lacks_is_named(change):
    contract, sources = find_contract('push')
    wrong = (dataclasses.replace(sources[0], **change), *sources[1:])
    with pytest.raises(SimulationError, match='joint_position'):
        Observer(PANDA, contract, wrong, None)
