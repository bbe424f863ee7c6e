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

"""The supervisor as a node: whatever drivers say, the arm gets finite targets inside limits."""

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from il_ros.contract.episode_spec import ABORTED, DRIVER_SILENT, ENDED, EXPERT, HOLD, POLICY
from il_ros.contract.episode_spec import RUNNING
from il_ros.graph.graph import overrides
from il_ros.nodes.supervisor import SupervisorNode
from il_ros.ros import qos
from il_ros.ros.conversion.messages import contract_to_message, float32s, spec_to_message, to_stamp
from il_ros.tasks.contracts import find_contract
from il_ros_interfaces.msg import Action, Contract, Drive, Executed, Observation
from il_ros_interfaces.srv import EndEpisode, SetDriver
import numpy as np
import pytest
from rclpy.lifecycle import TransitionCallbackReturn
from seam import Bench, episode
from sensor_msgs.msg import JointState
from shipped_arms import PANDA
from std_msgs.msg import Bool
from std_srvs.srv import Trigger

CONTRACT, _ = find_contract('reach')
PERIOD_NS = 50_000_000
STILL = np.zeros(3, np.float32)


class Arm:
    """An arm that goes where it is sent, seen by an observer, with drivers that the test plays."""

    def __init__(self, bench, **parameters):
        self.bench = bench
        self.supervisor = bench.add(SupervisorNode, **parameters)
        self.commands = bench.listen(JointState, 'joint_command', qos.COMMAND)
        self.executed = bench.listen(Executed, 'executed')
        self.ends = []
        bench.probe.create_service(EndEpisode, 'end_episode', self._end)
        self._joints = bench.talk(JointState, 'joint_states')
        self._observations = bench.talk(Observation, 'observation')
        self.drivers = {source: bench.talk(Action, topic) for source, topic in (
            (EXPERT, 'expert/action'), (POLICY, 'policy/action'))}
        bench.talk(Contract, 'contract', qos.LATCHED).publish(contract_to_message(CONTRACT))
        assert bench.until(lambda: self.supervisor._contract is not None)
        self.q = np.array(PANDA.home)
        self.step = -1

    def _end(self, request, response):
        self.ends.append(request)
        return response

    def arm(self, **plan):
        """Arm an episode of this plan."""
        self.spec = episode(**{'driver': POLICY, **plan})
        return self.bench.call(SetDriver, 'set_driver', SetDriver.Request(
            spec=spec_to_message(self.spec), gate_threshold=-1.0))

    def stamp(self):
        """Return the present stamp."""
        return to_stamp(10 ** 9 + self.step * PERIOD_NS)

    def observe(self, phase: int = RUNNING, joints: JointState | None = None, step=None):
        """Publish joints and the observation of the next step."""
        self.step = self.step + 1 if step is None else step
        joints = joints or JointState(name=list(PANDA.joint_names), position=self.q.tolist())
        joints.header.stamp = self.stamp()
        self._joints.publish(joints)
        seen = Observation(
            contract_id=CONTRACT.id, step=self.step, phase=phase,
            episode_id=self.spec.episode_id, values=[0.0] * CONTRACT.width)
        seen.header.stamp = self.stamp()
        self._observations.publish(seen)

    def answer(self, source: int, values):
        """Publish a driver's answer to the present step."""
        message = Action(contract_id=CONTRACT.id, source=source, engaged=True,
                         values=float32s(np.array(values)))
        message.header.stamp = self.stamp()
        self.drivers[source].publish(message)

    def sent(self) -> Executed:
        """Return what was executed at the present step; the arm goes there."""
        assert self.bench.until(lambda: self.executed and self.executed[-1].step == self.step)
        executed = self.executed[-1]
        assert self.bench.until(
            lambda: self.commands and self.commands[-1].header.stamp == executed.header.stamp)
        assert self.commands[-1].position == executed.command.position
        self.q = np.array(executed.command.position)
        return executed

    def drive(self, values, source: int = POLICY) -> Executed:
        """Take one step with this answer."""
        self.observe()
        self.answer(source, values)
        return self.sent()


@pytest.fixture
def arm(bench) -> Arm:
    """Return an arm with an episode that the policy drives."""
    made = Arm(bench)
    assert made.arm().error_code == 0
    return made


def test_an_action_goes_to_the_arm_and_is_said_as_it_was_sent(arm, kinematics):
    start, _ = kinematics.forward(arm.q)
    executed = arm.drive([0.2, -0.1, 0.05])
    tool, _ = kinematics.forward(arm.q)
    np.testing.assert_allclose((tool - start) / 0.05, [0.2, -0.1, 0.05], atol=5e-3)
    np.testing.assert_allclose(executed.values, [0.2, -0.1, 0.05], rtol=1e-6)
    assert (executed.driver, executed.chosen, executed.limits) == (POLICY, POLICY, 0)
    assert executed.command.name == list(PANDA.joint_names)
    assert [list(c.values) for c in executed.candidates] == [
        pytest.approx([0.2, -0.1, 0.05])]


def test_an_answer_that_overtakes_its_observation_drives_once_that_comes(arm):
    arm.drive(STILL)
    arm.step += 1
    arm.answer(POLICY, [0.2, 0.0, 0.0])
    assert arm.bench.until(lambda: arm.supervisor._answers._early)
    assert arm.executed[-1].step == arm.step - 1
    arm.observe(step=arm.step)
    executed = arm.sent()
    assert executed.driver == POLICY
    assert list(executed.values) == pytest.approx([0.2, 0.0, 0.0])


def test_an_answer_of_the_episode_before_is_nobodys_answer(arm):
    arm.drive(STILL)
    arm.observe(phase=ENDED)
    arm.step += 1
    arm.answer(POLICY, [0.2, 0.0, 0.0])
    assert arm.bench.until(lambda: arm.supervisor._answers._early)
    arm.arm(beta=0.0)
    arm.step += 1
    executed = arm.drive([0.0, 0.1, 0.0])
    assert list(executed.values) == pytest.approx([0.0, 0.1, 0.0])


@pytest.mark.parametrize('values, bit', [
    ([float('nan'), 0, 0], Executed.REFUSED_NOT_FINITE),
    ([0, float('inf'), 0], Executed.REFUSED_NOT_FINITE),
    ([0.1, 0.1], Executed.REFUSED_MISSING), ([0.1] * 4, Executed.REFUSED_MISSING),
    ([], Executed.REFUSED_MISSING)])
def test_a_refused_action_holds_and_the_next_good_one_drives(arm, values, bit):
    before = arm.drive(STILL).command.position
    executed = arm.drive(values)
    assert (executed.driver, executed.chosen) == (HOLD, POLICY)
    assert executed.limits & bit
    assert executed.command.position == before
    assert np.isfinite(executed.values).all()
    assert arm.drive([0.1, 0, 0]).driver == POLICY


def test_an_action_beyond_the_bounds_is_cut_and_what_was_sent_is_recorded(arm):
    executed = arm.drive([7.0, -1e30, 0.0])
    assert executed.limits & Executed.CLAMPED_VELOCITY
    assert np.all(np.array(executed.values, np.float32) <= CONTRACT.upper)
    assert np.all(np.array(executed.values, np.float32) >= CONTRACT.lower)


def test_whatever_the_driver_says_every_command_is_finite_and_inside_every_limit(arm):
    chance = np.random.default_rng(0)
    sent = np.array(arm.q)
    for _ in range(150):
        width = 3 if chance.random() < 0.9 else int(chance.integers(0, 6))
        values = chance.normal(size=width) * 10.0 ** chance.integers(-40, 39)
        if chance.random() < 0.2 and width:
            values[chance.integers(width)] = chance.choice([np.nan, np.inf, -np.inf, 1e38])
        with np.errstate(over='ignore'):
            arm.drive(values)
        assert np.isfinite(arm.q).all()
        assert (arm.q >= PANDA.lower).all() and (arm.q <= PANDA.upper).all()
        assert (np.abs(arm.q - sent) <= PANDA.velocity * 0.05 * (1 + 1e-6)).all()
        sent = np.array(arm.q)


def test_a_plan_whose_driver_is_not_there_is_refused_at_once():
    with Bench('events') as bench:
        made = Arm(bench)
        for publisher in made.drivers.values():
            bench.probe.destroy_publisher(publisher)
        assert bench.until(lambda: not made.supervisor.count_publishers('policy/action'))
        response = made.arm()
        assert response.error_code == SetDriver.Response.DRIVER_ABSENT
        assert 'no publisher on policy/action' in response.error_msg


@pytest.mark.parametrize('field, value', [
    ('beta', 2.0), ('gate', 'moon'), ('noise_covariance', [1.0]), ('target_rate', 0.1)])
def test_a_plan_that_cannot_be_driven_is_refused_by_field(bench, field, value):
    made = Arm(bench)
    made.arm()
    request = SetDriver.Request(spec=spec_to_message(episode(2, driver=POLICY)))
    setattr(request.spec.plan, field, value)
    response = bench.call(SetDriver, 'set_driver', request)
    assert response.error_code == SetDriver.Response.BAD_PLAN
    assert f'plan.{field} is ' in response.error_msg


def test_without_a_contract_nothing_is_armed(bench):
    bench.add(SupervisorNode)
    response = bench.call(SetDriver, 'set_driver', SetDriver.Request(
        spec=spec_to_message(episode())))
    assert response.error_code == SetDriver.Response.BUSY
    assert 'no contract' in response.error_msg


def test_the_emergency_stop_holds_until_it_is_released_by_service(arm):
    stopped = arm.bench.listen(Bool, 'estopped', qos.LATCHED)
    arm.drive([0.2, 0, 0])
    held = arm.q.tolist()
    arm.observe()
    assert arm.bench.call(Trigger, 'estop', Trigger.Request()).success
    executed = arm.sent()
    assert (executed.driver, executed.limits) == (HOLD, Executed.STOPPED)
    for _ in range(3):
        assert arm.drive([0.2, 0, 0]).command.position.tolist() == held
    assert arm.bench.until(lambda: stopped and stopped[-1].data)
    arm.bench.talk(Bool, 'estop', qos.LATCHED).publish(Bool(data=False))
    assert arm.drive([0.2, 0, 0]).limits == Executed.STOPPED
    assert arm.bench.call(Trigger, 'estop_reset', Trigger.Request()).success
    assert arm.drive([0.2, 0, 0]).driver == POLICY
    assert arm.bench.until(lambda: not stopped[-1].data)


def test_the_emergency_stop_of_the_topic_holds_too_also_when_it_was_said_before(bench):
    pressed = bench.probe.create_publisher(Bool, 'estop', qos.LATCHED)
    pressed.publish(Bool(data=True))
    made = Arm(bench)
    assert bench.until(lambda: made.supervisor._estop.pressed)
    refused = made.arm()
    assert refused.error_code == SetDriver.Response.BUSY
    assert 'emergency stop' in refused.error_msg


def test_deactivation_holds_the_arm_first_and_then_nothing_is_sent(arm):
    arm.drive([0.2, 0, 0])
    held = arm.q.tolist()
    arm.observe()
    assert arm.bench.until(lambda: arm.supervisor._arbiter.waiting)
    assert arm.supervisor.trigger_deactivate() == TransitionCallbackReturn.SUCCESS
    executed = arm.sent()
    assert (executed.driver, executed.command.position.tolist()) == (HOLD, held)
    count = len(arm.commands)
    arm.observe()
    arm.answer(POLICY, [0.2, 0, 0])
    assert not arm.bench.until(lambda: len(arm.commands) > count, timeout_s=0.2)


@pytest.mark.parametrize('spoil, sentence', [
    (lambda m: m.name.remove('panda_joint3') or m.position.pop(), "lacks ['panda_joint3']"),
    (lambda m: setattr(m, 'name', ['panda_joint1'] * 9), 'lacks')])
def test_joints_that_cannot_be_read_end_the_episode_with_their_name(bench, spoil, sentence):
    made = Arm(bench, silence_s=0.3)
    reports = bench.listen(DiagnosticArray, '/diagnostics')
    assert made.arm().error_code == 0
    joints = JointState(name=list(PANDA.joint_names), position=PANDA.home.tolist())
    spoil(joints)
    made.observe(joints=joints)
    made.answer(POLICY, STILL)
    assert bench.until(lambda: made.supervisor.problem)
    made.supervisor.diagnostics.publish()
    assert bench.until(lambda: any(
        s.level == DiagnosticStatus.ERROR and sentence in s.message
        for report in reports for s in report.status))
    assert bench.until(lambda: made.ends)
    assert 'joint_states did not answer step 0' in made.ends[0].reason
    assert not made.commands


def test_a_silent_driver_is_reported_once_with_its_node(arm, monkeypatch):
    monkeypatch.setattr(arm.supervisor, 'parameters', type(arm.supervisor.parameters)(
        silence_s=0.2))
    arm.drive(STILL)
    arm.observe()
    assert arm.bench.until(lambda: arm.ends)
    end = arm.ends[0]
    assert (end.episode_id, end.end, end.cause) == (arm.spec.episode_id, ABORTED, DRIVER_SILENT)
    assert end.reason == 'probe (policy/action) did not answer step 1 within 0.2 s'
    assert not arm.bench.until(lambda: len(arm.ends) > 1, timeout_s=0.3)
    assert arm.executed[-1].step == 0, 'it invented an action'
    arm.observe(phase=ENDED)
    arm.step = 1
    assert arm.sent().driver == HOLD
    assert arm.arm(seed=3).error_code == 0


def test_a_hand_over_is_said_on_drive_from_the_stamp_where_it_happens(bench):
    drives = bench.listen(Drive, 'drive', qos.LATCHED)
    made = Arm(bench)
    made.arm(gate='discrepancy', smoothing=0.0, release_patience=1, hold_max=3)
    assert bench.until(lambda: drives)
    assert (drives[0].driving, drives[0].threshold) == (POLICY, 0.5)
    for expert in (0.0, 0.5, 0.5, 0.0):
        made.observe()
        made.answer(POLICY, [0.0, 0.0, 0.0])
        made.answer(EXPERT, [expert, expert, expert])
        made.sent()
    assert bench.until(lambda: len(drives) == 3)
    assert [d.driving for d in drives] == [POLICY, EXPERT, POLICY]
    drivers = [e.driver for e in made.executed]
    assert drivers.count(EXPERT) >= 2
    assert drives[1].header.stamp == made.executed[drivers.index(EXPERT)].header.stamp


def test_an_inactive_supervisor_arms_nothing(bench):
    supervisor = bench.keep(SupervisorNode(
        context=bench.context, parameter_overrides=overrides({'autostart': False})))
    bench.talk(Contract, 'contract', qos.LATCHED).publish(contract_to_message(CONTRACT))
    assert bench.until(lambda: supervisor._contract is not None)
    response = bench.call(SetDriver, 'set_driver', SetDriver.Request(
        spec=spec_to_message(episode())))
    assert response.error_code == SetDriver.Response.BUSY
    assert 'not active' in response.error_msg
