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

"""What a simulated episode looks like at one control step."""

import dataclasses

import numpy as np


@dataclasses.dataclass(frozen=True, eq=False)
class State:
    """The robot, the objects and the task status, all at one instant."""

    joint_position: np.ndarray
    """Shape ``(n,)``, float64, rad (fingers: m)."""
    joint_velocity: np.ndarray
    """Shape ``(n,)``, float64, rad/s (fingers: m/s)."""
    tool_position: np.ndarray
    """Shape ``(3,)``, m in the base frame."""
    tool_orientation: np.ndarray
    """Shape ``(4,)``, x y z w."""
    object_positions: np.ndarray
    """Shape ``(objects, 3)``, m."""
    object_orientations: np.ndarray
    """Shape ``(objects, 4)``, x y z w."""
    goal_position: np.ndarray
    """Shape ``(3,)``, m."""
    goal_orientation: np.ndarray
    """Shape ``(4,)``, x y z w."""
    success: bool
    """The goal is reached at this instant."""
    end: int
    """``EpisodeStatus.end``: NOT_ENDED, TERMINATED or TRUNCATED."""
    cause: int
    """``EpisodeStatus.cause``."""
    step: int
    """Control steps since the reset."""
    horizon: int
    """Steps after which the episode is truncated."""
    goals_reached: int
    """Since the reset; more than one only where the episode continues after a success."""
