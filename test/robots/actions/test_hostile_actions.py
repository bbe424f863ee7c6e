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

"""Whatever a driver asks for, no command breaks a limit: the promise of ``docs/safety.md``."""

import dataclasses
import itertools

from hostile_actions import hostile_actions, Plant, Watch
from il_ros.robots.actions.actuator import Actuator
from il_ros.robots.joint_motion import TOLERANCE_M
from il_ros.robots.kinematics import Kinematics
from il_ros.tasks.contracts import find_contract
import numpy as np
import pytest
from shipped_arms import PANDA

PERIOD_S = 0.05
EPISODE_STEPS = 250
BOX = np.array([0.42, 0.06, -1.0]), np.array([0.5, 0.14, 0.16])
ROBOTS = {
    'panda': PANDA,
    'keep_out': dataclasses.replace(PANDA, keep_out=(BOX,)),
    'other_brakes': dataclasses.replace(
        PANDA, deceleration=0.6 * PANDA.acceleration, jerk=0.04 * PANDA.jerk),
}


def drive(robot, contract: str, seed: int, steps: int) -> dict:
    """Drive a simulated plant with hostile actions; return the largest shares of the limits."""
    layout, _ = find_contract(contract)
    kinematics = Kinematics(robot)
    actuator = Actuator(robot, layout, PERIOD_S, kinematics)
    actions = hostile_actions(seed, layout.lower, layout.upper)
    rng, worst = np.random.default_rng(seed), {}
    for episode in range(-(-steps // EPISODE_STEPS)):
        place = rng.uniform(robot.workspace_lower, robot.workspace_upper)
        start = kinematics.settled(np.array([0.6, *place[1:]]), robot.tool_down).q
        actuator.start(start)
        plant = Plant(episode, start)
        watch = Watch(robot, PERIOD_S, kinematics.forward, start, TOLERANCE_M)
        for step, action in enumerate(itertools.islice(actions, EPISODE_STEPS)):
            actuator.speed_scale = 0.3 if rng.random() < 0.1 else 1.0
            if episode % 2 and rng.random() < 0.02:
                watch.held_at(plant.measured)
                sent = actuator.hold_at(plant.measured)
            elif rng.random() < 0.05:
                sent = actuator.hold(plant.measured)
            else:
                sent = actuator.step(action, plant.measured)
            watch.check(sent.positions, f'seed {seed}, episode {episode}, step {step}')
            assert (sent.values >= layout.lower).all() and (sent.values <= layout.upper).all()
            plant.follow(sent.positions)
        worst = {name: max(value, worst.get(name, -1.0)) for name, value in watch.worst.items()}
    kinematics.close()
    return worst


@pytest.mark.parametrize('name', ROBOTS)
def test_no_hostile_action_makes_a_command_break_a_limit(name):
    worst = drive(ROBOTS[name], 'pick_place', 0, 500)
    assert worst['acceleration'] > 0.45 and worst['velocity'] > 0.3, 'the limits were tried'


@pytest.mark.drill
@pytest.mark.parametrize('name', ROBOTS)
@pytest.mark.parametrize('contract', ['reach', 'push', 'pick_place'])
def test_ten_thousand_hostile_actions_break_no_limit(name, contract):
    drive(ROBOTS[name], contract, 1, 10_000)
