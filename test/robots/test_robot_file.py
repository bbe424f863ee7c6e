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

"""Robot files: what they say, what is refused, and what `il_ros check robot` finds."""

import dataclasses
import functools
import re
import xml.etree.ElementTree as ElementTree

from arm_files import TURN_LIMIT, write_arm, write_documented_arm
import il_ros
from il_ros import plugins
from il_ros.cli.parser import main
from il_ros.errors import RobotError
from il_ros.robots import robot_check
from il_ros.robots.kinematics import Kinematics
from il_ros.robots.model import find_robot
from il_ros.robots.robot_file import read_robot, standalone
from il_ros.robots.urdf import loadable, moving_joints, resolve
from il_ros.tasks.registry import TASKS
import numpy as np
import pytest
from shipped_arms import PANDA
import yaml

SHIPPED = ('panda', 'xarm6', 'iiwa')


@pytest.fixture
def arm_file(tmp_path):
    """Return what writes the robot file of a small arm, with other keys."""
    return functools.partial(write_arm, tmp_path)


@pytest.mark.parametrize('name', SHIPPED)
def test_nothing_is_wrong_with_the_robots_of_the_package(name):
    assert list(robot_check.findings(find_robot(name))) == []


def test_limits_are_the_files_or_else_the_urdfs(arm_file):
    robot = read_robot(str(arm_file(joint_limits={
        'lift': {'min_position': 0.1, 'max_acceleration': 2.0, 'max_deceleration': 4.0},
        'turn': {'max_velocity': 0.5, 'has_velocity_limits': False, 'max_jerk': 9.0,
                 'has_acceleration_limits': False}})))
    assert robot.joint_names == ('slide', 'cross', 'lift', 'turn')
    assert robot.lower.tolist() == [0.0 + 0.005, -0.5 + 0.005, 0.1 + 0.005, -2.0 + 0.005]
    assert robot.upper.tolist() == [1.0 - 0.005, 0.5 - 0.005, 0.8 - 0.005, 2.0 - 0.005]
    assert robot.velocity.tolist() == [1.0, 1.0, 0.8, 3.0]
    assert robot.effort.tolist() == [500.0, 500.0, 400.0, 10.0]
    assert robot.acceleration.tolist() == [20.0, 20.0, 2.0, np.inf]
    assert robot.deceleration.tolist() == [20.0, 20.0, 4.0, np.inf]
    assert robot.jerk.tolist() == [np.inf, np.inf, np.inf, 9.0]


def test_a_mounted_tool_is_where_the_file_says(arm_file):
    robot = read_robot(str(arm_file()))
    kinematics = Kinematics(robot)
    try:
        position, quaternion = kinematics.forward(np.zeros(4))
        np.testing.assert_allclose(position, [0.0, 0.0, 0.8 - 0.2], atol=1e-6)
        np.testing.assert_allclose(np.abs(quaternion), [1.0, 0.0, 0.0, 0.0], atol=1e-6)
    finally:
        kinematics.close()


@pytest.mark.parametrize('changes, sentence', [
    ({'urdf': 'absent.urdf'}, "urdf is 'absent.urdf'; there is no file"),
    ({'urdf': 'arm.urdf.xacro'}, 'expected a URDF: write it with `xacro'),
    ({'urdf': 'package://no_such_package/arm.urdf'}, "there is no package 'no_such_package'"),
    ({'joints': ['slide', 'cross', 'elbow']}, 'has no joint elbow; it has slide, cross, lift'),
    ({'home': [0.0, 0.0]}, 'home has 2 numbers; expected 4, one a joint'),
    ({'home': [0.5, 9.0, 0.4, 0.0]},
     'home lies outside the joint limits: cross is at 9 rad (or m); expected -0.495 to 0.495'),
    ({'joint_limits': {'elbow': {}}}, 'has no joint elbow'),
    ({'joint_limits': {'lift': {'max_velocity': -1.0}}}, 'joint_limits.lift.max_velocity is -1.0'),
    ({'joint_limits': {'lift': {'velocity': 1.0}}}, 'velocity'),
    ({'joint_limits': {'lift': {}}}, 'joint_limits.lift.max_acceleration is missing, which a'),
    ({'keep_out': [{'lower': [0.5, 0.0, 0.1], 'upper': [0.4, 0.1, 0.2]}]}, 'keep_out has a box'),
    ({'tool': {'link': 'claw'}}, 'has no link claw'),
    ({'workspace': {'lower': [0.0, 0.0], 'upper': [1.0, 1.0, 1.0]}}, 'workspace.lower'),
    ({'gripper': {'joints': ['turn'], 'open': 0.1, 'closed': 0.1, 'width': 0.08},
      'joints': ['slide', 'cross', 'lift'], 'home': [0.5, 0.0, 0.4]},
     'gripper.open and gripper.closed are both 0.1'),
    ({'joints': ['slide', 'cross', 'lift', 'lift']}, 'a joint is named twice'),
    ({'margin': 'wide'}, "margin is 'wide'"),
    ({'colour': 'red'}, 'colour')])
def test_what_is_wrong_with_a_file_is_a_sentence(arm_file, changes, sentence):
    path = arm_file(**changes)
    with pytest.raises(RobotError) as refused:
        Kinematics(find_robot(str(path))).close()
    assert sentence in str(refused.value)
    assert '\n' not in str(refused.value)


def test_a_limit_that_neither_says_is_asked_for(arm_file):
    path = arm_file()
    urdf = path.parent / 'arm.urdf'
    urdf.write_text(urdf.read_text().replace(TURN_LIMIT, ''))
    with pytest.raises(RobotError, match='limits.turn.min_position is missing, and the URDF'):
        read_robot(str(path))


@pytest.mark.parametrize('changes, finding', [
    ({'lower': PANDA.lower - 1.0}, 'panda_joint1: min_position is -3.8773, beyond'),
    ({'velocity': 2 * PANDA.velocity}, 'max_velocity is 4.35, beyond the 2.175 of the URDF'),
    ({'workspace_lower': np.array([0.1, -0.3, 0.01]),
      'workspace_upper': np.array([1.2, 0.3, 0.4])},
     'of 125 places of the workspace are out of reach'),
    ({'workspace_upper': np.array([0.4, 0.3, 0.4])}, 'outside the workspace; change home'),
    ({'tool_down': np.array([0.0, 1.0, 0.0, 0.0])},
     'turned by 3.142 rad from tool_down: its orientation is [1.0, 0.0, 0.0, 0.0]; if it points '
     'down there, write this as tool_down')])
def test_the_check_finds_what_would_stop_an_arm(changes, finding):
    found = list(robot_check.findings(dataclasses.replace(PANDA, **changes)))
    assert any(finding in one for one in found), found


def test_the_verb_checks_a_file(arm_file, capsys):
    path = arm_file(workspace={'lower': [0.32, -0.3, 0.01], 'upper': [0.68, 0.3, 1.5]})
    assert main(['check', 'robot', str(path)]) == 1
    assert 'places of the workspace are out of reach' in capsys.readouterr().out


def test_the_workspace_that_the_check_suggests_can_be_reached(arm_file):
    wide = {'lower': [-0.2, -0.3, 0.01], 'upper': [0.8, 0.3, 0.4]}
    finding, = robot_check.findings(find_robot(str(arm_file(workspace=wide))))
    found = re.search(r'e\.g\. ({.*?})', finding)
    assert found is not None, finding
    smaller = yaml.safe_load(found[1])
    assert smaller['lower'][2] == 0.01
    assert list(robot_check.findings(find_robot(str(arm_file(workspace=smaller))))) == []


def test_frames_without_a_mass_are_light(arm_file, capfd):
    path = arm_file(tool={'link': 'tcp'})
    urdf = path.parent / 'arm.urdf'
    urdf.write_text(urdf.read_text().replace('</robot>', (
        '<link name="tcp"/><joint name="tcp_joint" type="fixed"><parent link="hand"/>'
        '<child link="tcp"/><origin xyz="0 0 -0.2"/></joint></robot>')))
    kinematics = Kinematics(find_robot(str(path)))
    kinematics.close()
    assert capfd.readouterr().err == ''
    with loadable(str(urdf)) as file:
        links = ElementTree.parse(file).getroot().findall('link')
    assert [mass.get('value') for link in links for mass in link.iterfind('inertial/mass')] == [
        *['0.5'] * 5, '0.05']


@pytest.mark.parametrize('name', SHIPPED)
def test_a_urdf_in_which_nothing_is_missing_is_loaded_as_it_is(name):
    with loadable(find_robot(name).urdf) as file:
        assert file == find_robot(name).urdf


def test_the_arm_of_the_documents_does_the_tasks(tmp_path, capsys):
    file = str(write_documented_arm(tmp_path))
    assert main(['check', 'robot', file]) == 0
    assert capsys.readouterr().out.endswith('in simulation: ' + ', '.join(TASKS) + '\n')
    for task in ('reach', 'push', 'pick_place'):
        env = il_ros.make_env(task, robot=file)
        shown = il_ros.demonstrate(env, il_ros.make_expert(task, env.contract), seeds=[0])
        assert [episode.success for episode in shown.episodes] == [True]
        env.close()


@pytest.mark.parametrize('was, now, finding', [
    ('width: 0.07', 'width: 0.035', 'gripper.width is 0.035 m, and the fingers go 0.070 m apart '
     'from gripper.closed to gripper.open; correct one of the three'),
    ('open: 0.035, closed: 0.0', 'open: 0.0, closed: 0.035', 'the fingers come nearer to each '
     'other from gripper.closed to gripper.open; exchange the two')])
def test_a_gripper_that_is_described_wrongly_is_found(tmp_path, was, now, finding):
    file = write_documented_arm(tmp_path)
    file.write_text(file.read_text().replace(was, now))
    assert next(robot_check.findings(find_robot(str(file)))) == finding


def test_the_check_says_which_tasks_an_arm_can_do_and_where_it_should_stand(arm_file, capsys):
    own = {'lower': [-0.2, -0.3, 0.01], 'upper': [0.4, 0.3, 0.4]}
    assert main(['check', 'robot', str(arm_file(workspace=own, base_position=[-0.5, 0, 0]))]) == 0
    _, able, unable = capsys.readouterr().out.splitlines()
    assert able == 'tasks that it can do in simulation: none'
    found = re.fullmatch(
        'not reach, push, insert, which start anywhere in (workspace: {.*}); the arm reaches all '
        'of that with (base_position: .*)', unable)
    assert found is not None, unable
    suggested = yaml.safe_load('\n'.join(found.groups()))
    assert suggested['base_position'] == [-0.3, 0.0, 0.0]
    assert main(['check', 'robot', str(arm_file(home=[0.8, 0.0, 0.4, 0.0], **suggested))]) == 0
    assert 'in simulation: reach, push, insert\n' in capsys.readouterr().out


def test_an_arm_that_stands_nowhere_right_is_told_so(arm_file):
    robot = find_robot(str(arm_file()))
    far = np.array([0.0, -2.0, 0.0]), np.array([0.1, 2.0, 0.1])
    assert robot_check.place_for(robot, far) is None


def test_a_gripper_of_one_joint_has_an_opening():
    robot = find_robot('xarm6')
    assert [one.name for one in robot.followers] == [
        'left_finger_joint', 'left_inner_knuckle_joint', 'right_outer_knuckle_joint',
        'right_finger_joint', 'right_inner_knuckle_joint']
    for opening_m in (0.0, 0.03, 0.085):
        joints = robot.home.copy()
        joints[robot.fingers] = robot.finger_position(opening_m)
        assert robot.opening(joints) == pytest.approx(opening_m)
    assert robot.finger_position(0.0) == pytest.approx(0.85)
    assert robot.closing_speed == pytest.approx(0.2)
    assert (PANDA.closing_speed, find_robot('iiwa').closing_speed) == (0.4, 0.0)


def test_a_copy_in_another_folder_is_the_same_robot(arm_file, tmp_path):
    path = arm_file()
    copy = tmp_path / 'elsewhere' / path.name
    copy.parent.mkdir()
    copy.write_bytes(standalone(str(path)))
    one, other = read_robot(str(path)), read_robot(str(copy))
    assert one.name == other.name == 'gantry'
    assert one.lower.tolist() == other.lower.tolist()
    assert yaml.safe_load(copy.read_text())['urdf'] == str(path.parent / 'arm.urdf')


def test_packages_are_found_by_the_ament_index_and_as_python_packages(tmp_path, monkeypatch):
    share = tmp_path / 'share' / 'my_arm_description'
    share.mkdir(parents=True)
    monkeypatch.setenv('AMENT_PREFIX_PATH', f'/nowhere:{tmp_path}')
    assert resolve('package://my_arm_description/urdf/arm.urdf', tmp_path) == (
        share / 'urdf' / 'arm.urdf')
    assert resolve('package://pybullet_data/plane.urdf', tmp_path).is_file()
    (share / 'meshes').mkdir()
    urdf = tmp_path / 'arm.urdf'
    urdf.write_text('<robot><mesh filename="package://my_arm_description/meshes/a.stl"/></robot>')
    with loadable(str(urdf)) as file, open(file) as copy:
        assert f'filename="{share}/meshes/a.stl"' in copy.read()


def test_what_is_no_urdf_is_refused():
    with pytest.raises(RobotError, match='it is no URDF'):
        moving_joints('joints: 7')


def test_a_number_that_was_not_expanded_is_a_sentence(arm_file):
    path = arm_file()
    urdf = path.parent / 'arm.urdf'
    urdf.write_text(urdf.read_text().replace('upper="0.8"', 'upper="${reach}"'))
    with pytest.raises(RobotError, match=r"has '\$\{reach\}' where a number is expected"):
        find_robot(str(path))


def test_a_file_is_not_called_as_a_robot_that_is_registered(tmp_path):
    path = write_arm(tmp_path, name='panda')
    with pytest.raises(RobotError, match="'panda' is the name of robot 'panda' of the package"):
        find_robot(str(path))
    assert find_robot('panda').joint_names == PANDA.joint_names
    assert find_robot(str(plugins.table('robots')['xarm6'].load())).name == 'xarm6'
