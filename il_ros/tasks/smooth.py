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

"""Smooth building blocks of the laws, on plain floats: numpy costs more than it saves here."""

import math


def rising(value: float, centre: float, width: float) -> float:
    """Return a sigmoid in [0, 1]: 0.5 at ``centre``, 0.12 and 0.88 two ``width`` beside it."""
    return 0.5 + 0.5 * math.tanh(0.5 * (value - centre) / width)


def capped_gain(distance: float, gain: float, cap: float) -> float:
    """
    Return the factor that turns an error vector into a velocity that never exceeds ``cap``.

    :param distance: length of the error, m
    :param gain: slope at zero error, 1/s
    :param cap: speed that is approached far away, m/s
    """
    ratio = gain * distance / cap
    return gain / math.sqrt(1.0 + ratio * ratio)
