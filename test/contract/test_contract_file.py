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

"""Contract files: images, slower streams, computed poses, and a sentence for each mistake."""

from il_ros.contract.contract import Contract, ContractError, Feature, IMAGE
from il_ros.contract.contract import TOOL_VELOCITY, VALUES
from il_ros.contract.contract_file import from_joints, load_contract, RAW_IMAGE, Source
import pytest

HEAD = """\
rate: 20.0
frame_id: base
action_space: tool_velocity
actions: [{name: x, unit: m/s, lower: -0.5, upper: 0.5}]
features:
"""
CAMERA = '  - {name: camera, topic: camera/image_raw, height: 4, width: 6, encoding: rgb8%s}\n'
TOOL = '  - {name: tool_position, topic: tool_pose, field: position, unit: m%s}\n'
WRENCH = ('  - {name: force, topic: wrist, type: geometry_msgs/msg/WrenchStamped, unit: N, '
          'field: force}\n')
NUMBERS = ('  - {name: touch, topic: fingertips, type: std_msgs/msg/Float64MultiArray, '
           'field: data, elements: [a, b]}\n')


def loaded(folder, text: str) -> tuple[Contract, tuple[Source, ...]]:
    """Return the contract of a file with these features."""
    path = folder / 'some.yaml'
    path.write_text(HEAD + text)
    return load_contract(path)


def test_an_image_has_its_own_index_and_leaves_the_values_alone(tmp_path):
    contract, sources = loaded(tmp_path, CAMERA % '' + TOOL % '' + (CAMERA % ', every: 3').replace(
        'camera,', 'wrist,'))
    assert [(f.name, f.start, f.shape) for f in contract.images] == [
        ('camera', 0, (4, 6, 3)), ('wrist', 1, (4, 6, 3))]
    assert contract.width == 3
    assert [source.every for source in sources] == [1, 1, 3]
    assert Contract.from_json(contract.to_json()).id == contract.id
    assert contract.feature('camera').kind == IMAGE


def test_a_computed_pose_changes_the_source_and_not_the_contract(tmp_path):
    heard, plain = loaded(tmp_path, TOOL % '')
    computed, sources = loaded(tmp_path, TOOL % ', source: joint_states')
    assert heard.id == computed.id
    assert sources == from_joints(plain)
    assert (sources[0].topic, sources[0].kinematic) == ('joint_states', True)


@pytest.mark.parametrize('text, sentence', [
    (CAMERA % '' + CAMERA % '', 'a feature is named twice'),
    ((CAMERA % '').replace('rgb8', 'jpeg'), "camera has encoding 'jpeg'; expected one of rgb8"),
    ((CAMERA % '').replace('height: 4', 'height: 0'), 'camera has 0x6 pixels'),
    (CAMERA % ', every: 0', 'features.camera.every is 0; expected a whole number of at least 1'),
    (CAMERA % ', every: 1.5', 'features.camera.every is 1.5'),
    (TOOL % ', every: 2', 'features.tool_position.every is 2; expected 1 for what is no'),
    (TOOL % ', source: camera', "features.tool_position.source is 'camera'; expected one of"),
    ((TOOL % ', source: joint_states').replace('tool_pose', 'goal_pose'),
     "source is 'joint_states' for goal_pose; only tool_pose can"),
    ((TOOL % '').replace(', field: position', ''), "tool_position.field is ''; expected one of"),
    ((TOOL % '').replace('topic', 'tpoic'), "features.tool_position has the unknown key 'tpoic'"),
    ('  - {name: tool_position}', 'features.tool_position.topic is missing; expected a text'),
    ('  - {name: tool_position, topic: 3}', 'features.tool_position.topic is 3'),
    (WRENCH.replace('force', 'linear'), "linear.field is 'linear'; expected one of force, torque"),
    (WRENCH.replace('WrenchStamped', 'Wrench'), "force.type is 'geometry_msgs/msg/Wrench'"),
    (WRENCH + WRENCH.replace('WrenchStamped', 'TwistStamped').replace('force', 'linear'),
     'is geometry_msgs/msg/WrenchStamped for another feature'),
    (NUMBERS.replace(', elements: [a, b]', ''), 'elements is missing for std_msgs'),
    (WRENCH.replace('force}', 'force, joints: [a]}'), 'joints is given for geometry_msgs'),
    ((CAMERA % ', type: sensor_msgs/msg/CompressedImage').replace(', encoding: rgb8', ''),
     'encoding is missing for sensor_msgs/msg/CompressedImage'),
    ('  - {name: cup, topic: object_poses, field: position}', 'cup.index is missing'),
    ('  - 3', 'features.0 is 3; expected a mapping with keys of name')])
def test_a_mistake_is_named_with_the_file(tmp_path, text, sentence):
    with pytest.raises(ContractError, match=f'some.yaml: .*{sentence}'):
        loaded(tmp_path, text)


JOINTS = ('  - {name: joints, topic: joint_states, field: velocity, unit: rad/s, '
          'joints: [a, b]%s}\n')


def test_what_a_file_does_not_say_of_a_feature_is_the_usual(tmp_path):
    contract, sources = loaded(tmp_path, TOOL % '' + JOINTS % '' + CAMERA % '')
    assert contract.features == (
        Feature('tool_position', VALUES, 0, ('x', 'y', 'z'), 'm', 'base'),
        Feature('joints', VALUES, 3, ('a', 'b'), 'rad/s'),
        Feature('camera', IMAGE, height=4, width=6, encoding='rgb8'))
    assert sources == (
        Source('tool_position', 'tool_pose', 'position', (), '', -1, 1, False),
        Source('joints', 'joint_states', 'velocity', ('a', 'b'), '', -1, 1, False),
        Source('camera', 'camera/image_raw', '', type=RAW_IMAGE))
    assert Source('a', 'b', 'c') == Source('a', 'b', 'c', (), '', -1, 1, False)


def test_what_a_file_says_of_a_feature_is_kept(tmp_path):
    pose = TOOL.replace('position', 'orientation').replace('tool_pose', 'object_poses')
    contract, sources = loaded(
        tmp_path, pose % ', index: 2, privileged: true' + JOINTS % ', reduce: sum'
        + CAMERA % ', frame_id: lens, privileged: true')
    assert [(one.elements, one.frame_id, one.privileged) for one in contract.features] == [
        (('x', 'y', 'z', 'w'), 'base', True), (('sum',), '', False), ((), 'lens', True)]
    assert [(source.index, source.reduce) for source in sources] == [
        (2, ''), (-1, 'sum'), (-1, '')]


def test_whole_numbers_make_the_same_contract(tmp_path):
    contract, _ = loaded(tmp_path, TOOL % '')
    path = tmp_path / 'some.yaml'
    path.write_text(path.read_text().replace('20.0', '20').replace('0.5', '5'))
    whole, _ = load_contract(path)
    assert (repr(whole.rate), repr(whole.actions[0].upper)) == ('20.0', '5.0')
    assert contract.action_space == whole.action_space == TOOL_VELOCITY


@pytest.mark.parametrize('changes, sentence', [
    (', joints: []', 'features.tool_position.joints'), (', reduce: mean', 'reduce is .mean.')])
def test_a_feature_needs_joints_and_a_known_way_to_reduce_them(tmp_path, changes, sentence):
    with pytest.raises(ContractError, match=sentence):
        loaded(tmp_path, TOOL % changes)


def test_features_come_from_any_topic_of_the_types_that_are_known(tmp_path):
    twist = WRENCH.replace('WrenchStamped', 'TwistStamped').replace('wrist', 'tip').replace(
        'force', 'angular')
    other = '  - {name: lift, topic: lift/joint_states, field: position, joints: [column]}\n'
    contract, sources = loaded(tmp_path, WRENCH + twist + NUMBERS + other + (
        CAMERA % ', type: sensor_msgs/msg/CompressedImage') + TOOL % ', frame_id: table')
    assert [(f.name, f.elements, f.frame_id) for f in contract.features if f.elements] == [
        ('force', ('x', 'y', 'z'), ''), ('angular', ('x', 'y', 'z'), ''),
        ('touch', ('a', 'b'), ''), ('lift', ('column',), ''),
        ('tool_position', ('x', 'y', 'z'), 'table')]
    assert [source.kind.rpartition('/')[2] for source in sources] == [
        'WrenchStamped', 'TwistStamped', 'Float64MultiArray', 'JointState', 'CompressedImage',
        'PoseStamped']
