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

"""What of a fit changes from step to step: weights, the optimiser's moments, chance."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import torch
from torch.optim.adamw import adamw

_MOMENTS = ('step', 'exp_avg', 'exp_avg_sq')
"""What AdamW keeps of each parameter."""


class AdamW:
    """
    `torch.optim.AdamW` by the same function, in the same numbers.

    That class imports the compiler of torch, which takes seconds and serves nothing here, and
    half of each step of a small net.
    """

    def __init__(self, parameters: Iterable[torch.nn.Parameter], weight_decay: float):
        self._parameters, self._weight_decay = list(parameters), weight_decay
        self.state = {weight: {'step': torch.zeros((), device=weight.device),
                               'exp_avg': torch.zeros_like(weight),
                               'exp_avg_sq': torch.zeros_like(weight)}
                      for weight in self._parameters}

    def zero_grad(self):
        """Forget the gradients."""
        for weight in self._parameters:
            weight.grad = None

    @torch.no_grad()
    def step(self, learning_rate: float):
        """Take a step along the gradients."""
        steps, firsts, seconds = (
            [self.state[weight][moment] for weight in self._parameters] for moment in _MOMENTS)
        weights: list[Any] = list(self._parameters)
        adamw(weights, [weight.grad for weight in weights], firsts, seconds, [],
              steps, fused=True, amsgrad=False, beta1=0.9, beta2=0.999, lr=learning_rate,
              weight_decay=self._weight_decay, eps=1e-8, maximize=False)


def state_of(network: torch.nn.Module, optimiser: AdamW,
             generator: torch.Generator) -> dict[str, np.ndarray]:
    """Return copies of all that changes, by name."""
    tensors = {'generator': generator.get_state().numpy().copy()}
    for name, weight in network.named_parameters():
        tensors[f'weight.{name}'] = weight.detach().cpu().numpy().copy()
        for moment in _MOMENTS:
            tensors[f'{moment}.{name}'] = optimiser.state[weight][moment].cpu().numpy().copy()
    return tensors


def restore_state(tensors: Mapping[str, np.ndarray], network: torch.nn.Module,
                  optimiser: AdamW, generator: torch.Generator) -> bool:
    """
    Take over what ``state_of`` gave of the same fit.

    :returns: False, with nothing changed, if it is of another network
    """
    wanted = {'generator': (generator.get_state().shape, torch.uint8)}
    for name, weight in network.named_parameters():
        shapes = {'step': torch.Size(), 'exp_avg': weight.shape, 'exp_avg_sq': weight.shape}
        wanted[f'weight.{name}'] = (weight.shape, weight.dtype)
        wanted.update({f'{moment}.{name}': (shape, weight.dtype)
                       for moment, shape in shapes.items()})
    given = {name: torch.from_numpy(array.copy()) for name, array in tensors.items()}
    if wanted != {name: (tensor.shape, tensor.dtype) for name, tensor in given.items()}:
        return False
    generator.set_state(given['generator'])
    with torch.no_grad():
        for name, weight in network.named_parameters():
            # Into memory that torch has aligned, as in a fit that was never interrupted.
            weight.copy_(given[f'weight.{name}'])
            optimiser.state[weight] = {
                moment: given[f'{moment}.{name}'].to(weight.device, copy=True)
                for moment in _MOMENTS}
    return True
