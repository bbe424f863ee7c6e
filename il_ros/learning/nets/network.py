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

"""The network of `mlp.py` while it learns: torch modules, weights drawn from a given generator."""

from collections.abc import Sequence
import itertools
import math

import numpy as np
import torch
from torch import nn


def make_network(widths: Sequence[int], generator: torch.Generator) -> nn.Sequential:
    """
    Build linear layers with ReLU between them, initialised as `nn.Linear` does.

    :param widths: from input to output
    :param generator: the only source of chance; torch's global one is left alone
    """
    layers: list[nn.Module] = []
    for before, after in itertools.pairwise(widths):
        linear = nn.utils.skip_init(nn.Linear, before, after)
        bound = 1.0 / math.sqrt(before)
        with torch.no_grad():
            linear.weight.uniform_(-bound, bound, generator=generator)
            linear.bias.uniform_(-bound, bound, generator=generator)
        layers += [linear, nn.ReLU()]
    return nn.Sequential(*layers[:-1])


class Ensemble(nn.Module):
    """
    The layers of several networks, each computed for all of them at once.

    No gradient flows from one to another: each learns as it would alone.
    """

    def __init__(self, members: Sequence[nn.Sequential]):
        super().__init__()
        linears = list(zip(*([layer for layer in member if isinstance(layer, nn.Linear)]
                             for member in members)))
        self.weights = nn.ParameterList(
            torch.stack([linear.weight.detach().T for linear in layer]) for layer in linears)
        self.biases = nn.ParameterList(
            torch.stack([linear.bias.detach() for linear in layer])[:, None] for layer in linears)

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Return shape ``(M, N, A)`` for inputs of shape ``(M, N, K)``."""
        hidden = inputs
        for at, (weight, bias) in enumerate(zip(self.weights, self.biases)):
            hidden = torch.baddbmm(bias, torch.relu(hidden) if at else hidden, weight)
        return hidden


def arrays_of(network: nn.Sequential | Ensemble) -> tuple[tuple[np.ndarray, ...], ...]:
    """Return copies of the weights and of the biases of all layers, as `Mlp` has them."""
    if isinstance(network, Ensemble):
        return (tuple(weight.detach().numpy().copy(order='C') for weight in network.weights),
                tuple(bias.detach().numpy()[:, 0].copy() for bias in network.biases))
    linears = [layer for layer in network if isinstance(layer, nn.Linear)]
    return (tuple(layer.weight.detach().numpy().T.copy(order='C') for layer in linears),
            tuple(layer.bias.detach().numpy().copy() for layer in linears))
