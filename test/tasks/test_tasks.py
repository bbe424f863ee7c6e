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

import dataclasses
import math

from il_ros.tasks.base import Scene
from il_ros.tasks.insert.task import Insert
from il_ros.tasks.lay.task import Lay
from il_ros.tasks.pick_place.task import PickPlace
from il_ros.tasks.push.task import Push, RADIUS_M
from il_ros.tasks.reach.task import Reach
from il_ros.tasks.registry import make_task, TASKS
from il_ros.tasks.scene import Reading
from il_ros.tasks.stack.task import Stack
from il_ros.tasks.tower.task import Tower
from il_ros.tasks.yaw import about_z, within_half_turn, yaw_of
import numpy as np
import pytest
from shipped_arms import PANDA

SEEDS = range(300)


def _reading(scene: Scene, **changes) -> Reading:
    joints = PANDA.home.copy()
    joints[PANDA.fingers] = min(scene.opening_m, PANDA.open_width) / 2
    reading = Reading(joints, np.zeros(9), PANDA.opening(joints), scene.tool_position,
                      np.array([1.0, 0.0, 0.0, 0.0]), scene.object_positions,
                      scene.object_orientations)
    return dataclasses.replace(reading, **changes)


def _moved(scene: Scene, position) -> Reading:
    return _reading(scene, object_positions=np.array([position]))


@pytest.mark.parametrize('name', TASKS)
def test_no_start_is_a_success_or_lost_already(name):
    for seed in SEEDS:
        task = make_task(name)
        scene = task.sample(np.random.default_rng(seed))
        verdict = task.evaluate(_reading(scene), scene.goal_position)
        assert not verdict.success and not verdict.lost


@pytest.mark.parametrize('name', TASKS)
def test_a_start_lies_inside_the_workspace(name):
    for seed in SEEDS:
        scene = make_task(name).sample(np.random.default_rng(seed))
        for place in (scene.tool_position, scene.goal_position, *scene.object_positions):
            assert (place >= PANDA.workspace_lower).all()
            assert (place <= PANDA.workspace_upper).all()


@pytest.mark.parametrize('name', TASKS)
def test_a_start_is_drawn_by_its_generator_alone(name):
    first, again, other = (make_task(name).sample(np.random.default_rng(seed))
                           for seed in (1, 1, 2))
    np.testing.assert_array_equal(first.goal_position, again.goal_position)
    np.testing.assert_array_equal(first.tool_position, again.tool_position)
    assert (first.goal_position != other.goal_position).any()


def test_the_puck_never_starts_at_the_hand():
    for seed in SEEDS:
        scene = Push().sample(np.random.default_rng(seed))
        aside = math.dist(scene.tool_position[:2], scene.object_positions[0, :2])
        assert aside > RADIUS_M + math.hypot(0.011, 0.021)


def test_push_succeeds_within_its_radius_of_the_goal():
    task = Push()
    scene = task.sample(np.random.default_rng(0))
    inside, outside = (scene.goal_position + [offset, 0.0, 0.0] for offset in (0.024, 0.026))
    assert task.evaluate(_moved(scene, inside), scene.goal_position).success
    assert not task.evaluate(_moved(scene, outside), scene.goal_position).success


@pytest.mark.parametrize('place', [(0.7, 0.0, 0.025), (0.5, -0.3, 0.025), (0.5, 0.0, -0.3)])
def test_a_puck_out_of_the_hands_reach_is_lost(place):
    task = Push()
    scene = task.sample(np.random.default_rng(0))
    assert task.evaluate(_moved(scene, place), np.array(place)).lost


def test_push_goes_on_with_a_new_goal_and_the_puck_where_it_is():
    task, rng = Push(), np.random.default_rng(0)
    reading = _reading(task.sample(rng))
    scene = task.resample(rng, reading)
    assert scene.object_positions is reading.object_positions
    assert not task.evaluate(reading, scene.goal_position).success


def test_reach_goes_on_with_a_goal_elsewhere():
    task, rng = Reach(), np.random.default_rng(0)
    reading = _reading(task.sample(rng))
    scene = task.resample(rng, reading)
    assert math.dist(scene.goal_position, reading.tool_position) >= 0.1


def _sampled(in_the_air: bool) -> tuple[PickPlace, Scene]:
    for seed in SEEDS:
        task = PickPlace()
        scene = task.sample(np.random.default_rng(seed))
        if (scene.goal_position[2] > 0.03) == in_the_air:
            return task, scene
    raise AssertionError('no such goal')


def test_half_of_the_goals_of_pick_and_place_are_in_the_air():
    heights = [PickPlace().sample(np.random.default_rng(seed)).goal_position[2] for seed in SEEDS]
    assert 0.4 < np.mean(np.array(heights) > 0.03) < 0.6


def test_a_goal_in_the_air_is_reached_at_once():
    task, scene = _sampled(in_the_air=True)
    assert task.evaluate(_moved(scene, scene.goal_position), scene.goal_position).success


def test_a_goal_on_the_table_wants_the_cube_at_rest_for_five_steps():
    task, scene = _sampled(in_the_air=False)
    there = _moved(scene, scene.goal_position)
    verdicts = [task.evaluate(there, scene.goal_position).success for _ in range(6)]
    assert verdicts == [False] * 5 + [True]


def test_a_goal_on_the_table_wants_the_cube_released():
    task, scene = _sampled(in_the_air=False)
    held = PANDA.home.copy()
    held[PANDA.fingers] = 0.025
    there = dataclasses.replace(_moved(scene, scene.goal_position), joint_position=held,
                                opening_m=PANDA.opening(held))
    assert not any(task.evaluate(there, scene.goal_position).success for _ in range(20))


def test_a_cube_that_is_nudged_has_to_rest_anew():
    task, scene = _sampled(in_the_air=False)
    there = _moved(scene, scene.goal_position)
    nudged = _moved(scene, scene.goal_position + [0.002, 0.0, 0.0])
    for _ in range(4):
        task.evaluate(there, scene.goal_position)
    verdicts = [task.evaluate(nudged, scene.goal_position).success for _ in range(6)]
    assert verdicts == [False] * 5 + [True]


def test_pick_and_place_goes_on_with_a_cube_that_must_be_grasped_anew():
    task, scene = _sampled(in_the_air=True)
    rng = np.random.default_rng(0)
    held = _moved(scene, scene.tool_position)
    for _ in range(50):
        following = task.resample(rng, held)
        aside = math.dist(following.object_positions[0, :2], held.tool_position[:2])
        assert aside >= 0.12
        assert following.object_positions[0, 2] == pytest.approx(0.025)


def _stacked(offset=(0.0, 0.0, 0.0), opening_m: float = 0.08) -> tuple[Stack, Reading, np.ndarray]:
    """Return the task, a reading with one cube on the other, moved by an offset, and the goal."""
    task = Stack()
    scene = task.sample(np.random.default_rng(0))
    lower = scene.object_positions[1]
    positions = np.array([lower + [0.0, 0.0, 0.05] + np.array(offset), lower])
    joints = PANDA.home.copy()
    joints[PANDA.fingers] = opening_m / 2
    reading = _reading(scene, object_positions=positions, joint_position=joints,
                       opening_m=PANDA.opening(joints))
    return task, reading, scene.goal_position


def test_the_cubes_of_stack_leave_room_for_the_hand():
    for seed in SEEDS:
        upper, lower = Stack().sample(np.random.default_rng(seed)).object_positions
        assert math.dist(upper, lower) >= 0.12


def test_stack_wants_the_cube_at_rest_for_five_steps():
    task, reading, goal = _stacked(offset=(0.013, -0.013, 0.001))
    assert [task.evaluate(reading, goal).success for _ in range(6)] == [False] * 5 + [True]


@pytest.mark.parametrize('state', [
    {'opening_m': 0.05}, {'offset': (0.016, 0.016, 0.0)}, {'offset': (0.0, 0.0, 0.01)}])
def test_a_cube_that_is_held_or_off_the_middle_or_in_the_air_is_not_stacked(state):
    task, reading, goal = _stacked(**state)
    assert not any(task.evaluate(reading, goal).success for _ in range(20))


@pytest.mark.parametrize('index', [0, 1])
def test_either_cube_of_stack_can_be_lost(index):
    task, reading, goal = _stacked()
    positions = reading.object_positions.copy()
    positions[index] = (0.7, 0.0, 0.025)
    assert task.evaluate(dataclasses.replace(reading, object_positions=positions), goal).lost


def test_stack_goes_on_with_both_cubes_elsewhere():
    task, reading, goal = _stacked()
    for _ in range(6):
        task.evaluate(reading, goal)
    following = task.resample(np.random.default_rng(1), reading)
    for place in following.object_positions:
        assert math.dist(place[:2], reading.tool_position[:2]) >= 0.12
    assert not task.evaluate(reading, goal).success


def _inserted(offset=(0.0, 0.0, 0.0), slip=(0.0, 0.0, 0.0), tilt_rad: float = 0.0):
    """Return the verdict on a peg moved from the goal, in a hand it has slipped or turned in."""
    task = Insert()
    scene = task.sample(np.random.default_rng(0))
    held_at = scene.tool_position - scene.object_positions[0]
    peg = scene.goal_position + offset
    turned = np.array([math.sin(tilt_rad / 2.0), 0.0, 0.0, math.cos(tilt_rad / 2.0)])
    reading = _reading(
        scene, tool_position=peg + held_at - slip,
        object_positions=np.array([peg, scene.object_positions[1]]),
        object_orientations=np.array([turned, scene.object_orientations[1]]))
    return task.evaluate(reading, scene.goal_position)


@pytest.mark.parametrize('offset, success', [
    ((0.0, 0.0, 0.009), True), ((0.0015, 0.0015, 0.0), True), ((0.0, 0.0, 0.011), False),
    ((0.03, 0.0, 0.0), False)])
def test_insert_succeeds_at_a_depth_of_three_centimetres(offset, success):
    verdict = _inserted(offset)
    assert (verdict.success, verdict.lost) == (success, False)


@pytest.mark.parametrize('change', [{'slip': (0.0, 0.0, -0.013)}, {'tilt_rad': 0.21}])
def test_a_peg_that_has_slipped_or_turned_in_the_hand_is_lost(change):
    verdict = _inserted(**change)
    assert (verdict.success, verdict.lost) == (False, True)


def test_insert_goes_on_with_the_block_elsewhere_and_the_peg_in_the_hand():
    task, rng = Insert(), np.random.default_rng(0)
    reading = _reading(task.sample(rng))
    scene = task.resample(rng, reading)
    np.testing.assert_array_equal(scene.object_positions[0], reading.object_positions[0])
    assert math.dist(scene.object_positions[1, :2], reading.object_positions[0, :2]) >= 0.08


def _tower(first=(0.0, 0.0, 0.0), second=(0.0, 0.0, 0.05), third=(0.0, 0.0, 0.1)) -> list:
    """Return what is said of six steps with the cubes at these offsets from the goal."""
    task = Tower()
    scene = task.sample(np.random.default_rng(0))
    reading = _reading(scene, object_positions=scene.goal_position + [first, second, third])
    return [task.evaluate(reading, scene.goal_position) for _ in range(6)]


def test_a_tower_that_stands_for_five_steps_at_the_goal_is_a_success():
    assert [verdict.success for verdict in _tower()] == [False] * 5 + [True]


@pytest.mark.parametrize('wrong', [
    {'first': (0.025, 0.0, 0.0)}, {'second': (0.0, 0.0, 0.1), 'third': (0.0, 0.0, 0.05)},
    {'third': (0.021, 0.0, 0.1)}, {'third': (0.1, 0.0, 0.0)}])
def test_a_tower_out_of_order_or_not_whole_or_without_a_base_is_none(wrong):
    assert not any(verdict.success or verdict.lost for verdict in _tower(**wrong))


def test_a_tower_elsewhere_is_none_and_a_cube_out_of_reach_is_lost():
    away = {name: (0.04, 0.0, height)
            for name, height in (('first', 0.0), ('second', 0.05), ('third', 0.1))}
    assert not any(verdict.success for verdict in _tower(**away))
    assert all(verdict.lost for verdict in _tower(third=(0.5, 0.0, 0.0)))


def _laid(offset=(0.0, 0.0, 0.0), turn_deg: float = 0.0, opening_m: float = 0.08) -> list:
    task = Lay()
    scene = task.sample(np.random.default_rng(0))
    yaw = yaw_of(scene.goal_orientation) + math.radians(turn_deg)
    reading = _reading(scene, object_positions=scene.goal_position[None] + offset,
                       object_orientations=about_z(yaw)[None], opening_m=opening_m)
    return [task.evaluate(reading, scene.goal_position).success for _ in range(6)]


@pytest.mark.parametrize('bar', [
    {}, {'turn_deg': 7.0}, {'turn_deg': -7.0}, {'turn_deg': 180.0}, {'turn_deg': -175.0},
    {'offset': (0.019, 0.0, 0.0)}])
def test_a_bar_that_lies_as_the_goal_does_for_five_steps_is_laid(bar):
    assert _laid(**bar) == [False] * 5 + [True]


@pytest.mark.parametrize('bar', [
    {'turn_deg': 9.0}, {'turn_deg': 90.0}, {'turn_deg': 171.0}, {'offset': (0.021, 0.0, 0.0)},
    {'opening_m': 0.05}])
def test_a_bar_that_is_askew_or_elsewhere_or_held_is_not_laid(bar):
    assert not any(_laid(**bar))


@pytest.mark.parametrize('opening_m, lost', [(0.08, True), (0.05, False)])
def test_a_bar_that_was_let_go_on_its_end_is_lost(opening_m, lost):
    scene = Lay().sample(np.random.default_rng(0))
    reading = _reading(scene, object_orientations=np.array([[0.0, 0.7071, 0.0, 0.7071]]),
                       opening_m=opening_m)
    assert Lay().evaluate(reading, scene.goal_position).lost == lost


def test_bars_and_their_goals_lie_at_any_yaw():
    scenes = [Lay().sample(np.random.default_rng(seed)) for seed in SEEDS]
    for yaws in ([yaw_of(scene.object_orientations[0]) for scene in scenes],
                 [yaw_of(scene.goal_orientation) for scene in scenes]):
        assert min(yaws) < -1.5 and max(yaws) > 1.5


def test_the_plate_of_a_goal_has_the_outline_of_what_lies_on_it():
    assert Lay().goal_plate_m == Lay.shapes[0].size_m[:2]
    assert Push().goal_plate_m == (1.6 * 0.025, 1.6 * 0.025) and Reach().goal_plate_m is None


def test_a_yaw_is_where_the_x_axis_points():
    for yaw in (-3.0, -1.0, 0.0, 2.0, 3.1):
        assert yaw_of(about_z(yaw)) == pytest.approx(yaw)
        assert yaw_of(-about_z(yaw)) == pytest.approx(yaw)
    assert yaw_of([math.cos(0.4), math.sin(0.4), 0.0, 0.0]) == pytest.approx(0.8)
    assert [within_half_turn(math.radians(one)) for one in (100, -100, 260, 30)] == pytest.approx(
        [math.radians(one) for one in (-80, 80, 80, 30)])
