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

"""
The network as it runs on the arm: plain NumPy.

For a single observation this is 12 us where torch takes 30 to 60, it needs no torch in the
policy's process, and the bits do not depend on the number of threads.
"""

from collections.abc import Mapping
import dataclasses
import itertools
from typing import Any

from il_ros.errors import LearningError
from il_ros.learning.nets.net import Layout, Net
import numpy as np


@dataclasses.dataclass(frozen=True)
class Mlp(Net):
    """
    Linear layers with ReLU between them.

    One network, or all M members of an ensemble at once, whose arrays have the member as their
    first axis.
    """

    weights: tuple[np.ndarray, ...]
    """Of each layer, shape ``([M,] inputs, outputs)``, float32, C order."""

    biases: tuple[np.ndarray, ...]
    """Of each layer, shape ``([M,] outputs)``, float32."""

    kind = 'mlp'
    makes_ensembles = True

    def __post_init__(self):
        if not self.weights or len(self.weights) != len(self.biases):
            raise LearningError(f'a network has {len(self.weights)} weights and '
                                f'{len(self.biases)} biases; expected as many of each')
        for weight, bias in zip(self.weights, self.biases):
            if weight.ndim not in (2, 3) or bias.shape != (*weight.shape[:-2], weight.shape[-1]):
                raise LearningError(f'a layer has weight {weight.shape} and bias {bias.shape}; '
                                    'expected (inputs, outputs) and (outputs,), or both with the '
                                    'members before')
        for before, after in itertools.pairwise(self.weights):
            if before.shape[-1] != after.shape[-2]:
                raise LearningError(f'a layer gives {before.shape[-1]} values to one that takes '
                                    f'{after.shape[-2]}')
            if before.shape[:-2] != after.shape[:-2]:
                raise LearningError(f'a layer of {before.shape[:-2]} members follows one of '
                                    f'{after.shape[:-2]}')

    @property
    def members(self) -> int:
        """Return M, the number of networks; 1: a network alone."""
        return self.weights[0].shape[0] if self.weights[0].ndim == 3 else 1

    @property
    def widths(self) -> tuple[int, ...]:
        """Return the widths from input to output."""
        return (self.weights[0].shape[-2], *(weight.shape[-1] for weight in self.weights))

    def forward(self, inputs: np.ndarray, *_images: np.ndarray) -> np.ndarray:
        """
        Compute the output.

        :param inputs: shape ``(K,)`` or ``(N, K)``, float32; every member gets the same
        :returns: shape ``(A,)`` or ``(N, A)``, of an ensemble with the members before, float32
        """
        if self.weights[0].ndim == 3:
            return self._forward_members(inputs)
        hidden = inputs
        for weight, bias in zip(self.weights[:-1], self.biases[:-1]):
            hidden = hidden @ weight
            hidden += bias
            np.maximum(hidden, 0.0, out=hidden)
        return hidden @ self.weights[-1] + self.biases[-1]

    def _forward_members(self, inputs: np.ndarray) -> np.ndarray:
        hidden = np.atleast_2d(inputs)
        for weight, bias in zip(self.weights[:-1], self.biases[:-1]):
            hidden = hidden @ weight
            hidden += bias[:, None]
            np.maximum(hidden, 0.0, out=hidden)
        out = hidden @ self.weights[-1] + self.biases[-1][:, None]
        return out if inputs.ndim > 1 else out[:, 0]

    def tensors(self) -> dict[str, np.ndarray]:
        """Return the arrays by the names under which a checkpoint keeps them."""
        layers = enumerate(zip(self.weights, self.biases))
        return {f'layers.{at}.{name}': array for at, (weight, bias) in layers
                for name, array in (('weight', weight), ('bias', bias))}

    @classmethod
    def from_document(cls, document: Mapping[str, Any],
                      tensors: Mapping[str, np.ndarray]) -> 'Mlp':
        """
        Build the network that ``document`` notes from the arrays that ``tensors`` gave.

        :raises LearningError: naming the array that is missing, surplus or of another shape
        """
        return cls.from_tensors(tensors, tuple(document['widths']), document.get('members', 1))

    @classmethod
    def make_network(cls, layout: Layout, config, generators):
        """Build linear layers with ReLU between them, as wide as ``config.hidden`` says."""
        from il_ros.learning.nets.network import Ensemble, make_network
        widths = (layout.inputs, *config.hidden, layout.outputs)
        members = [make_network(widths, generator) for generator in generators]
        return Ensemble(members) if len(members) > 1 else members[0]

    @classmethod
    def from_network(cls, network, layout: Layout) -> 'Mlp':
        """Return a copy of the weights as the network that runs on the arm."""
        from il_ros.learning.nets.network import arrays_of
        return cls(*arrays_of(network))

    @classmethod
    def from_tensors(cls, tensors: Mapping[str, np.ndarray], widths: tuple[int, ...],
                     members: int = 1) -> 'Mlp':
        """
        Build the network of these widths from the arrays that ``tensors`` gave.

        :param members: M; with 1 the arrays have no axis for them
        :raises LearningError: naming the array that is missing, surplus or of another shape
        """
        shapes, first = {}, (members,) if members > 1 else ()
        for at, (before, after) in enumerate(itertools.pairwise(widths)):
            shapes[f'layers.{at}.weight'] = (*first, before, after)
            shapes[f'layers.{at}.bias'] = (*first, after)
        for name in sorted(set(shapes) ^ set(tensors)):
            raise LearningError(f'{name} is {"missing" if name in shapes else "surplus"}')
        for name, shape in shapes.items():
            if tensors[name].shape != shape or tensors[name].dtype != np.float32:
                raise LearningError(f'{name} is {tensors[name].dtype} of shape '
                                    f'{tensors[name].shape}; expected float32 of {shape}')
        layers = range(len(widths) - 1)
        return cls(tuple(tensors[f'layers.{at}.weight'] for at in layers),
                   tuple(tensors[f'layers.{at}.bias'] for at in layers))
