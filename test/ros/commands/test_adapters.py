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

"""Command adapters: their messages, and what the stand-ins of the controllers make of them."""

import sys

from il_ros.errors import ControllerError, RobotError
from il_ros.robots.controllers import CONTROLLERS, TOOL_CONTROLLERS
from il_ros.robots.kinematics import Kinematics
from il_ros.robots.motion import MotionReckoner
from il_ros.robots.rotations import rotation_between
from il_ros.ros.commands.adapters import adapter_class, joint_list, wire
from il_ros.ros.stand_in.contents import CONTENTS
from il_ros.sim.controllers.arm import make_claims, StandInArm
import numpy as np
import pytest
from shipped_arms import PANDA
from trajectory_msgs.msg import JointTrajectory, JointTrajectoryPoint

PERIOD_S = 0.05
PERIOD_NS = 50_000_000
PHYSICS_NS = PERIOD_NS // 12
SPEED = 0.2
NAMES = PANDA.joint_names
ARM = PANDA.arm


@pytest.fixture(scope='module')
def kinematics():
    """Yield kinematics of the arm."""
    made = Kinematics(PANDA)
    yield made
    made.close()


def joints_of(name: str) -> tuple[str, ...]:
    """Return the joints that an adapter moves."""
    return NAMES[ARM] if name in TOOL_CONTROLLERS else NAMES


class Loop:
    """An adapter in front of the stand-in of its controller; joints are where they are sent."""

    def __init__(self, kinematics, name: str):
        self.kinematics, self.name = kinematics, name
        self.adapter = adapter_class(name)(wire(PANDA, joints_of(name), PERIOD_S))
        self.arm = StandInArm(PANDA, make_claims(name, PANDA, kinematics))
        self.reckoner = MotionReckoner(kinematics, PERIOD_S)
        self.now_ns = 10 ** 9
        self.measured, self.velocities = np.array(PANDA.home), np.zeros(9)
        self.target, self.orientation = kinematics.forward(PANDA.home)
        self.sent = np.array(PANDA.home)
        self.arm.restart(self.measured, self.now_ns)

    def send(self, message):
        """Send a message, and let no time pass."""
        self.arm.receive(0, CONTENTS[self.name](message), self.now_ns)

    def step(self, speed: float, holding: bool = False):
        """Send the command of one control step."""
        self.target = self.target + (0.0, speed * PERIOD_S, 0.0)
        self.sent = self.kinematics.inverse(self.target, self.orientation, self.sent).q
        motion = self.reckoner.reckon(self.sent, self.measured, holding)
        self.send(self.adapter.message(motion, self.now_ns))
        self.pass_time()

    def pass_time(self):
        """Let a control period pass."""
        for _ in range(12):
            targets = self.arm.update(
                self.now_ns, PHYSICS_NS, self.measured, self.velocities)
            self.velocities = (targets - self.measured) / (PHYSICS_NS * 1e-9)
            self.measured, self.now_ns = targets, self.now_ns + PHYSICS_NS

    def tool(self) -> np.ndarray:
        """Return where the tool is."""
        return self.kinematics.forward(self.measured)[0]


@pytest.fixture(params=CONTROLLERS)
def loop(request, kinematics) -> Loop:
    """Return a loop with each of the adapters."""
    return Loop(kinematics, request.param)


def test_the_tool_follows_through_every_adapter_and_nothing_is_refused(loop):
    for _ in range(20):
        loop.step(SPEED)
    np.testing.assert_allclose(loop.tool(), loop.target, atol=2e-3)
    _, orientation = loop.kinematics.forward(loop.measured)
    assert np.abs(rotation_between(orientation, loop.orientation)).max() < 0.01
    assert not loop.arm.refusals


def test_a_hold_ends_the_motion_through_every_adapter(loop):
    for _ in range(10):
        loop.step(SPEED)
    loop.step(0.0, holding=True)
    loop.step(0.0, holding=True)
    held = loop.tool()
    for _ in range(20):
        loop.step(0.0, holding=True)
    np.testing.assert_allclose(loop.tool(), held, atol=1e-4)
    np.testing.assert_allclose(held, loop.target, atol=5e-3)


def test_without_further_messages_the_motion_ends_by_itself_or_by_the_one_of_rest(loop):
    for _ in range(10):
        loop.step(SPEED)
    rest = loop.adapter.rest(loop.now_ns)
    if rest is not None:
        loop.send(rest)
    for _ in range(3):
        loop.pass_time()
    stopped = loop.tool()
    for _ in range(20):
        loop.pass_time()
    np.testing.assert_allclose(loop.tool(), stopped, atol=1e-5)
    np.testing.assert_allclose(stopped, loop.target, atol=5e-3)


def motion_of(kinematics, by: float = 0.01, holding: bool = False):
    """Return a motion from home, of each joint a little more than of the one before."""
    reckoner = MotionReckoner(kinematics, PERIOD_S)
    reckoner.reckon(PANDA.home, PANDA.home, False)
    steps = by * np.arange(9) / 9.0
    return reckoner.reckon(np.clip(PANDA.home + steps, PANDA.lower, PANDA.upper), PANDA.home,
                           holding)


def message_of(kinematics, name, joints=NAMES, now_ns=5, **motion):
    """Return the message of a motion."""
    return adapter_class(name)(wire(PANDA, joints, PERIOD_S)).message(
        motion_of(kinematics, **motion), now_ns)


def test_a_trajectory_has_a_moving_point_and_ends_at_rest(kinematics):
    message = message_of(kinematics, 'joint_trajectory')
    assert (message.header.stamp.sec, message.header.stamp.nanosec) == (0, 0)
    first, last = message.points
    assert (first.time_from_start.nanosec, last.time_from_start.nanosec) == (
        PERIOD_NS, 2 * PERIOD_NS)
    assert first.positions == last.positions
    assert any(first.velocities) and not any(last.velocities)


def test_a_trajectory_of_a_hold_is_one_point_at_rest(kinematics):
    [point] = message_of(kinematics, 'joint_trajectory', by=0.0, holding=True).points
    assert point.time_from_start.nanosec == PERIOD_NS
    assert len(point.velocities) == 9 and not any(point.velocities)


def test_a_trajectory_is_read_with_as_many_derivatives_as_it_has():
    message = JointTrajectory(joint_names=['a'], points=[
        JointTrajectoryPoint(positions=[1.0]),
        JointTrajectoryPoint(positions=[1.0], velocities=[2.0]),
        JointTrajectoryPoint(positions=[1.0], velocities=[2.0], accelerations=[3.0])])
    message.header.stamp.sec = 2
    read = CONTENTS['joint_trajectory'](message)
    assert (read.joint_names, read.stamp_ns) == (('a',), 2 * 10 ** 9)
    assert [np.concatenate(point.derivatives).tolist() for point in read.points] == [
        [1.0], [1.0, 2.0], [1.0, 2.0, 3.0]]


@pytest.mark.parametrize('name, field', [
    ('forward_position', 'positions'), ('forward_velocity', 'corrected')])
def test_numbers_without_names_come_in_the_order_of_the_joints(kinematics, name, field):
    order = NAMES[6::-1]
    expected = getattr(motion_of(kinematics), field)[6::-1]
    np.testing.assert_allclose(message_of(kinematics, name, order).data, expected)


@pytest.mark.parametrize('name', TOOL_CONTROLLERS)
def test_messages_of_the_tool_name_their_frame_and_when_they_were_sent(kinematics, name):
    message = message_of(kinematics, name, NAMES[ARM], now_ns=7_000_000_003)
    assert message.header.frame_id == PANDA.base_frame
    assert (message.header.stamp.sec, message.header.stamp.nanosec) == (7, 3)


def test_a_step_that_is_longer_than_servos_memory_is_refused():
    with pytest.raises(ControllerError, match='above 10 Hz'):
        adapter_class('twist')(wire(PANDA, NAMES[ARM], 0.1))


def test_joints_that_the_robot_does_not_have_are_refused():
    for joints in (['wheel'], [NAMES[0], NAMES[0]]):
        with pytest.raises(RobotError, match='each once'):
            wire(PANDA, joints, PERIOD_S)


def test_joints_are_listed_by_commas():
    assert joint_list(' a, b ,c') == ('a', 'b', 'c')
    assert joint_list('') == ()


def test_without_control_msgs_joint_jog_is_refused_by_its_name(monkeypatch):
    monkeypatch.setitem(sys.modules, 'control_msgs.msg', None)
    monkeypatch.delitem(
        sys.modules, 'il_ros.ros.commands.joint_jog', raising=False)
    with pytest.raises(ControllerError, match='control_msgs, which is not installed'):
        adapter_class('joint_jog')
