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

"""What a policy sees of an observation."""

import dataclasses

from il_ros.contract.contract import ActionElement, Contract, Feature, IMAGE, TOOL_VELOCITY
from il_ros.errors import InputsError
from il_ros.learning.inputs import image_features, Inputs
import numpy as np
import pytest

CONTRACT = Contract(
    name='bench', rate=20.0,
    features=(
        Feature('joint_position', start=0, elements=('joint1', 'joint2'), unit='rad'),
        Feature('tool_position', start=2, elements=('x', 'y', 'z'), unit='m', frame_id='base'),
        Feature('goal_position', start=5, elements=('x', 'y', 'z'), unit='m', frame_id='base'),
        Feature('mark_position', start=8, elements=('x', 'y', 'z'), unit='m', frame_id='camera'),
        Feature('secret', start=11, elements=('x',), unit='m', frame_id='base', privileged=True),
        Feature('image', kind=IMAGE, height=4, width=4, encoding='rgb8')),
    action_space=TOOL_VELOCITY, action_frame_id='base',
    actions=(ActionElement('linear_x', 'm/s', -0.5, 0.5),))

VALUES = np.arange(12, dtype=np.float32) ** 2


@pytest.mark.parametrize('expression, names, expected', [
    ('tool_position', ('tool_position.x', 'tool_position.y', 'tool_position.z'), (4, 9, 16)),
    ('tool_position.z', ('tool_position.z',), (16,)),
    ('tool_position.zx', ('tool_position.z', 'tool_position.x'), (16, 4)),
    ('joint_position.joint2', ('joint_position.joint2',), (1,)),
    ('goal_position.xy - tool_position.xy',
     ('goal_position.x - tool_position.x', 'goal_position.y - tool_position.y'), (21, 27)),
    ('|goal_position.xy - tool_position.xy|', ('|goal_position.xy - tool_position.xy|',),
     (np.hypot(21, 27),)),
    ('| tool_position |', ('|tool_position|',), (np.sqrt(16 + 81 + 256),))])
def test_an_expression_gives_its_entries_in_order(expression, names, expected):
    inputs = Inputs(CONTRACT, [expression])
    assert inputs.names == names
    assert inputs.width == len(expected)
    np.testing.assert_array_equal(inputs.apply(VALUES), np.array(expected, np.float32))


def test_lengths_stand_where_they_are_written_for_one_observation_and_for_many():
    inputs = Inputs(CONTRACT, ['|joint_position|', 'tool_position.z',
                               '|goal_position - tool_position|', 'joint_position.joint2'])
    assert inputs.units == ('rad', 'm', 'm', 'rad')
    assert inputs.features == ('joint_position', 'tool_position', 'goal_position')
    expected = [1, 16, np.sqrt(21 ** 2 + 27 ** 2 + 33 ** 2), 1]
    np.testing.assert_allclose(inputs.apply(VALUES), expected, rtol=1e-6)
    many = np.random.default_rng(2).normal(size=(50, 12)).astype(np.float32)
    np.testing.assert_array_equal(
        inputs.apply(many), np.stack([inputs.apply(row) for row in many]))


def test_expressions_are_joined_in_the_order_given():
    inputs = Inputs(
        CONTRACT, ['tool_position.z', 'joint_position', 'goal_position - tool_position'])
    assert inputs.units == ('m', 'rad', 'rad', 'm', 'm', 'm')
    assert inputs.features == ('tool_position', 'joint_position', 'goal_position')
    np.testing.assert_array_equal(inputs.apply(VALUES), [16, 0, 1, 21, 27, 33])


def test_many_observations_give_what_each_gives_alone():
    inputs = Inputs(CONTRACT, ['goal_position - tool_position', 'joint_position'])
    many = np.random.default_rng(0).normal(size=(5, 12)).astype(np.float32)
    np.testing.assert_array_equal(inputs.apply(many), [inputs.apply(one) for one in many])
    assert inputs.apply(many).dtype == np.float32


def test_an_observation_is_not_changed_by_looking_at_it():
    values = VALUES.copy()
    Inputs(CONTRACT, ['goal_position - tool_position']).apply(values)
    np.testing.assert_array_equal(values, VALUES)


@pytest.mark.parametrize('expressions, part', [
    ([], 'at least one'),
    (['puck_position'], "has no feature 'puck_position'; it has joint_position"),
    (['tool_position.w'], "has no element 'w'; it has x, y, z"),
    (['tool_position.'], "has no element ''"),
    (['tool_position - joint_position'], "subtracts unit 'rad' from 'm'"),
    (['tool_position - mark_position'], "subtracts frame_id 'camera' from 'base'"),
    (['tool_position.xy - goal_position'], 'subtracts 3 elements from 2'),
    (['tool_position - goal_position - goal_position'], 'more than once'),
    (['secret'], 'privileged'),
    (['goal_position.x - secret'], 'privileged'),
    (['image'], 'image'),
    ([3], 'is no text'),
    (['tool_position', 'tool_position.x'], "'tool_position.x' twice")])
def test_an_input_that_the_contract_cannot_give_is_refused(expressions, part):
    with pytest.raises(InputsError) as refusal:
        Inputs(CONTRACT, expressions)
    assert part in str(refusal.value)


def test_an_observation_of_another_width_is_refused():
    with pytest.raises(InputsError, match='has 11 values; the contract of this policy has 12'):
        Inputs(CONTRACT, ['tool_position']).apply(VALUES[:11])


def test_images_are_named_with_those_of_the_contract():
    seen, = image_features(CONTRACT, ['image'])
    assert seen.shape == (4, 4, 3) and image_features(CONTRACT, []) == ()
    with pytest.raises(InputsError, match="has 'wrist'; expected .* contract bench: image$"):
        image_features(CONTRACT, ['wrist'])
    blind = dataclasses.replace(CONTRACT, features=CONTRACT.features[:-1])
    with pytest.raises(InputsError, match='contract bench: it has none$'):
        image_features(blind, ['image'])
