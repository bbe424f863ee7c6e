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

"""The measure of disagreement, and the gate that hands over and back by it."""

import dataclasses
import math

from hypothesis import given, strategies as st
from il_ros.contract.contract import ActionElement, Contract, TOOL_VELOCITY
from il_ros.contract.episode_spec import DrivePlan, POLICY
from il_ros.driving.gates import Disagreement, Gate, make_gate, MAX_DISAGREEMENT, UNKNOWN
import pytest

PLANE = Contract('plane', 20.0, (), TOOL_VELOCITY, 'base', (
    ActionElement('linear_x', 'm/s', -0.5, 0.5), ActionElement('linear_y', 'm/s', -0.5, 0.5)))
HAND = Contract('hand', 20.0, (), TOOL_VELOCITY, 'base', (
    ActionElement('linear_x', 'm/s', -0.5, 0.5), ActionElement('gripper_opening', 'm', 0, 0.08)))
AGREE, DIFFER = 0.0, 1.0
ADAPTED = DrivePlan(driver=POLICY, gate='novelty', threshold=0.2, release_threshold=0.1,
                    smoothing=0.0, release_patience=1, target_rate=0.1)


def _gate(**settings) -> Gate:
    plan = DrivePlan(driver=POLICY, gate='discrepancy', **settings)
    return Gate(plan, plan.threshold)


def _drives(gate, signal) -> list[bool]:
    return [gate.step(value) for value in signal]


def test_half_of_full_scale_on_one_axis_is_a_half():
    assert Disagreement(PLANE)([0.25, 0.0], [0.0, 0.0]) == pytest.approx(0.5)


def test_axes_add_up_as_a_euclidean_norm():
    assert Disagreement(PLANE)([0.3, 0.0], [0.0, 0.4]) == pytest.approx(1.0)


def test_what_both_want_beyond_the_bounds_is_no_disagreement():
    assert Disagreement(PLANE)([3.0, 0.0], [0.6, 0.0]) == 0.0


@pytest.mark.parametrize('opening, expected', [(0.08, 1.0), (0.05, 1.0), (0.03, 0.0)])
def test_hands_that_want_different_things_count_as_full_scale(opening, expected):
    assert Disagreement(HAND)([0.0, opening], [0.0, 0.0]) == expected


@pytest.mark.parametrize('action', [[math.nan, 0.0], [0.0, math.nan]])
@pytest.mark.parametrize('contract', [PLANE, HAND])
def test_a_nan_is_unknown_and_never_agreement(action, contract):
    assert Disagreement(contract)(action, [0.0, 0.0]) == UNKNOWN
    assert Disagreement(contract)([0.0, 0.0], action) == UNKNOWN


@given(st.lists(st.floats(-2, 2), min_size=4, max_size=4))
def test_disagreement_is_symmetric_and_finite(numbers):
    one, other = numbers[:2], numbers[2:]
    assert Disagreement(PLANE)(one, other) == Disagreement(PLANE)(other, one)
    assert 0.0 <= Disagreement(PLANE)(one, other) <= 2.0 * math.sqrt(2.0) + 1e-9


def test_one_step_of_disagreement_is_forgiven_and_the_second_hands_over():
    assert _drives(_gate(), [DIFFER, DIFFER]) == [False, True]
    assert _drives(_gate(), [DIFFER, AGREE, AGREE, AGREE]) == [False] * 4


def test_the_wheel_goes_back_on_the_third_agreeing_step_in_a_row():
    gate = _gate()
    signal = [DIFFER, DIFFER, AGREE, AGREE, DIFFER, AGREE, AGREE, AGREE]
    assert _drives(gate, signal) == [False, True, True, True, True, True, True, False]


def test_the_expert_drives_exactly_hold_max_steps_if_they_never_agree():
    gate = _gate(hold_max=15)
    drives = _drives(gate, [DIFFER] * 40)
    assert drives[:18] == [False] + [True] * 15 + [False, False]
    assert drives[18], 'a new run of disagreement hands over again'


def test_without_hold_max_the_expert_keeps_the_wheel_while_they_disagree():
    assert all(_drives(_gate(hold_max=0), [DIFFER] * 100)[1:])


def test_the_wheel_never_goes_back_before_hold_min():
    drives = _drives(_gate(hold_min=6), [DIFFER, DIFFER] + [AGREE] * 10)
    assert drives == [False] + [True] * 6 + [False] * 5


def test_an_unknown_step_changes_nothing_while_the_policy_drives():
    gate = _gate()
    assert _drives(gate, [DIFFER] + [UNKNOWN] * 5 + [DIFFER]) == [False] * 6 + [True]


def test_a_policy_without_an_answer_counts_as_disagreeing():
    assert _drives(_gate(), [MAX_DISAGREEMENT, MAX_DISAGREEMENT]) == [False, True]


@given(st.lists(st.sampled_from([AGREE, 0.4, DIFFER, UNKNOWN]), max_size=200),
       st.integers(1, 20))
def test_no_hold_is_ever_longer_than_hold_max(signal, hold_max):
    gate, run = _gate(hold_max=hold_max), 0
    for value in signal:
        run = run + 1 if gate.step(value) else 0
        assert run <= hold_max


def test_a_hand_that_comes_first_in_the_action_counts_as_any_other():
    first = dataclasses.replace(HAND, actions=HAND.actions[::-1])
    assert Disagreement(first)([0.08, 0.0], [0.0, 0.0]) == 1.0
    assert Disagreement(first)([math.nan, 0.0], [0.0, 0.0]) == UNKNOWN


def test_a_hand_in_the_very_middle_is_not_open():
    assert Disagreement(HAND)([0.0, 0.04], [0.0, 0.0]) == 0.0
    assert Disagreement(HAND)([0.0, 0.04], [0.0, 0.08]) == 1.0


def test_signals_at_their_thresholds_are_neither_large_nor_small():
    settings = {'threshold': 0.5, 'release_threshold': 0.25, 'smoothing': 0.0,
                'takeover_level': 0.5, 'release_patience': 1, 'hold_max': 0}
    assert _drives(_gate(**settings), [0.5, 0.6, 0.25, 0.0]) == [False, True, True, False]
    assert not any(_drives(_gate(**{**settings, 'smoothing': 0.5}), [0.6])), 'a level just there'
    assert _drives(_gate(**settings), [0.6, UNKNOWN, 0.0]) == [True, True, False]


def test_an_adapted_threshold_rises_while_the_expert_drives_and_falls_while_it_does_not():
    gate = make_gate(ADAPTED, -1.0)
    assert (gate.step(1.0), gate.threshold) == (True, pytest.approx(0.2 * math.exp(0.05 * 0.9)))
    assert gate.release_threshold == pytest.approx(gate.threshold / 2)
    assert gate.step(0.0) is False
    assert gate.threshold == pytest.approx(0.2 * math.exp(0.05 * 0.8))
    assert gate.release_threshold == pytest.approx(gate.threshold / 2)


@pytest.mark.parametrize('start, bound, signal', [
    (1e9, 0.2e4, 0.0), (1e-9, 0.2e-4, 0.0), (0.2e4, 0.2e4, 1e9), (0.2e-4, 0.2e-4, 0.0)])
def test_an_adapted_threshold_stays_within_ten_thousand_times_the_plans(start, bound, signal):
    gate = make_gate(ADAPTED, start)
    assert (gate.threshold, gate.release_threshold) == (start, pytest.approx(start / 2))
    gate.step(signal)
    assert gate.threshold == pytest.approx(bound)


@pytest.mark.parametrize('given, start', [(-1.0, 0.2), (0.0, 0.2), (0.5, 0.5), (2.0, 2.0)])
def test_a_gate_starts_from_the_threshold_that_is_given_or_else_from_the_plans(given, start):
    assert make_gate(ADAPTED, given).threshold == start
    gate = make_gate(dataclasses.replace(ADAPTED, target_rate=0.0), given)
    gate.step(0.3)
    assert gate.threshold == start, 'it is not adapted'
