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
Joint commands in real time: which one counts, and for how long.

Pure: the steady clock's time is handed in. A command answers a state that was published; the
newest one counts until it is too old. Then the arm holds where it is measured.
"""

from collections import deque
import math

from il_ros.robots.command_limits import CommandLimits
import numpy as np

LATENCY_WINDOW = 3000
"""Samples of the latency published -> commanded: 60 s at 50 Hz."""


class RealtimeCommands:
    """
    The command that a simulated arm obeys at its next beat.

    :param timeout_s: how long a command counts
    """

    def __init__(self, limits: CommandLimits, timeout_s: float):
        self._limits = limits
        self._timeout_s = timeout_s
        self._unanswered: dict[int, float] = {}
        """When the states that no command has answered yet were published, by stamp."""
        self.latencies: deque[float] = deque(maxlen=LATENCY_WINDOW)

    def restart(self, measured: np.ndarray, stamp_ns: int, now_s: float):
        """Begin an episode: the arm stays where it is until a command counts."""
        self._unanswered.clear()
        self._limits.restart(measured, stamp_ns)
        self._targets = self._commanded = np.array(measured)
        self._taken_s = now_s

    def published(self, stamp_ns: int, now_s: float):
        """Take note of a state that a command may answer."""
        self._unanswered[stamp_ns] = now_s

    def take(self, stamp_ns: int, targets: np.ndarray, now_s: float) -> bool:
        """
        Take a command.

        :param targets: shape ``(n,)``, float64
        :returns: False: it answers no state that still waits for an answer
        :raises RobotError: if it breaks the arm's limits
        """
        if stamp_ns not in self._unanswered:
            return False
        self._limits.take(stamp_ns, targets)
        self.latencies.append(now_s - self._unanswered[stamp_ns])
        for earlier_ns in [sent_ns for sent_ns in self._unanswered if sent_ns <= stamp_ns]:
            del self._unanswered[earlier_ns]
        self._targets, self._taken_s = targets, now_s
        return True

    def hold(self, measured: np.ndarray, stamp_ns: int):
        """Stay where the arm is, instead of running on to an old target."""
        self._targets, self._taken_s = np.array(measured), math.inf
        self._limits.restart(measured, stamp_ns)

    def next_targets(self, measured: np.ndarray, stamp_ns: int, now_s: float) -> np.ndarray:
        """Return where the arm goes in the coming step, no faster than its joints can."""
        if now_s - self._taken_s > self._timeout_s:
            self.hold(measured, stamp_ns)
        self._commanded = self._limits.within_reach(self._targets, self._commanded)
        return self._commanded
