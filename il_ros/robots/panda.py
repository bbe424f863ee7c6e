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

"""The Franka Emika Panda with its two-finger hand, as PyBullet's data package ships it."""

import os

from il_ros.robots.model import RobotModel
import numpy as np
import pybullet_data

_MARGIN_RAD = 0.02
"""Distance kept to the limits of the maker (the URDF's own are wider than the real arm's)."""

_LOWER_RAD = (-2.8973, -1.7628, -2.8973, -3.0718, -2.8973, -0.0175, -2.8973)
_UPPER_RAD = (2.8973, 1.7628, 2.8973, -0.0698, 2.8973, 3.7525, 2.8973)
_VELOCITY_RAD_S = (2.175, 2.175, 2.175, 2.175, 2.61, 2.61, 2.61)
_ACCELERATION_RAD_S2 = (15.0, 7.5, 10.0, 12.5, 15.0, 20.0, 20.0)
_JERK_RAD_S3 = (7500.0, 3750.0, 5000.0, 6250.0, 7500.0, 10000.0, 10000.0)
_EFFORT_NM = (87.0, 87.0, 87.0, 87.0, 12.0, 12.0, 12.0)

_FINGER_STROKE_M = 0.04
_FINGER_VELOCITY_M_S = 0.2
_GRIPPER_FORCE_N = 60.0

_HOME_RAD = (0.0, 0.1, 0.0, -2.3, 0.0, 2.4, np.pi / 4)
"""Elbow up, tool straight down (the second, fourth and sixth angle cancel), fingers along y."""

PANDA = RobotModel(
    name='panda',
    urdf=os.path.join(pybullet_data.getDataPath(), 'franka_panda', 'panda.urdf'),
    joint_names=(*(f'panda_joint{i}' for i in range(1, 8)),
                 'panda_finger_joint1', 'panda_finger_joint2'),
    arm_joints=7,
    tool_link='panda_grasptarget',
    base_frame='panda_link0',
    lower=np.array([*(np.array(_LOWER_RAD) + _MARGIN_RAD), 0.0, 0.0]),
    upper=np.array([*(np.array(_UPPER_RAD) - _MARGIN_RAD), _FINGER_STROKE_M, _FINGER_STROKE_M]),
    velocity=np.array([*_VELOCITY_RAD_S, _FINGER_VELOCITY_M_S, _FINGER_VELOCITY_M_S]),
    acceleration=np.array([*_ACCELERATION_RAD_S2, np.inf, np.inf]),
    jerk=np.array([*_JERK_RAD_S3, np.inf, np.inf]),
    effort=np.array([*_EFFORT_NM, _GRIPPER_FORCE_N, _GRIPPER_FORCE_N]),
    home=np.array([*_HOME_RAD, _FINGER_STROKE_M, _FINGER_STROKE_M]),
    open_width=2 * _FINGER_STROKE_M,
    workspace_lower=np.array([0.32, -0.3, 0.01]),
    workspace_upper=np.array([0.68, 0.3, 0.4]),
)
"""Base on the table, x forwards; the workspace is reachable everywhere with the tool down."""
