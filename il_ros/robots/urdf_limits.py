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

"""Joint limits of a robot compared with those of a URDF."""

from collections.abc import Sequence
import math
import xml.etree.ElementTree as ElementTree

from il_ros.errors import RobotError
import numpy as np

Values = Sequence[float] | np.ndarray
"""One a joint."""

TOLERANCE = 1e-6
"""Rounding of the decimals in either file."""


def limit_findings(names: Sequence[str], lower: Values, upper: Values, velocity: Values,
                   urdf: str) -> list[str]:
    """
    Return where limits are wider than a URDF's, one sentence a joint and limit.

    Efforts are not compared, for nothing commands them. A continuous joint has no positions.

    :param lower: smallest accepted positions, one a joint, rad (prismatic: m)
    :param upper: largest accepted positions
    :param velocity: largest speeds, rad/s (prismatic: m/s)
    :param urdf: the text, as on ``robot_description``
    :raises RobotError: if the text is no URDF
    """
    joints, found = _joints(urdf), []
    for index, name in enumerate(names):
        if name not in joints:
            found.append(f'{name} is no joint of the URDF')
            continue
        least, most, speed = joints[name]
        for wider, what, ours, theirs in (
                (least - lower[index], 'lower limit', lower[index], least),
                (upper[index] - most, 'upper limit', upper[index], most),
                (velocity[index] - speed, 'speed', velocity[index], speed)):
            if wider > TOLERANCE:
                found.append(f'the {what} of {name} is {ours:g}, beyond {theirs:g} of the URDF')
    return found


def _joints(urdf: str) -> dict[str, tuple[float, float, float]]:
    """Return smallest and largest position and speed of each joint; infinite: not limited."""
    try:
        root = ElementTree.fromstring(urdf)
        return {joint.get('name', ''): _limits(joint) for joint in root.iterfind('joint')}
    except (ElementTree.ParseError, ValueError) as error:
        raise RobotError(f'the text is no URDF: {error}') from error


def _limits(joint: ElementTree.Element) -> tuple[float, float, float]:
    limit = joint.find('limit')
    said = {} if limit is None else dict(limit.attrib)
    if joint.get('type') == 'continuous':
        said = {'velocity': said.get('velocity', 'inf')}
    return (float(said.get('lower', -math.inf)), float(said.get('upper', math.inf)),
            float(said.get('velocity', math.inf)))
