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

"""What has to be known of an arm: its joints by name, their limits, and where the tool is."""

import dataclasses
import os

from il_ros import plugins
from il_ros.errors import RobotError
from il_ros.robots.urdf import Follower, Mount
import numpy as np

DEFAULT = 'panda'
"""The robot of all that names none."""

IMPLAUSIBLE_RAD = 0.5
"""A joint cannot be so far outside its limits (a finger: m)."""

_START_TOLERANCE_RAD = 0.05
START_TOLERANCE_M = 0.01
"""How far outside its limits (fingers, workspace) an arm may stand when an episode begins."""

Box = tuple[np.ndarray, np.ndarray]
"""Two opposite corners, the lower one first, each of shape ``(3,)``, m in the base frame."""


@dataclasses.dataclass(frozen=True, eq=False)
class RobotModel:
    """
    One arm, with or without a gripper of two fingers; ``robot_file.py`` reads it from a file.

    Joint vectors have the order of ``joint_names``: the arm first, then the gripper's one or two
    joints, which are called fingers here.
    """

    name: str
    urdf: str
    """Path of the URDF, for PyBullet."""
    joint_names: tuple[str, ...]
    arm_joints: int
    """Number of leading entries of ``joint_names`` that belong to the arm."""
    tool_link: str
    """Link whose frame is the tool; its pose is ``tool_pose``."""
    base_frame: str
    """Frame of all poses and twists."""
    lower: np.ndarray
    """Smallest accepted positions, shape ``(n,)``, rad (fingers: m), a margin inside the stops."""
    upper: np.ndarray
    """Largest accepted positions, shape ``(n,)``, rad (fingers: m)."""
    velocity: np.ndarray
    """Largest speeds, shape ``(n,)``, rad/s (fingers: m/s)."""
    effort: np.ndarray
    """Largest torques, shape ``(n,)``, Nm (fingers: N)."""
    home: np.ndarray
    """Rest position with the tool pointing down, shape ``(n,)``; redundancy is pulled to it."""
    open_width: float
    """Sum of both finger positions when the hand is fully open, m."""
    workspace_lower: np.ndarray
    """Corner of the box that the tool stays in, shape ``(3,)``, m in the base frame."""
    workspace_upper: np.ndarray
    """Opposite corner, shape ``(3,)``, m."""
    tool_down: np.ndarray = dataclasses.field(
        default_factory=lambda: np.array([1.0, 0.0, 0.0, 0.0]))
    """Orientation (x, y, z, w) of the tool when it points straight down."""
    base_position: np.ndarray = dataclasses.field(default_factory=lambda: np.zeros(3))
    """Where the arm's foot stands in ``base_frame``, shape ``(3,)``, m."""
    mount: Mount | None = None
    """A tool link that the URDF itself does not have; None: it has it."""
    opening_scale: float = 1.0
    opening_offset: float = 0.0
    """The opening in m is the offset plus the scale times the sum of the fingers' positions."""
    followers: tuple[Follower, ...] = ()
    """Joints that the hardware couples to a finger: nobody reports or commands them."""
    acceleration: np.ndarray = dataclasses.field(default_factory=lambda: np.empty(0))
    """
    Largest accelerations, shape ``(n,)``, rad/s^2; inf or empty: no limit.

    The fingers' entries do not count: a hand has a controller of its own.
    """
    deceleration: np.ndarray = dataclasses.field(default_factory=lambda: np.empty(0))
    """Largest decelerations, as above; empty: as ``acceleration``."""
    jerk: np.ndarray = dataclasses.field(default_factory=lambda: np.empty(0))
    """Largest jerks, as ``acceleration``, rad/s^3."""
    keep_out: tuple[Box, ...] = ()
    """Boxes that the tool never enters."""

    def __post_init__(self):
        count = len(self.joint_names)
        for name in ('acceleration', 'deceleration', 'jerk'):
            if not getattr(self, name).size:
                object.__setattr__(self, name, self.acceleration if name == 'deceleration'
                                   else np.full(count, np.inf))
        for field in ('lower', 'upper', 'velocity', 'effort', 'home', 'acceleration',
                      'deceleration', 'jerk'):
            shape = getattr(self, field).shape
            if shape != (count,):
                raise RobotError(f'robot {self.name}: {field} has shape {shape}; expected '
                                 f'({count},), one entry a joint')
        for field in ('velocity', 'acceleration', 'deceleration', 'jerk'):
            values = getattr(self, field)
            if not (values[self.arm] > 0.0).all():
                raise RobotError(f'robot {self.name}: {field} is {values.tolist()}; expected '
                                 'numbers above 0')
        for lower, upper in self.keep_out:
            if lower.shape != (3,) or upper.shape != (3,) or not (lower < upper).all():
                raise RobotError(
                    f'robot {self.name}: keep_out has a box from {lower.tolist()} to '
                    f'{upper.tolist()}; expected two corners in m, the lower one first')
        inside = (self.lower <= self.home) & (self.home <= self.upper)
        if not inside.all():
            joint = int(inside.argmin())
            raise RobotError(
                f'robot {self.name}: home lies outside the joint limits: '
                f'{self.joint_names[joint]} is at {self.home[joint]:g} rad (or m); expected '
                f'{self.lower[joint]:g} to {self.upper[joint]:g}')

    def refuse_implausible(self, positions: np.ndarray):
        """
        Refuse measured positions that this robot cannot have: a wrong message, not an arm.

        :param positions: shape ``(n,)``, rad (fingers: m)
        :raises RobotError: naming the joint, its position and the limits
        """
        finite = np.isfinite(positions)
        if not finite.all():
            raise RobotError(f'{self.joint_names[int(finite.argmin())]} is not finite')
        outside = np.maximum(self.lower - positions, positions - self.upper)
        worst = int(outside.argmax())
        if outside[worst] > IMPLAUSIBLE_RAD:
            raise RobotError(f'{self.joint_names[worst]} is at {positions[worst]:.3f}; expected '
                             f'{self.lower[worst]:.3f} to {self.upper[worst]:.3f}')

    def beyond_start(self, positions: np.ndarray) -> np.ndarray:
        """
        Return how far each joint is from where an episode may begin, rad (fingers: m).

        A measured joint may lie a little outside its limits: a shut hand presses on its stop.

        :param positions: measured, shape ``(n,)``
        :returns: shape ``(n,)``; above 0 where no episode begins
        """
        outside = np.maximum(self.lower - positions, positions - self.upper)
        outside[self.arm] -= _START_TOLERANCE_RAD
        outside[self.fingers] -= START_TOLERANCE_M
        return outside

    def change(self, acceleration: np.ndarray, period_s: float) -> np.ndarray:
        """
        Return how far a joint's step may differ from its step before, rad (fingers: m).

        Half of what the jerk limit allows in a control step: from full acceleration to full
        deceleration is then within it.

        :param acceleration: or deceleration, shape ``(n,)``
        """
        return np.minimum(acceleration, 0.5 * self.jerk * period_s) * period_s ** 2

    def opening(self, positions: np.ndarray) -> float:
        """
        Return how far the hand is open, m; 0 for an arm without one.

        :param positions: shape ``(n,)``, rad (fingers: m)
        """
        return self.opening_offset + self.opening_scale * float(positions[self.fingers].sum())

    @property
    def closing_speed(self) -> float:
        """Return how fast the hand closes at most, m/s; 0 for an arm without one."""
        return abs(self.opening_scale) * float(self.velocity[self.fingers].sum())

    def finger_position(self, opening_m: float) -> float:
        """Return where each finger is when the hand is so far open, m or rad."""
        count = len(self.joint_names) - self.arm_joints or 1
        return (opening_m - self.opening_offset) / self.opening_scale / count

    @property
    def arm(self) -> slice:
        """Return where the arm's joints stand in a joint vector."""
        return slice(0, self.arm_joints)

    @property
    def fingers(self) -> slice:
        """Return where the fingers stand in a joint vector."""
        return slice(self.arm_joints, len(self.joint_names))


_read: dict[str, RobotModel] = {}
"""Robots of files that this process has read, by name: contracts name them so."""


def find_robot(name: str) -> RobotModel:
    """
    Return a robot of ours, of another package, as ``module:Object``, or from a file.

    :param name: a name, ``module:Object``, a ``.yaml`` file, or one as ``package://NAME/PATH``;
        also the name of a robot whose file was read in this process; '': the default one
    :raises RobotError: listing the robots that there are, or saying why it is not usable
    """
    # Imported here: the file's reader makes the model of above.
    from il_ros.robots.robot_file import is_robot_file, read_robot
    if is_robot_file(name):
        robot = read_robot(name)
        _refuse_taken(robot.name, name)
        _read[robot.name] = robot
        return robot
    if name in _read:
        return _read[name]
    name = name or DEFAULT
    try:
        plugin = plugins.find('robots', name)
        robot = plugin.load()
    except plugins.PluginError as error:
        raise RobotError(str(error)) from error
    if isinstance(robot, (str, os.PathLike)):
        _read[name] = read_robot(os.fspath(robot), name)
        return _read[name]
    if not isinstance(robot, RobotModel):
        raise RobotError(f'{plugin}: {plugin.target} is {robot!r}; expected an instance of '
                         f'{RobotModel.__module__}.{RobotModel.__qualname__}, or the path of a '
                         'robot file')
    return robot


def _refuse_taken(name: str, file: str):
    """
    Refuse a file that is called as a registered robot: contracts would mean that one.

    :raises RobotError: naming both
    """
    plugin = plugins.table('robots').get(name)
    if plugin is None:
        return
    own = plugin.load()
    if not (isinstance(own, (str, os.PathLike)) and os.path.exists(file)
            and os.path.samefile(own, file)):
        raise RobotError(f'{file}: {name!r} is the name of {plugin}; give the file another name')
