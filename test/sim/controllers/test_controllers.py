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

"""Stand-in controllers: each trap that a lab meets, shown on what they do."""

from il_ros.errors import ControllerError, RobotError
from il_ros.robots.kinematics import Kinematics
from il_ros.robots.rotations import rotated, rotation_between
from il_ros.sim.controllers.arm import make_claims, StandInArm
from il_ros.sim.controllers.crisp import CrispPose, Pose
from il_ros.sim.controllers.forward import ForwardPosition, ForwardVelocity
from il_ros.sim.controllers.joint_trajectory import JointTrajectoryController, Point
from il_ros.sim.controllers.joint_trajectory import Segment, Trajectory
from il_ros.sim.controllers.servo import ServoTwist, TWIST, Twist
import numpy as np
import pytest
from shipped_arms import PANDA

MS = 1_000_000
STEP_NS = 5 * MS
NAMES = ('shoulder', 'elbow')
HOME = PANDA.home[PANDA.arm]


@pytest.fixture(scope='module')
def kinematics():
    """Yield kinematics of the arm."""
    made = Kinematics(PANDA)
    yield made
    made.close()


class Follower:
    """Joints that are exactly where they are sent."""

    def __init__(self, controller, start=(0.0, 0.0)):
        self.controller, self.now_ns = controller, 1_000 * MS
        self.positions = np.array(start, float)
        self.velocities = np.zeros(len(start))
        controller.start(self.positions, self.now_ns)

    def send(self, message):
        """Give the controller a message now."""
        self.controller.take(message, self.now_ns)

    def run(self, duration_ms: int) -> np.ndarray:
        """Return the path of the joints over a time, shape ``(steps, n)``."""
        path = []
        for _ in range(duration_ms * MS // STEP_NS):
            targets = self.controller.update(
                self.now_ns, STEP_NS, self.positions, self.velocities)
            self.velocities = (targets - self.positions) / (STEP_NS * 1e-9)
            self.positions, self.now_ns = np.array(targets), self.now_ns + STEP_NS
            path.append(self.positions)
        return np.array(path)


def trajectory(*points, names=NAMES, stamp_ns=0) -> Trajectory:
    """Return a trajectory of ``(time in ms, positions, velocities, ...)``."""
    return Trajectory(tuple(names), tuple(
        Point(time_ms * MS, tuple(np.array(values, float) for values in derivatives))
        for time_ms, *derivatives in points), stamp_ns)


def test_a_trajectory_is_reached_by_its_time_and_held_after_its_end():
    arm = Follower(JointTrajectoryController(NAMES))
    arm.send(trajectory((100, [0.2, -0.1])))
    path = arm.run(300)
    np.testing.assert_allclose(path[9], [0.1, -0.05], atol=1e-12)
    np.testing.assert_allclose(path[19:], [[0.2, -0.1]] * 41, atol=1e-12)


def test_joints_are_found_by_name_in_any_order():
    arm = Follower(JointTrajectoryController(NAMES))
    arm.send(trajectory((50, [-0.1, 0.2]), names=NAMES[::-1]))
    np.testing.assert_allclose(arm.run(50)[-1], [0.2, -0.1], atol=1e-12)


@pytest.mark.parametrize('message, reason', [
    (trajectory((50, [0.1]), names=['shoulder']), 'expected each of'),
    (trajectory((50, [0.1] * 3), names=[*NAMES, 'wheel']), 'expected each of'),
    (trajectory((50, [0.1] * 2), names=['shoulder', 'wheel']), 'expected each of'),
    (trajectory((50, [0.1] * 2), names=['shoulder', 'shoulder']), 'expected each of'),
    (trajectory((50, [0.1] * 3)), '3 positions; expected 2'),
    (trajectory((50, [0.1] * 2, [0.0])), '1 velocities; expected 2'),
    (trajectory((50, [0.1, np.nan])), 'not finite'),
    (trajectory(), 'no points'),
    (trajectory((50, [0.1] * 2), (50, [0.2] * 2)), 'does not rise'),
    (trajectory((50, [0.1] * 2), stamp_ns=900 * MS), 'ends in the past'),
    (trajectory((50, [0.1] * 2, [0.5, 0.0])), 'not zero')])
def test_a_trajectory_that_breaks_a_rule_is_ignored_and_the_old_one_goes_on(message, reason):
    arm = Follower(JointTrajectoryController(NAMES))
    arm.send(trajectory((100, [0.2, 0.2])))
    arm.run(50)
    with pytest.raises(ControllerError, match=reason):
        arm.send(message)
    np.testing.assert_allclose(arm.run(50)[-1], [0.2, 0.2], atol=1e-12)


def test_points_in_the_past_are_left_out():
    arm = Follower(JointTrajectoryController(NAMES))
    arm.send(trajectory((50, [5.0, 5.0]), (100, [0.1, 0.1]), (200, [0.2, 0.2]),
                        stamp_ns=arm.now_ns - 100 * MS))
    path = arm.run(100)
    assert path.max() <= 0.2 + 1e-12
    np.testing.assert_allclose(path[-1], [0.2, 0.2], atol=1e-12)


def test_a_new_trajectory_replaces_the_old_one_at_once():
    arm = Follower(JointTrajectoryController(NAMES))
    arm.send(trajectory((1000, [1.0, 1.0])))
    arm.run(100)
    arm.send(trajectory((100, [0.0, 0.0])))
    np.testing.assert_allclose(arm.run(100)[-1], [0.0, 0.0], atol=1e-12)


@pytest.mark.parametrize('derivatives', [1, 2, 3])
def test_the_degree_of_the_curve_follows_from_what_both_ends_have(derivatives):
    begin = tuple(np.array([value]) for value in (0.3, -0.2, 0.7)[:derivatives])
    end = tuple(np.array([value]) for value in (1.1, 0.4, -0.5)[:derivatives])
    at = np.linspace(0.0, 0.5, 501)
    segment = Segment(begin, end, 0.5)
    path = np.array([segment.at(time)[0][0] for time in at])
    assert path[0] == pytest.approx(0.3) and path[-1] == pytest.approx(1.1)
    degree = 2 * derivatives - 1
    assert np.abs(np.polyval(np.polyfit(at, path, degree), at) - path).max() < 1e-9
    if derivatives > 1:
        assert np.gradient(path, at)[[0, -1]] == pytest.approx([-0.2, 0.4], abs=0.05)
        velocity = segment.at(0.2)[1]
        assert velocity == pytest.approx(np.gradient(path, at)[200], abs=1e-3)


@pytest.mark.parametrize('velocities, jumps', [(False, True), (True, False)])
def test_a_chunk_of_positions_alone_changes_its_speed_at_each_point_at_once(velocities, jumps):
    arm = Follower(JointTrajectoryController(NAMES))
    moving = ([1.0, 0.0], [0.0, 0.0]) if velocities else ()
    arm.send(trajectory((200, [0.1, 0.0], *moving[:1]), (300, [0.3, 0.0], *moving[:1]),
                        (500, [0.3, 0.0], *moving[1:])))
    speeds = np.diff(arm.run(600)[:, 0]) / (STEP_NS * 1e-9)
    assert bool(np.abs(np.diff(speeds)).max() > 1.0) is jumps


def slowest(message) -> float:
    """Return the slowest speed that is left of 1 rad/s by a stream whose messages come late."""
    arm = Follower(JointTrajectoryController(NAMES))
    path = []
    for number in range(1, 11):
        arm.send(message(0.05 * number))
        path.append(arm.run(60 if number % 2 else 40))
    speeds = np.diff(np.concatenate(path)[:, 0]) / (STEP_NS * 1e-9)
    return float(speeds[20:].min())


def test_single_points_without_velocities_stutter_and_points_with_velocities_do_not():
    stuttering = slowest(lambda q: trajectory((50, [q, 0.0])))
    flowing = slowest(lambda q: trajectory((50, [q, 0.0], [1.0, 0.0]), (100, [q, 0.0], [0, 0])))
    assert stuttering == pytest.approx(0.0, abs=1e-9)
    assert flowing > 0.4


def test_a_stream_whose_source_dies_comes_to_rest_at_its_last_point():
    arm = Follower(JointTrajectoryController(NAMES))
    arm.send(trajectory((50, [0.05, 0.0], [1.0, 0.0]), (100, [0.05, 0.0], [0.0, 0.0])))
    np.testing.assert_allclose(arm.run(300)[-1], [0.05, 0.0], atol=1e-9)


def test_a_trajectory_starts_from_the_measured_joints_unless_it_is_told_otherwise():
    for from_desired, expected in ((False, 0.5), (True, 0.1)):
        controller = JointTrajectoryController(('joint',), from_desired)
        controller.start(np.array([0.1]), 0)
        controller.update(0, MS, np.array([0.1]), np.zeros(1))
        controller.take(trajectory((1000, [1.0]), names=['joint']), MS)
        target = controller.update(MS, MS, np.array([0.5]), np.zeros(1))
        assert target[0] == pytest.approx(expected, abs=2e-3)


@pytest.mark.parametrize('controller', [ForwardPosition, ForwardVelocity])
@pytest.mark.parametrize('values', [[0.1], [0.1] * 3, [0.1, np.nan], [np.inf, 0.0]])
def test_forward_controllers_refuse_another_number_of_values_and_what_is_not_finite(
        controller, values):
    arm = Follower(controller())
    with pytest.raises(ControllerError):
        arm.send(values)
    assert not arm.run(50).any()


def test_forward_positions_and_velocities_are_handed_on():
    arm = Follower(ForwardPosition())
    arm.send([0.1, -0.2])
    np.testing.assert_allclose(arm.run(1000)[-1], [0.1, -0.2])
    arm = Follower(ForwardVelocity())
    arm.send([0.1, -0.2])
    np.testing.assert_allclose(arm.run(1000)[-1], [0.1, -0.2])


def test_a_velocity_without_an_end_moves_on_for_ever_unless_a_watchdog_stops_it():
    arm = Follower(ForwardVelocity())
    arm.send([1.0, 0.0])
    assert arm.run(10_000)[-1, 0] == pytest.approx(10.0)
    arm = Follower(ForwardVelocity(timeout_s=0.5))
    arm.send([1.0, 0.0])
    assert arm.run(10_000)[-1, 0] == pytest.approx(0.505)


def twist(arm, frame_id='panda_link0', age_ms=0, values=(0.1, 0, 0, 0, 0, 0)) -> Twist:
    """Return a twist that was stamped a while ago."""
    return Twist(frame_id, arm.now_ns - age_ms * MS, tuple(map(float, values)))


@pytest.fixture
def servo(kinematics):
    """Return joints behind Servo, switched to twists."""
    controller = ServoTwist(kinematics)
    controller.switch_command_type(TWIST)
    return Follower(controller, HOME)


def test_a_tool_controller_holds_in_a_period_before_it_was_activated(servo):
    held = servo.controller.update(servo.now_ns - 2 * STEP_NS, STEP_NS, HOME, np.zeros(7))
    np.testing.assert_array_equal(held, HOME)


def tool_of(kinematics, joints):
    """Return where the tool is."""
    return kinematics.forward(np.concatenate((joints, PANDA.home[PANDA.fingers])))


def test_servo_wants_the_command_type_switched_first(kinematics):
    arm = Follower(ServoTwist(kinematics), HOME)
    with pytest.raises(ControllerError, match='switch_command_type'):
        arm.send(twist(arm))


@pytest.mark.parametrize('frame_id', ['', 'tool'])
def test_servo_wants_the_frame_of_the_twist(servo, frame_id):
    with pytest.raises(ControllerError, match='frame_id'):
        servo.send(twist(servo, frame_id))


def test_servo_forgets_a_twist_after_a_tenth_of_a_second_by_its_stamp(servo, kinematics):
    before, _ = tool_of(kinematics, servo.positions)
    servo.send(twist(servo))
    after, _ = tool_of(kinematics, servo.run(500)[-1])
    np.testing.assert_allclose(after - before, [0.01, 0.0, 0.0], atol=1e-4)
    servo.send(twist(servo, age_ms=100))
    held = servo.positions
    assert (servo.run(50) == held).all()


def test_servo_turns_the_tool(servo, kinematics):
    position, before = tool_of(kinematics, servo.positions)
    servo.send(twist(servo, values=(0, 0, 0, 0, 0, 0.5)))
    moved, after = tool_of(kinematics, servo.run(100)[-1])
    np.testing.assert_allclose(rotation_between(before, after), [0, 0, 0.05], atol=1e-3)
    np.testing.assert_allclose(moved, position, atol=1e-4)


def test_servo_keeps_to_its_own_scale(servo, kinematics):
    before, _ = tool_of(kinematics, servo.positions)
    servo.send(twist(servo, values=(4.0, 0, 0, 0, 0, 0)))
    after, _ = tool_of(kinematics, servo.run(100)[-1])
    np.testing.assert_allclose(after - before, [0.04, 0.0, 0.0], atol=1e-3)


def test_crisp_ignores_a_pose_while_two_nodes_publish_it(kinematics):
    arm = Follower(CrispPose(kinematics), HOME)
    position, orientation = tool_of(kinematics, HOME)
    goal, turned = position + (0.02, 0.0, 0.0), rotated(orientation, np.array([0, 0, 0.1]))
    with pytest.raises(ControllerError, match='2 nodes publish target_pose'):
        arm.send(Pose(tuple(goal), tuple(turned), publishers=2))
    np.testing.assert_allclose(arm.run(50)[-1], HOME, atol=1e-4)
    arm.send(Pose(tuple(goal), tuple(turned)))
    reached, orientation = tool_of(kinematics, arm.run(300)[-1])
    np.testing.assert_allclose(reached, goal, atol=1e-4)
    np.testing.assert_allclose(rotation_between(orientation, turned), 0.0, atol=1e-3)


@pytest.mark.parametrize('position, orientation', [
    ((0.5, 0.0, np.nan), (1.0, 0.0, 0.0, 0.0)), ((0.5, 0.0, 0.2), (0.0, 0.0, 0.0, 0.0))])
def test_crisp_refuses_what_is_no_pose(kinematics, position, orientation):
    with pytest.raises(ControllerError):
        Follower(CrispPose(kinematics), HOME).send(Pose(position, orientation))


def stand_in(kinematics, name, joints=()) -> StandInArm:
    """Return an arm with this controller, at home."""
    arm = StandInArm(PANDA, make_claims(name, PANDA, kinematics, joints))
    arm.restart(PANDA.home, 0)
    return arm


def test_drives_go_no_faster_and_no_farther_than_the_joints_can(kinematics):
    arm = stand_in(kinematics, 'forward_position')
    arm.receive(0, [9.0] * 9, 0)
    before, far = np.array(PANDA.home), 1.5 * PANDA.velocity * STEP_NS * 1e-9
    for step in range(1000):
        after = arm.update(step * STEP_NS, STEP_NS, before, np.zeros(9))
        assert (np.abs(after - before) <= far + 1e-12).all()
        before = after
    np.testing.assert_allclose(after, PANDA.upper)


def test_a_message_counts_from_the_physics_step_in_which_it_came(kinematics):
    arm = stand_in(kinematics, 'forward_velocity')
    arm.receive(0, [0.1] * 9, 2 * STEP_NS)
    path = [arm.update(step * STEP_NS, STEP_NS, PANDA.home, np.zeros(9))[0] for step in range(4)]
    assert np.diff(path) == pytest.approx([0.0, 0.1 * STEP_NS * 1e-9, 0.1 * STEP_NS * 1e-9])


def test_joints_that_the_controller_does_not_claim_have_one_of_the_gripper(kinematics):
    arm = stand_in(kinematics, 'twist')
    arm.receive(1, [0.01, 0.01], 0)
    for step in range(200):
        after = arm.update(step * STEP_NS, STEP_NS, PANDA.home, np.zeros(9))
    np.testing.assert_allclose(after, [*HOME, 0.01, 0.01])


def test_a_refused_message_is_kept_as_a_sentence(kinematics):
    arm = stand_in(kinematics, 'forward_position', PANDA.joint_names[6::-1])
    arm.receive(0, [0.0] * 9, 0)
    arm.update(0, STEP_NS, PANDA.home, np.zeros(9))
    assert (arm.refusals, arm.accepted) == (['9 positions; expected 7'], 0)


@pytest.mark.parametrize('name, joints', [
    ('forward_position', ['wheel']), ('forward_position', [PANDA.joint_names[0]] * 2),
    ('twist', PANDA.joint_names)])
def test_joints_that_a_controller_cannot_have_are_refused(kinematics, name, joints):
    with pytest.raises((ControllerError, RobotError), match='expected'):
        make_claims(name, PANDA, kinematics, joints)
