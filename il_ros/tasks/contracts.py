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

"""
The contracts by name: composed from a task and a robot, or read from a file of the user's own.

``push`` is the contract of the task ``push`` on the robot of all that names none, ``push@ROBOT``
that on another one, ``push_image@arms/mine.yaml`` that by camera image on a robot of the user's,
``push+joint_position`` that with actions of another action space.
The robot gives joints, gripper and tool pose, the task its objects, its goal and its actions.
With a camera the image comes first, and what the task gives is privileged: the expert sees it,
no policy may.
"""

import contextlib
import dataclasses
from pathlib import Path
from typing import Any

from il_ros import plugins
from il_ros.contract.contract import Contract, ContractError, SPACES
from il_ros.contract.contract_file import load_contract, RATE_HZ, read_contract, Source
from il_ros.errors import UnknownTaskError
from il_ros.files.yaml_file import named, read_yaml
from il_ros.robots.model import DEFAULT, find_robot, RobotModel
from il_ros.robots.robot_file import is_robot_file
from il_ros.tasks.base import Task
from il_ros.tasks.registry import task_class
import yaml

IMAGE_SUFFIX = '_image'
"""``push_image`` is the contract of ``push`` by a camera image."""

ON = '@'
"""Stands between a task and the robot."""

IN = '+'
"""Stands between a task and the action space."""

TOOL_SPACE = 'tool_velocity'
"""The action space of the tasks and their experts."""

CAMERA_PX = (64, 64)
"""Height and width of the image."""


class _Indented(yaml.SafeDumper):
    """Writes the entries of a list farther in than its key."""

    def increase_indent(self, flow=False, indentless=False):
        return super().increase_indent(flow, False)


def contract_name(contract: str, robot: str = '', space: str = '') -> str:
    """
    Return the name of a contract on a robot, in an action space.

    :param contract: a task's name, with _image for images, or a file
    :param space: as a contract file has it; '': the contract's own
    :param robot: a name, ``module:Object`` or a file; '': the contract's own
    :raises ContractError: if the contract is one for another robot already
    """
    if space:
        if is_file(contract) or IN in contract:
            raise ContractError(f'the contract {contract} has its action space already; change '
                                'it there')
        task, on, own = contract.partition(ON)
        contract = f'{task}{IN}{space}{on}{own}'
    if not robot:
        return contract
    if is_file(contract) or ON in contract:
        asked, own = find_robot(robot).name, robot_of(contract).name
        if asked != own:
            raise ContractError(f'the contract {contract} is for the robot {own!r}, not for '
                                f'{asked!r}; say it there as robot: {robot}')
        return contract
    return contract if robot == DEFAULT else f'{contract}{ON}{robot}'


def robot_name(contract: str) -> str:
    """
    Return the robot that a contract is for, as ``find_robot`` takes it.

    :param contract: as ``find_contract`` takes it
    :raises ContractError: if it is a file that cannot be read
    """
    if not is_file(contract):
        return contract.partition(ON)[2] or DEFAULT
    with named(contract, ContractError):
        document = read_yaml(Path(contract))
    found = document.get('robot', DEFAULT) if isinstance(document, dict) else DEFAULT
    return _beside(str(found or DEFAULT), Path(contract).parent)


def robot_of(contract: str) -> RobotModel:
    """
    Return the robot that a contract is for.

    :param contract: as ``find_contract`` takes it
    :raises ContractError: if it is a file that cannot be read
    :raises RobotError: listing the robots that there are
    """
    return find_robot(robot_name(contract))


def robot_called(contract: Contract) -> str:
    """Return the name of the robot that a contract is for."""
    return contract.robot or DEFAULT


def _beside(robot: str, folder: Path) -> str:
    """Return a robot's file as a path from here; it is named relative to the contract's."""
    beside = folder / robot
    return str(beside) if is_robot_file(robot) and beside.is_file() else robot


def compose_contract(task: str, robot: str = DEFAULT, images: bool = False,
                     space: str = '') -> Contract:
    """
    Return the contract of a task on a robot: what is observed and what is commanded.

    >>> import il_ros
    >>> il_ros.compose_contract('push', images=True).images[0].name
    'camera'

    :param task: e.g. ``'push'``
    :param robot: name of a robot, ``module:Object``, or a robot's file
    :param images: by camera image: policies see the image and the robot's own state
    :param space: action space, e.g. ``'joint_position'``; '': tool velocities
    :raises ContractError: if there is no such task, or the robot cannot do it
    :raises RobotError: listing the robots that there are
    """
    plugins.trust(task, robot)
    return find_contract(contract_name(task + IMAGE_SUFFIX * images, robot, space))[0]


def find_contract(name: str) -> tuple[Contract, tuple[Source, ...]]:
    """
    Return a contract and one source a feature, in the same order.

    :param name: a file (``*.yaml``), or a task's name, with ``_image``, ``+SPACE``, ``@ROBOT``
        behind it
    :raises ContractError: if there is none of that name, or the file is wrong
    :raises RobotError: listing the robots that there are
    """
    if is_file(name):
        found, sources = load_contract(Path(name))
        return (dataclasses.replace(found, robot=_called(robot_of(name))) if found.robot
                else found), sources
    document = contract_document(name)
    return read_contract(document.pop('name'), document, f'contract of {name}')


def is_file(name: str) -> bool:
    """Tell whether the name of a contract is that of a file."""
    return ON not in name and name.endswith(('.yaml', '.yml'))


def _called(robot: RobotModel) -> str:
    """Return a robot's name as contracts have it: those of the first robot name none."""
    return '' if robot.name == DEFAULT else robot.name


def contract_text(name: str) -> str:
    """
    Return a composed contract as a file: to begin one's own with.

    It names a robot's file as ``name`` does, for it is read by another process.

    :raises ContractError: if there is none of that name
    """
    document = contract_document(name)
    del document['name']
    if is_robot_file(robot_name(name)):
        document['robot'] = robot_name(name)
    return yaml.dump(document, Dumper=_Indented, sort_keys=False, default_flow_style=None,
                     width=99)


def contract_document(name: str) -> dict[str, Any]:
    """
    Compose a contract, laid out as its file would be, with its ``name``.

    :raises ContractError: if there is no such task, or the robot cannot do it
    """
    wanted, _, space = name.partition(ON)[0].partition(IN)
    model, (task, height_width) = robot_of(name), _task_of(wanted)
    space = space or TOOL_SPACE
    if space not in SPACES:
        raise ContractError(f'there is no contract {name!r}: expected one of '
                            f'{", ".join(SPACES)} behind {IN}')
    if task.actions.gripper and not model.joint_names[model.fingers]:
        raise ContractError(f'the task {name!r} needs a gripper; the robot {model.name!r} has '
                            'none')
    called = _called(model)
    own = getattr(task, 'name', name) + IMAGE_SUFFIX * (height_width is not None)
    own += f'{IN}{space}' if space != TOOL_SPACE else ''
    return {'name': f'{own}{ON}{called}' if called else own, 'rate': RATE_HZ,
            **({'robot': called} if called else {}),
            'frame_id': model.base_frame, 'action_space': space,
            'actions': task.actions.in_space(space, model, RATE_HZ),
            'features': [*_image(height_width), *_of_robot(model),
                         *_of_task(task, height_width is not None)]}


def task_of(contract: str) -> str:
    """
    Return the name of the task that a composed contract is for.

    :param contract: as ``Contract.name`` has it
    :raises ContractError: if it is that of a file, or of a task that is not installed
    """
    name = contract.partition(ON)[0].partition(IN)[0]
    _, height_width = _task_of(name)
    return name if height_width is None else name.removesuffix(IMAGE_SUFFIX)


def _task_of(name: str) -> tuple[type[Task], tuple[int, int] | None]:
    try:
        return task_class(name), None
    except UnknownTaskError as error:
        if name.endswith(IMAGE_SUFFIX):
            with contextlib.suppress(UnknownTaskError):
                return task_class(name.removesuffix(IMAGE_SUFFIX)), CAMERA_PX
        raise ContractError(f'there is no contract {name!r}: {error}') from error


def _image(height_width: tuple[int, int] | None) -> list[dict[str, Any]]:
    if height_width is None:
        return []
    height, width = height_width
    return [{'name': 'camera', 'topic': 'camera/image_raw', 'height': height, 'width': width,
             'encoding': 'rgb8'}]


def _of_robot(robot: RobotModel) -> list[dict[str, Any]]:
    arm, fingers = robot.joint_names[robot.arm], robot.joint_names[robot.fingers]
    joints = {'topic': 'joint_states'}
    return [
        {'name': 'joint_position', **joints, 'field': 'position', 'unit': 'rad',
         'joints': [*arm]},
        {'name': 'joint_velocity', **joints, 'field': 'velocity', 'unit': 'rad/s',
         'joints': [*arm]},
        *([{'name': 'gripper_opening', **joints, 'field': 'position', 'unit': 'm',
            'reduce': 'sum', 'joints': [*fingers], **_opening(robot)}] if fingers else []),
        {'name': 'tool_position', 'topic': 'tool_pose', 'field': 'position', 'unit': 'm'},
        {'name': 'tool_orientation', 'topic': 'tool_pose', 'field': 'orientation'}]


def _opening(robot: RobotModel) -> dict[str, float]:
    scale, offset = robot.opening_scale, robot.opening_offset
    return {} if (scale, offset) == (1.0, 0.0) else {'scale': scale, 'offset': offset}


def _of_task(task: type[Task], privileged: bool) -> list[dict[str, Any]]:
    entries, index = [], 0
    for part in task.features:
        entries += part.entries(index)
        index += entries[-1]['topic'] == 'object_poses'
    return [{**entry, 'privileged': True} if privileged else entry for entry in entries]
