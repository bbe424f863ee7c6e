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

"""A goal with a yaw and a tool that starts turned: observed, shown, and new after each success."""

from il_ros.robots.bullet import pybullet
from il_ros.sim.world import World
from il_ros.tasks.yaw import about_z, within_half_turn, yaw_of
import numpy as np
import pytest
from shipped_arms import PANDA


@pytest.fixture
def lay(environments):
    """Return the environment of the task lay."""
    return environments['lay']


def test_the_goals_orientation_is_observed(lay):
    values, _ = lay.reset(seed=1)
    shown = lay.contract.values(values, 'goal_orientation')
    np.testing.assert_array_equal(shown, np.float32(lay.state.goal_orientation))
    assert abs(yaw_of(shown.tolist())) > 0.1


def test_a_goal_without_a_yaw_is_upright(push):
    push.reset(seed=1)
    np.testing.assert_array_equal(push.state.goal_orientation, [0.0, 0.0, 0.0, 1.0])


def test_the_tool_starts_as_the_scene_has_it_level(lay):
    for seed in range(3):
        lay.reset(seed=seed)
        scene = lay.simulation.task.sample(np.random.default_rng(seed))
        assert yaw_of(lay.state.tool_orientation) == pytest.approx(scene.tool_yaw, abs=2e-3)
        assert np.abs(lay.state.tool_orientation[2:]).max() < 1e-3
        np.testing.assert_allclose(lay.state.tool_position, scene.tool_position, atol=1e-3)


def test_a_new_goal_has_a_new_yaw(lay):
    simulation = lay.simulation
    before = lay.simulation.reset(seed=2, continuing=True)
    reading = simulation._world.read()
    simulation._go_on(reading)
    after = simulation.step(before.joint_position)
    turned = yaw_of(after.goal_orientation) - yaw_of(before.goal_orientation)
    assert abs(within_half_turn(turned)) > 0.05
    assert (after.goal_position != before.goal_position).any()


def test_a_goals_plate_has_the_bars_outline_and_is_turned():
    world = World(PANDA, (), 0.02, 240.0, goal_plate_m=(0.07, 0.025))
    try:
        world.mark_goal(np.array([0.5, 0.1, 0.025]), about_z(1.0))
        (plate, _), = world._markers
        place, turned = pybullet.getBasePositionAndOrientation(plate, world.client)
        assert place[:2] == (0.5, 0.1) and yaw_of(turned) == pytest.approx(1.0)
        size = pybullet.getVisualShapeData(plate, physicsClientId=world.client)[0][3]
        assert size[:2] == pytest.approx((0.14, 0.05))
    finally:
        world.close()
