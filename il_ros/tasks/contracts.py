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

The robot gives joints, gripper and tool pose, the task its objects, its goal and its actions.
With a camera the image comes first, and what the task gives is privileged: the expert sees it,
no policy may.
"""

from pathlib import Path
from typing import Any

from il_ros import plugins
from il_ros.contract.contract import Contract, ContractError
from il_ros.contract.contract_file import load_contract, RATE_HZ, read_contract, Source
from il_ros.errors import UnknownTaskError
from il_ros.robots.model import find_robot, RobotModel
from il_ros.tasks.base import Task
from il_ros.tasks.registry import task_class
import yaml

IMAGE_SUFFIX = '_image'
"""``push_image`` is the contract of ``push`` by a camera image."""

ROBOT = 'panda'
"""The robot of the nodes, and of all that names none."""

CAMERA_PX = (64, 64)
"""Height and width of the image."""


class _Indented(yaml.SafeDumper):
    """Writes the entries of a list farther in than its key."""

    def increase_indent(self, flow=False, indentless=False):
        return super().increase_indent(flow, False)


def compose_contract(task: str, robot: str = ROBOT, images: bool = False) -> Contract:
    """
    Return the contract of a task on a robot: what is observed and what is commanded.

    >>> import il_ros
    >>> il_ros.compose_contract('push', images=True).images[0].name
    'camera'

    :param task: e.g. ``'push'``
    :param robot: name of a robot, or ``module:Object``
    :param images: by camera image: policies see the image and the robot's own state
    :raises ContractError: if there is no such task, or the robot cannot do it
    :raises RobotError: listing the robots that there are
    """
    plugins.trust(task, robot)
    return find_contract(task + IMAGE_SUFFIX * images, robot)[0]


def find_contract(name: str, robot: str = ROBOT) -> tuple[Contract, tuple[Source, ...]]:
    """
    Return a contract and one source a feature, in the same order.

    :param name: a file (``*.yaml``), a task's name, or that name with ``_image`` behind it
    :param robot: of a contract that is composed
    :raises ContractError: if there is none of that name, or the file is wrong
    :raises RobotError: listing the robots that there are
    """
    if is_file(name):
        return load_contract(Path(name))
    document = contract_document(name, robot)
    return read_contract(document.pop('name'), document, f'contract of {name}')


def is_file(name: str) -> bool:
    """Tell whether the name of a contract is that of a file."""
    return name.endswith(('.yaml', '.yml'))


def contract_text(name: str) -> str:
    """
    Return a composed contract as a file: to begin one's own with.

    :raises ContractError: if there is none of that name
    """
    document = contract_document(name)
    del document['name']
    return yaml.dump(document, Dumper=_Indented, sort_keys=False, default_flow_style=None,
                     width=99)


def contract_document(name: str, robot: str = ROBOT) -> dict[str, Any]:
    """
    Compose a contract, laid out as its file would be, with its ``name``.

    :raises ContractError: if there is no such task, or the robot cannot do it
    """
    try:
        task, height_width = task_class(name), None
    except UnknownTaskError as error:
        if not name.endswith(IMAGE_SUFFIX):
            raise ContractError(f'there is no contract {name!r}: {error}') from error
        try:
            task, height_width = task_class(name.removesuffix(IMAGE_SUFFIX)), CAMERA_PX
        except UnknownTaskError:
            raise ContractError(f'there is no contract {name!r}: {error}') from error
    model = find_robot(robot)
    if task.actions.gripper and not model.joint_names[model.fingers]:
        raise ContractError(f'the task {name!r} needs a gripper; the robot {robot!r} has none')
    own = getattr(task, 'name', name)
    return {'name': own + IMAGE_SUFFIX if height_width else own, 'rate': RATE_HZ,
            'frame_id': model.base_frame, 'action_space': task.actions.space,
            'actions': task.actions.entries(model.open_width),
            'features': [*_image(height_width), *_of_robot(model),
                         *_of_task(task, height_width is not None)]}


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
            'reduce': 'sum', 'joints': [*fingers]}] if fingers else []),
        {'name': 'tool_position', 'topic': 'tool_pose', 'field': 'position', 'unit': 'm'},
        {'name': 'tool_orientation', 'topic': 'tool_pose', 'field': 'orientation'}]


def _of_task(task: type[Task], privileged: bool) -> list[dict[str, Any]]:
    entries, index = [], 0
    for part in task.features:
        entries += part.entries(index)
        index += entries[-1]['topic'] == 'object_poses'
    return [{**entry, 'privileged': True} if privileged else entry for entry in entries]
