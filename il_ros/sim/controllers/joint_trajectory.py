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

"""Stand-in for joint_trajectory_controller: checks, interpolates, replaces and holds."""

import dataclasses
import functools
import math

from il_ros.errors import ControllerError
from il_ros.sim.controllers.controller import as_finite, Controller
import numpy as np

_REST = 1e-6
"""The largest speed that still counts as rest at the end of a trajectory, rad/s."""


@dataclasses.dataclass(frozen=True)
class Point:
    """One point of a trajectory; joints in the trajectory's own order."""

    time_from_start_ns: int
    derivatives: tuple[np.ndarray, ...]
    """Positions and, where given, velocities and accelerations, each of shape ``(n,)``."""


@dataclasses.dataclass(frozen=True)
class Trajectory:
    """The content of a ``trajectory_msgs/JointTrajectory``."""

    joint_names: tuple[str, ...]
    points: tuple[Point, ...]
    stamp_ns: int = 0
    """When it starts; 0: now."""


class JointTrajectoryController(Controller):
    """
    Joint trajectories, as on Jazzy: a new one replaces the old one at once.

    Positions alone are joined by straight lines, with velocities by cubic and with accelerations
    by quintic polynomials; a segment uses what both of its ends have. The last point is held. A
    trajectory starts from the measured state. Unlike the real one it refuses what is not finite.

    :param from_desired: ``interpolate_from_desired_state``: start from what was commanded last
    :param moving_end: ``allow_nonzero_velocity_at_trajectory_end``
    """

    def __init__(self, joint_names: tuple[str, ...], from_desired: bool = False,
                 moving_end: bool = False):
        self._joint_names = joint_names
        self._from_desired, self._moving_end = from_desired, moving_end

    def start(self, positions: np.ndarray, now_ns: int):
        """Activate: hold these positions."""
        here = Point(0, (np.array(positions), np.zeros(len(positions))))
        self._points: tuple[Point, ...] = (here,)
        self._start_ns, self._begun = now_ns, True
        self._segments: list[tuple[int, int, Segment]] = []
        self._desired = here

    def take(self, message: Trajectory, now_ns: int):
        """Take a trajectory in the place of the present one."""
        self._refuse_names(message.joint_names)
        self._refuse_times(message, now_ns)
        order = [message.joint_names.index(name) for name in self._joint_names]
        points = tuple(self._checked(point, order) for point in message.points)
        last = points[-1].derivatives
        if not self._moving_end and len(last) > 1 and np.abs(last[1]).max() > _REST:
            raise ControllerError(
                'the velocity of the last point is not zero; expected a trajectory that ends at '
                'rest, or allow_nonzero_velocity_at_trajectory_end')
        self._points, self._start_ns = points, message.stamp_ns
        self._begun = False

    def _refuse_names(self, names: tuple[str, ...]):
        unknown = [name for name in names if name not in self._joint_names]
        missing = [name for name in self._joint_names if name not in names]
        if unknown or missing or len(names) != len(self._joint_names):
            raise ControllerError(
                f'joint_names are {list(names)}; expected each of {list(self._joint_names)} once')

    def _refuse_times(self, message: Trajectory, now_ns: int):
        times = [point.time_from_start_ns for point in message.points]
        if not times:
            raise ControllerError('the trajectory has no points')
        if any(later <= earlier for earlier, later in zip(times, times[1:])):
            raise ControllerError('time_from_start does not rise from point to point')
        if message.stamp_ns and message.stamp_ns + times[-1] < now_ns:
            raise ControllerError('the trajectory ends in the past')

    def _checked(self, point: Point, order: list[int]) -> Point:
        names = ('positions', 'velocities', 'accelerations')
        return Point(point.time_from_start_ns, tuple(
            as_finite(values, len(order), name)[order]
            for values, name in zip(point.derivatives, names)))

    def update(self, now_ns: int, period_ns: int, positions: np.ndarray,
               velocities: np.ndarray) -> np.ndarray:
        """Return the joint targets for one period from now."""
        if not self._begun:
            self._begin(now_ns, positions, velocities)
        self._desired = Point(0, self._sample(now_ns + period_ns))
        return self._desired.derivatives[0]

    def _begin(self, now_ns: int, positions: np.ndarray, velocities: np.ndarray):
        self._start_ns, self._begun = self._start_ns or now_ns, True
        earlier = self._desired if self._from_desired else Point(0, (positions, velocities))
        earlier_ns, self._segments = now_ns, []
        for point in self._points:
            point_ns = self._start_ns + point.time_from_start_ns
            if point_ns > earlier_ns:
                segment = Segment(
                    earlier.derivatives, point.derivatives, (point_ns - earlier_ns) * 1e-9)
                self._segments.append((earlier_ns, point_ns, segment))
            earlier, earlier_ns = point, point_ns

    def _sample(self, at_ns: int) -> tuple[np.ndarray, ...]:
        """Return positions and velocities of the trajectory at a time."""
        for begin_ns, end_ns, segment in self._segments:
            if at_ns < end_ns:
                return segment.at((at_ns - begin_ns) * 1e-9)
        return (*self._points[-1].derivatives, np.zeros(len(self._joint_names)))[:2]


class Segment:
    """
    The polynomial between two ends.

    Its degree follows from the derivatives that both ends have: positions alone make a straight
    line, with velocities it is cubic, with accelerations quintic.

    :param before: positions, velocities, accelerations at the beginning, each of shape ``(n,)``
    """

    def __init__(self, before: tuple[np.ndarray, ...], after: tuple[np.ndarray, ...],
                 duration_s: float):
        self._duration_s = duration_s
        count = min(len(before), len(after))
        # In the time from 0 to 1 the k-th derivative has the factor duration^k.
        begin = np.array([before[k] * duration_s ** k / math.factorial(k) for k in range(count)])
        end = np.array([after[k] * duration_s ** k for k in range(count)])
        low, high_inverse = _conditions(count)
        self._coefficients = np.concatenate((begin, high_inverse @ (end - low @ begin)))

    def at(self, time_s: float) -> tuple[np.ndarray, np.ndarray]:
        """Return positions and velocities at a time since the beginning."""
        at = time_s / self._duration_s
        position, slope = self._coefficients[-1], np.zeros(self._coefficients.shape[1])
        for coefficient in self._coefficients[-2::-1]:
            position, slope = position * at + coefficient, slope * at + position
        return position, slope / self._duration_s


@functools.cache
def _conditions(count: int) -> tuple[np.ndarray, np.ndarray]:
    """
    Return what the coefficients contribute to the derivatives at the end, at time 1.

    :returns: of the lower half, and the inverse of that of the upper half
    """
    at_end = np.array([[math.perm(power, k) for power in range(2 * count)]
                       for k in range(count)], float)
    return at_end[:, :count], np.linalg.inv(at_end[:, count:])
