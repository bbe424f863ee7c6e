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

"""Hand-overs between a person and a policy: no jump, and no step is eaten."""

from il_ros.contract.episode_spec import HOLD, POLICY, TELEOP
from il_ros.driving.blending import Blending
from il_ros.tasks.contracts import find_contract
import numpy as np
import pytest

CONTRACT, _ = find_contract('pick_place')
ACCELERATION = 2.0
MOST = ACCELERATION / CONTRACT.rate
"""What the speed may change by in one control step, m/s."""


def _velocity(x, y=0.0, z=0.0, opening=0.08):
    return np.array([x, y, z, opening], np.float32)


def _through(steps) -> list[tuple[np.ndarray, bool]]:
    blending = Blending(CONTRACT, ACCELERATION)
    led = []
    for driver, action in steps:
        led.append(blending.limit_rate(driver, action))
        blending.sent(led[-1][0])
    return led


def _turns():
    random = np.random.default_rng(5)
    steps, driver = [], POLICY
    for _ in range(40):
        driver = TELEOP if driver == POLICY else POLICY
        wanted = _velocity(*random.uniform(-0.5, 0.5, 3))
        steps += [(driver, wanted)] * int(random.integers(1, 12))
    return steps


def test_at_a_hand_over_either_way_the_velocity_changes_no_faster_than_the_limit():
    steps = [(POLICY, _velocity(0.0)), *_turns()]
    led = _through(steps)
    sent = np.array([action[:3] for action, _ in led], np.float64)
    # A driver that goes on alone is not led; here each wants the same until he is relieved.
    assert np.linalg.norm(np.diff(sent, axis=0), axis=1).max() <= MOST + 1e-6


def test_the_new_driver_gets_what_he_wants_as_soon_as_the_limit_allows():
    led = _through([(POLICY, _velocity(0.25))] * 2 + [(TELEOP, _velocity(-0.25))] * 8)
    assert [float(action[0]) for action, _ in led[2:]] == pytest.approx(
        [0.15, 0.05, -0.05, -0.15, -0.25, -0.25, -0.25, -0.25])
    assert [changed for _, changed in led] == [False] * 2 + [True] * 4 + [False] * 4


def test_once_he_has_caught_up_he_may_be_as_quick_as_he_likes():
    led = _through([(TELEOP, _velocity(0.0)), (TELEOP, _velocity(0.5)), (TELEOP, _velocity(-0.5))])
    assert [float(action[0]) for action, _ in led] == [0.0, 0.5, -0.5]


def test_the_gripper_is_not_led():
    led = _through([(POLICY, _velocity(0.4)), (TELEOP, _velocity(0.0, opening=0.0))])
    assert float(led[1][0][3]) == 0.0


def test_between_programs_nothing_is_led():
    assert not any(changed for _, changed in _through(
        [(POLICY, _velocity(0.5)), (1, _velocity(-0.5)), (POLICY, _velocity(0.5))]))


def test_what_is_not_finite_is_left_for_the_limits_to_refuse():
    led = _through([(POLICY, _velocity(0.4)), (TELEOP, _velocity(np.nan)),
                    (TELEOP, _velocity(0.4))])
    assert np.isnan(led[1][0][0]) and not led[1][1]


def test_an_action_of_another_width_is_left_for_the_limits_to_refuse():
    blending = Blending(CONTRACT, 2.0)
    blending.sent(_velocity(0.4), POLICY)
    narrow = _velocity(-0.4)[:2]
    assert blending.limit_rate(TELEOP, narrow) == (narrow, False)
    assert blending.limit_rate(TELEOP, _velocity(-0.4))[1], 'it goes on with one that fits'


@pytest.mark.parametrize('after', [TELEOP, POLICY])
def test_who_drives_on_after_a_person_was_held_for_begins_from_rest_without_a_jump(after):
    blending = Blending(CONTRACT, ACCELERATION)
    wanted = _velocity(0.5)
    for _ in range(8):
        led, _ = blending.limit_rate(TELEOP, wanted)
        blending.sent(led, TELEOP)
    assert float(led[0]) == 0.5
    blending.sent(_velocity(0.0), HOLD)
    speeds = []
    for _ in range(3):
        led, _ = blending.limit_rate(after, wanted)
        blending.sent(led, after)
        speeds.append(float(led[0]))
    assert speeds == pytest.approx([0.1, 0.2, 0.3])


def test_a_person_who_drives_first_begins_from_rest():
    led = _through([(TELEOP, _velocity(0.25))] * 4)
    assert [float(action[0]) for action, _ in led] == pytest.approx([0.1, 0.2, 0.25, 0.25])
    assert [changed for _, changed in led] == [True, True, False, False]


def test_after_a_program_was_held_for_nothing_is_led():
    blending = Blending(CONTRACT, ACCELERATION)
    for driver in (POLICY, HOLD):
        blending.limit_rate(POLICY, _velocity(0.5))
        blending.sent(_velocity(0.5 if driver == POLICY else 0.0), driver)
    assert not blending.limit_rate(POLICY, _velocity(0.5))[1]
