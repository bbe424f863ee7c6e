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

"""Finite numbers: what a float32 field of a message holds, neither NaN nor infinite."""

import numbers

import numpy as np

FLOAT32_MAX = float(np.finfo(np.float32).max)


def is_finite(value) -> bool:
    """
    Tell whether a value is a number that float32 holds.

    Numbers that would become infinite on their way through a message are none; nor are texts and
    truth values, as YAML and JSON have them.
    """
    return (isinstance(value, numbers.Real) and not isinstance(value, bool)
            and -FLOAT32_MAX <= float(value) <= FLOAT32_MAX)
