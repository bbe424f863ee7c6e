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

"""A gamepad, as ``sensor_msgs/Joy`` shows it: dead-man's button, sticks and commands."""

from collections.abc import Sequence
import math

from il_ros.teleop.mapping import Button, JoyMapping

HALF_WAY = 0.5
RECONNECTED_S = 1.0
"""After a silence of so long the gamepad is a new one: what is pressed on it was never pressed."""


class Joystick:
    """
    The newest state of one gamepad.

    Engaged is who holds the dead-man's button, pressed since the gamepad was there: after a long
    silence it has to be let go and pressed again. Commands count when their buttons go down.

    :param timeout_s: silence on the topic after which nothing counts any more, s
    """

    def __init__(self, mapping: JoyMapping, timeout_s: float):
        self.mapping = mapping
        self.problem = ''
        self._timeout_s = timeout_s
        self._axes: Sequence[float] = ()
        self._buttons: Sequence[int] = ()
        self._heard_s = -math.inf
        self._down: set[str] = set()
        self._armed = self._held = False

    def hear(self, axes: Sequence[float], buttons: Sequence[int], now_s: float) -> list[str]:
        """
        Take in a message and return the commands whose buttons went down with it.

        :param now_s: steady time, s
        """
        fresh = now_s - self._heard_s > RECONNECTED_S
        self._axes, self._buttons, self._heard_s = axes, buttons, now_s
        self.problem = self._mismatch()
        if self.problem:
            self._armed = self._held = False
            return []
        down = {name for name, button in self.mapping.commands.items() if self._is_down(button)}
        pressed = [] if fresh else sorted(down - self._down)
        self._down = down
        held = self._is_down(self.mapping.dead_man)
        self._armed = not held or (self._armed and not fresh)
        self._held = held and self._armed
        return pressed

    def engaged(self, now_s: float) -> bool:
        """Tell whether the person drives."""
        return self._held and not self._is_silent(now_s)

    def deflections(self, _now_s: float) -> dict[str, float]:
        """Return how far each axis is out, [-1, 1], by action element."""
        return {name: axis.scale * self._beyond_dead_zone(self._axes[axis.axis])
                for name, axis in self.mapping.axes.items()}

    def _is_silent(self, now_s: float) -> bool:
        return now_s - self._heard_s > self._timeout_s

    def _is_down(self, button: Button) -> bool:
        if button.sign:
            return self._axes[button.index] * button.sign > HALF_WAY
        return bool(self._buttons[button.index])

    def _beyond_dead_zone(self, value: float) -> float:
        zone = self.mapping.dead_zone
        size = min(abs(value), 1.0)
        return math.copysign((size - zone) / (1.0 - zone), value) if size > zone else 0.0

    def _mismatch(self) -> str:
        """Say what of the mapping this gamepad does not have; empty: nothing."""
        mapping = self.mapping
        parts = {'dead_man': mapping.dead_man, **mapping.commands}
        axes = {**{name: part.index for name, part in parts.items() if part.sign},
                **{name: axis.axis for name, axis in mapping.axes.items()}}
        buttons = {name: part.index for name, part in parts.items() if not part.sign}
        for kind, wanted, there in (('axis', axes, self._axes),
                                    ('button', buttons, self._buttons)):
            for name, index in wanted.items():
                if index >= len(there):
                    return (f'mapping {mapping.name} wants {kind} {index} for {name}, but this '
                            f'gamepad has {len(there)} ({kind} 0 to {len(there) - 1})')
        if not all(map(math.isfinite, self._axes)):
            return 'an axis of the gamepad is not finite'
        return ''
