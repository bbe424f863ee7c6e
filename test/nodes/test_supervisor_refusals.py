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

"""What the supervisor refuses: joints no arm can have, foreign answers, starts outside the box."""

import time

from diagnostic_msgs.msg import DiagnosticArray
from il_ros.contract.episode_spec import ENDED, EXPERT, FAULT, POLICY, TERMINATED
from il_ros.nodes.supervisor import SupervisorNode
from il_ros.robots.actions.actuator import TRACKING_LIMIT_RAD
from il_ros.ros import qos
from il_ros.ros.conversion.messages import float32s, to_stamp
from il_ros.ros.supervision.neighbours import publishers
from il_ros.ros.supervision.parameters import SupervisorParameters
from il_ros_interfaces.msg import Action, Executed
from il_ros_interfaces.srv import SetDriver
import numpy as np
import pytest
import rclpy
from sensor_msgs.msg import JointState
from shipped_arms import PANDA
from std_msgs.msg import Bool
from std_srvs.srv import Trigger
from test_supervisor import Arm, CONTRACT, STILL


@pytest.fixture
def arm(bench) -> Arm:
    """Return an arm with an episode that the policy drives."""
    made = Arm(bench)
    assert made.arm().error_code == 0
    return made


def test_the_emergency_stop_is_heard_from_a_volatile_publisher_and_not_released_over_it(arm):
    estop = arm.bench.talk(Bool, 'estop', 10)
    estop.publish(Bool(data=True))
    assert arm.bench.until(lambda: arm.supervisor._estop.pressed)
    assert arm.drive([0.2, 0, 0]).limits == Executed.STOPPED
    refused = arm.bench.call(Trigger, 'estop_reset', Trigger.Request())
    assert not refused.success
    assert 'probe still says true' in refused.message
    estop.publish(Bool(data=False))
    assert arm.bench.until(lambda: not arm.supervisor._estop._topic_pressed)
    assert arm.bench.call(Trigger, 'estop_reset', Trigger.Request()).success
    assert arm.drive([0.2, 0, 0]).driver == POLICY


def test_whether_the_emergency_stop_holds_is_said_from_the_start(bench):
    stopped = bench.listen(Bool, 'estopped', qos.LATCHED)
    bench.add(SupervisorNode)
    assert bench.until(lambda: stopped)
    assert not stopped[0].data


def test_a_supervisor_that_was_deactivated_in_motion_ends_the_episode_and_sends_nothing(bench):
    made = Arm(bench, mode='realtime')
    assert made.arm().error_code == 0
    made.drive([0.2, 0, 0])
    made.supervisor.trigger_deactivate()
    assert bench.until(lambda: made.ends)
    assert (made.ends[0].cause, made.ends[0].reason) == (FAULT, 'the supervisor was deactivated')
    count = len(made.commands)
    for _ in range(3):
        made.observe()
        made.answer(POLICY, [0.2, 0, 0])
    assert not bench.until(lambda: len(made.commands) > count, timeout_s=0.3)


@pytest.mark.parametrize('wrong', [50.0, float('nan'), float('inf')])
def test_joints_that_no_arm_can_have_are_refused_and_the_last_good_ones_count(bench, wrong):
    made = Arm(bench, mode='realtime', silence_s=5.0)
    reports = bench.listen(DiagnosticArray, '/diagnostics')
    assert made.arm().error_code == 0
    made.observe()
    made._joints.publish(JointState(name=list(PANDA.joint_names), position=[wrong] * 9))
    assert bench.until(lambda: made.supervisor.refusals.count)
    made.answer(POLICY, STILL)
    np.testing.assert_allclose(made.sent().command.position, PANDA.home, atol=1e-3)
    assert bench.until(lambda: any(
        (value.key, value.value) == ('refused_messages', '1')
        for report in reports for status in report.status for value in status.values))


def test_joints_without_names_are_refused_from_the_first_message_on(bench):
    made = Arm(bench, mode='realtime', silence_s=0.3)
    assert made.arm().error_code == 0
    made.observe(joints=JointState(position=PANDA.home.tolist()))
    made.answer(POLICY, STILL)
    assert bench.until(lambda: made.supervisor.refusals.count)
    assert not made.commands
    assert "lacks ['panda_joint1'" in made.supervisor.refusals.newest['joint_states']


@pytest.mark.parametrize('field, value', [('contract_id', 12345), ('source', EXPERT)])
def test_an_action_for_another_contract_or_of_another_source_is_refused_and_named(
        arm, field, value):
    arm.observe()
    wrong = Action(contract_id=CONTRACT.id, source=POLICY, engaged=True,
                   values=float32s(np.array([0.5, 0.0, 0.0])))
    setattr(wrong, field, value)
    wrong.header.stamp = arm.stamp()
    arm.drivers[POLICY].publish(wrong)
    assert arm.bench.until(lambda: arm.supervisor.refusals.count)
    assert 'contract_id is' in arm.supervisor.refusals.newest['policy/action']
    arm.answer(POLICY, [0.1, 0, 0])
    assert list(arm.sent().values) == pytest.approx([0.1, 0.0, 0.0])


def test_a_policy_that_goes_on_to_answer_nonsense_ends_the_episode(arm):
    for _ in range(5):
        arm.drive([float('nan'), 0, 0])
    assert arm.bench.until(lambda: arm.ends)
    assert arm.ends[0].cause == FAULT
    assert 'answered 5 times in a row' in arm.ends[0].reason


def test_an_arm_outside_its_workspace_is_not_moved_and_the_episode_ends_with_the_distance(bench):
    made = Arm(bench)
    assert made.arm().error_code == 0
    made.q[1] = -0.9
    made.observe()
    made.answer(POLICY, STILL)
    assert bench.until(lambda: made.ends)
    assert made.ends[0].cause == FAULT
    assert 'outside the workspace' in made.ends[0].reason
    assert not made.commands


@pytest.mark.parametrize('mode', ['lockstep', 'realtime'])
def test_an_arm_that_does_not_follow_ends_the_episode_and_holds_where_it_is(bench, mode):
    made = Arm(bench, mode=mode, silence_s=5.0)
    assert made.arm().error_code == 0
    made.drive([0.2, 0, 0])
    elsewhere = PANDA.home.copy()
    elsewhere[1] += 0.6
    for _ in range(1 if mode == 'lockstep' else 2):  # real time does not believe the first one
        made.observe(joints=JointState(name=list(PANDA.joint_names), position=elsewhere.tolist()))
        made.answer(POLICY, [0.2, 0, 0])
    assert bench.until(lambda: made.ends)
    assert (made.ends[0].end, made.ends[0].cause) == (TERMINATED, FAULT)
    assert 'panda_joint2 is 0.5' in made.ends[0].reason
    if mode == 'realtime':
        made.q = elsewhere
        sent = [np.array(made.sent().command.position)]
        for _ in range(14):
            made.observe(joints=JointState(
                name=list(PANDA.joint_names), position=elsewhere.tolist()))
            made.answer(POLICY, [0.2, 0, 0])
            held = made.sent()
            sent.append(np.array(held.command.position))
        np.testing.assert_allclose(sent[-1], elsewhere, atol=1e-3)
        change = np.abs(np.diff(sent, 2, axis=0))[:, PANDA.arm] / 0.05 ** 2
        assert (change <= PANDA.acceleration[PANDA.arm]).all(), 'it goes there, it does not jump'
        assert held.limits & Executed.NOT_FOLLOWED


def test_the_graph_and_the_gymnasium_environments_have_one_limit_on_tracking():
    assert SupervisorParameters().tracking_limit_rad == TRACKING_LIMIT_RAD


def test_one_message_far_from_the_one_before_is_not_believed_and_two_are(bench):
    made = Arm(bench, mode='realtime', silence_s=5.0)
    assert made.arm().error_code == 0
    made.drive([0.2, 0, 0])
    elsewhere = PANDA.home.copy()
    elsewhere[1] += 0.9
    made.observe(joints=JointState(name=list(PANDA.joint_names), position=elsewhere.tolist()))
    made.answer(POLICY, [0.2, 0, 0])
    sent = made.sent()
    assert np.abs(sent.command.position - PANDA.home).max() < 0.1
    assert 'panda_joint2 moved by 0.9' in made.supervisor.refusals.newest['joint_states']
    made.q = sent.command.position
    assert made.drive([0.2, 0, 0]).driver == POLICY
    assert not made.ends


def test_joints_that_are_not_measured_any_more_are_not_acted_on(bench):
    made = Arm(bench, mode='realtime', silence_s=0.6)
    assert made.arm().error_code == 0
    made.drive([0.2, 0, 0])
    nothing = JointState(name=['other'], position=[0.0])
    began = made.supervisor._measured_at

    def goes_on():
        made.observe(joints=nothing)
        made.answer(POLICY, [0.2, 0, 0])
        assert bench.until(lambda: made.supervisor._arbiter.step == made.step)
        return any(step.limits & Executed.REFUSED_STALE for step in made.executed)
    assert bench.until(goes_on)
    assert made.supervisor._measured_at == began
    assert bench.until(lambda: goes_on() and made.ends)
    assert (made.ends[0].cause, made.ends[0].reason) == (
        FAULT, 'no usable joint_states for 0.6 s')


@pytest.mark.parametrize('rate_hz', [10.0, 30.0])
def test_a_beat_that_is_not_the_contracts_is_not_armed_and_ends_the_episode(bench, rate_hz):
    made = Arm(bench, mode='realtime', silence_s=5.0)
    assert made.arm().error_code == 0
    made.stamp = lambda: to_stamp(round((made.step + 1) * 1e9 / rate_hz))
    assert bench.until(lambda: made.drive([0.0, 0, 0]) and made.ends)
    assert made.ends[0].cause == FAULT
    assert f'observations come at {rate_hz:.1f} Hz, the contract says 20 Hz' in (
        made.ends[0].reason)
    made.observe(phase=ENDED)
    assert bench.until(lambda: made.supervisor._arbiter.phase == ENDED)
    refused = made.arm()
    assert refused.error_code == SetDriver.Response.BUSY
    assert 'observations come at' in refused.error_msg


def test_two_nodes_that_answer_for_the_policy_are_not_armed(bench):
    made = Arm(bench)
    other = bench.beside().keep(rclpy.create_node('second', context=bench._beside[-1].context))
    other.create_publisher(Action, 'policy/action', qos.STREAM)
    assert bench.until(lambda: len(publishers(made.supervisor, 'policy/action')) == 2)
    refused = made.arm()
    assert refused.error_code == SetDriver.Response.BUSY
    assert refused.error_msg == '/probe and /second publish policy/action; stop all but one'


def test_a_second_node_that_answers_for_the_policy_ends_the_episode(arm):
    arm.drive([0.1, 0, 0])
    beside = arm.bench.beside()
    other = beside.keep(rclpy.create_node('second', context=beside.context))
    publisher = other.create_publisher(Action, 'policy/action', qos.STREAM)
    assert arm.bench.until(lambda: publisher.get_subscription_count()
                           and len(publishers(arm.supervisor, 'policy/action')) == 2)
    arm.drive([0.1, 0, 0])
    arm.drivers[POLICY], first = publisher, arm.drivers[POLICY]
    arm.answer(POLICY, [0.3, 0, 0])
    assert arm.bench.until(lambda: arm.ends)
    assert first is not publisher
    assert arm.ends[0].cause == FAULT
    assert arm.ends[0].reason == '/probe and /second both answer on policy/action'


def test_a_second_writer_of_commands_ends_the_episode_and_is_named(arm):
    arm.drive([0.1, 0, 0])
    beside = arm.bench.beside()
    other = beside.keep(rclpy.create_node('stranger', context=beside.context))
    writer = other.create_publisher(JointState, 'joint_command', qos.COMMAND)
    assert arm.bench.until(lambda: arm.ends)
    assert (arm.ends[0].cause, arm.ends[0].reason) == (
        FAULT, '/stranger writes joint_command, too')
    assert writer.topic_name == '/joint_command'
    arm.observe(phase=ENDED)
    assert arm.bench.until(lambda: arm.supervisor._arbiter.phase == ENDED)
    assert '/stranger writes joint_command, too' in arm.arm().error_msg


def test_a_press_of_the_emergency_stop_outlives_the_supervisor(bench):
    first = bench.beside()
    first.add(SupervisorNode)
    assert bench.until(lambda: bench.probe.count_subscribers('estop'))
    assert bench.call(Trigger, 'estop', Trigger.Request()).success
    first.close()
    bench._clients.clear()
    second = bench.add(SupervisorNode)
    assert second._estop.pressed
    stopped = bench.listen(Bool, 'estopped', qos.LATCHED)
    assert bench.until(lambda: stopped and stopped[-1].data)
    assert bench.call(Trigger, 'estop_reset', Trigger.Request()).success
    assert not bench.add(SupervisorNode)._estop.pressed


def test_a_press_of_a_supervisor_elsewhere_is_not_this_ones(bench):
    pressed = bench.add(SupervisorNode, estop_file='')
    pressed._estop._press()
    assert not bench.add(SupervisorNode)._estop.pressed


def test_a_lost_heartbeat_of_the_emergency_stop_is_a_press(bench):
    made = bench.add(SupervisorNode, estop_heartbeat_s=0.5)
    heart = bench.talk(Bool, 'estop', 10)
    began = time.monotonic()
    assert bench.until(lambda: heart.publish(Bool(data=False)) or time.monotonic() > began + 1.0)
    assert not made._estop.pressed
    assert bench.until(lambda: made._estop.pressed)
    refused = bench.call(Trigger, 'estop_reset', Trigger.Request())
    assert not refused.success and 'no message on estop for 0.5 s' in refused.message
    heard_at = made._estop._heard_at
    assert bench.until(lambda: heart.publish(Bool(data=False))
                       or made._estop._heard_at > heard_at)
    assert bench.call(Trigger, 'estop_reset', Trigger.Request()).success
