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

"""What a mistake is, and how mistakes add up along an episode."""

from il_ros.contract.contract import ActionElement, Contract, TOOL_VELOCITY
from il_ros.evaluation.mistakes import ComparedActions, count_mistakes, gripper_mistaken
from il_ros.evaluation.mistakes import mistaken
import numpy as np
import pytest

HAND = Contract('hand', 20.0, (), TOOL_VELOCITY, 'base', (
    ActionElement('linear_x', 'm/s', -0.5, 0.5), ActionElement('linear_y', 'm/s', -0.5, 0.5),
    ActionElement('gripper_opening', 'm', 0, 0.08)))
FIRST = Contract('first', 20.0, (), TOOL_VELOCITY, 'base', HAND.actions[::-1])
PLANE = Contract('plane', 20.0, (), TOOL_VELOCITY, 'base', HAND.actions[:2])


def _one(action, expert, **options) -> bool:
    return bool(mistaken(np.array([action]), np.array([expert]), PLANE, **options)[0])


@pytest.mark.parametrize('error, expected', [(0.19, False), (0.21, True)])
def test_an_error_above_half_of_the_experts_own_speed_is_a_mistake(error, expected):
    assert _one([0.4 - error, 0.0], [0.4, 0.0]) == expected


@pytest.mark.parametrize('error, expected', [(0.049, False), (0.051, True)])
def test_a_slow_expert_is_taken_to_move_at_a_fifth_of_full_scale(error, expected):
    assert _one([error, 0.0], [0.0, 0.0]) == expected


def test_what_both_want_beyond_the_bounds_is_no_mistake():
    assert not _one([5.0, 0.0], [0.5, 0.0])


def test_another_fraction_is_another_measure():
    assert _one([0.3, 0.0], [0.4, 0.0], fraction=0.2)
    assert not _one([0.3, 0.0], [0.4, 0.0], fraction=0.3)


def test_an_action_that_is_not_a_number_is_a_mistake():
    assert _one([np.nan, 0.0], [0.4, 0.0])


def test_the_gripper_is_counted_apart():
    action, expert = np.array([[0.4, 0.0, 0.08]]), np.array([[0.4, 0.0, 0.0]])
    assert not mistaken(action, expert, HAND)[0]
    assert gripper_mistaken(action, expert, HAND)[0]
    assert not gripper_mistaken(action[:, :2], expert[:, :2], PLANE)[0]


RIGHT, WRONG = [0.5, 0.0], [-0.5, 0.0]


def _rollout(flags, valid=None) -> ComparedActions:
    actions = np.array([WRONG if flag else RIGHT for flag in flags], float).reshape(-1, 2)
    return ComparedActions(actions, np.tile(RIGHT, (len(flags), 1)),
                           np.ones(len(flags), bool) if valid is None else np.array(valid))


def test_mistakes_add_up_along_the_episodes_and_stand_when_one_ends():
    counted = count_mistakes([_rollout([1, 0, 1]), _rollout([1])], PLANE)
    assert (counted.steps, counted.mistakes) == (4, 3)
    assert counted.curve == (1.0, 1.0, 1.5)


def test_states_without_an_answer_of_the_expert_do_not_count():
    counted = count_mistakes([_rollout([1, 1, 0], [True, False, True])], PLANE)
    assert (counted.steps, counted.mistakes) == (2, 1)


def test_three_thresholds_are_counted():
    actions = np.array([[0.35, 0.0], [0.28, 0.0], [0.1, 0.0], [-0.1, 0.0]])
    rollout = ComparedActions(actions, np.tile([0.4, 0.0], (4, 1)), np.ones(4, bool))
    assert count_mistakes([rollout], PLANE).mistakes_at == (3, 2, 1)


def test_no_episode_at_all_is_no_error():
    assert count_mistakes([], PLANE).curve == ()
    assert count_mistakes([_rollout([])], PLANE).steps == 0


def test_an_error_of_exactly_what_is_allowed_is_no_mistake():
    assert not _one([0.25, 0.0], [0.5, 0.0])


def test_a_hand_in_the_very_middle_is_not_open():
    def differs(one, other):
        return gripper_mistaken(np.array([[0, 0, one]]), np.array([[0, 0, other]]), HAND)[0]
    assert not differs(0.04, 0.0) and not differs(0.0, 0.04)
    assert differs(0.04, 0.08) and differs(0.08, 0.04)


def test_mistakes_of_the_hand_are_counted_where_the_expert_answered_wherever_it_stands():
    expert = np.zeros((3, 3))
    for contract, hand in ((HAND, 2), (FIRST, 0)):
        actions = expert.copy()
        actions[:, hand] = 0.08
        counted = count_mistakes([ComparedActions(actions, expert, np.array([1, 1, 0])),
                                  ComparedActions(actions, expert, np.array([0, 0, 1]))], contract)
        assert (counted.gripper_mistakes, counted.mistakes) == (3, 0)


def test_the_curve_is_written_with_six_digits_and_counts_episodes_that_never_began():
    counted = count_mistakes([_rollout([1]), _rollout([0]), _rollout([])], PLANE)
    assert counted.curve == (0.333333,)
