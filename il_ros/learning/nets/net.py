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

"""Architectures by name: the base class of networks, and which of them are installed."""

import abc
from collections.abc import Mapping
import dataclasses
from typing import Any, TYPE_CHECKING

from il_ros import plugins
import numpy as np

if TYPE_CHECKING:
    from il_ros.learning.config import TrainConfig
    import torch


@dataclasses.dataclass(frozen=True)
class Layout:
    """What a network has to take and to give."""

    inputs: int
    """Values of an input row: those of all observations of the history, side by side."""

    outputs: int
    """Values of an output row, as the head takes them."""

    images: Mapping[str, tuple[int, int, int]]
    """Height, width and channels of each image, by name, in the order of ``forward``."""


class Net(abc.ABC):
    """
    A network as it runs on the arm: arrays and NumPy, no torch; base class of your own.

    Two class methods are for training alone and import torch themselves. A checkpoint keeps
    ``tensors()`` as safetensors and ``document()`` as JSON, and ``from_document`` builds the same
    network from both.
    """

    kind = ''
    """The name under which it is registered in the group ``il_ros.policies``."""

    takes_images = False
    """Whether the training setting ``images`` is needed; otherwise it must be empty."""

    makes_ensembles = False
    """Whether the training setting ``ensemble`` may be more than 1."""

    @property
    def images(self) -> tuple[str, ...]:
        """Return the names of the images that it takes, in the order of ``forward``."""
        return ()

    @property
    def members(self) -> int:
        """Return the number of networks; more than 1: an ensemble."""
        return 1

    @property
    @abc.abstractmethod
    def widths(self) -> tuple[int, ...]:
        """Return the widths of the layers, from ``Layout.inputs`` to ``Layout.outputs``."""

    @abc.abstractmethod
    def forward(self, inputs: np.ndarray, *images: np.ndarray) -> np.ndarray:
        """
        Compute the output.

        :param inputs: shape ``(K,)`` or ``(N, K)``, float32
        :param images: shape ``(height, width, channels)`` or with ``N`` before, uint8
        :returns: shape ``(A,)`` or ``(N, A)``, of an ensemble with the members before, float32
        """

    @abc.abstractmethod
    def tensors(self) -> dict[str, np.ndarray]:
        """Return the arrays by the names under which a checkpoint keeps them."""

    def document(self) -> dict[str, Any]:
        """Return what a checkpoint notes beside the tensors, as JSON has it."""
        return {'architecture': self.kind, 'widths': self.widths, 'members': self.members}

    def fits(self, image: str, shape: tuple[int, int, int]) -> bool:
        """Tell whether images of this name can have ``shape``: height, width, channels."""
        return True

    @classmethod
    @abc.abstractmethod
    def from_document(cls, document: Mapping[str, Any],
                      tensors: Mapping[str, np.ndarray]) -> 'Net':
        """
        Build the network that ``document`` notes from the arrays that ``tensors`` gave.

        :raises LearningError: naming the array that is missing, surplus or does not fit
        """

    @classmethod
    @abc.abstractmethod
    def make_network(cls, layout: Layout, config: 'TrainConfig',
                     generators: 'list[torch.Generator]') -> 'torch.nn.Module':
        """
        Build what is trained: rows ``(N, K)``, and images ``(N, height, width, channels)``, uint8.

        An ensemble takes and returns all of them with the members before.

        :param generators: sources of chance for the first weights, one a member; torch's global
            generator is seeded meanwhile, too
        """

    @classmethod
    @abc.abstractmethod
    def from_network(cls, network: 'torch.nn.Module', layout: Layout) -> 'Net':
        """Return a copy of the weights as the network that runs on the arm."""


def net_class(name: object) -> type[Net]:
    """
    Return an architecture of ours or of an installed package, never ``module:Object``.

    :raises UnknownPluginError: listing the architectures that there are
    :raises PluginError: if it cannot be used
    """
    if not isinstance(name, str) or name not in plugins.table('policies'):
        raise plugins.UnknownPluginError(f'architecture {name!r} is unknown; expected one of '
                                         f'{list(plugins.table("policies"))}')
    return plugins.find_named('policies', name).load_class(Net)
