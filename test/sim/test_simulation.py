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
import gc

from il_ros.contract.episode_spec import LOST, NOT_ENDED, SUCCESS, TERMINATED, TRUNCATED
from il_ros.errors import RobotError, SimulationError, TargetError, UnknownTaskError
from il_ros.robots.bullet import pybullet
from il_ros.sim.simulation import Simulation
from il_ros.tasks.expert_registry import make_expert
import numpy as np
import pytest
from shipped_arms import PANDA


@pytest.fixture
def simulation(push):
    """Return the simulation of the task push."""
    return push.simulation


def _run(environment, seed, **options):
    """Let the expert drive until the end; return the number of steps."""
    expert = make_expert(environment.simulation.task.name, environment.contract)
    values, _ = environment.reset(seed=seed, options=options)
    over = False
    while not over:
        values, _, terminated, truncated, _ = environment.step(expert.act(values))
        over = terminated or truncated
    return environment.state.step


def test_an_unknown_task_is_answered_with_those_that_there_are():
    with pytest.raises(UnknownTaskError, match="'juggle'; there are reach, push, pick_place"):
        Simulation('juggle')


@pytest.mark.parametrize('rate_hz, physics_hz, substeps', [
    (20.0, 240, 12), (50.0, 250, 5), (10.0, 240, 24), (32.0, 256, 8), (240.0, 240, 1),
    (500.0, 500, 1)])
def test_physics_runs_at_a_whole_multiple_of_control(rate_hz, physics_hz, substeps):
    made = Simulation('reach', rate_hz=rate_hz)
    assert (made.physics_hz, made.substeps) == (physics_hz, substeps)
    assert made.dt_ns == round(1e9 / rate_hz)
    made.close()


@pytest.mark.parametrize('rates, words', [
    ((20.0, 250), 'no whole multiple'), ((50.0, 240), 'no whole multiple'),
    ((0.0, None), 'positive'), ((float('nan'), None), 'positive')])
def test_rates_that_do_not_fit_are_refused(rates, words):
    with pytest.raises(SimulationError, match=words):
        Simulation('reach', *rates)


def test_a_task_that_starts_outside_the_workspace_is_refused_before_its_first_episode():
    small = dataclasses.replace(PANDA, workspace_lower=np.array([0.4, -0.3, 0.01]))
    simulation = Simulation('push', robot=small)
    with pytest.raises(RobotError, match=r'push starts with the tool from \[0\.34, .* of panda '
                                         r'goes from \[0\.4, .* as the check of the robot says'):
        simulation.reset(seed=0)
    simulation.close()


def test_a_window_without_a_display_is_refused_and_not_died_of(monkeypatch):
    monkeypatch.delenv('DISPLAY', raising=False)
    monkeypatch.setattr('sys.platform', 'linux')
    with pytest.raises(SimulationError, match='DISPLAY'):
        Simulation('reach', gui=True)


def test_success_ends_an_episode(environment):
    _run(environment, seed=500_000)
    state = environment.state
    assert state.success
    assert (state.end, state.cause, state.goals_reached) == (TERMINATED, SUCCESS, 1)


def test_a_continuing_episode_goes_on_after_a_success(environment):
    horizon = max(160, environment.simulation.task.horizon)
    assert _run(environment, seed=500_001, continuing=True, horizon=horizon) == horizon
    state = environment.state
    assert (state.end, state.horizon) == (TRUNCATED, horizon)
    assert state.goals_reached >= 2


def test_an_episode_is_truncated_at_its_horizon(environment):
    start = environment.simulation.reset(seed=1, horizon=3)
    assert (start.step, start.end) == (0, NOT_ENDED)
    ends = [environment.simulation.step(start.joint_position) for _ in range(3)]
    assert [state.end for state in ends] == [NOT_ENDED, NOT_ENDED, TRUNCATED]
    with pytest.raises(SimulationError, match='no episode is running'):
        environment.simulation.step(start.joint_position)


def test_horizon_zero_means_the_one_of_the_task(simulation):
    assert simulation.reset(seed=1).horizon == simulation.task.horizon == 80


def test_an_object_that_leaves_the_workspace_ends_the_episode(push):
    push.reset(seed=2)
    puck = push.state.object_positions[0]
    push.simulation._world.place(0, puck + [1.0, 0.0, 0.0], np.array([0.0, 0.0, 0.0, 1.0]))
    state = push.simulation.step(push.state.joint_position)
    assert (state.end, state.cause, state.success) == (TERMINATED, LOST, False)


@pytest.mark.parametrize('targets', [
    np.full(9, np.nan), np.full(9, np.inf), np.zeros(7), np.zeros((9, 1)), np.zeros(0)])
def test_targets_that_are_no_nine_finite_numbers_never_reach_a_motor(simulation, targets):
    start = simulation.reset(seed=3)
    with pytest.raises(TargetError, match='not 9 finite numbers'):
        simulation.step(targets)
    state = simulation.step(start.joint_position)
    assert state.step == 1
    for field in dataclasses.fields(state):
        assert np.isfinite(getattr(state, field.name)).all(), field.name


@pytest.mark.parametrize('options, words', [
    ('{"wind": 0.1}', 'push has no option wind; it has bumps'), ('{', 'not JSON'),
    ('[1]', 'expected a JSON object')])
def test_options_that_a_task_does_not_have_are_refused(simulation, options, words):
    with pytest.raises(SimulationError, match=words):
        simulation.reset(seed=1, options=options)


def test_a_refused_reset_leaves_the_running_episode_as_it_was(simulation):
    start = simulation.reset(seed=1)
    with pytest.raises(SimulationError):
        simulation.reset(seed=2, options='{"unknown": 1}')
    assert simulation.step(start.joint_position).step == 1


@pytest.mark.parametrize('name', ['seed', 'horizon'])
def test_a_negative_number_is_refused(simulation, name):
    with pytest.raises(SimulationError, match=f'{name} is -1'):
        simulation.reset(**{'seed': 1, name: -1})


def test_a_seed_that_no_message_carries_is_refused(environment):
    with pytest.raises(SimulationError, match='seed is 4294967296; expected at most 4294967295'):
        environment.reset(seed=2 ** 32)


def test_an_arm_that_is_told_to_stay_stays(environment):
    start = environment.simulation.reset(seed=4)
    for _ in range(20):
        state = environment.simulation.step(start.joint_position)
    assert np.abs(state.joint_position - start.joint_position).max() < 1e-3
    # A grip that closes at reset shifts what it holds by a little more than a millimetre, once.
    assert np.abs(state.object_positions - start.object_positions).max(initial=0.0) < 2e-3


def test_the_arm_is_where_it_was_sent_after_a_step(environment):
    state = environment.simulation.reset(seed=5)
    target = state.joint_position.copy()
    target[:7] += 0.03
    for _ in range(2):
        state = environment.simulation.step(target)
    assert np.abs(state.joint_position - target).max() < 2e-3


def test_a_held_cube_stays_between_the_fingers(pick_place):
    expert = make_expert('pick_place', pick_place.contract)
    values, _ = pick_place.reset(seed=500_003)
    while pick_place.state.object_positions[0, 2] < 0.06:
        values, _, _, truncated, _ = pick_place.step(expert.act(values))
        assert not truncated
    offsets = []
    for step in range(30):
        sideways = 0.3 if step % 10 < 5 else -0.3
        pick_place.step(np.array([0.0, sideways, 0.0, 0.0], np.float32))
        offsets.append(pick_place.state.object_positions[0] - pick_place.state.tool_position)
    assert np.ptp(np.array(offsets), axis=0).max() < 0.006
    left, right = pick_place.state.joint_position[7:]
    assert abs(left - right) < 2e-3


@pytest.mark.parametrize('offset_m', [0.0, 0.004])
def test_a_peg_goes_into_its_hole_but_not_beside_it(environments, offset_m):
    insert = environments['insert']
    expert = make_expert('insert', insert.contract)
    values, _ = insert.reset(seed=500_004)
    offset = np.zeros(insert.contract.width, np.float32)
    insert.contract.values(offset, 'goal_position')[:] = (offset_m, 0.0, 0.0)
    heights = []
    while insert.state.end == NOT_ENDED:
        values, *_ = insert.step(expert.act(values + offset))
        heights.append(insert.state.object_positions[0, 2] - 0.06)
    assert insert.state.success == (offset_m == 0.0)
    assert (min(heights) < 0.01) == (offset_m == 0.0)
    assert min(heights) < 0.042 and (offset_m == 0.0 or min(heights) > 0.036)


def test_a_simulation_that_nobody_closed_gives_its_world_back():
    simulation = Simulation('reach')
    client = simulation._world.client
    assert pybullet.isConnected(client)
    del simulation
    gc.collect()
    assert not pybullet.isConnected(client)
