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

"""The net of `mlp.py` while it learns: torch modules, weights drawn from a given generator."""

from collections.abc import Sequence
import itertools
import math

from il_ros.learning.mlp import Mlp
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


def to_mlp(network: nn.Sequential) -> Mlp:
    """Return a copy of the weights as the net that runs on the arm."""
    linears = [layer for layer in network if isinstance(layer, nn.Linear)]
    return Mlp(
        tuple(layer.weight.detach().numpy().T.copy(order='C') for layer in linears),
        tuple(layer.bias.detach().numpy().copy() for layer in linears))
