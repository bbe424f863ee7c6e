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

"""Success rates with their Wilson intervals."""

import dataclasses
import math

Z_95 = 1.959963984540054
"""Two-sided 95 % quantile of the normal distribution."""


@dataclasses.dataclass(frozen=True)
class Interval:
    """``k`` of ``n``, its rate, and where the true rate lies with 95 % confidence."""

    k: int
    n: int
    rate: float
    low: float
    high: float

    def above(self, other: 'Interval') -> bool:
        """Return whether this interval lies wholly above the other."""
        return self.low > other.high

    def as_dict(self) -> dict:
        """Return the five numbers by name, rounded to six digits."""
        return {'k': self.k, 'n': self.n, 'rate': round(self.rate, 6),
                'low': round(self.low, 6), 'high': round(self.high, 6)}


def wilson(k: int, n: int, z: float = Z_95) -> Interval:
    """
    Return the Wilson score interval (Wilson 1927) of ``k`` successes in ``n`` trials.

    It stays inside [0, 1] and is honest at both ends: 0 of 100 gives up to 3.7 %.

    :raises ValueError: if ``k`` is not in ``0 .. n``
    """
    if not 0 <= k <= n:
        raise ValueError(f'{k} successes of {n} trials; expected 0 <= k <= n')
    if n == 0:
        return Interval(0, 0, 0.0, 0.0, 1.0)
    rate, square = k / n, z * z
    centre = (rate + square / (2 * n)) / (1 + square / n)
    margin = z / (1 + square / n) * math.sqrt(rate * (1 - rate) / n + square / (4 * n * n))
    # At the ends the bound is exact; rounding must not put it beside the rate.
    low = 0.0 if k == 0 else max(0.0, centre - margin)
    high = 1.0 if k == n else min(1.0, centre + margin)
    return Interval(k, n, rate, low, high)
