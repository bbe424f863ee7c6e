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

"""What is wrong with a plug-in: found by using it as the package would, a sentence each."""

from collections.abc import Iterator
import traceback

from il_ros.cli.task_checks import task_findings
from il_ros.contract.episode_spec import DrivePlan
from il_ros.driving.driving import check_plan
from il_ros.errors import ImitationError
from il_ros.interactive.strategies import load_strategy, settings_path
from il_ros.learning.nets.net import Net
from il_ros.plugins import Plugin
from il_ros.robots import robot_check
from il_ros.robots.model import find_robot
from il_ros.tasks.base import fits, tool_starts
from il_ros.tasks.contracts import find_contract
from il_ros.tasks.expert import Expert
from il_ros.tasks.registry import make_task, task_class, TASKS
import numpy as np


def findings_of(plugin: Plugin) -> list[str]:
    """Return what is wrong with a plug-in; the list is empty if nothing is."""
    found: list[str] = []
    try:
        found.extend(_CHECKS[plugin.kind](plugin))
    except ImitationError as error:
        found.append(str(error).removeprefix(f'{plugin}: '))
    # The code of others may raise anything; its author wants to know where.
    except Exception as error:
        place = traceback.extract_tb(error.__traceback__)[-1]
        found.append(f'{type(error).__name__}: {error}, raised in {place.filename}, '
                     f'line {place.lineno} ({place.name})')
    return found


def tasks_of(name: str) -> Iterator[str]:
    """Say which of the package's tasks a robot can do in simulation, and what hinders others."""
    robot = find_robot(name)
    tasks = [make_task(task) for task in TASKS
             if robot.joint_names[robot.fingers] or not task_class(task).actions.gripper]
    able = [task.name for task in tasks if fits(task, robot)]
    yield f'tasks that it can do in simulation: {", ".join(able) or "none"}'
    if len(able) < len(tasks):
        boxes = np.array([tool_starts(type(task)) for task in tasks])
        box = np.floor(boxes[:, 0].min(axis=0) * 100) / 100, (
            np.ceil(boxes[:, 1].max(axis=0) * 100) / 100)
        place = robot_check.place_for(robot, box)
        yield (f'not {", ".join(task.name for task in tasks if task.name not in able)}, which '
               f'start anywhere in workspace: {{lower: {box[0].tolist()}, upper: '
               f'{box[1].tolist()}}}; the arm ' + (
                   'does not reach all of that, wherever it stands' if place is None else
                   f'reaches all of that with base_position: {place.tolist()}'))


def _expert(plugin: Plugin) -> Iterator[str]:
    kind = plugin.load_class(Expert)
    task = plugin.name if ':' not in plugin.name else kind.task
    if kind.task != task or not task:
        yield f'its task is {kind.task!r}; expected {task or "the name of a task"!r}'
        return
    contract, _ = find_contract(task)
    answer = kind(contract).act(np.zeros(contract.width, np.float32))
    if answer is None or not contract.accepts(answer):
        yield f'its answer to an observation of zeros is {answer}; expected an action in bounds'


def _strategy(plugin: Plugin) -> Iterator[str]:
    strategy = load_strategy(plugin.name, settings_path(plugin.name))
    for round_ in (0, 1):
        plan = strategy.plan(round_, 0)
        if isinstance(plan, DrivePlan):
            check_plan(plan)
        else:
            yield f'its plan of round {round_} is {plan!r}; expected a DrivePlan'


def _policy(plugin: Plugin) -> Iterator[str]:
    kind = plugin.load_class(Net)
    if ':' not in plugin.name and kind.kind != plugin.name:
        yield (f'its kind is {kind.kind!r}; expected {plugin.name!r}, by which checkpoints '
               'remember it')
        return
    from il_ros.learning.nets.net_check import network_findings
    for members in (1, 2) if kind.makes_ensembles else (1,):
        yield from network_findings(kind, members)


def _robot(plugin: Plugin) -> Iterator[str]:
    yield from robot_check.findings(find_robot(plugin.name))


_CHECKS = {'tasks': task_findings, 'experts': _expert, 'strategies': _strategy,
           'policies': _policy, 'robots': _robot}
