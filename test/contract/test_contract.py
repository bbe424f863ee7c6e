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

"""A contract: its numbers and canonical text, its parts, and which actions may be labels."""

import dataclasses
from pathlib import Path
import re

from il_ros.contract import contract as contracts, episode_spec
from il_ros.contract.contract import ActionElement, Contract, ContractError, Feature, IMAGE
from il_ros.contract.contract import JOINT_POSITION, TOOL_VELOCITY
from il_ros.contract.layout import GoalOrientation, GoalPosition, ObjectPose, ToolVelocity
from il_ros.contract.observation import parts_of
import numpy as np
import pytest

MESSAGES = Path(__file__).resolve().parents[2] / 'il_ros_interfaces' / 'msg'
HAND = ActionElement('gripper_opening', 'm', 0.25, 0.75)
CONTRACT = Contract('test', 20.0, (
    Feature('joints', elements=('a', 'b'), unit='rad'),
    Feature('camera', IMAGE, 0, height=1, width=1, encoding='mono8'),
    Feature('goal', start=2, elements=('x',), unit='m', frame_id='base', privileged=True)),
    TOOL_VELOCITY, 'base', (ActionElement('linear_x', 'm/s', -0.5, 0.5), HAND))


def changed(**fields) -> Contract:
    """Return the contract with other fields."""
    return dataclasses.replace(CONTRACT, **fields)


@pytest.mark.parametrize('message, module, ours', [
    ('Contract', contracts, '{}'), ('Feature', contracts, '{}'), ('Action', episode_spec, '{}'),
    ('Executed', episode_spec, '{}'), ('EpisodeStatus', episode_spec, '{}'),
    ('DrivePlan', episode_spec, 'LABEL_{}')])
def test_numbers_are_those_of_the_messages(message, module, ours):
    said = dict(re.findall(r'^\w+ ([A-Z_]+)=(\d+)', (MESSAGES / f'{message}.msg').read_text(),
                           re.MULTILINE))
    if message == 'EpisodeStatus':
        said.pop('NONE')  # a cause that is none has a name of its own
    assert said and {name: int(value) for name, value in said.items()} == {
        name: getattr(module, ours.format(name)) for name in said}


def test_the_canonical_text_and_its_hash_never_change():
    goal = Feature('goal', elements=('x',))
    contract = Contract('c', 20.0, (goal,), JOINT_POSITION, '', (HAND,))
    assert contract.to_json() == (
        '{"action_frame_id":"","action_space":1,"actions":[{"lower":0.25,"name":'
        '"gripper_opening","unit":"m","upper":0.75}],"features":[{"elements":["x"],"encoding":"",'
        '"frame_id":"","height":0,"kind":0,"name":"goal","privileged":false,"start":0,"unit":"",'
        '"width":0}],"name":"c","rate":20.0}')
    assert contract.id == 10933400772992044526
    assert Contract.from_json(contract.to_json()) == contract


@pytest.mark.parametrize('text, sentence', [
    ('{', 'not a contract: '), ('[]', 'expected a mapping'),
    (CONTRACT.to_json().replace('20.0', '0.0'), 'rate is 0.0; expected .* above 0'),
    (CONTRACT.to_json().replace('"start":2', '"start":3'), 'goal starts at 3, expected 2')])
def test_a_text_that_is_no_contract_is_refused(text, sentence):
    with pytest.raises(ContractError, match=sentence):
        Contract.from_json(text)


def test_values_stand_behind_each_other_and_images_beside_them():
    assert (CONTRACT.width, CONTRACT.feature('goal').stop) == (3, 3)
    assert [(one.name, one.shape) for one in CONTRACT.images] == [('camera', (1, 1, 1))]
    rows = np.arange(6).reshape(2, 3)
    np.testing.assert_array_equal(CONTRACT.values(rows, 'joints'), [[0, 1], [3, 4]])
    np.testing.assert_array_equal(CONTRACT.values(rows, 'goal'), [[2], [5]])
    with pytest.raises(ContractError, match="no feature 'tool'; it has joints, camera, goal"):
        CONTRACT.values(rows, 'tool')


@pytest.mark.parametrize('image, sentence', [
    (Feature('camera', IMAGE, 1, height=1, width=1, encoding='rgb8'), 'is image 1, expected 0'),
    (Feature('camera', IMAGE, height=1, width=0, encoding='rgb8'), 'has 1x0 pixels'),
    (Feature('camera', IMAGE, height=0, width=1, encoding='rgb8'), 'has 0x1 pixels')])
def test_an_image_that_cannot_be_is_refused(image, sentence):
    with pytest.raises(ContractError, match=f'contract test: feature camera {sentence}'):
        changed(features=(image,))


@pytest.mark.parametrize('bounds', [(0.5, 0.5), (0.5, -0.5), (float('nan'), 1.0), (0.0, np.inf)])
def test_an_element_needs_a_range(bounds):
    with pytest.raises(ContractError, match='action element x: '):
        ActionElement('x', 'm', *bounds)


def test_an_element_knows_its_middle_and_half_its_range():
    assert (HAND.middle, HAND.scale) == (0.5, 4.0)
    assert ActionElement('x', 'm', 1.0, 3.0).middle == 2.0


def test_the_hand_is_found_by_name_wherever_it_stands():
    assert CONTRACT.action_names == ('linear_x', 'gripper_opening')
    assert CONTRACT.gripper_index == 1
    assert changed(actions=CONTRACT.actions[::-1]).gripper_index == 0
    assert changed(actions=CONTRACT.actions[:1]).gripper_index == -1


def test_a_label_lies_inside_the_bounds_or_a_thousandth_of_the_range_beside_them():
    wide = changed(actions=(ActionElement('x', 'm', -512.0, 488.0),
                            ActionElement('y', 'm', 0.0, 2000.0)))
    labels = [[-512, 0], [488, 2000], [-513, -2], [489, 2002], [-513.5, 0], [489.5, 0], [0, -2.5],
              [0, 2002.5], [np.nan, 0], [0, np.inf]]
    assert wide.accepts(np.array(labels)).tolist() == [True] * 4 + [False] * 6
    np.testing.assert_array_equal(wide.clip(np.array([-600.0, 600.0])), [-512, 600])
    np.testing.assert_array_equal(wide.clip(np.array([489.0, 2002.0])), [488, 2000])
    assert wide.complaint(np.array([0, 3000])) == 'y is 3000 m; expected 0 to 2000'


def test_a_task_names_its_object_its_goal_and_what_it_commands():
    assert ObjectPose('cube').entries(2) == [
        {'name': 'cube_position', 'topic': 'object_poses', 'index': 2, 'field': 'position',
         'unit': 'm'},
        {'name': 'cube_orientation', 'topic': 'object_poses', 'index': 2, 'field': 'orientation'}]
    assert GoalPosition().entries(0)[0]['topic'] == 'goal_pose'
    assert GoalOrientation().entries(0) == [
        {'name': 'goal_orientation', 'topic': 'goal_pose', 'field': 'orientation'}]
    assert [(one['name'], one['lower'], one['upper']) for one in ToolVelocity().entries(0.08)] == [
        ('linear_x', -0.5, 0.5), ('linear_y', -0.5, 0.5), ('linear_z', -0.5, 0.5)]
    assert ToolVelocity('x', True, 0.25).entries(0.08) == [
        {'name': 'linear_x', 'unit': 'm/s', 'lower': -0.25, 'upper': 0.25},
        {'name': 'gripper_opening', 'unit': 'm', 'lower': 0.0, 'upper': 0.08}]


def test_an_observation_comes_apart_into_its_values_and_its_images():
    values, image = np.zeros(3, np.float32), np.zeros((1, 1, 1), np.uint8)
    given = {'values': values, 'camera': image}
    assert parts_of(given) == (values, {'camera': image}) and len(given) == 2
    assert parts_of(values) == (values, {})


def test_a_feature_of_which_only_the_name_is_said_is_a_public_slice_without_a_unit():
    assert Feature('a') == Feature('a', contracts.VALUES, 0, (), '', '', False, 0, 0, '')


def test_hands_that_want_different_things_count_as_full_scale_of_one_axis():
    assert contracts.GRIPPER_DISAGREEMENT == 1.0
