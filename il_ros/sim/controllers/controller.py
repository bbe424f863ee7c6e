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
Stand-ins for the controllers of a ros2_control arm: what they accept, and how they move.

Pure: a controller is handed the content of a message, the time, and the measured joints, and
answers with joint targets. It does what the controller of that name documents on ROS 2 Jazzy, with
its default parameters; where it differs the class says so.
"""

from typing import Any

from il_ros.errors import ControllerError
import numpy as np


class Controller:
    """A controller of some joints; joint vectors are in its own order."""

    def start(self, positions: np.ndarray, now_ns: int):
        """
        Activate: hold these positions.

        :param positions: measured, shape ``(n,)``
        """
        raise NotImplementedError

    def take(self, message: Any, now_ns: int):
        """
        Take the content of a message.

        :raises ControllerError: if the controller ignores it; it then goes on as before
        """
        raise NotImplementedError

    def update(self, now_ns: int, period_ns: int, positions: np.ndarray,
               velocities: np.ndarray) -> np.ndarray:
        """
        Return the joint targets for one period from now, shape ``(n,)``.

        :param positions: measured now, shape ``(n,)``
        :param velocities: measured now, shape ``(n,)``
        """
        raise NotImplementedError


def as_finite(values: Any, expected: int, what: str) -> np.ndarray:
    """
    Return numbers as an array.

    :raises ControllerError: if there are not as many as expected, or one is not finite
    """
    array = np.asarray(values, np.float64)
    if array.shape != (expected,):
        raise ControllerError(f'{array.size} {what}; expected {expected}')
    if not np.isfinite(array).all():
        raise ControllerError(f'{what} are not finite: {array.tolist()}')
    return array
