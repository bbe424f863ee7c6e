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

"""A small arm that is not ours: a gantry with a pointer, as its owner would describe it."""

from pathlib import Path

import yaml

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
    'joint_limits': {name: {'max_acceleration': 20.0} for name in ('slide', 'cross', 'lift')}}
"""Base on the table, x forwards, as the tasks have it."""


def write_arm(folder: Path, name: str = 'gantry', **changes) -> Path:
    """
    Write URDF and robot file.

    :param changes: keys of the file that are other than in ``FILE``
    :returns: the robot file
    """
    joints = [dict(zip(('name', 'kind', 'parent', 'child', 'xyz', 'axis', 'limit'), row))
              for row in _JOINTS]
    links = [_LINK.format(name=link) for link in ('rail', *(one['child'] for one in joints))]
    (folder / 'arm.urdf').write_text(
        f'<robot name="{name}">{"".join(links)}'
        f'{"".join(_JOINT.format(**one) for one in joints)}\n</robot>\n')
    file = folder / f'{name}.yaml'
    file.write_text(yaml.safe_dump({**FILE, **changes}))
    return file
