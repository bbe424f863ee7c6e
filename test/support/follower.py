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

"""A policy for episodes that takes no training."""

from pathlib import Path

from il_ros.learning import checkpoint
from il_ros.learning.inputs import Inputs
from il_ros.learning.nets.mlp import Mlp
from il_ros.learning.normaliser import Normaliser
from il_ros.learning.policy import Policy
from il_ros.tasks.contracts import find_contract
import numpy as np


def save_follower(folder: Path) -> Path:
    """Write a checkpoint for push that drives straight at the puck: often wrong, never still."""
    contract, _ = find_contract('push')
    inputs = Inputs(contract, ['object_position.xy - tool_position.xy'])
    net = Mlp((np.eye(2, dtype=np.float32) * 3.0,), (np.zeros(2, np.float32),))
    plain = Normaliser(np.zeros(2, np.float32), np.ones(2, np.float32))
    checkpoint.save(folder, Policy(contract, inputs, plain, plain, net), {'labels': 7})
    return folder
