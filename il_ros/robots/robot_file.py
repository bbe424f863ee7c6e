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
Robot files: an arm as a YAML file, with limits in the form of ``joint_limits.yaml``.

What the file leaves out of a joint's limits (position, velocity, effort) is the URDF's.
"""

import dataclasses
from pathlib import Path
from typing import Annotated, Any

from il_ros.errors import RobotError
from il_ros.files.regular import read_text
from il_ros.files.yaml_file import named, read_yaml
from il_ros.robots.model import RobotModel
from il_ros.robots.urdf import Follower, Joint, Mount, moving_joints, PACKAGE, resolve, TOOL_LINK
from il_ros.settings import build
from msgspec import Meta
import numpy as np
import yaml

_Vector = Annotated[tuple[float, ...], Meta(
    min_length=3, max_length=3, description='three numbers: x, y, z')]
_Positive = Annotated[float, Meta(gt=0.0)]


@dataclasses.dataclass(frozen=True)
class _Tool:
    """The tool: a link of the URDF, or a frame on one of its links."""

    link: str
    xyz: _Vector | None = None
    rpy: _Vector = (0.0, 0.0, 0.0)
    pointer_radius: Annotated[float, Meta(ge=0.0)] = 0.0
    pointer_length: Annotated[float, Meta(ge=0.0)] = 0.0


@dataclasses.dataclass(frozen=True)
class _Gripper:
    """The joints that are reported and commanded, and what their positions mean."""

    joints: Annotated[tuple[str, ...], Meta(
        min_length=1, max_length=2, description='a list of one or two names of joints')]
    open: float  # noqa: A003
    closed: float
    width: _Positive


@dataclasses.dataclass(frozen=True)
class _Box:
    lower: _Vector
    upper: _Vector


@dataclasses.dataclass(frozen=True)
class _Limits:
    """Limits of a joint, as in ros2_control's and MoveIt's ``joint_limits.yaml``."""

    min_position: float | None = None
    max_position: float | None = None
    max_velocity: _Positive | None = None
    max_acceleration: _Positive | None = None
    max_deceleration: _Positive | None = None
    max_jerk: _Positive | None = None
    max_effort: _Positive | None = None
    has_position_limits: bool = True
    has_velocity_limits: bool = True
    has_acceleration_limits: bool = True
    has_deceleration_limits: bool = True
    has_jerk_limits: bool = True
    has_effort_limits: bool = True

    def get(self, name: str) -> float | None:
        """Return a limit; None where it is not given, or said not to hold."""
        kind = name.partition('_')[2]
        return getattr(self, name) if getattr(self, f'has_{kind}_limits') else None


@dataclasses.dataclass(frozen=True)
class _File:
    """A robot as it stands in a file."""

    urdf: str
    base_frame: str
    tool: _Tool
    joints: Annotated[tuple[str, ...], Meta(
        min_length=1, description='a list of names of joints')]
    home: tuple[float, ...]
    workspace: _Box
    joint_limits: dict[str, Any] = dataclasses.field(default_factory=dict)
    gripper: _Gripper | None = None
    keep_out: tuple[_Box, ...] = ()
    margin: Annotated[float, Meta(ge=0.0, le=0.5)] = 0.02
    base_position: _Vector = (0.0, 0.0, 0.0)
    tool_down: Annotated[tuple[float, ...], Meta(
        min_length=4, max_length=4, description='four numbers: x, y, z, w')] = (1.0, 0.0, 0.0, 0.0)


def is_robot_file(name: str) -> bool:
    """Tell whether the name of a robot is that of a file."""
    return name.endswith(('.yaml', '.yml'))


def read_robot(path: str, name: str = '') -> RobotModel:
    """
    Return the robot that a file describes.

    :param path: of the file, or ``package://NAME/PATH``
    :param name: of the robot; '': as the file
    :raises RobotError: naming the file and the key that is wrong
    """
    file = resolve(path, Path())
    with named(path, RobotError):
        described = build(_File, read_yaml(file), RobotError)
        urdf = _urdf_of(described.urdf, file.absolute().parent)
        with named(urdf, RobotError):
            joints = moving_joints(read_text(urdf))
        return _model(name or file.stem, described, str(urdf), joints)


def standalone(path: str) -> bytes:
    """
    Return a robot file that can be read from another folder: its URDF by an absolute path.

    :raises RobotError: naming the file and what is wrong with it
    :raises OSError: if it cannot be read
    """
    file = resolve(path, Path())
    with named(path, RobotError):
        document = read_yaml(file)
        urdf = str(document['urdf'])
        if urdf.startswith(PACKAGE) or Path(urdf).is_absolute():
            return file.read_bytes()
        document['urdf'] = str(resolve(urdf, file.absolute().parent))
    return yaml.safe_dump(document, sort_keys=False).encode()


def _urdf_of(reference: str, folder: Path) -> Path:
    found = resolve(reference, folder)
    if found.suffix == '.xacro':
        raise RobotError(f'urdf is {reference!r}; expected a URDF: write it with `xacro '
                         f'{found} > {found.stem}`')
    if not found.is_file():
        raise RobotError(f'urdf is {reference!r}; there is no file {found}')
    return found


def _model(name: str, file: _File, urdf: str, joints: dict[str, Joint]) -> RobotModel:
    fingers = file.gripper.joints if file.gripper else ()
    names, count = (*file.joints, *fingers), len(file.joints)
    if len(set(names)) < len(names):
        raise RobotError(f'a joint is named twice in {", ".join(names)}')
    if file.gripper is not None and file.gripper.open == file.gripper.closed:
        raise RobotError(f'gripper.open and gripper.closed are both {file.gripper.open}; expected '
                         'two positions of its joint')
    for joint in (*names, *file.joint_limits):
        if joint not in joints:
            raise RobotError(f'{urdf} has no joint {joint}; it has {", ".join(joints)}')
    if len(file.home) != count:
        raise RobotError(f'home has {len(file.home)} numbers; expected {count}, one a joint')
    limits = dict.fromkeys(names, _Limits()) | {
        joint: build(_Limits, found, RobotError, f'joint_limits.{joint}.')
        for joint, found in file.joint_limits.items()}
    unlimited = [joint for joint in file.joints if limits[joint].has_acceleration_limits
                 and limits[joint].max_acceleration is None]
    if unlimited:
        raise RobotError(f'max_acceleration is missing in joint_limits of {", ".join(unlimited)}, '
                         'and a URDF does not have it; give it in rad/s^2 (m/s^2), or say '
                         'has_acceleration_limits: false')
    rows = np.array([_bounds(joints[joint], limits[joint]) for joint in names])
    rows[:count, 0] += file.margin
    rows[:count, 1] -= file.margin
    tool, opening = file.tool, {}
    if file.gripper is not None:
        slope = file.gripper.width / (len(fingers) * (file.gripper.open - file.gripper.closed))
        opening = {'opening_scale': slope,
                   'opening_offset': -slope * len(fingers) * file.gripper.closed}
    mount = None if tool.xyz is None else Mount(
        tool.link, tool.xyz, tool.rpy, tool.pointer_radius, tool.pointer_length)
    return RobotModel(
        name=name, urdf=urdf, joint_names=names, arm_joints=count,
        tool_link=TOOL_LINK if mount else tool.link, mount=mount, base_frame=file.base_frame,
        lower=rows[:, 0], upper=rows[:, 1], velocity=rows[:, 2], effort=rows[:, 3],
        acceleration=rows[:, 4], deceleration=rows[:, 5], jerk=rows[:, 6],
        home=np.array([*file.home, *[file.gripper.open] * len(fingers)]
                      if file.gripper else file.home),
        open_width=file.gripper.width if file.gripper else 0.0,
        workspace_lower=np.array(file.workspace.lower),
        workspace_upper=np.array(file.workspace.upper),
        keep_out=tuple((np.array(box.lower), np.array(box.upper)) for box in file.keep_out),
        tool_down=np.array(file.tool_down), base_position=np.array(file.base_position),
        followers=_followers(joints, names), **opening)


def _bounds(joint: Joint, limits: _Limits) -> tuple[float, ...]:
    """Return lower, upper, velocity, effort, acceleration, deceleration, jerk of a joint."""
    found = []
    for key, own in (('min_position', joint.lower), ('max_position', joint.upper),
                     ('max_velocity', joint.velocity), ('max_effort', joint.effort)):
        given = limits.get(key)
        value = own if given is None else given
        if value is None:
            raise RobotError(f'joint_limits.{joint.name}.{key} is missing, and the URDF does not '
                             'say it either')
        found.append(value)
    acceleration = limits.get('max_acceleration') or np.inf
    return (*found, acceleration, limits.get('max_deceleration') or acceleration,
            limits.get('max_jerk') or np.inf)


def _followers(joints: dict[str, Joint], names: tuple[str, ...]) -> tuple[Follower, ...]:
    found = []
    for joint in joints.values():
        if joint.mimic is not None and joint.name not in names and joint.mimic[0] in names:
            leader, multiplier, offset = joint.mimic
            found.append(Follower(joint.name, names.index(leader), multiplier, offset))
    return tuple(found)
