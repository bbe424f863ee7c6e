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

"""What every expert promises, and what each law does, on states alone (no simulator)."""

import math

from il_ros.contract.contract import Contract
from il_ros.tasks.contracts import find_contract
from il_ros.tasks.expert import BadObservationError, MissingFeatureError
from il_ros.tasks.expert_registry import expert_class, make_expert, UnknownExpertError
from il_ros.tasks.registry import TASKS
from il_ros.tasks.relabel import relabel
import numpy as np
import pytest

STEP_M = 1e-4
"""A tenth of a millimetre: what a sensor would call the same state."""


def contract_of(task: str) -> Contract:
    return find_contract(task)[0]


def expert_of(task: str):
    return make_expert(task, contract_of(task))


def state(contract: Contract, **features) -> np.ndarray:
    """Return an observation with these features set and the rest zero."""
    values = np.zeros(contract.width, np.float32)
    for name, numbers in features.items():
        contract.values(values, name)[:] = numbers
    return values


def near_states(contract: Contract, count: int, seed: int = 0) -> np.ndarray:
    """Return states with tool, objects and goal within 15 cm of one another, low on the table."""
    rng = np.random.default_rng(seed)
    rows = rng.normal(0.0, 0.3, (count, contract.width)).astype(np.float32)
    centre = rng.uniform([0.4, -0.1, 0.0], [0.6, 0.1, 0.1], (count, 3))
    for feature in contract.features:
        if feature.elements == ('x', 'y', 'z'):
            offsets = rng.uniform(-0.08, 0.08, (count, 3))
            contract.values(rows, feature.name)[:] = centre + offsets
    contract.values(rows, 'gripper_opening')[:] = rng.uniform(0.0, 0.08, (count, 1))
    return rows


@pytest.mark.parametrize('task', TASKS)
def test_actions_lie_inside_the_contract(task):
    contract = contract_of(task)
    rows = near_states(contract, 500) * np.float32(10.0)
    actions, valid = relabel(make_expert(task, contract), rows)
    assert valid.all() and actions.dtype == np.float32
    assert (actions >= contract.lower).all() and (actions <= contract.upper).all()


@pytest.mark.parametrize('task', TASKS)
def test_the_answer_depends_on_the_state_alone(task):
    rows = near_states(contract_of(task), 50)
    expert = expert_of(task)
    forwards, _ = relabel(expert, rows)
    backwards, _ = relabel(expert, rows[::-1])
    np.testing.assert_array_equal(forwards, backwards[::-1])


@pytest.mark.parametrize('task', TASKS)
def test_joint_angles_and_velocities_do_not_matter(task):
    contract = contract_of(task)
    rows = near_states(contract, 50)
    moved = rows.copy()
    contract.values(moved, 'joint_velocity')[:] += 1.0
    contract.values(moved, 'joint_position')[:] += 1.0
    expert = expert_of(task)
    np.testing.assert_array_equal(relabel(expert, rows)[0], relabel(expert, moved)[0])


@pytest.mark.parametrize('task', TASKS)
def test_a_tenth_of_a_millimetre_changes_a_velocity_by_less_than_a_tenth_of_full_scale(task):
    contract = contract_of(task)
    expert = make_expert(task, contract)
    rows = near_states(contract, 4000)
    rng = np.random.default_rng(1)
    moved = rows + rng.uniform(-STEP_M, STEP_M, rows.shape).astype(np.float32)
    change = np.abs(relabel(expert, rows)[0] - relabel(expert, moved)[0])[:, :3]
    assert change.max() < 0.1 * 0.5


@pytest.mark.parametrize('task', TASKS)
def test_there_is_no_answer_to_a_number_that_is_not_finite(task):
    rows = near_states(contract_of(task), 3)
    rows[0, 3], rows[1, -1] = np.nan, np.inf
    actions, valid = relabel(expert_of(task), rows)
    assert valid.tolist() == [False, False, True]
    np.testing.assert_array_equal(actions[:2], 0.0)


@pytest.mark.parametrize('task', TASKS)
def test_an_observation_of_another_width_is_refused(task):
    with pytest.raises(BadObservationError, match='got 7 values'):
        expert_of(task).act(np.zeros(7, np.float32))


def test_an_unknown_task_is_refused_with_the_known_ones():
    with pytest.raises(UnknownExpertError, match='reach, push, pick_place'):
        make_expert('juggle', contract_of('reach'))


def test_a_contract_without_the_object_is_refused_by_name():
    with pytest.raises(MissingFeatureError, match='object_position'):
        contract = contract_of('reach')
        make_expert('push', Contract(**{**vars_of(contract), 'actions': contract.actions[:2]}))


def test_a_contract_with_other_actions_is_refused():
    with pytest.raises(MissingFeatureError, match='gripper_opening'):
        make_expert('pick_place', contract_of('reach'))


def vars_of(contract: Contract) -> dict:
    return {name: getattr(contract, name) for name in (
        'name', 'rate', 'features', 'action_space', 'action_frame_id', 'actions')}


def test_the_name_says_the_version():
    assert expert_of('push').name == f'push expert {expert_class("push").version}'


def test_reach_goes_straight_to_the_goal_and_stops_there():
    contract, expert = contract_of('reach'), expert_of('reach')
    away = expert.act(state(contract, tool_position=(0.4, 0.0, 0.3),
                            goal_position=(0.5, 0.1, 0.2)))
    np.testing.assert_allclose(away / away[0], (1.0, 1.0, -1.0), rtol=1e-5)
    there = expert.act(state(contract, tool_position=(0.4, 0.0, 0.3),
                             goal_position=(0.4, 0.0, 0.3)))
    np.testing.assert_array_equal(there, 0.0)


def push_at(bearing_deg: float, radius: float = 0.08, turn_deg: float = 0.0) -> np.ndarray:
    """Return the push action with the tool at this bearing from behind the puck."""
    contract, turn = contract_of('push'), math.radians(turn_deg)
    behind = turn + math.pi + math.radians(bearing_deg)
    return expert_of('push').act(state(
        contract, object_position=(0.5, 0.0, 0.02),
        goal_position=(0.5 + 0.2 * math.cos(turn), 0.2 * math.sin(turn), 0.02),
        tool_position=(0.5 + radius * math.cos(behind), radius * math.sin(behind), 0.02)))


def test_push_drives_towards_the_goal_from_behind_the_puck():
    forward, sideways = push_at(0.0)
    assert forward > 0.2 and abs(sideways) < 1e-4


@pytest.mark.parametrize('bearing', [60.0, 120.0, 170.0])
def test_push_goes_round_the_puck_first(bearing):
    forward, sideways = push_at(bearing)
    outwards = np.array([-math.cos(math.radians(bearing)), -math.sin(math.radians(bearing))])
    back = np.array([-outwards[1], outwards[0]])
    velocity = np.array([forward, sideways])
    assert abs(velocity @ back) > 2.0 * abs(velocity @ outwards)
    assert forward < 0.05


@pytest.mark.parametrize('bearing', [5.0, 40.0, 100.0, 160.0])
def test_push_is_the_same_law_mirrored(bearing):
    left, right = push_at(bearing), push_at(-bearing)
    np.testing.assert_allclose(left, right * (1.0, -1.0), atol=1e-5)


@pytest.mark.parametrize('bearing', [5.0, 40.0, 100.0, 160.0])
def test_push_is_the_same_law_turned_by_half(bearing):
    straight, turned = push_at(bearing), push_at(bearing, turn_deg=180.0)
    np.testing.assert_allclose(turned, -straight, atol=1e-5)


def test_push_leaves_the_puck_at_the_goal_alone():
    contract = contract_of('push')
    action = expert_of('push').act(state(
        contract, object_position=(0.5, 0.0, 0.02), goal_position=(0.5, 0.0, 0.02),
        tool_position=(0.4, 0.0, 0.02)))
    assert np.isfinite(action).all()


def pick(opening: float, tool, cube, goal) -> np.ndarray:
    contract = contract_of('pick_place')
    return expert_of('pick_place').act(state(
        contract, gripper_opening=opening, tool_position=tool, object_position=cube,
        goal_position=goal))


CUBE, HIGH, TABLE = (0.5, 0.0, 0.025), (0.45, 0.1, 0.25), (0.45, 0.1, 0.025)
"""A resting cube, a goal in the air and one on the table."""


def test_pick_keeps_above_the_cube_until_it_is_over_it():
    assert pick(0.08, (0.45, 0.0, 0.06), CUBE, HIGH)[2] > 0.1
    assert pick(0.08, (0.50, 0.0, 0.10), CUBE, HIGH)[2] < -0.1


def test_pick_rises_before_it_moves_when_it_is_low_beside_the_cube():
    x, y, z, _ = pick(0.08, (0.43, 0.0, 0.03), CUBE, HIGH)
    assert z > 0.2 and math.hypot(x, y) < 0.1


def test_pick_opens_a_shut_hand_before_it_comes_down():
    *_, z, gripper = pick(0.0, (0.50, 0.0, 0.08), CUBE, HIGH)
    assert z > 0.0 and gripper == np.float32(0.08)


def test_pick_closes_around_the_cube_and_stays_over_its_middle_until_it_holds():
    x, y, z, gripper = pick(0.08, (0.50, 0.0, 0.025), CUBE, HIGH)
    # It may sink on a little: a law that comes to rest where it closes is badly imitated.
    assert gripper == 0.0 and max(abs(x), abs(y)) < 0.01 and -0.25 < z <= 0.0


def test_pick_carries_what_it_holds_towards_the_goal():
    x, y, z, gripper = pick(0.05, (0.50, 0.0, 0.025), CUBE, HIGH)
    assert gripper == 0.0 and x < 0.0 < y and z > 0.1


def test_pick_holds_on_at_a_goal_in_the_air():
    *velocity, gripper = pick(0.05, HIGH, HIGH, HIGH)
    assert gripper == 0.0 and np.abs(velocity).max() < 0.02


def test_pick_lets_go_of_a_cube_that_lies_at_a_goal_on_the_table():
    *velocity, gripper = pick(0.05, TABLE, TABLE, TABLE)
    assert gripper == np.float32(0.08) and np.abs(velocity).max() < 0.05


def test_pick_leaves_upwards_once_the_hand_is_open():
    x, y, z, gripper = pick(0.08, TABLE, TABLE, TABLE)
    assert gripper == np.float32(0.08) and z > 0.05 and math.hypot(x, y) < 0.01


@pytest.mark.parametrize('task', ['pick_place', 'stack', 'tower', 'lay'])
def test_the_gripper_is_only_ever_told_to_open_or_to_close(task):
    contract = contract_of(task)
    actions, _ = relabel(expert_of(task), near_states(contract, 2000))
    assert set(actions[:, -1].tolist()) <= {0.0, float(np.float32(0.08))}


def stack(opening: float, tool, cube, base) -> np.ndarray:
    contract = contract_of('stack')
    return expert_of('stack').act(state(
        contract, gripper_opening=opening, tool_position=tool, object_position=cube,
        base_position=base))


BASE, ON_BASE = (0.5, 0.15, 0.025), (0.5, 0.15, 0.075)
"""Another resting cube, and where a cube stands on it."""


def test_stack_goes_up_before_it_carries_a_cube_against_the_other_one():
    low, high = (0.5, 0.085, 0.04), (0.5, 0.085, 0.11)
    _, y, z, gripper = stack(0.05, low, low, BASE)
    assert gripper == 0.0 and z > 0.2 and abs(y) < 0.1
    _, y, z, gripper = stack(0.05, high, high, BASE)
    assert gripper == 0.0 and abs(z) < 0.2 and y > 0.3


def test_stack_holds_on_over_the_other_cube_until_the_cube_stands_there():
    above = (0.5, 0.15, 0.09)
    *_, z, gripper = stack(0.05, above, above, BASE)
    assert gripper == 0.0 and z < -0.1


def test_stack_lets_go_of_a_cube_that_stands_and_leaves_upwards():
    assert stack(0.05, ON_BASE, ON_BASE, BASE)[3] == np.float32(0.08)
    x, y, z, gripper = stack(0.08, ON_BASE, ON_BASE, BASE)
    assert gripper == np.float32(0.08) and z > 0.05 and math.hypot(x, y) < 0.01


def test_stack_grasps_a_cube_anew_that_stands_too_far_off_the_middle():
    beside = (0.5, 0.168, 0.075)
    assert stack(0.08, beside, beside, BASE)[3] == 0.0


def insert(peg, goal=(0.5, 0.0, 0.06)) -> np.ndarray:
    contract = contract_of('insert')
    return expert_of('insert').act(state(contract, object_position=peg, goal_position=goal))


def test_insert_keeps_the_peg_above_the_block_until_it_is_over_the_hole():
    x, _, z = insert((0.49, 0.0, 0.13))
    assert x > 0.05 and abs(z) < 0.12
    assert insert((0.5005, 0.0, 0.13))[2] < -0.2


def test_insert_lifts_a_peg_that_is_beside_the_hole_before_it_goes_on():
    x, _, z = insert((0.45, 0.0, 0.08))
    assert 0.0 < x < 0.1 and z > 0.2


def test_insert_goes_on_down_inside_the_hole():
    *_, z = insert((0.5005, 0.0005, 0.08))
    assert z < -0.1


PLACE, ON_PLACE, ON_TWO = (0.5, 0.0, 0.025), (0.5, 0.0, 0.075), (0.5, 0.0, 0.125)
FIRST, SECOND, THIRD = (0.4, 0.15, 0.025), (0.6, 0.15, 0.025), (0.5, -0.15, 0.025)
"""The marked place and those above it, and where three cubes lie at first."""


def tower(tool, first=FIRST, second=SECOND, third=THIRD, opening: float = 0.08) -> np.ndarray:
    contract = contract_of('tower')
    return expert_of('tower').act(state(
        contract, gripper_opening=opening, tool_position=tool, object_position=first,
        second_position=second, third_position=third, goal_position=PLACE))


@pytest.mark.parametrize('placed, towards', [
    ({}, FIRST), ({'first': PLACE}, SECOND), ({'first': PLACE, 'second': ON_PLACE}, THIRD),
    ({'second': ON_PLACE}, FIRST), ({'first': PLACE, 'third': ON_PLACE}, SECOND)])
def test_tower_fetches_the_cube_above_the_highest_that_is_placed(placed, towards):
    above = (0.5, 0.0, 0.25)
    velocity = tower(above, **placed)[:2]
    way = np.array(towards[:2]) - above[:2]
    assert velocity @ way > 0.99 * np.linalg.norm(velocity) * np.linalg.norm(way) > 0.0


def test_tower_lets_go_of_a_placed_cube_and_rises_before_it_goes_for_the_next():
    held = tower(ON_PLACE, first=PLACE, second=ON_PLACE, opening=0.05)
    assert held[3] == np.float32(0.08) and np.abs(held[:3]).max() < 0.02
    x, y, z, gripper = tower(ON_PLACE, first=PLACE, second=ON_PLACE)
    assert gripper == np.float32(0.08) and z > 0.2 and math.hypot(x, y) < 0.02


def test_tower_lifts_a_cube_straight_up_before_it_carries_it():
    x, y, z, gripper = tower(FIRST, opening=0.05)
    assert gripper == 0.0 and z > 0.3 and math.hypot(x, y) < 0.1


def test_tower_goes_down_for_a_cube_that_lies_beside_the_tower():
    beside = (0.555, 0.0, 0.025)
    assert tower((0.555, 0.0, 0.08), first=PLACE, second=beside)[2] < -0.2
