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

"""When the messages of a topic came: their rate, the largest gap between two, and their age."""

from collections import deque
import math

WINDOW_S = 2.0
"""The rate is that of the last seconds."""


class Arrivals:
    """Takes in when each message of a topic came, on the steady clock."""

    def __init__(self):
        """Begin with nothing heard."""
        self._recent: deque[float] = deque()
        self.largest_gap_s = 0.0
        """Between two messages in a row, since the beginning."""

    def hear(self, now_s: float):
        """Count a message."""
        if self._recent:
            self.largest_gap_s = max(self.largest_gap_s, now_s - self._recent[-1])
        self._recent.append(now_s)
        while now_s - self._recent[0] > WINDOW_S:
            self._recent.popleft()

    def rate_hz(self, now_s: float) -> float:
        """Return messages a second over the last seconds; 0: silent."""
        recent = [s for s in list(self._recent) if now_s - s <= WINDOW_S]
        if len(recent) < 2 or recent[-1] == recent[0]:
            return 0.0
        return (len(recent) - 1) / (recent[-1] - recent[0])

    def age_s(self, now_s: float) -> float:
        """Return how long ago the last message came, s."""
        return now_s - self._recent[-1] if self._recent else math.inf
