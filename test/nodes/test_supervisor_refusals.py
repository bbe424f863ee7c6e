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

from diagnostic_msgs.msg import DiagnosticArray
from il_ros.bridge.messages import float32s
from il_ros.data.spec import EXPERT, FAULT, POLICY, TERMINATED
from il_ros.nodes import qos
from il_ros.nodes.supervisor import SupervisorNode
from il_ros.nodes.supervisor_parameters import SupervisorParameters
from il_ros.robots.actuation import TRACKING_LIMIT_RAD
from il_ros.robots.panda import PANDA
from il_ros_interfaces.msg import Action, Executed
import numpy as np
import pytest
from sensor_msgs.msg import JointState
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
    assert bench.until(lambda: made.supervisor._counts['refused_messages'])
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
    assert bench.until(lambda: made.supervisor._counts['refused_messages'])
    assert not made.commands
    assert "lacks ['panda_joint1'" in made.supervisor._problem


@pytest.mark.parametrize('field, value', [('contract_id', 12345), ('source', EXPERT)])
def test_an_action_for_another_contract_or_of_another_source_is_refused_and_named(
        arm, field, value):
    arm.observe()
    wrong = Action(contract_id=CONTRACT.id, source=POLICY, engaged=True,
                   values=float32s(np.array([0.5, 0.0, 0.0])))
    setattr(wrong, field, value)
    wrong.header.stamp = arm.stamp()
    arm.drivers[POLICY].publish(wrong)
    assert arm.bench.until(lambda: arm.supervisor._counts['refused_messages'])
    assert 'policy/action says contract' in arm.supervisor._problem
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
    elsewhere[1] += 0.4
    made.observe(joints=JointState(name=list(PANDA.joint_names), position=elsewhere.tolist()))
    made.answer(POLICY, [0.2, 0, 0])
    assert bench.until(lambda: made.ends)
    assert (made.ends[0].end, made.ends[0].cause) == (TERMINATED, FAULT)
    assert 'panda_joint2 is 0.3' in made.ends[0].reason
    if mode == 'realtime':
        held = made.sent()
        np.testing.assert_allclose(held.command.position, elsewhere)
        assert held.limits & Executed.NOT_FOLLOWED


def test_the_graph_and_the_gymnasium_environments_have_one_limit_on_tracking():
    assert SupervisorParameters().tracking_limit_rad == TRACKING_LIMIT_RAD
