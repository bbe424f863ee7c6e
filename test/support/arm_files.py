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

"""Arms that are not ours, as their owners would describe them: a gantry, the documents' arm."""

from pathlib import Path
import re

import yaml

OWN_ROBOT = Path(__file__).parents[2] / 'docs' / 'tutorials' / 'own-robot.md'

_LINK = """
  <link name="{name}">
    <inertial><mass value="0.5"/>
      <inertia ixx="0.002" ixy="0" ixz="0" iyy="0.002" iyz="0" izz="0.002"/></inertial>
    <visual><geometry><box size="0.04 0.04 0.04"/></geometry></visual>
  </link>"""
_JOINT = """
  <joint name="{name}" type="{kind}">
    <parent link="{parent}"/><child link="{child}"/>
    <origin xyz="{xyz}"/><axis xyz="{axis}"/>
    {limit}
  </joint>"""
TURN_LIMIT = '<limit lower="-2" upper="2" velocity="3" effort="10"/>'
_JOINTS = (
    ('slide', 'prismatic', 'rail', 'bridge', '0 0 0.8', '1 0 0',
     '<limit lower="0" upper="1" velocity="1" effort="500"/>'),
    ('cross', 'prismatic', 'bridge', 'cart', '0 0 0', '0 1 0',
     '<limit lower="-0.5" upper="0.5" velocity="1" effort="500"/>'),
    ('lift', 'prismatic', 'cart', 'column', '0 0 0', '0 0 -1',
     '<limit lower="0" upper="0.8" velocity="0.8" effort="400"/>'),
    ('turn', 'revolute', 'column', 'hand', '0 0 0', '0 0 -1', TURN_LIMIT))

FILE = {
    'urdf': 'arm.urdf', 'base_frame': 'rail',
    'tool': {'link': 'hand', 'xyz': [0.0, 0.0, -0.2], 'rpy': [3.141592653589793, 0.0, 0.0],
             'pointer_radius': 0.015, 'pointer_length': 0.15},
    'joints': ['slide', 'cross', 'lift', 'turn'], 'home': [0.5, 0.0, 0.4, 0.0],
    'workspace': {'lower': [0.32, -0.3, 0.01], 'upper': [0.68, 0.3, 0.4]}, 'margin': 0.005,
    'joint_limits': {
        name: {'max_acceleration': 20.0} for name in ('slide', 'cross', 'lift', 'turn')}}
"""Base on the table, x forwards, as the tasks have it."""


def write_arm(folder: Path, name: str = 'gantry', **changes) -> Path:
    """
    Write URDF and robot file.

    :param changes: keys of the file that are other than in ``FILE``; limits of single joints
    :returns: the robot file
    """
    joints = [dict(zip(('name', 'kind', 'parent', 'child', 'xyz', 'axis', 'limit'), row))
              for row in _JOINTS]
    links = [_LINK.format(name=link) for link in ('rail', *(one['child'] for one in joints))]
    (folder / 'arm.urdf').write_text(
        f'<robot name="{name}">{"".join(links)}'
        f'{"".join(_JOINT.format(**one) for one in joints)}\n</robot>\n')
    file = folder / f'{name}.yaml'
    limits = {**FILE['joint_limits'], **changes.pop('joint_limits', {})}
    file.write_text(yaml.safe_dump({**FILE, **changes, 'joint_limits': limits}))
    return file


_ARM_LIMIT = '<limit lower="-6.28" upper="6.28" velocity="3.14" effort="50"/>'
_ELBOW_LIMIT = _ARM_LIMIT.replace('6.28', '3.14')
_FINGER_LIMIT = '<limit lower="0" upper="0.035" velocity="0.15" effort="60"/>'
_QUARTER = '0 1.570796 0'
_SIX_JOINTS = (
    ('shoulder_pan_joint', 'revolute', '0 0 0.15', '0 0 0', '0 0 1', _ARM_LIMIT),
    ('shoulder_lift_joint', 'revolute', '0 0.12 0', _QUARTER, '0 1 0', _ARM_LIMIT),
    ('elbow_joint', 'revolute', '0 -0.1 0.3', '0 0 0', '0 1 0', _ELBOW_LIMIT),
    ('wrist_1_joint', 'revolute', '0 0 0.26', _QUARTER, '0 1 0', _ARM_LIMIT),
    ('wrist_2_joint', 'revolute', '0 0.08 0', '0 0 0', '0 0 1', _ARM_LIMIT),
    ('wrist_3_joint', 'revolute', '0 0 0.08', '0 0 0', '0 1 0', _ARM_LIMIT),
    ('flange', 'fixed', '0 0.07 0', '-1.570796 0 0', '0 0 1', ''))
_HAND = (
    ('tcp', 'fixed', '0 0 0.12', '0 0 0', '0 0 1', ''),
    ('left_finger_joint', 'prismatic', '0.006 0 0.06', '0 0 0', '1 0 0', _FINGER_LIMIT),
    ('right_finger_joint', 'prismatic', '-0.006 0 0.06', '0 0 0', '-1 0 0',
     f'{_FINGER_LIMIT}<mimic joint="left_finger_joint"/>'))
_MASS = ('<inertial><mass value="0.5"/><inertia ixx="0.002" ixy="0" ixz="0" iyy="0.002" iyz="0" '
         'izz="0.002"/></inertial>')
_FINGER = ('<collision><origin xyz="0 0 0.035"/><geometry><box size="0.012 0.022 0.07"/>'
           '</geometry></collision>')


def write_documented_arm(folder: Path) -> Path:
    """
    Write the arm of six joints with a gripper of docs/tutorials/own-robot.md.

    Its joints are as a UR's, its tool a frame without a mass, its second finger follows the first.

    :returns: the robot file, word for word that of the page
    """
    parent, parts = 'base', []
    for chain, joints in (('arm', _SIX_JOINTS), ('hand', _HAND)):
        for name, kind, xyz, rpy, axis, rest in joints:
            child = name if name == 'tcp' else f'{name}_link'
            shape = '' if name == 'tcp' else _MASS + _FINGER * ('finger' in name)
            parts.append(
                f'<link name="{child}">{shape}</link><joint name="{name}" type="{kind}">'
                f'<parent link="{parent}"/><child link="{child}"/><origin xyz="{xyz}" '
                f'rpy="{rpy}"/><axis xyz="{axis}"/>{rest}</joint>')
            parent = child if chain == 'arm' else parent
    (folder / 'my_arm.urdf').write_text(
        f'<robot name="my_arm"><link name="base">{_MASS}</link>{"".join(parts)}</robot>')
    blocks = re.findall(r'```yaml\n(urdf: my_arm.urdf.*?)```', OWN_ROBOT.read_text(), re.DOTALL)
    file = folder / 'my_arm.yaml'
    file.write_text(blocks[0])
    return file
