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

"""The rate at which stamps come, against the rate that a contract promises."""

from collections import deque
import statistics

NS = 1_000_000_000

_WINDOW = 20
_KNOWN = 10
"""Intervals that are looked at, and with how many the rate counts as known."""

TOLERANCE = 0.1
"""How far the rate may be off when an episode is to begin."""

TOLERANCE_DRIVING = 0.25
"""The same in the midst of one: a machine that is busy for a moment ends none."""

_LONGEST_NS = NS
"""A longer interval is a pause, and begins the count anew."""


class RateWatch:
    """
    Measures the rate of observations by the median of their last intervals.

    :param rate: what the contract promises, Hz
    """

    def __init__(self, rate: float):
        self._rate = rate
        self._last_ns: int | None = None
        self._intervals: deque[int] = deque(maxlen=_WINDOW)

    def hear(self, stamp_ns: int):
        """Take in the stamp of an observation."""
        last_ns, self._last_ns = self._last_ns, stamp_ns
        if last_ns is None or stamp_ns == last_ns:
            return
        if 0 < stamp_ns - last_ns <= _LONGEST_NS:
            self._intervals.append(stamp_ns - last_ns)
        else:
            self._intervals.clear()

    def problem(self, tolerance: float = TOLERANCE) -> str:
        """Return by how much the rate is off, as a sentence; empty: not at all, or not known."""
        if len(self._intervals) < _KNOWN:
            return ''
        found = NS / statistics.median(self._intervals)
        if abs(found / self._rate - 1.0) <= tolerance:
            return ''
        return (f'observations come at {found:.1f} Hz, the contract says {self._rate:g} Hz; give '
                'the arm and the contract the same rate')
