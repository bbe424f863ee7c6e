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

"""What a URDF says besides what PyBullet reads of it: packages, coupled joints, limits."""

from collections.abc import Iterator
import contextlib
import dataclasses
import importlib.util
import os
from pathlib import Path
import re
import tempfile
import xml.etree.ElementTree as ElementTree

from il_ros.errors import RobotError

PACKAGE = 'package://'
_REFERENCE = re.compile(r'package://([A-Za-z0-9_]+)/')
_FINE = re.compile(r'filename="(?:package://)?(meshes/visual/[^"]+)"')
_MESH = re.compile(r'filename="(?!package:|file:|/)([^"]+)"')


@dataclasses.dataclass(frozen=True)
class Mount:
    """A tool that a URDF lacks: a frame on one of its links, with or without a pointer."""

    link: str
    """That carries the tool."""
    xyz: tuple[float, ...]
    """Of the tool's frame in the link's, m."""
    rpy: tuple[float, ...] = (0.0, 0.0, 0.0)
    """Roll, pitch and yaw of the tool's frame in the link's, rad."""
    radius: float = 0.0
    """Of the pointer, whose tip is the tool's origin, m; 0: there is none."""
    length: float = 0.0
    """Of the pointer, from its tip backwards along the tool's z axis, m."""


@dataclasses.dataclass(frozen=True)
class Follower:
    """A joint that another one moves: ``<mimic>`` of a URDF."""

    name: str
    leader: int
    """Index of the joint that it follows, in the robot's joint vector."""
    multiplier: float
    offset: float


@dataclasses.dataclass(frozen=True)
class Joint:
    """A joint that moves, and its ``<limit>``; what the URDF leaves out is None."""

    name: str
    lower: float | None
    upper: float | None
    velocity: float | None
    effort: float | None
    mimic: tuple[str, float, float] | None
    """Name of the joint that it follows, multiplier and offset."""


def package_folder(name: str) -> Path | None:
    """Return the folder of a ROS package (its share) or of a Python package; None: neither."""
    for prefix in filter(None, os.environ.get('AMENT_PREFIX_PATH', '').split(os.pathsep)):
        share = Path(prefix, 'share', name)
        if share.is_dir():
            return share
    try:
        found = importlib.util.find_spec(name)
    except (ImportError, ValueError):
        return None
    places = found.submodule_search_locations if found else None
    return Path(next(iter(places))) if places else None


def resolve(reference: str, folder: Path) -> Path:
    """
    Return the file that a reference names: ``package://NAME/PATH``, or a path from a folder.

    :raises RobotError: naming the package that is not there
    """
    if not reference.startswith(PACKAGE):
        return folder / Path(reference).expanduser()
    package, _, rest = reference.removeprefix(PACKAGE).partition('/')
    found = package_folder(package)
    if found is None:
        raise RobotError(f'{reference}: there is no package {package!r}; source the workspace '
                         'that has it, or give a path')
    return found / rest


def moving_joints(text: str) -> dict[str, Joint]:
    """
    Return the joints of a URDF that move, by name.

    :param text: of the URDF
    :raises RobotError: saying where it is no XML
    """
    try:
        root = ElementTree.fromstring(text)
    except ElementTree.ParseError as error:
        raise RobotError(f'it is no URDF: {error}') from error
    found = {}
    for element in root.iterfind('joint'):
        if element.get('type') in ('revolute', 'continuous', 'prismatic'):
            limit, mimic = element.find('limit'), element.find('mimic')
            endless, name = element.get('type') == 'continuous', element.get('name', '')
            found[name] = Joint(
                name, None if endless else _number(limit, 'lower'),
                None if endless else _number(limit, 'upper'), _number(limit, 'velocity'),
                _number(limit, 'effort'), None if mimic is None else (
                    mimic.get('joint', ''), _as_number(mimic.get('multiplier', '1')),
                    _as_number(mimic.get('offset', '0'))))
    return found


def _number(element: ElementTree.Element | None, name: str) -> float | None:
    text = None if element is None else element.get(name)
    return None if text is None else _as_number(text)


def _as_number(text: str) -> float:
    try:
        return float(text)
    except ValueError as error:
        raise RobotError(f'it has {text!r} where a number is expected; is it xacro that was not '
                         'expanded?') from error


@contextlib.contextmanager
def loadable(urdf: str, mount: Mount | None = None, coarse: bool = False) -> Iterator[str]:
    """
    Give a file that PyBullet can load: packages found, the mounted tool in it.

    :param urdf: path of the URDF
    :param coarse: draw the meshes of the collision model, where they lie beside the fine ones
    """
    folder, text = Path(urdf).absolute().parent, Path(urdf).read_text()
    changed = _REFERENCE.sub(lambda found: _mesh_folder(found, folder), text)
    if coarse:
        changed = _coarse(changed, folder)
    if mount is not None:
        changed = changed.replace('</robot>', _mounted(mount) + '</robot>')
    changed = _weighed(changed)
    if changed == text:
        yield urdf
        return
    # The copy lies elsewhere: meshes that are named by relative paths are beside the original.
    changed = _MESH.sub(lambda found: f'filename="{folder / found[1]}"', changed)
    changed = changed.replace(PACKAGE, f'{folder}/')
    with tempfile.TemporaryDirectory() as temporary:
        copy = Path(temporary, Path(urdf).name)
        copy.write_text(changed)
        yield str(copy)


def _coarse(text: str, folder: Path) -> str:
    fine = set(_FINE.findall(text))
    there = all((folder / name.replace('/visual/', '/collision/')).is_file() for name in fine)
    return text.replace('meshes/visual/', 'meshes/collision/') if there else text


def _mesh_folder(found: re.Match[str], folder: Path) -> str:
    """Return the place of a package; what lies beside the URDF under its name is left alone."""
    if (folder / found[1]).is_dir():
        return found[0]
    place = package_folder(found[1])
    return found[0] if place is None else f'{place}/'


TOOL_LINK = 'il_ros_tool'
"""Name of the link of a mounted tool."""

_LIGHT = ('<inertial><mass value="0.05"/><inertia ixx="1e-5" ixy="0" ixz="0" iyy="1e-5" iyz="0" '
          'izz="1e-5"/></inertial>')


def _weighed(text: str) -> str:
    """Make links without a mass, as frames are, light: PyBullet takes each as 1 kg, and warns."""
    root = ElementTree.fromstring(text)
    moved = {child.get('link') for child in root.iterfind('joint/child')}
    weightless = [link for link in root.iterfind('link')
                  if link.get('name') in moved and link.find('inertial') is None]
    for link in weightless:
        link.append(ElementTree.fromstring(_LIGHT))
    return ElementTree.tostring(root, encoding='unicode') if weightless else text


def _mounted(mount: Mount) -> str:
    xyz, rpy = (' '.join(map(repr, part)) for part in (mount.xyz, mount.rpy))
    shape = ''
    if mount.radius > 0.0:
        body = (f'<origin xyz="0 0 {-mount.length / 2!r}"/><geometry><cylinder '
                f'radius="{mount.radius!r}" length="{mount.length!r}"/></geometry>')
        shape = f'<visual>{body}</visual><collision>{body}</collision>'
    return (f'<link name="{TOOL_LINK}">{_LIGHT}{shape}</link>'
            f'<joint name="{TOOL_LINK}_joint" type="fixed"><origin xyz="{xyz}" rpy="{rpy}"/>'
            f'<parent link="{mount.link}"/><child link="{TOOL_LINK}"/></joint>')
