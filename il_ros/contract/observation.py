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

"""Observations of an environment: the contract's values, and beside them its images."""

from collections.abc import Mapping

import numpy as np

VALUES = 'values'
"""Key of ``Observation.values`` in the observations of a contract that has images."""


def parts_of(observation: np.ndarray | Mapping[str, np.ndarray]
             ) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """
    Return the values and the images of an observation.

    :param observation: the values, shape ``(D,)``, float32; or a mapping with the key ``values``
        and each image by the name of its feature, shape ``(height, width, channels)``, uint8
    """
    if isinstance(observation, Mapping):
        images = dict(observation)
        return images.pop(VALUES), images
    return observation, {}
