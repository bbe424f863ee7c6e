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


"""What holds or slows the arm beside its drivers: protective hold, speed scale, keep-out boxes."""

from geometry_msgs.msg import Vector3, Wrench, WrenchStamped
from il_ros.contract.episode_spec import EXPERT, FAULT, HOLD, POLICY
from il_ros.errors import ImitationError
from il_ros.graph.graph import overrides
from il_ros.nodes.supervisor import SupervisorNode
from il_ros.ros import qos
from il_ros_interfaces.msg import Executed
import numpy as np
import pytest
from rclpy.parameter import Parameter
from sensor_msgs.msg import JointState
from shipped_arms import PANDA
from std_msgs.msg import Float64
from std_srvs.srv import Trigger
from test_supervisor import Arm, STILL


def with_effort(effort: float) -> JointState:
    """Return joints at home, the first of which has this effort."""
    return JointState(name=list(PANDA.joint_names), position=PANDA.home.tolist(),
                      effort=[effort, *[0.0] * 8])


def hold_by_effort(made: Arm):
    """Drive a step at the largest effort, and one above it."""
    made.observe(joints=with_effort(-87.0))
    made.answer(POLICY, [0.1, 0.0, 0.0])
    assert made.sent().driver == POLICY
    made.observe(joints=with_effort(-87.5))
    made.answer(POLICY, [0.1, 0.0, 0.0])
    assert made.bench.until(lambda: made.ends)


def test_an_effort_above_the_limit_holds_until_it_is_released_also_over_a_restart(bench):
    made = Arm(bench, mode='realtime', silence_s=5.0)
    assert made.arm().error_code == 0
    hold_by_effort(made)
    held = made.sent()
    assert (held.driver, bool(held.limits & Executed.STOPPED)) == (HOLD, True)
    why = 'the effort of panda_joint1 is 87.5; at most 87.0 is accepted'
    assert made.ends[0].cause == FAULT and why in made.ends[0].reason
    assert why in made.supervisor.report()[1]
    made.supervisor._arbiter = None
    refused = made.arm()
    assert why in refused.error_msg and 'release it with protective_reset' in refused.error_msg
    again = bench.add(SupervisorNode, mode='realtime')
    assert why in again._protection.reason
    assert bench.call(Trigger, 'protective_reset', Trigger.Request()).success
    assert bench.until(lambda: not (made.supervisor._protection.reason
                                    and again._protection.reason))
    assert not bench.add(SupervisorNode, mode='realtime')._protection.reason


@pytest.mark.parametrize('parameters', [
    {'mode': 'realtime', 'effort_share': 0.0}, {'mode': 'lockstep'}])
def test_efforts_are_not_watched_in_lockstep_nor_where_the_share_is_zero(bench, parameters):
    made = Arm(bench, **parameters)
    assert made.arm().error_code == 0
    made.observe(joints=with_effort(1000.0))
    made.answer(POLICY, [0.1, 0.0, 0.0])
    assert made.sent().driver == POLICY and not made.supervisor._protection.reason


@pytest.mark.parametrize('force, torque, why', [
    (Vector3(x=30.0, y=30.0), Vector3(), 'force on wrench is 42.4 N; at most 40 is accepted'),
    (Vector3(), Vector3(z=-11.0), 'torque on wrench is 11.0 Nm; at most 10 is accepted')])
def test_a_wrench_beyond_its_limits_is_a_protective_hold(bench, force, torque, why):
    made = bench.add(SupervisorNode, mode='realtime', wrench_topic='wrench')
    wrenches = bench.talk(WrenchStamped, 'wrench', qos.FOREIGN_SENSOR)
    for bad in (Vector3(x=39.0), Vector3(x=float('nan'))):
        wrenches.publish(WrenchStamped(wrench=Wrench(force=bad)))
    wrenches.publish(WrenchStamped(wrench=Wrench(force=force, torque=torque)))
    assert bench.until(lambda: made._protection.reason)
    assert why in made._protection.reason


def test_an_arm_that_does_not_follow_is_a_protective_hold_in_real_time_alone(bench):
    for mode in ('lockstep', 'realtime'):
        made = Arm(bench.beside(), mode=mode, tracking_limit_rad=0.01)
        assert made.arm().error_code == 0
        made.drive([0.5, 0.0, 0.0])
        made.q = np.array(PANDA.home)
        made.observe()
        made.answer(POLICY, [0.5, 0.0, 0.0])
        assert made.bench.until(lambda: made.ends)  # noqa: B023
        assert ('from where it was sent' in made.supervisor._protection.reason) == (
            mode == 'realtime')


def test_the_parameter_and_the_operator_scale_the_speed_and_the_lower_one_counts(bench):
    made = Arm(bench)
    assert made.arm().error_code == 0
    operator = bench.talk(Float64, 'speed_scale')
    for share, word, expected in ((1.0, None, 0.1), (0.5, None, 0.05), (0.5, 0.2, 0.02),
                                  (0.1, 0.2, 0.01), (1.0, 1.0, 0.1), (1.0, 0.0, 0.0)):
        made.supervisor.set_parameters([Parameter('speed_scale', value=share)])
        if word is not None:
            operator.publish(Float64(data=word))
            heard = made.supervisor._speed_scale
            assert bench.until(lambda: heard._operator == word)  # noqa: B023
        for _ in range(3):
            executed = made.drive([0.1, 0.0, 0.0])
        assert executed.values[0] == pytest.approx(expected, abs=2e-4)
        assert bool(executed.limits & Executed.CLAMPED_VELOCITY) == (expected < 0.1)
    for bad in (float('nan'), -0.1, 1.5):
        operator.publish(Float64(data=bad))
    operator.publish(Float64(data=0.7))
    assert bench.until(lambda: made.supervisor._speed_scale.value == 0.7)


def test_keep_out_boxes_of_the_parameter_are_the_arms(bench):
    made = Arm(bench, keep_out='[[0.56, -1, -1, 0.6, 1, 1]]')
    assert made.arm().error_code == 0
    for _ in range(12):
        executed = made.drive([0.4, 0.0, 0.0])
    tool = made.supervisor._kinematics.forward(made.q)[0]
    assert 0.5 < tool[0] < 0.56 and executed.limits & Executed.CLAMPED_WORKSPACE
    assert made.supervisor.report()[2]['clamped_workspace'] >= 1


@pytest.mark.parametrize('keep_out', ['[[1, 2]]', 'box', '[[1, 0, 0, 0, 1, 1]]'])
def test_boxes_that_are_none_are_refused_in_a_sentence(bench, keep_out):
    with pytest.raises(ImitationError, match='keep_out .*expected'):
        SupervisorNode(context=bench.context,
                       parameter_overrides=overrides({'keep_out': keep_out}))


@pytest.mark.parametrize('blend, mode, leads', [
    ('auto', 'realtime', True), ('auto', 'lockstep', False), ('on', 'lockstep', True),
    ('off', 'realtime', False)])
def test_hand_overs_of_a_gate_are_blended_in_real_time_unless_it_is_said(
        bench, blend, mode, leads):
    made = Arm(bench, mode=mode, blend_gates=blend)
    response = made.arm(gate='discrepancy', threshold=0.1, smoothing=0.0)
    assert response.error_code == 0, response.error_msg
    for policy, expert in ((STILL, STILL), ([-0.4, 0, 0], [0.4, 0, 0])):
        made.observe()
        made.answer(EXPERT, expert)
        made.answer(POLICY, policy)
        executed = made.sent()
    assert executed.driver == EXPERT
    assert bool(executed.limits & Executed.BLENDED) == leads
