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

"""What is wrong with a robot's description: each finding is one sentence that says what to do."""

from collections.abc import Iterator
import contextlib
import itertools
from pathlib import Path

from il_ros.errors import RobotError
from il_ros.files.regular import read_text
from il_ros.robots.kinematics import Kinematics, Solution
from il_ros.robots.model import Box, RobotModel
from il_ros.robots.urdf import Joint, moving_joints
import numpy as np

_LEVEL_RAD = 1e-2
"""How far the tool may be turned at home."""

_ALONG = 5
"""Sampled places along each edge of the workspace."""

_SHARES = np.arange(0.95, 0.15, -0.05)
"""Of a workspace that is too large, tried one after the other."""

_MOVES_M = np.linspace(-0.3, 0.3, 13)
_LIFTS_M = np.linspace(0.0, 0.2, 5)
"""Of the arm's foot, forwards and up, that are tried for the tasks."""

_STEP_M = 0.025
"""Way of the tool in a control step at full speed."""

_WIDTH_SHARE = 0.2
"""By how much a gripper's width may differ from the way of its fingers: pads yield."""

_ROUNDING = 1e-6
_SEED = 0
_PATHS = 40


def findings(robot: RobotModel) -> Iterator[str]:
    """
    Look for what would stop an arm, or lead it where it cannot go.

    The URDF loads, names and limits agree with it, the home position points the tool down inside
    the workspace, the workspace is reachable, and inverse kinematics follows a straight way.
    """
    if not Path(robot.urdf).is_file():
        yield f'its urdf is {robot.urdf!r}; expected the path of a file'
        return
    try:
        joints = moving_joints(read_text(robot.urdf))
        kinematics = Kinematics(robot)
    except RobotError as error:
        yield str(error)
        return
    with contextlib.closing(kinematics):
        yield from limit_findings(robot, joints)
        yield from _home(robot, kinematics)
        yield from _hand(robot, kinematics)
        unreachable = list(_unreachable(robot, kinematics, _box_of(robot)))
        if unreachable:
            place, solution = max(unreachable, key=lambda one: one[1].error_m)
            smaller = _smaller(robot, kinematics)
            yield (f'{len(unreachable)} of {_ALONG ** 3} places of the workspace are out of reach '
                   f'with the tool down, the worst {_rounded(place)} by {solution.error_m:.3f} m '
                   f'and {solution.error_rad:.3f} rad; make the workspace smaller'
                   + (f', e.g. {{lower: {_rounded(smaller[0])}, upper: {_rounded(smaller[1])}}}'
                      if smaller else '') + ', or move the arm by base_position')
        else:
            yield from _paths(robot, kinematics)


def limit_findings(robot: RobotModel, joints: dict[str, Joint]) -> Iterator[str]:
    """
    Compare a robot's limits with those of a URDF.

    :param joints: of the URDF, by name
    """
    for index, name in enumerate(robot.joint_names):
        joint = joints.get(name)
        if joint is None:
            yield f'the URDF has no joint {name}; it has {", ".join(joints)}'
            continue
        for what, own, limit, sign in (
                ('min_position', robot.lower[index], joint.lower, -1.0),
                ('max_position', robot.upper[index], joint.upper, 1.0),
                ('max_velocity', robot.velocity[index], joint.velocity, 1.0),
                ('max_effort', robot.effort[index], joint.effort, 1.0)):
            # Some URDFs have 0 where nothing is known; the force of a hand is a setting.
            known = limit is not None and (what.endswith('position') or limit > 0.0)
            if what == 'max_effort' and index >= robot.arm_joints:
                continue
            if known and sign * (own - limit) > _ROUNDING:
                yield (f'{name}: {what} is {own:g}, beyond the {limit:g} of the URDF; write a '
                       'limit that the arm keeps')
        if not robot.lower[index] < robot.upper[index]:
            yield (f'{name}: its positions go from {robot.lower[index]:g} to '
                   f'{robot.upper[index]:g}; expected a range')


def _home(robot: RobotModel, kinematics: Kinematics) -> Iterator[str]:
    position, quaternion = kinematics.forward(robot.home)
    outside = _outside(position, _box_of(robot))
    if outside > 0.0:
        yield (f'at home the tool is at {_rounded(position)}, {outside:.3f} m outside '
               'the workspace; change home or workspace')
    turned = 2.0 * float(np.arccos(min(1.0, abs(float(quaternion @ robot.tool_down)))))
    if turned > _LEVEL_RAD:
        yield (f'at home the tool is turned by {turned:.3f} rad from tool_down: its orientation '
               f'is {_rounded(quaternion, 6)}; if it points down there, write this as tool_down, '
               'else change home')


def _hand(robot: RobotModel, kinematics: Kinematics) -> Iterator[str]:
    """Compare the gripper's positions with how two fingers that slide move in the URDF."""
    if not robot.joint_names[robot.fingers]:
        return
    closed = kinematics.between_fingers(0.0)
    opened = kinematics.between_fingers(robot.open_width)
    if closed is None or opened is None:
        return
    if np.linalg.norm(opened) < np.linalg.norm(closed):
        yield ('the fingers come nearer to each other from gripper.closed to gripper.open; '
               'exchange the two')
    moved = float(np.linalg.norm(opened - closed))
    if abs(moved - robot.open_width) > _WIDTH_SHARE * moved:
        yield (f'gripper.width is {robot.open_width:g} m, and the fingers go {moved:.3f} m apart '
               'from gripper.closed to gripper.open; correct one of the three')


def _unreachable(robot: RobotModel, kinematics: Kinematics,
                 box: Box) -> Iterator[tuple[np.ndarray, Solution]]:
    edges = np.linspace(*box, _ALONG).T
    for place in map(np.array, itertools.product(*edges)):
        solution = kinematics.settled(place, robot.tool_down)
        if not solution.is_reached:
            yield place, solution


def _smaller(robot: RobotModel, kinematics: Kinematics) -> Box | None:
    """Return a workspace that can be reached: the robot's, drawn to the tool's place at home."""
    lower, upper = _box_of(robot)
    home = np.clip(kinematics.forward(robot.home)[0], lower, upper)
    home[2] = lower[2]  # the table's height is needed
    for share in _SHARES:
        box = tuple(np.round(home + share * (corner - home), 3) for corner in (lower, upper))
        if next(_unreachable(robot, kinematics, box), None) is None:
            return box
    return None


def place_for(robot: RobotModel, box: Box) -> np.ndarray | None:
    """
    Return the nearest ``base_position`` from which a robot reaches a box with the tool down.

    One that leaves the tool in the box at home is preferred.

    :param box: lower and upper corner in the base frame, m
    :returns: shape ``(3,)``, m; None: none of those that are tried
    """
    with contextlib.closing(Kinematics(robot)) as kinematics:
        home, _ = kinematics.forward(robot.home)
        for move in sorted(
                map(np.array, itertools.product(_MOVES_M, (0.0,), _LIFTS_M)),
                key=lambda one: (_outside(home + one, box) > 0.0, float(np.linalg.norm(one)))):
            if next(_unreachable(robot, kinematics, (box[0] - move, box[1] - move)), None) is None:
                return np.round(robot.base_position + move, 3)
    return None


def _box_of(robot: RobotModel) -> Box:
    return robot.workspace_lower, robot.workspace_upper


def _outside(place: np.ndarray, box: Box) -> float:
    """Return how far a place lies outside a box, m; 0 or less: inside."""
    return float(np.maximum(box[0] - place, place - box[1]).max())


def _rounded(numbers: np.ndarray, digits: int = 3) -> list[float]:
    return np.round(numbers, digits).tolist()


def _paths(robot: RobotModel, kinematics: Kinematics) -> Iterator[str]:
    """Follow straight ways through the workspace, as a policy's steps do."""
    rng, missed, steps = np.random.default_rng(_SEED), 0, 0
    for _ in range(_PATHS):
        start, end = rng.uniform(robot.workspace_lower, robot.workspace_upper, (2, 3))
        q = kinematics.settled(start, robot.tool_down).q
        for place in np.linspace(start, end, 2 + int(np.linalg.norm(end - start) / _STEP_M))[1:]:
            solution = kinematics.inverse(place, robot.tool_down, q)
            steps += 1
            missed += not solution.is_reached
            q = solution.q
    if missed:
        yield (f'inverse kinematics misses {missed} of {steps} steps on straight ways through the '
               'workspace; make it smaller, or choose another home')
