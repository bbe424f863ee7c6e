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

"""What is wrong with a task: its scenes, its contract, and whether its expert can do it."""

from collections.abc import Iterator
import contextlib

from il_ros.api.demonstrations import demonstrate
from il_ros.contract.contract import Contract
from il_ros.learning.config import NoTrainingError, TrainConfig, training_path
from il_ros.learning.inputs import image_features, Inputs
from il_ros.plugins import Plugin, table
from il_ros.sim.environment import Environment
from il_ros.sim.simulation import Simulation
from il_ros.tasks.base import OPEN, Scene, Task, TaskResult
from il_ros.tasks.contracts import find_contract
from il_ros.tasks.expert_registry import make_expert
from il_ros.tasks.registry import make_task
from il_ros.tasks.scene import Reading
import numpy as np

SCENES, EPISODES = range(20), range(3)
"""Seeds of the scenes that are looked at, and of the expert's episodes."""

_DRAWN = ('tool_position', 'tool_yaw', 'object_positions', 'object_orientations', 'goal_position',
          'goal_orientation')
"""Fields of a scene that chance may draw."""


def task_findings(plugin: Plugin) -> Iterator[str]:
    """Yield what is wrong with a task; what needs the rest to be right comes last."""
    name = plugin.name
    kind = plugin.load_class(Task)
    found = [*_attributes(kind, name)]
    if found:
        yield from found
        return
    with contextlib.closing(Simulation(name)) as simulation:
        found = _starts(name, simulation) or _states(name, simulation)
    yield from found
    contract, _ = find_contract(name)
    if not found and (name in table('experts') or kind.expert is not None):
        with contextlib.closing(Environment(name)) as environment:
            yield from _episodes(name, environment)
    for one in (contract, find_contract(f'{name}_image')[0]):
        _check_training(name, one)


def _attributes(kind: type[Task], name: str) -> Iterator[str]:
    own = getattr(kind, 'name', '')
    if ':' not in name and own != name:
        yield f'its name is {own!r}; expected {name!r}, as in the entry point'
    horizon, radius = getattr(kind, 'horizon', None), getattr(kind, 'goal_radius_m', None)
    if not isinstance(horizon, int) or horizon < 1:
        yield f'its horizon is {horizon!r}; expected a whole number of control steps from 1 up'
    if not isinstance(radius, (int, float)) or not 0.0 < radius < np.inf:
        yield f'its goal_radius_m is {radius!r}; expected metres above 0'


def _starts(name: str, simulation: Simulation) -> list[str]:
    """Return what is wrong with the first start that is not right."""
    for seed in SCENES:
        task = make_task(name)
        scene, again = (task.sample(np.random.default_rng(seed)) for _ in range(2))
        found = [f'sample, seed {seed}: {one}' for one in _scene(scene, simulation)]
        if not found and any(not np.array_equal(getattr(scene, field), getattr(again, field))
                             for field in _DRAWN):
            found = [f'sample, seed {seed}: a second scene of the same seed is another one; '
                     'expected all chance to come from rng']
        if found:
            return found
    return []


def _scene(scene: Scene, simulation: Simulation) -> Iterator[str]:
    if not isinstance(scene, Scene):
        yield f'it gives {scene!r}; expected a Scene'
        return
    objects, robot = len(simulation.task.shapes), simulation.robot
    shapes = {'tool_position': (3,), 'object_positions': (objects, 3),
              'object_orientations': (objects, 4), 'goal_position': (3,),
              'goal_orientation': (4,)}
    for field, shape in shapes.items():
        value = np.asarray(getattr(scene, field))
        if value.shape != shape:
            yield f'{field} has shape {value.shape}; expected {shape}'
        elif not np.isfinite(value).all():
            yield f'{field} is {value.tolist()}; expected finite numbers'
        elif field.endswith('position') or field.endswith('positions'):
            for place in value.reshape(-1, 3):
                if not ((robot.workspace_lower <= place) & (place <= robot.workspace_upper)).all():
                    yield (f'{field} has {place.round(3).tolist()}; expected a place inside the '
                           f'workspace, {robot.workspace_lower.tolist()} to '
                           f'{robot.workspace_upper.tolist()}')
        elif (np.abs(np.linalg.norm(value, axis=-1) - 1.0) > 1e-3).any():
            yield f'{field} are {value.round(3).tolist()}; expected unit quaternions, x y z w'
    if not np.isfinite(scene.tool_yaw):
        yield f'tool_yaw is {scene.tool_yaw}; expected a finite number'
    if scene.opening_m != OPEN and not 0.0 <= scene.opening_m <= robot.open_width:
        yield f'opening_m is {scene.opening_m}; expected 0 to {robot.open_width}, or OPEN'


def _states(name: str, simulation: Simulation) -> list[str]:
    """Return what is wrong with the first start or next goal that is not right."""
    for seed in SCENES:
        task, state = make_task(name), simulation.reset(seed)
        reading = Reading(
            state.joint_position, state.joint_velocity,
            simulation.robot.opening(state.joint_position), state.tool_position,
            state.tool_orientation, state.object_positions, state.object_orientations)
        result = task.evaluate(reading, state.goal_position)
        if not isinstance(result, TaskResult):
            return [f'evaluate gives {result!r}; expected a TaskResult']
        if result.success or result.lost:
            return [f'evaluate, seed {seed}: the start is {result} already']
        scene = task.resample(np.random.default_rng(seed), reading)
        found = [f'resample, seed {seed}: {one}' for one in _scene(scene, simulation)]
        if found:
            return found
    return []


def _check_training(name: str, contract: Contract):
    """Refuse a training file that does not fit its contract; there need not be one."""
    try:
        path = training_path(contract.name, name)
    except NoTrainingError:
        return
    config = TrainConfig.load(path)
    Inputs(contract, config.inputs)
    image_features(contract, config.images)


def _episodes(name: str, environment: Environment) -> Iterator[str]:
    failed = []
    expert = make_expert(name, environment.contract)
    for episode in demonstrate(environment, expert, EPISODES).episodes:
        if not episode.success:
            failed.append(f'{episode.seed} (ended after {episode.steps} steps)')
    if failed:
        yield f'its expert does not reach the goal from the reset of seed {", ".join(failed)}'
