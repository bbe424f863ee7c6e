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

"""The network of `cnn.py` while it learns: torch modules, weights drawn from a given generator."""

from collections.abc import Mapping, Sequence
import math
from typing import Any

from il_ros.errors import InputsError
from il_ros.learning.nets.cnn import Cnn, Encoder, grid, size_after
from il_ros.learning.nets.mlp import Mlp
from il_ros.learning.nets.network import arrays_of, Ensemble, make_network
import numpy as np
import torch
from torch import nn

KERNELS = (5, 3)
"""Rows and columns of the first kernel, and of those after it."""

SHARPNESS = 10.0
"""What a softmax begins with: small first weights would give every image the same points."""


class EncoderNetwork(nn.Module):
    """Convolutions and spatial softmax of one camera, for images of one size."""

    layers: Any
    grid: torch.Tensor

    def __init__(self, shape: tuple[int, int, int], channels: Sequence[int],
                 strides: Sequence[int], generator: torch.Generator):
        """
        Draw the weights as `nn.Conv2d` does.

        :param shape: height, width and channels of an image
        :param channels: of each layer
        :param strides: of each layer
        :raises InputsError: if so many layers leave nothing of the image
        """
        super().__init__()
        height, width, before = shape
        self.layers = nn.ModuleList()
        for at, (after, stride) in enumerate(zip(channels, strides, strict=True)):
            size = KERNELS[min(at, 1)]
            height, width = size_after(height, size, stride), size_after(width, size, stride)
            if min(height, width) < 1:
                raise InputsError(f'strides {list(strides)} leave nothing of an image of '
                                  f'{shape[0]}x{shape[1]} pixels')
            layer = nn.utils.skip_init(nn.Conv2d, before, after, size, stride)
            bound = 1.0 / math.sqrt(before * size * size)
            with torch.no_grad():
                layer.weight.uniform_(-bound, bound, generator=generator)
                layer.bias.uniform_(-bound, bound, generator=generator)
            self.layers.append(layer)
            before = after
        self.sharpness = nn.Parameter(torch.full((before, 1, 1), SHARPNESS))
        self.register_buffer('grid', torch.from_numpy(grid(height, width)))
        self.width = 2 * before

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Return shape ``(N, width)`` for images of shape ``(N, height, width, channels)``."""
        maps = images.permute(0, 3, 1, 2).float() / 255.0 - 0.5
        for at, layer in enumerate(self.layers):
            maps = layer(torch.relu(maps) if at else maps)
        shares = (maps * self.sharpness).flatten(2).softmax(dim=-1)
        return (shares @ self.grid).transpose(1, 2).flatten(1)

    @torch.no_grad()
    def to_encoder(self) -> Encoder:
        """Return a copy of the weights; the sharpness is a part of the last kernel there."""
        scales = [torch.ones(1, 1, 1)] * (len(self.layers) - 1) + [self.sharpness]
        kernels = [(layer.weight * scale[:, None]).permute(2, 3, 1, 0).numpy().copy(order='C')
                   for layer, scale in zip(self.layers, scales)]
        biases = [(layer.bias * scale.flatten()).numpy().copy()
                  for layer, scale in zip(self.layers, scales)]
        return Encoder(tuple(kernels), tuple(biases), tuple(x.stride[0] for x in self.layers))


class CnnNetwork(nn.Module):
    """Encoders, and the layers of `make_network` behind them."""

    encoders: Any

    def __init__(self, encoders: Sequence[EncoderNetwork], widths: Sequence[int],
                 generator: torch.Generator):
        """
        Draw the weights of the layers.

        :param widths: from the inputs that are values to the output
        """
        super().__init__()
        self.encoders = nn.ModuleList(encoders)
        before, *after = widths
        self.mlp = make_network(
            (before + sum(encoder.width for encoder in encoders), *after), generator)

    def forward(self, inputs: torch.Tensor, *images: torch.Tensor) -> torch.Tensor:
        """Return shape ``(N, A)``; images have shape ``(N, height, width, channels)``, uint8."""
        points = [encoder(image) for encoder, image in zip(self.encoders, images, strict=True)]
        return self.mlp(torch.cat([inputs, *points], dim=-1))


class CnnEnsemble(nn.Module):
    """Several networks, one after the other; each learns as it would alone."""

    members: Any

    def __init__(self, members: Sequence[CnnNetwork]):
        super().__init__()
        self.members = nn.ModuleList(members)

    def forward(self, inputs: torch.Tensor, *images: torch.Tensor) -> torch.Tensor:
        """Return shape ``(M, N, A)``; everything given has the members before."""
        return torch.stack([member(*one) for member, *one in zip(self.members, inputs, *images)])


def to_cnn(network: CnnNetwork | CnnEnsemble, names: Sequence[str]) -> Cnn:
    """
    Return a copy of the weights as the network that runs on the arm.

    :param names: of the images
    """
    if isinstance(network, CnnNetwork):
        encoders = [encoder.to_encoder() for encoder in network.encoders]
        return Cnn(dict(zip(names, encoders, strict=True)), Mlp(*arrays_of(network.mlp)))
    alone = [to_cnn(member, names) for member in network.members]
    stacked = {name: _stacked([cnn.encoders[name] for cnn in alone]) for name in names}
    return Cnn(stacked, Mlp(*arrays_of(Ensemble([member.mlp for member in network.members]))))


def _stacked(encoders: Sequence[Encoder]) -> Encoder:
    return Encoder(tuple(map(np.stack, zip(*(one.kernels for one in encoders)))),
                   tuple(map(np.stack, zip(*(one.biases for one in encoders)))),
                   encoders[0].strides)


def make_cnn(shapes: Mapping[str, tuple[int, int, int]], channels: Sequence[int],
             strides: Sequence[int], widths: Sequence[int],
             generator: torch.Generator) -> CnnNetwork:
    """
    Build a network for images of these shapes.

    :param shapes: height, width and channels by the name of the image
    :param channels: of each convolution
    :param strides: of each convolution
    :param widths: from the inputs that are values to the output
    :param generator: the only source of chance
    :raises InputsError: if the convolutions leave nothing of an image
    """
    encoders = [EncoderNetwork(shape, channels, strides, generator) for shape in shapes.values()]
    return CnnNetwork(encoders, widths, generator)


def random_shifts(batch: Sequence[int], pixels: int, generator: torch.Generator) -> torch.Tensor:
    """
    Draw by how many rows and columns each image of a batch is shifted.

    :param batch: shape of the batch
    :param pixels: the largest shift
    :returns: shape ``(2, *batch)``
    """
    return torch.randint(0, 2 * pixels + 1, (2, *batch), generator=generator) - pixels


def random_crop(images: torch.Tensor, shifts: torch.Tensor) -> torch.Tensor:
    """
    Shift each image: pad it with its border, and crop it to its size.

    The augmentation of Kostrikov, Yarats, Fergus, *Image Augmentation Is All You Need* (DrQ), ICLR
    2021, section 3.1.

    :param images: shape ``(N, height, width, channels)``, uint8
    :param shifts: of `random_shifts`, with as many as images
    """
    count, height, width, _ = images.shape
    rows, columns = ((torch.arange(size, device=images.device) + shift).clamp(0, size - 1)
                     for size, shift in zip((height, width), shifts.reshape(2, count, 1)))
    at = torch.arange(count, device=images.device)
    return images[at[:, None, None], rows[:, :, None], columns[:, None, :]]
