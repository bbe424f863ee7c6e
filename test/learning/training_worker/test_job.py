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

"""What a training job says of its policy beside the losses."""

from il_ros.learning.training_worker.job import error_covariance
from il_ros.tasks.contracts import find_contract
import numpy as np
import pytest


def test_the_error_covariance_is_the_second_moment_without_the_gripper():
    contract, _ = find_contract('pick_place')
    random = np.random.default_rng(3)
    labels = random.normal(size=(20_000, 4)).astype(np.float32)
    mixing = np.array([[0.2, 0.0, 0.0, 0.0], [0.1, 0.1, 0.0, 0.0], [0.0, 0.0, 0.3, 0.0],
                       [0.0, 0.0, 0.0, 0.5]])
    errors = random.normal(size=(20_000, 4)) @ mixing.T + (0.1, 0.0, 0.0, 0.0)
    found = np.reshape(error_covariance((labels + errors).astype(np.float32), labels, contract),
                       (4, 4))
    expected = mixing @ mixing.T
    # A bias is an error, too, to which noise can be fitted.
    expected[0, 0] += 0.01
    expected[3, 3] = 0.0
    assert found == pytest.approx(expected, abs=0.005)
    assert contract.gripper_index == 3
