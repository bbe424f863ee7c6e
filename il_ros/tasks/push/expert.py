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
Push: round the puck to the side away from the goal, then through it.

The law lives in polar coordinates about the puck. What it steers is the point of the closed hand
that is nearest to the puck: seen from above the hand is a rectangle, and its tool point would
tell neither the distance nor the direction of the push. ``phi`` is that point's bearing,
measured from the point behind the puck on the line from the goal. Far from that line the hand
circles at a distance; as ``phi`` shrinks it closes in, and pushes while it keeps itself on the
line: a puck on one point of contact is unstable, so the hand slides round it faster than the puck
turns away. In front of the puck (``phi`` = pi) either way round is as good; there the sideways
speed goes through zero over a few degrees, which keeps the law smooth.
"""

import math

from il_ros.contract.contract import Contract
from il_ros.tasks.expert import Expert
from il_ros.tasks.smooth import rising

HAND_X_M = 0.010
HAND_Y_M = 0.020
"""Half lengths of the closed fingers where they touch the puck, about the tool point."""

ROUNDED = 0.85
"""Less than 1: a face counts as a little round, so that sliding along it turns the bearing."""

CONTACT_M = 0.035
"""The puck's radius."""

CLEARANCE_M = 0.030
"""Beyond the contact while it goes round."""

ALIGNED_RAD = 0.45
"""Bearing at which it is half closed in; the sigmoid's width is a quarter of it."""

CIRCLE_M_S = 0.45
PUSH_M_S = 0.30
RADIAL_GAIN_PER_S = 6.0
BEARING_GAIN_PER_S = 18.0
GOAL_GAIN_PER_S = 10.0
SIDE_RAD = 0.15
"""In front of the puck the sideways speed is reached this far from the line."""

GOAL_TOLERANCE_M = 0.01
"""A puck nearer to the goal than this has no direction worth pushing in; the hand slows down."""


class PushExpert(Expert):
    """Circles behind the puck and pushes it along the line to the goal."""

    task = 'push'
    action_names = ('linear_x', 'linear_y')

    def __init__(self, contract: Contract):
        super().__init__(contract)
        self._tool = self.index_of('tool_position', 3)
        self._puck = self.index_of('object_position', 3)
        self._goal = self.index_of('goal_position', 3)

    def control(self, values: list[float]) -> tuple[float, ...]:
        tool, puck, goal = self._tool, self._puck, self._goal
        gx, gy = values[goal] - values[puck], values[goal + 1] - values[puck + 1]
        rx, ry = values[tool] - values[puck], values[tool + 1] - values[puck + 1]
        rx -= ROUNDED * min(max(rx, -HAND_X_M), HAND_X_M)
        ry -= ROUNDED * min(max(ry, -HAND_Y_M), HAND_Y_M)
        ahead, aside = _in_frame(gx, gy, rx, ry)
        distance = math.hypot(gx, gy)
        forward, sideways = _polar_law(ahead, aside, distance)
        ux, uy = gx / (distance + 1e-9), gy / (distance + 1e-9)
        return forward * ux - sideways * uy, forward * uy + sideways * ux


def _in_frame(gx: float, gy: float, rx: float, ry: float) -> tuple[float, float]:
    """Return the tool's place along and across the line from puck to goal, m."""
    distance = math.hypot(gx, gy) + 1e-9
    ux, uy = gx / distance, gy / distance
    return rx * ux + ry * uy, ry * ux - rx * uy


def _polar_law(ahead: float, aside: float, distance: float) -> tuple[float, float]:
    """Return the tool's velocity along and across the line from puck to goal, m/s."""
    radius = math.hypot(ahead, aside) + 1e-9
    # Unit vectors at the tool: outwards, and the way that makes the bearing grow.
    out_x, out_y = ahead / radius, aside / radius
    phi = math.atan2(-aside, -ahead)
    away = rising(abs(phi), ALIGNED_RAD, 0.25 * ALIGNED_RAD)
    circle = CIRCLE_M_S * math.tanh(BEARING_GAIN_PER_S * radius * phi / CIRCLE_M_S)
    circle *= math.tanh((math.pi - abs(phi)) / SIDE_RAD)
    radial = RADIAL_GAIN_PER_S * (CONTACT_M + CLEARANCE_M * away - radius)
    radial = CIRCLE_M_S * math.tanh(radial / CIRCLE_M_S)
    push = (1.0 - away) * PUSH_M_S * math.tanh(GOAL_GAIN_PER_S * distance / PUSH_M_S)
    fade = math.tanh(distance / GOAL_TOLERANCE_M)
    forward = radial * out_x + circle * out_y + push
    sideways = radial * out_y - circle * out_x
    return fade * forward, fade * sideways
