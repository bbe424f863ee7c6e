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

"""One step at the arm: what is waited for, what counts, what is held; each stamp acts once."""

from typing import NamedTuple

from il_ros.contract.contract import ActionElement, Contract, TOOL_VELOCITY
from il_ros.contract.episode_spec import BLENDED, DrivePlan, ENDED, EXPERT, HOLD, NOT_FOLLOWED
from il_ros.contract.episode_spec import POLICY, REFUSED_MISSING, REFUSED_NOT_FINITE, RUNNING
from il_ros.contract.episode_spec import STOPPED, TELEOP
from il_ros.driving.arbiter import Arbiter
from il_ros.driving.blending import Blending
from il_ros.driving.driving import Driving
from il_ros.errors import RobotError
import numpy as np
import pytest

CONTRACT = Contract('test', 20.0, (), TOOL_VELOCITY, 'base', (
    ActionElement('linear_x', 'm/s', -0.5, 0.5),))
HERE = np.zeros(9)


class Command(NamedTuple):
    """What the fake actuator answers."""

    what: str
    values: object
    limits: int


class Actuator:
    """Notes what it is asked for."""

    def __init__(self):
        self.asked = []

    def start(self, measured):
        """Begin an episode."""
        self.asked.append(('start', measured))

    def step(self, action, measured):
        """Send an action."""
        self.asked.append(('step', action))
        bad = not np.isfinite(action).all()
        return Command('step', action, REFUSED_NOT_FINITE if bad else 0)

    def hold(self, measured, limits=0):
        """Repeat the last target."""
        self.asked.append(('hold', measured))
        return Command('hold', None, limits)

    def tracking_error(self, measured):
        """Say that the first joint was sent to zero."""
        return abs(float(measured[0])), 'first'

    def hold_at(self, place, limits=0):  # noqa: D102
        self.asked.append(('hold_at', place))
        return Command('hold_at', None, limits)


def arbiter(paired: bool = True, tracking_limit_rad: float = 0.35,
            **plan) -> tuple[Arbiter, Actuator]:
    """Return an arbiter of one episode and its actuator."""
    actuator = Actuator()
    driving = Driving(DrivePlan(**{'driver': POLICY, **plan}), 'e', CONTRACT)
    return Arbiter('e', driving, actuator, paired,
                   tracking_limit_rad=tracking_limit_rad), actuator


def velocity(value: float) -> np.ndarray:
    """Return an action."""
    return np.array([value], np.float32)


def test_a_step_waits_for_observation_joints_and_every_required_driver_in_any_order():
    parts = {'joints': lambda a: a.measure(100, HERE),
             'observation': lambda a: a.observe(100, 0, RUNNING),
             'policy': lambda a: a.answer(POLICY, 100, velocity(0.1)),
             'expert': lambda a: a.answer(EXPERT, 100, velocity(0.2))}
    for order in (('joints', 'observation', 'policy', 'expert'),
                  ('observation', 'expert', 'policy', 'joints'),
                  ('observation', 'joints', 'expert', 'policy')):
        waiting, _ = arbiter(beta=0.5)
        for number, name in enumerate(order):
            assert not waiting.ready()
            parts[name](waiting)
        assert waiting.ready()


def test_joints_of_another_stamp_do_not_pair_in_lockstep_but_do_in_realtime():
    for paired in (True, False):
        waiting, _ = arbiter(paired)
        waiting.measure(99, HERE)
        waiting.observe(100, 0, RUNNING)
        waiting.answer(POLICY, 100, velocity(0.1))
        assert waiting.ready() is not paired


def test_older_joints_never_replace_newer_ones():
    waiting, actuator = arbiter()
    waiting.observe(100, 0, RUNNING)
    waiting.measure(100, HERE + 1)
    waiting.measure(50, HERE)
    waiting.act()
    np.testing.assert_array_equal(actuator.asked[0][1], HERE + 1)


def acted(waiting: Arbiter, stamp_ns: int, step: int = 0, value: float = 0.1, **options):
    """Take one step to its end."""
    waiting.measure(stamp_ns, HERE)
    waiting.observe(stamp_ns, step, RUNNING)
    waiting.answer(POLICY, stamp_ns, velocity(value))
    return waiting.act(**options)


def test_each_stamp_is_acted_on_once_and_a_repeated_or_older_one_changes_nothing():
    waiting, actuator = arbiter()
    assert acted(waiting, 100).driver == POLICY
    for stamp_ns in (100, 50):
        assert waiting.observe(stamp_ns, 0, RUNNING) is False
        assert not waiting.answer(POLICY, stamp_ns, velocity(0.4))
        assert not waiting.waiting and not waiting.ready()
    assert (waiting.stamp_ns, len(actuator.asked)) == (100, 2)


def test_the_first_answer_counts_and_those_of_others_or_for_other_stamps_do_not():
    waiting, actuator = arbiter()
    waiting.measure(100, HERE)
    waiting.observe(100, 0, RUNNING)
    assert not waiting.answer(POLICY, 99, velocity(0.9))
    assert not waiting.answer(EXPERT, 100, velocity(0.9))
    assert not waiting.answer(TELEOP, 100, velocity(0.9))
    assert waiting.missing() == [POLICY]
    assert waiting.answer(POLICY, 100, velocity(0.1))
    assert not waiting.answer(POLICY, 100, velocity(0.9))
    assert waiting.missing() == []
    waiting.act()
    assert [what for what, _ in actuator.asked] == ['start', 'step']
    np.testing.assert_array_equal(actuator.asked[1][1], velocity(0.1))


def test_answers_do_not_outlive_their_observation():
    waiting, _ = arbiter()
    waiting.measure(200, HERE)
    waiting.observe(100, 0, RUNNING)
    waiting.answer(POLICY, 100, velocity(0.1))
    waiting.observe(200, 1, RUNNING)
    assert waiting.missing() == [POLICY]
    assert not waiting.ready()


def test_the_last_state_is_not_acted_on():
    waiting, _ = arbiter()
    acted(waiting, 100)
    assert waiting.observe(200, 1, ENDED)
    assert not waiting.waiting
    assert not waiting.answer(POLICY, 200, velocity(0.1))


@pytest.mark.parametrize('values, limits', [
    (np.zeros(0, np.float32), REFUSED_MISSING), (velocity(float('nan')), REFUSED_NOT_FINITE)])
def test_an_empty_or_not_finite_answer_holds_and_is_recorded_as_a_hold(values, limits):
    waiting, _ = arbiter()
    waiting.measure(100, HERE)
    waiting.observe(100, 0, RUNNING)
    waiting.answer(POLICY, 100, values)
    assert waiting.ready()
    step = waiting.act()
    assert (step.driver, step.choice.chosen, step.limits) == (HOLD, POLICY, limits)


def test_a_stop_holds_whatever_the_drivers_want():
    waiting, actuator = arbiter()
    step = acted(waiting, 100, refusal=STOPPED)
    assert (step.driver, step.limits, step.sent.what) == (HOLD, STOPPED, 'hold')
    assert actuator.asked[-1][0] == 'hold'


def test_nothing_is_sent_before_the_joints_were_ever_measured():
    waiting, actuator = arbiter(paired=False)
    waiting.observe(100, 0, RUNNING)
    waiting.answer(POLICY, 100, velocity(0.1))
    assert not waiting.ready()
    assert waiting.act(STOPPED) is None
    assert actuator.asked == []


def test_the_actuator_starts_once_an_episode_from_what_was_measured_then():
    waiting, actuator = arbiter()
    for step in range(3):
        acted(waiting, 100 + step, step)
    assert [what for what, _ in actuator.asked] == ['start', 'step', 'step', 'step']


def test_a_hand_over_by_the_gate_is_said_at_the_step_where_it_happens():
    waiting, _ = arbiter(gate='discrepancy', smoothing=0.0, takeover_level=0.5, hold_max=2)
    handed = []
    for step in range(6):
        waiting.measure(step, HERE)
        waiting.observe(step, step, RUNNING)
        waiting.answer(POLICY, step, velocity(-0.5))
        waiting.answer(EXPERT, step, velocity(0.5))
        done = waiting.act()
        handed.append((done.driver, done.handed_over))
    assert handed[0] == (EXPERT, True)
    for (before, _), (driver, over) in zip(handed, handed[1:]):
        assert over is (driver != before)
    assert {driver for driver, _ in handed} == {EXPERT, POLICY}


def test_an_episode_whose_end_was_missed_is_over_when_a_later_one_is_on_air():
    one, actuator = arbiter()
    one.overtake(50)
    assert one.phase == RUNNING, 'it has not begun: what is on air is the episode before it'
    one.observe(100, 0, RUNNING)
    one.overtake(100)
    assert one.waiting, 'a state of before or at the same stamp says nothing'
    one.overtake(101)
    assert one.phase == ENDED and not one.waiting
    assert actuator.asked == []


def test_no_episode_on_air_ends_one_that_began_whatever_the_stamp():
    one, _ = arbiter()
    one.overtake(50, idle=True)
    assert one.phase == RUNNING, 'it has not begun: the task is still to be reset'
    one.observe(100, 0, RUNNING)
    one.overtake(50, idle=True)
    assert one.phase == ENDED and not one.waiting


def test_the_end_of_an_attempt_before_is_not_the_end_of_this_one():
    made, _ = arbiter()
    assert not made.observe(100, 7, ENDED)
    assert (made.stamp_ns, made.phase) == (-1, RUNNING)
    assert made.observe(150, 0, RUNNING)
    assert made.observe(200, 1, ENDED) and made.phase == ENDED


def test_an_arm_that_does_not_follow_holds_where_it_is_from_then_on():
    arbiter_, actuator = arbiter(tracking_limit_rad=0.35)
    elsewhere = np.full(9, 0.4)
    for stamp_ns, measured in ((1, HERE), (2, elsewhere), (3, HERE)):
        arbiter_.measure(stamp_ns, measured)
        arbiter_.observe(stamp_ns, stamp_ns, RUNNING)
        arbiter_.answer(POLICY, stamp_ns, velocity(0.1))
        step = arbiter_.act()
        assert (step.driver, step.limits) == (
            (POLICY, 0) if stamp_ns == 1 else (HOLD, NOT_FOLLOWED))
    assert [what for what, _ in actuator.asked] == ['start', 'step', 'hold_at', 'hold_at']
    assert 'first is 0.40 rad from where it was sent; at most 0.35' in arbiter_.fault


def test_an_episode_may_begin_at_the_clocks_zero():
    one, _ = arbiter()
    assert not one.waiting
    assert one.observe(0, 0, RUNNING) and one.waiting
    assert one.observe(1, 1, ENDED), 'it has begun, so this is its end'
    other, _ = arbiter()
    other.observe(0, 0, RUNNING)
    other.overtake(1)
    assert other.phase == ENDED


def test_of_joints_of_the_same_stamp_the_latest_count():
    waiting, actuator = arbiter()
    waiting.measure(100, HERE)
    waiting.measure(100, HERE + 0.1)
    waiting.observe(100, 0, RUNNING)
    assert waiting.act().stamp_ns == 100
    np.testing.assert_array_equal(actuator.asked[0][1], HERE + 0.1)


def test_an_arm_exactly_as_far_off_as_accepted_goes_on():
    waiting, _ = arbiter(tracking_limit_rad=0.0)
    step = acted(waiting, 100, step=4)
    assert (step.step, step.driver, waiting.fault) == (4, POLICY, '')


def test_who_else_is_asked_is_said_for_the_answer_that_widened_the_step_only():
    waiting, _ = arbiter(gate='novelty', threshold=0.2, smoothing=0.0)
    assert waiting.widened is False
    waiting.measure(100, HERE)
    waiting.observe(100, 0, RUNNING)
    assert waiting.answer(POLICY, 100, velocity(0.1), uncertainty=0.3) and waiting.widened
    assert waiting.missing() == [EXPERT] and not waiting.ready()
    assert waiting.answer(EXPERT, 100, velocity(0.2)) and waiting.ready() and not waiting.widened
    assert (waiting.act().driver, waiting.answer(EXPERT, 100, velocity(0.2))) == (EXPERT, False)


class Joints:
    """Says what it is told of measured joints."""

    agreed = False

    def __init__(self):
        self.moving = []

    def take(self, stamp_ns, positions, moving):
        """Refuse what lies far off."""
        self.moving.append(moving)
        if positions[0] > 1.0:
            raise RobotError('a jump')


def test_an_episode_waits_for_joints_that_agree_and_a_jump_replaces_none():
    actuator, joints, driving = Actuator(), Joints(), arbiter()[0].driving
    waiting = Arbiter('e', driving, actuator, False, joints=joints)
    waiting.measure(100, HERE)
    waiting.observe(100, 0, RUNNING)
    waiting.answer(POLICY, 100, velocity(0.1))
    assert not waiting.ready() and waiting.act() is None
    joints.agreed = True
    assert waiting.ready() and waiting.act().driver == POLICY
    joints.agreed = False
    with pytest.raises(RobotError):
        waiting.measure(110, HERE + 2.0)
    waiting.observe(200, 1, RUNNING)
    waiting.answer(POLICY, 200, velocity(0.1))
    assert waiting.ready(), 'only the beginning has to wait for joints that agree'
    waiting.act()
    assert [what for what, _ in actuator.asked] == ['start', 'step', 'step']
    assert joints.moving == [False, True]


def test_a_hand_over_to_a_person_is_led_and_said_until_the_speed_is_reached():
    actuator, plan = Actuator(), DrivePlan(driver=TELEOP)
    waiting = Arbiter('e', Driving(plan, 'e', CONTRACT), actuator,
                      blending=Blending(CONTRACT, 2.0))
    said = []
    for stamp_ns in range(4):
        waiting.measure(stamp_ns, HERE)
        waiting.observe(stamp_ns, stamp_ns, RUNNING)
        waiting.answer(TELEOP, stamp_ns, velocity(0.25))
        step = waiting.act()
        said.append((float(actuator.asked[-1][1][0]), step.driver, step.limits))
    assert said == [(pytest.approx(0.1), TELEOP, BLENDED), (pytest.approx(0.2), TELEOP, BLENDED),
                    (0.25, TELEOP, 0), (0.25, TELEOP, 0)]
