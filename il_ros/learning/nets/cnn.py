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
Images for a network: convolutions and a spatial softmax, then the layers of `mlp.py`; plain NumPy.

Each channel of the last convolution is turned into the place in the image where it is strongest:
the expected position under a softmax over its pixels (Levine, Finn, Darrell, Abbeel, *End-to-End
Training of Deep Visuomotor Policies*, JMLR 2016, section 5.1). These feature points, the inputs
that are values, and nothing else go into the fully connected layers. A 64x64 image takes about a
millisecond, and the policy's process needs no torch.
"""

from collections.abc import Mapping
import dataclasses
from typing import Annotated

from il_ros.errors import LearningError
from il_ros.learning.nets.mlp import Mlp
from il_ros.learning.nets.net import Layout, Net
from il_ros.settings import check
from msgspec import Meta
import numpy as np

MOST_LAYERS, LARGEST_STRIDE = 8, 8

_AT_ONCE = 128
"""Images of a batch that are convolved together; more would only take memory."""


def size_after(pixels: int, kernel: int, stride: int) -> int:
    """Return how many rows or columns a convolution without padding leaves; below 1: none."""
    return (pixels - kernel) // stride + 1


@dataclasses.dataclass(frozen=True)
class Encoder:
    """
    Convolutions of one camera's image, ReLU between them, and the spatial softmax after the last.

    The arrays of an ensemble have the member as their first axis.
    """

    kernels: tuple[np.ndarray, ...]
    """Of each layer, shape ``([M,] size, size, channels before, channels)``, float32, C order."""

    biases: tuple[np.ndarray, ...]
    """Of each layer, shape ``([M,] channels)``, float32."""

    strides: tuple[int, ...]
    """Of each layer, in pixels."""

    def __post_init__(self):
        layers = {len(self.kernels), len(self.biases), len(self.strides)}
        if len(layers) > 1 or not 1 <= len(self.kernels) <= MOST_LAYERS:
            raise LearningError(f'an encoder has {len(self.kernels)} kernels, {len(self.biases)} '
                                f'biases and {len(self.strides)} strides; expected as many of '
                                f'each, 1 to {MOST_LAYERS}')
        for stride in self.strides:
            check('a stride', stride, Annotated[int, Meta(ge=1, le=LARGEST_STRIDE)], LearningError)

    @property
    def channels(self) -> int:
        """Return the channels of an image."""
        return self.kernels[0].shape[-2]

    @property
    def width(self) -> int:
        """Return the numbers that an image becomes: two a channel of the last layer."""
        return 2 * self.kernels[-1].shape[-1]

    def fits(self, shape: tuple[int, int, int]) -> bool:
        """Tell whether images of ``shape``, height, width and channels, can be encoded."""
        height, width, channels = shape
        for kernel, stride in zip(self.kernels, self.strides):
            height = size_after(height, kernel.shape[-3], stride)
            width = size_after(width, kernel.shape[-3], stride)
        return min(height, width) >= 1 and channels == self.channels

    def forward(self, images: np.ndarray) -> np.ndarray:
        """
        Return the feature points.

        :param images: shape ``(..., height, width, channels)``, uint8
        :returns: shape ``([M,] ..., width)``, float32: of each channel the column from -1, left,
            to 1, right, and the row from -1, top, to 1, bottom; first all columns, then all rows
        """
        if self.kernels[0].ndim == 5:
            return np.stack([self._member(at).forward(images)
                             for at in range(len(self.kernels[0]))])
        rows = images.reshape(-1, *images.shape[-3:])
        points = [self._points(rows[at:at + _AT_ONCE]) for at in range(0, len(rows), _AT_ONCE)]
        return np.concatenate(points).reshape(*images.shape[:-3], self.width)

    def _member(self, at: int) -> 'Encoder':
        return Encoder(tuple(kernel[at] for kernel in self.kernels),
                       tuple(bias[at] for bias in self.biases), self.strides)

    def _points(self, images: np.ndarray) -> np.ndarray:
        maps = images * np.float32(1.0 / 255.0) - np.float32(0.5)
        last = len(self.kernels) - 1
        for at, (kernel, bias, stride) in enumerate(zip(self.kernels, self.biases, self.strides)):
            maps = convolve(maps, kernel, stride)
            maps += bias
            if at < last:
                np.maximum(maps, 0.0, out=maps)
        return spatial_softmax(maps)


def convolve(maps: np.ndarray, kernel: np.ndarray, stride: int) -> np.ndarray:
    """
    Slide a kernel over maps, without padding.

    :param maps: shape ``(N, height, width, channels before)``, float32
    :param kernel: shape ``(size, size, channels before, channels)``, float32
    :returns: shape ``(N, height after, width after, channels)``, float32
    """
    size, _, before, channels = kernel.shape
    windows = np.lib.stride_tricks.sliding_window_view(maps, (size, size), axis=(1, 2))
    windows = windows[:, ::stride, ::stride].transpose(0, 1, 2, 4, 5, 3)
    rows = windows.reshape(-1, size * size * before)
    return (rows @ kernel.reshape(-1, channels)).reshape(*windows.shape[:3], channels)


def spatial_softmax(maps: np.ndarray) -> np.ndarray:
    """
    Return where each channel is strongest, as ``Encoder.forward``.

    :param maps: shape ``(N, height, width, channels)``, float32
    :returns: shape ``(N, 2 * channels)``, float32
    """
    count, height, width, channels = maps.shape
    flat = maps.reshape(count, height * width, channels)
    shares = np.exp(flat - flat.max(axis=1, keepdims=True))
    shares /= shares.sum(axis=1, keepdims=True)
    points = np.swapaxes(shares, 1, 2) @ grid(height, width)
    return np.swapaxes(points, 1, 2).reshape(count, 2 * channels)


def grid(height: int, width: int) -> np.ndarray:
    """Return column and row of each pixel, in -1 .. 1, shape ``(height * width, 2)``, float32."""
    rows, columns = np.meshgrid(_ticks(height), _ticks(width), indexing='ij')
    return np.stack([columns.ravel(), rows.ravel()], axis=1)


def _ticks(count: int) -> np.ndarray:
    return np.linspace(-1.0, 1.0, count, dtype=np.float32) if count > 1 else np.zeros(
        1, np.float32)


@dataclasses.dataclass(frozen=True)
class Cnn(Net):
    """Convolutions for each image, and linear layers for their features and the inputs."""

    encoders: Mapping[str, Encoder]
    """By the name of the image."""

    mlp: Mlp

    kind = 'cnn'
    takes_images = makes_ensembles = True

    def __post_init__(self):
        for name, encoder in self.encoders.items():
            for kernel, bias, before in zip(encoder.kernels, encoder.biases,
                                            (None, *encoder.kernels[:-1])):
                first = (self.members,) if self.members > 1 else ()
                size, channels = kernel.shape[-3], kernel.shape[-1]
                expected = (*first, size, size,
                            kernel.shape[-2] if before is None else before.shape[-1], channels)
                if kernel.shape != expected or bias.shape != (*first, channels):
                    raise LearningError(f'a layer for {name} has kernel {kernel.shape} and bias '
                                        f'{bias.shape}; expected {expected} and '
                                        f'{(*first, channels)}')
        if self.widths[0] < 1:
            raise LearningError(f'the images give more than the {self.mlp.widths[0]} values that '
                                'the first layer takes')

    @property
    def images(self) -> tuple[str, ...]:
        """Return the names of the images, in the order of ``forward``."""
        return tuple(self.encoders)

    @property
    def members(self) -> int:
        """Return M, the number of networks; 1: a network alone."""
        return self.mlp.members

    @property
    def widths(self) -> tuple[int, ...]:
        """Return the widths of the layers after the encoders, the first without their points."""
        before, *after = self.mlp.widths
        return (before - sum(encoder.width for encoder in self.encoders.values()), *after)

    def forward(self, inputs: np.ndarray, *images: np.ndarray) -> np.ndarray:
        """
        Compute the output.

        :param inputs: shape ``(K,)`` or ``(N, K)``, float32
        :param images: of each encoder, shape ``(height, width, channels)`` or with ``N`` before,
            uint8
        :returns: shape ``(A,)`` or ``(N, A)``, of an ensemble with the members before, float32
        """
        points = [encoder.forward(image)
                  for encoder, image in zip(self.encoders.values(), images, strict=True)]
        if self.members == 1:
            return self.mlp.forward(np.concatenate([inputs, *points], axis=-1))
        rows = np.broadcast_to(inputs, (self.members, *inputs.shape))
        joined = np.concatenate([rows, *points], axis=-1)
        if inputs.ndim > 1:
            return self.mlp.forward(joined)
        return self.mlp.forward(joined[:, None])[:, 0]

    def tensors(self) -> dict[str, np.ndarray]:
        """Return the arrays by the names under which a checkpoint keeps them."""
        arrays = {f'encoders.{name}.{at}.{part}': array
                  for name, encoder in self.encoders.items()
                  for at, layer in enumerate(zip(encoder.kernels, encoder.biases))
                  for part, array in zip(('kernel', 'bias'), layer)}
        return {**arrays, **self.mlp.tensors()}

    def document(self) -> dict:
        """Return what a checkpoint notes beside the tensors, as JSON has it."""
        encoders = {name: {'strides': list(encoder.strides)}
                    for name, encoder in self.encoders.items()}
        return {**super().document(), 'encoders': encoders}

    def fits(self, image: str, shape: tuple[int, int, int]) -> bool:
        """Tell whether images of this name and shape can be encoded."""
        return self.encoders[image].fits(shape)

    @classmethod
    def make_network(cls, layout: Layout, config, generators):
        """Build the encoders and the layers behind them."""
        from il_ros.learning.nets.cnn_network import CnnEnsemble, make_cnn
        widths = (layout.inputs, *config.hidden, layout.outputs)
        members = [make_cnn(layout.images, config.channels, config.strides, widths, generator)
                   for generator in generators]
        return CnnEnsemble(members) if len(members) > 1 else members[0]

    @classmethod
    def from_network(cls, network, layout: Layout) -> 'Cnn':
        """Return a copy of the weights as the network that runs on the arm."""
        from il_ros.learning.nets.cnn_network import to_cnn
        return to_cnn(network, tuple(layout.images))

    @classmethod
    def from_document(cls, document: Mapping, tensors: Mapping[str, np.ndarray]) -> 'Cnn':
        """
        Build the network that ``document`` notes from the arrays that ``tensors`` gave.

        :raises LearningError: naming the array that is missing, surplus or does not fit
        """
        rest, encoders = dict(tensors), {}
        for name, noted in document['encoders'].items():
            strides = tuple(noted['strides'])
            layers = [[_taken(rest, f'encoders.{name}.{at}.{part}', ndim, document['members'])
                       for part, ndim in (('kernel', 4), ('bias', 1))]
                      for at in range(min(len(strides), MOST_LAYERS + 1))]
            kernels, biases = zip(*layers) if layers else ((), ())
            encoders[name] = Encoder(kernels, biases, strides)
        before, *after = document['widths']
        widths = (before + sum(encoder.width for encoder in encoders.values()), *after)
        return cls(encoders, Mlp.from_tensors(rest, widths, document['members']))


def _taken(tensors: dict[str, np.ndarray], name: str, ndim: int, members: int) -> np.ndarray:
    if name not in tensors:
        raise LearningError(f'{name} is missing')
    array = tensors.pop(name)
    wanted = ndim + (members > 1)
    if array.dtype != np.float32 or array.ndim != wanted or not array.size:
        raise LearningError(f'{name} is {array.dtype} of shape {array.shape}; expected float32 '
                            f'with {wanted} axes')
    return array
