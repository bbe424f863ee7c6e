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

"""What is wrong with a ROS graph and an arm in it, from facts."""

import dataclasses
from pathlib import Path
import re

from il_ros.doctor import graph_checks
from il_ros.doctor.findings import Level
from il_ros.robots.model import find_robot
from il_ros.ros.presence.graph_facts import End, GraphFacts, Joints, RobotFacts, Stream
import pytest

OK, WARN, FAIL = Level.OK, Level.WARN, Level.FAIL
PANDA = find_robot('panda')
TYPE = 'sensor_msgs/msg/JointState'
FACTS = RobotFacts(
    'joint_command', TYPE, (End('/supervisor', TYPE),), (End('/arm', TYPE, lease_s=0.3),),
    joints=Joints(PANDA.joint_names, tuple(PANDA.home)), description=Path(PANDA.urdf).read_text())


def stream(period_s: float, age_s: float = 0.01, stands: bool = False) -> Stream:
    """Return ten messages; where time stands, all with one stamp."""
    arrivals = tuple(index * period_s for index in range(10))
    return Stream(arrivals, tuple(age_s + stands * arrival for arrival in arrivals))


def judged(check, facts, *more) -> tuple[Level, str]:
    """Return the only finding of a check."""
    finding, = check(facts, *more)
    return finding.level, finding.text


def test_the_arm_as_it_should_be_has_no_complaint():
    found = [*graph_checks.writers(FACTS), *graph_checks.readers(FACTS),
             *graph_checks.joints(FACTS, PANDA), *graph_checks.description(FACTS, PANDA)]
    assert len(found) == 5 and {finding.level for finding in found} == {OK}


@pytest.mark.parametrize('topic, heard, level, words', [
    ('joint_states', stream(0.02), OK, 'comes at 50.0 Hz, 10 ms old'),
    ('joint_states', stream(0.5), WARN, 'raise its rate to 10 Hz'),
    ('joint_states', stream(0.02, 60.0), WARN, 'synchronise the clocks'),
    ('joint_states', stream(0.02, -60.0), WARN, 'synchronise the clocks'),
    ('joint_states', stream(0.5, 1.0, True), WARN, 'all messages of joint_states have the same'),
    ('joint_states', Stream(), FAIL, 'joint_states is silent; start the driver'),
    ('tool_pose', Stream((1.0,), (0.0,)), OK, 'il_ros computes it')])
def test_rates_and_ages_of_the_states(topic, heard, level, words):
    found, text = judged(graph_checks.states,
                         dataclasses.replace(FACTS, streams={topic: heard}))
    assert found == level and words in text


@pytest.mark.parametrize('names, level, words', [
    ([], OK, 'nobody yet'), (['/supervisor'], OK, 'by /supervisor'),
    (['/lab/supervisor'], OK, 'by /lab/supervisor'), (['/gui'], WARN, '/gui writes joint_command'),
    (['/supervisor', '/gui'], FAIL, '2 nodes write joint_command: /supervisor, /gui; end all')])
def test_one_writer_of_commands(names, level, words):
    found, text = judged(graph_checks.writers, dataclasses.replace(
        FACTS, writers=tuple(End(name, TYPE) for name in names)))
    assert found == level and words in text


@pytest.mark.parametrize('end, level, words', [
    (End('/arm', 'std_msgs/msg/Float64MultiArray'), FAIL, '/arm expects std_msgs/msg/Float64Mu'),
    (End('/arm', TYPE, 'it asks for transient local durability'), FAIL, '(it asks for transient'),
    (End('/arm', TYPE), WARN, 'stops by itself when no command comes')])
def test_a_subscriber_that_does_not_hear_or_notice_the_supervisor(end, level, words):
    found, text = judged(graph_checks.readers, dataclasses.replace(FACTS, readers=(end,)))
    assert found == level and words in text


def test_nobody_who_obeys_is_a_failure():
    assert judged(graph_checks.readers, dataclasses.replace(FACTS, readers=()))[0] == FAIL


def with_joints(names, positions) -> RobotFacts:
    """Return the facts with other joint states."""
    return dataclasses.replace(FACTS, joints=Joints(tuple(names), tuple(positions)))


def test_joints_in_another_order_are_a_warning_with_both_orders():
    found, _ = graph_checks.joints(with_joints(
        PANDA.joint_names[::-1], PANDA.home[::-1]), PANDA)
    assert found.level == WARN and 'il_ros reads by name, but a controller' in found.text
    assert ', '.join(PANDA.joint_names) in found.text


@pytest.mark.parametrize('names, words', [
    (PANDA.joint_names[1:], 'lacks panda_joint1; correct'),
    ((*PANDA.joint_names, 'panda_joint1'), 'repeats panda_joint1; correct')])
def test_joints_that_lack_or_repeat_are_a_failure(names, words):
    found, text = judged(graph_checks.joints, with_joints(names, [0.0] * len(names)), PANDA)
    assert found == FAIL and words in text


def test_other_joints_may_be_between():
    found = list(graph_checks.joints(
        with_joints(('wheel', *PANDA.joint_names), (0.0, *PANDA.home)), PANDA))
    assert {finding.level for finding in found} == {OK}


@pytest.mark.parametrize('value', [9.0, float('nan')])
def test_an_arm_outside_its_limits_is_a_failure(value):
    _, found = graph_checks.joints(
        with_joints(PANDA.joint_names, (value, *PANDA.home[1:])), PANDA)
    assert found.level == FAIL and found.text.startswith('panda_joint1 is at')


def test_an_arm_from_where_an_episode_may_begin_is_well():
    shut = (PANDA.lower[0] - 0.04, *PANDA.home[1:7], -0.002, -0.002)
    _, found = graph_checks.joints(with_joints(PANDA.joint_names, shut), PANDA)
    assert (found.level, found.text) == (OK, 'an episode may begin where the joints are')


def test_as_many_positions_as_names():
    assert judged(graph_checks.joints, with_joints(PANDA.joint_names, (0.0,)), PANDA) == (
        FAIL, 'joint_states has 9 names and 1 positions; correct the driver of the arm')


def test_no_joint_states_are_said_by_their_rate_alone():
    assert not list(graph_checks.joints(dataclasses.replace(FACTS, joints=None), PANDA))


def test_limits_wider_than_those_of_robot_description_are_a_failure():
    narrow = re.sub('velocity="[^"]*"', 'velocity="1.0"', FACTS.description)
    found = list(graph_checks.description(
        dataclasses.replace(FACTS, description=narrow), PANDA))
    assert {finding.level for finding in found} == {FAIL}
    assert found[0].text == ('panda_joint1: max_velocity is 2.175, beyond the 1 of the URDF; '
                             'write a limit that the arm keeps (panda)')


@pytest.mark.parametrize('text, level', [
    (None, OK), ('no URDF', FAIL),
    (FACTS.description.replace('lower="', 'lower="far '), FAIL)])
def test_a_description_that_is_absent_or_broken(text, level):
    assert judged(graph_checks.description, dataclasses.replace(FACTS, description=text),
                  PANDA)[0] == level


def test_names_that_are_used_twice_are_a_failure():
    first, second = graph_checks.nodes(GraphFacts(3, ('/arm', '/arm', '/gui')))
    assert first.level == FAIL and 'several nodes are called /arm; end' in first.text
    assert second.text == 'other nodes in domain 3: /arm, /arm, /gui'


def test_sim_time_is_a_warning_and_silence_is_said():
    first, second = graph_checks.sim_time(GraphFacts(3, (), ('/arm',), ('/gui',)))
    assert first.level == WARN and first.text.startswith('/arm with use_sim_time; set it to false')
    assert second == (OK, '/gui did not say whether use_sim_time is set')
