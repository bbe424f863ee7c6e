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
Measured joints as an arm reports them in real time: what no arm can have done is not believed.

Pure: stamps are handed in, and nothing waits.
"""

from il_ros.errors import RobotError
from il_ros.robots.model import RobotModel
import numpy as np

_MARGIN = 2.0
_SLACK_RAD = 0.1
"""Between two messages a joint moves by twice its speed limit and this at most (a finger: m)."""

_LONGEST_S = 0.5
_FAST = 0.6
"""A stream with a shorter interval, in control periods, brings another message before a step."""


class JointWatch:
    """
    Compares each message with the one before.

    One that lies farther off than an arm can move is refused once; if the next one agrees with it,
    the arm really is there (it was pushed, or a simulated one was set).

    :param period_s: length of a control step
    """

    def __init__(self, robot: RobotModel, period_s: float):
        self._robot, self._period_s = robot, period_s
        self._believed: tuple[int, np.ndarray] | None = None
        self._doubted: tuple[int, np.ndarray] | None = None
        self.agreed = True
        """
        Whether an episode may begin from the newest message.

        It may not when the message lies far from the one before, and the next one comes soon.
        """

    def take(self, stamp_ns: int, positions: np.ndarray, moving: bool):
        """
        Compare a message with the one before.

        :param positions: shape ``(n,)``, rad (fingers: m)
        :param moving: the arm is being sent somewhere: a jump is refused; before that it only
            puts the beginning off
        :raises RobotError: naming the joint and how far it would have moved
        """
        before = self._believed
        now = stamp_ns, positions
        jump = '' if before is None else self._jump(before, now)
        if jump and moving and (self._doubted is None or self._jump(self._doubted, now)):
            self._doubted = now
            raise RobotError(jump)
        self.agreed = (before is None or not jump
                       or (stamp_ns - before[0]) * 1e-9 > _FAST * self._period_s)
        self._believed, self._doubted = now, None

    def _jump(self, before: tuple[int, np.ndarray], now: tuple[int, np.ndarray]) -> str:
        """Return what is wrong with a message after another one; empty: nothing."""
        seconds = min(max((now[0] - before[0]) * 1e-9, 0.0), _LONGEST_S)
        moved = np.abs(now[1] - before[1])
        excess = moved - (_MARGIN * seconds * self._robot.velocity + _SLACK_RAD)
        worst = int(excess.argmax())
        if excess[worst] <= 0.0:
            return ''
        name = self._robot.joint_names[worst]
        return (f'{name} moved by {moved[worst]:.2f} in {seconds:.3f} s; '
                f'its speed limit is {self._robot.velocity[worst]:.2f} a second')
