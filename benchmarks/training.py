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

"""Training as ``fit`` does it, against the same net and batches in a bare PyTorch loop."""

import time

from il_ros.contract.contract import Contract
from il_ros.dataset.dataset import Demonstrations
from il_ros.learning.config import TrainConfig
from il_ros.learning.fit import fit
from il_ros.learning.inputs import Inputs
import torch
from torch import nn


def fit_seconds(data: Demonstrations, config: TrainConfig) -> float:
    """Return what a whole fit takes: normaliser, steps, reports, final loss."""
    return fit(data, None, data.contract, config, seed=0).seconds


def bare_seconds(data: Demonstrations, config: TrainConfig) -> float:
    """Return what as many steps take that do nothing but learn."""
    inputs, targets = _tensors(data, data.contract, config)
    network = _network((inputs.shape[1], *config.hidden, targets.shape[1]))
    optimiser = torch.optim.AdamW(network.parameters(), lr=config.learning_rate,
                                  weight_decay=config.weight_decay, fused=True)
    began_s = time.perf_counter()
    for _ in range(config.steps):
        batch = torch.randint(len(inputs), (config.batch,))
        loss = nn.functional.mse_loss(network(inputs[batch]), targets[batch])
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()
    return time.perf_counter() - began_s


def _tensors(data: Demonstrations, contract: Contract, config: TrainConfig):
    inputs = Inputs(contract, config.inputs).apply(data.observations)
    return torch.from_numpy(inputs), torch.from_numpy(data.actions)


def _network(widths: tuple[int, ...]) -> nn.Sequential:
    layers: list[nn.Module] = []
    for before, after in zip(widths, widths[1:]):
        layers += [nn.Linear(before, after), nn.ReLU()]
    return nn.Sequential(*layers[:-1])
