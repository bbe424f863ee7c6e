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

"""What a look at a graph finds that is out of order."""

import contextlib
import threading

from il_ros.ros.presence.graph_facts import Joints
import pytest


@contextlib.contextmanager
def spinning(context, *nodes):
    """Spin nodes in a thread."""
    from rclpy.executors import SingleThreadedExecutor
    executor, stop = SingleThreadedExecutor(context=context), threading.Event()
    for node in nodes:
        executor.add_node(node)

    def spin():
        while not stop.is_set():
            executor.spin_once(timeout_sec=0.1)
    thread = threading.Thread(target=spin)
    thread.start()
    yield
    stop.set()
    thread.join()


def test_a_look_finds_a_second_writer_sim_time_and_what_comes_from_the_arm(context):
    survey = pytest.importorskip('il_ros.ros.presence.survey', reason='needs rclpy: make test')
    from il_ros.ros import qos
    from rclpy.node import Node
    from rclpy.parameter import Parameter
    from sensor_msgs.msg import JointState
    from std_msgs.msg import String
    arm = Node('arm', context=context, parameter_overrides=[Parameter('use_sim_time', value=True)])
    gui = Node('gui', context=context)
    for node in (arm, gui):
        node.create_publisher(JointState, 'joint_command', qos.COMMAND)
    arm.create_subscription(JointState, 'joint_command', lambda _: None, qos.LATCHED)
    arm.create_publisher(String, 'robot_description', qos.LATCHED).publish(String(data='<robot/>'))
    states = arm.create_publisher(JointState, 'joint_states', qos.STREAM)
    gui.create_timer(0.02, lambda: states.publish(JointState(name=['a'], position=[1.0])))
    with spinning(context, arm, gui):
        facts = survey.look(survey.command_of(''), seconds=2.0)
    assert facts.nodes == ('/arm', '/gui') and facts.in_sim_time == ('/arm',)
    assert not facts.silent
    robot = facts.robot
    assert sorted(end.node for end in robot.writers) == ['/arm', '/gui']
    assert {end.type_name for end in robot.writers} == {robot.command_type}
    reader, = robot.readers
    assert reader.mismatch == 'it asks for transient local durability'
    assert robot.description == '<robot/>' and robot.joints == Joints(('a',), (1.0,))
    assert 20.0 < robot.streams['joint_states'].rate_hz < 60.0
    assert not robot.streams['tool_pose'].arrivals_s


def test_a_look_lasts_while_other_nodes_come_but_not_for_ever():
    survey = pytest.importorskip('il_ros.ros.presence.survey', reason='needs rclpy: make test')
    empty, growing = (survey.Patience(3.5, now_s=0.0) for _ in range(2))
    assert [empty.is_over(0, now_s) for now_s in (0.0, 3.4, 3.5)] == [False, False, True]
    assert not growing.is_over(2, 3.0) and not growing.is_over(3, 6.4)
    assert not growing.is_over(3, 9.8) and growing.is_over(3, 9.9)
    assert growing.is_over(4, survey.LONGEST_LOOK_S)


@pytest.mark.parametrize('given, expected', [
    (('',), ('joint_command', 'sensor_msgs/msg/JointState')),
    (('joint_trajectory',), ('joint_trajectory_controller/joint_trajectory',
                             'trajectory_msgs/msg/JointTrajectory')),
    (('twist', 'servo/twist'), ('servo/twist', 'geometry_msgs/msg/TwistStamped'))])
def test_the_commands_of_an_arm_are_those_of_its_adapter(given, expected):
    survey = pytest.importorskip('il_ros.ros.presence.survey', reason='needs rclpy: make test')
    assert survey.command_of(*given) == expected
