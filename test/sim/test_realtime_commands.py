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

"""Commands in real time: which one the arm obeys, how fast, and for how long."""

from il_ros.errors import RobotError
from il_ros.robots.command_limits import CommandLimits, MARGIN
from il_ros.sim.realtime_commands import RealtimeCommands
import numpy as np
import pytest
from shipped_arms import PANDA

PERIOD_NS = 50_000_000
STEP = PANDA.velocity[0] * 0.05


@pytest.fixture
def commands() -> RealtimeCommands:
    """Return the commands of an arm at home, whose first state was published at 1 s."""
    made = RealtimeCommands(CommandLimits(PANDA, PERIOD_NS), 0.5)
    made.restart(PANDA.home, 0, 1.0)
    made.published(PERIOD_NS, 1.0)
    return made


def turned(by: float) -> np.ndarray:
    """Return the home position with the first joint elsewhere."""
    targets = PANDA.home.copy()
    targets[0] += by
    return targets


def test_the_arm_stays_until_a_command_counts_and_then_obeys_it(commands):
    np.testing.assert_array_equal(commands.next_targets(PANDA.home, PERIOD_NS, 1.0), PANDA.home)
    assert commands.take(PERIOD_NS, turned(0.1), 1.003)
    np.testing.assert_array_equal(commands.next_targets(PANDA.home, PERIOD_NS, 1.01), turned(0.1))
    assert list(commands.latencies) == pytest.approx([0.003])


@pytest.mark.parametrize('stamp_ns', [0, PERIOD_NS + 1, 10**18])
def test_a_stamp_of_no_published_state_does_not_count_and_silences_nobody(commands, stamp_ns):
    assert not commands.take(stamp_ns, turned(0.1), 1.0)
    assert commands.take(PERIOD_NS, turned(0.05), 1.0)


def test_the_newest_answer_counts_once(commands):
    commands.published(2 * PERIOD_NS, 1.05)
    assert commands.take(2 * PERIOD_NS, turned(0.1), 1.06)
    assert not commands.take(PERIOD_NS, turned(0.05), 1.07)
    assert not commands.take(2 * PERIOD_NS, turned(0.1), 1.07)


def test_a_refused_command_leaves_the_one_before_and_its_state_unanswered(commands):
    with pytest.raises(RobotError):
        commands.take(PERIOD_NS, turned(1.0), 1.0)
    assert commands.take(PERIOD_NS, turned(0.1), 1.0)


def test_without_a_command_the_arm_holds_where_it_is_measured(commands):
    commands.take(PERIOD_NS, turned(0.1), 1.0)
    measured = turned(0.07)
    assert commands.next_targets(measured, PERIOD_NS, 1.4)[0] == turned(0.1)[0]
    for late in (1.6, 1.7):
        np.testing.assert_array_equal(commands.next_targets(measured, PERIOD_NS, late), measured)
        measured = turned(0.07) if late > 1.6 else measured


def test_no_joint_is_driven_faster_than_its_limit_with_the_margin(commands):
    for number in range(2, 11):
        commands.published(number * PERIOD_NS, 1.4)
    assert commands.take(10 * PERIOD_NS, turned(9 * STEP), 1.45)
    at = [commands.next_targets(PANDA.home, PERIOD_NS, 1.45)[0] for _ in range(8)]
    assert np.diff([PANDA.home[0], *at]).max() <= MARGIN * STEP + 1e-12
    assert at[-1] == turned(9 * STEP)[0]


def test_no_command_of_the_actuator_is_refused_whatever_a_driver_asks_for(environment):
    limits, period_ns = CommandLimits(PANDA, PERIOD_NS), environment.simulation.dt_ns
    lower, upper = 10.0 * environment.contract.lower, 10.0 * environment.contract.upper
    for seed in range(3):
        environment.reset(seed=seed, options={'horizon': 60, 'continuing': True})
        limits.restart(environment.state.joint_position, 0)
        chance = np.random.default_rng(seed)
        for step in range(1, 61):
            ends = chance.random(len(lower)) < 0.5
            *_, terminated, truncated, _ = environment.step(
                np.where(ends, lower, upper).astype(np.float32))
            limits.take(step * period_ns, environment.sent.positions)
            if terminated or truncated:
                break
