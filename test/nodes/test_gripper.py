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

"""The gripper's action of either type, and joint_jog: control_msgs is built in a workspace."""

import json
import os
from pathlib import Path
import subprocess
import sys

from il_ros.errors import ControllerError
from il_ros.ros.commands.gripper import gripper_actions, GripperJoint
import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
INTERFACES = ROOT / 'il_ros_interfaces'
CMAKE = Path(sys.prefix) / 'bin' / 'cmake'

GRIPPER_STATE = 'float64 position\nfloat64 effort\nbool stalled\nbool reached_goal\n'
DEFINITIONS = {
    'msg/GripperCommand.msg': 'float64 position\nfloat64 max_effort\n',
    'msg/JointJog.msg': 'std_msgs/Header header\nstring[] joint_names\nfloat64[] displacements\n'
                        'float64[] velocities\nfloat64 duration\n',
    'action/GripperCommand.action':
        f'GripperCommand command\n---\n{GRIPPER_STATE}---\n{GRIPPER_STATE}',
    'action/ParallelGripperCommand.action':
        'sensor_msgs/JointState command\n---\nsensor_msgs/JointState state\nbool stalled\n'
        'bool reached_goal\n---\nsensor_msgs/JointState state\n'}
"""What is used of control_msgs, as its package defines it."""


def test_a_width_becomes_the_position_of_the_joint():
    fingers = GripperJoint('finger', 0.08, 0.04, 0.0, 40.0)
    assert [fingers.position(width) for width in (0.08, 0.04, 0.0)] == [0.04, 0.02, 0.0]
    turning = GripperJoint('knuckle', 0.085, 0.0, 0.8, 40.0)
    assert [turning.position(width) for width in (1.0, 0.0, -1.0)] == [0.0, 0.8, 0.8]


def test_without_control_msgs_the_action_is_refused_by_its_name(monkeypatch):
    monkeypatch.setitem(sys.modules, 'control_msgs.action', None)
    with pytest.raises(ControllerError, match='control_msgs, which is not installed'):
        gripper_actions()


def make(*words):
    """Run cmake as the interfaces' own build does."""
    done = subprocess.run([str(word) for word in (CMAKE, *words)], text=True, timeout=900,
                          env={**os.environ, 'AMENT_PREFIX_PATH': sys.prefix},
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert done.returncode == 0, done.stdout[-2000:]


@pytest.fixture(scope='module')
def workspace(tmp_path_factory) -> Path:
    """Build the definitions and return where they are installed."""
    if not CMAKE.exists():
        pytest.skip(reason="needs the environment's cmake: make drills")
    folder = tmp_path_factory.mktemp('control_msgs')
    for name, text in DEFINITIONS.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    for name in ('CMakeLists.txt', 'package.xml'):
        (folder / name).write_text(
            (INTERFACES / name).read_text().replace('il_ros_interfaces', 'control_msgs'))
    make('-G', 'Ninja', '-S', folder, '-B', folder / 'build', '-DBUILD_TESTING=OFF',
         f'-DCMAKE_INSTALL_PREFIX={folder / "install"}', f'-DCMAKE_PREFIX_PATH={sys.prefix}',
         f'-DCMAKE_MAKE_PROGRAM={CMAKE.with_name("ninja")}',
         f'-DCMAKE_PROJECT_INCLUDE={ROOT / "cmake" / "wheels.cmake"}',
         f'-DPython3_EXECUTABLE={sys.executable}', f'-DPYTHON_EXECUTABLE={sys.executable}')
    make('--build', folder / 'build')
    make('--install', folder / 'build')
    return folder / 'install'


@pytest.mark.drill
@pytest.mark.timeout(1200)
def test_a_gripper_is_asked_by_the_type_that_is_on_air(workspace):
    [packages] = workspace.glob('lib/python*/site-packages')
    here, libraries = Path(__file__).parent, os.environ.get('LD_LIBRARY_PATH', '')
    done = subprocess.run(
        [sys.executable, str(here / 'with_control_msgs.py')], text=True, timeout=120,
        stdout=subprocess.PIPE, env={
            **os.environ, 'PYTHONPATH': f'{packages}{os.pathsep}{here}',
            'LD_LIBRARY_PATH': f'{workspace / "lib"}{os.pathsep}{libraries}'})
    assert done.returncode == 0
    said = json.loads(done.stdout.splitlines()[-1])
    assert said['gripper'] == [{'position': 0.0, 'effort': 40.0},
                               {'position': 0.8, 'effort': 40.0}]
    assert said['parallel'] == [{'name': ['knuckle'], 'position': [0.0]},
                                {'name': ['knuckle'], 'position': [0.8]}]
    jog = said['jog']
    assert jog['names'] == [f'panda_joint{number}' for number in range(7, 0, -1)]
    assert jog['velocities'] == [6.0, 5.0, 4.0, 3.0, 2.0, 1.0, 0.0]
    assert (jog['frame_id'], jog['sec'], jog['rest']) == ('panda_link0', 7, [0.0] * 7)
