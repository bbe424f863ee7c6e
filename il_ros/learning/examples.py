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

"""Training tensors: normalised windows of inputs, images, chunks of labels."""

from collections.abc import Sequence
import dataclasses
import typing

from il_ros.contract.contract import Contract, Feature
from il_ros.errors import NoDataError, NotFiniteError
from il_ros.learning.horizons import Horizons
from il_ros.learning.inputs import Inputs
from il_ros.learning.normaliser import Normaliser
import numpy as np
import torch


class Pairs(typing.Protocol):
    """
    Observations with labels; `il_ros.dataset.dataset` loads them.

    Where there are ``steps`` (`il_ros.dataset.steps`), the pairs are its labelled steps, in order.
    Where there are ``images``, they have by name a row a pair.
    """

    @property
    def observations(self) -> np.ndarray:
        """Return the observations, shape ``(N, D)``, float32."""

    @property
    def actions(self) -> np.ndarray:
        """Return the labels, shape ``(N, act_dim)``, float32."""


@dataclasses.dataclass(frozen=True)
class Examples:
    """From pairs to tensors, with the scales that were fitted to the training pairs."""

    inputs: Inputs
    normaliser: Normaliser
    action_normaliser: Normaliser
    horizons: Horizons

    def tensors(self, pairs: typing.Any) -> tuple[torch.Tensor, ...]:
        """
        Return inputs, shape ``(N, history * K)``, and targets, ``(N, chunk * act_dim)``.

        With chunks a third tensor, of the targets' shape, is 1 where a target counts and 0 where
        it is padding.
        """
        if self.horizons.plain:
            return (torch.from_numpy(self._seen(pairs.observations)),
                    torch.from_numpy(self.action_normaliser.apply(pairs.actions)))
        steps, chunk = pairs.steps, self.horizons.chunk
        windows = self._seen(steps.observations)[steps.windows(self.horizons.history)]
        rows, counts = steps.chunks(chunk)
        labels = self.action_normaliser.apply(steps.actions[rows])
        tensors = (windows, labels) if chunk == 1 else (
            windows, labels, np.broadcast_to(counts[..., None], labels.shape).astype(np.float32))
        return tuple(torch.from_numpy(array.reshape(len(array), -1)) for array in tensors)

    def images(self, pairs: typing.Any, names: Sequence[str]) -> tuple[torch.Tensor, ...]:
        """
        Return the images by these names, shape ``(N, height, width, channels)``, uint8.

        All of them are in memory from here on, 12 KiB a 64x64 colour image.
        """
        return tuple(torch.from_numpy(pairs.images[name][:]) for name in names)

    def on(self, device: str, pairs: typing.Any,
           names: Sequence[str]) -> tuple[torch.Tensor, ...]:
        """Return the images by these names, then the ``tensors``, in the memory of a device."""
        return tuple(tensor.to(device)
                     for tensor in (*self.images(pairs, names), *self.tensors(pairs)))

    def _seen(self, observations: np.ndarray) -> np.ndarray:
        return self.normaliser.apply(self.inputs.apply(observations))


def check(pairs: Pairs, contract: Contract, what: str, horizons: Horizons,
          images: Sequence[Feature] = ()):
    """
    Refuse pairs that cannot be trained on.

    :param what: of the data, for the sentence
    :param images: that are needed
    :raises NoDataError: if there are none, if they have another shape than the contract's, or if
        their episodes or images are needed and missing
    :raises NotFiniteError: naming the first row that is not finite
    """
    found = (pairs.observations.shape, pairs.actions.shape)
    count = len(pairs.observations)
    if count == 0:
        raise NoDataError(f'there is no {what} pair: no step of the data set has a label')
    if found != ((count, contract.width), (count, len(contract.actions))):
        raise NoDataError(f'{what} data have shapes {found}; expected ({count}, {contract.width}) '
                          f'and ({count}, {len(contract.actions)})')
    _finite('observation', pairs.observations, what)
    _finite('label', pairs.actions, what)
    for feature in images:
        frames = getattr(pairs, 'images', {}).get(feature.name)
        if frames is None or frames.shape != (count, *feature.shape):
            raise NoDataError(f'{what} data have images {feature.name} of shape '
                              f'{getattr(frames, "shape", None)}; expected '
                              f'{(count, *feature.shape)}')
    if horizons.plain:
        return
    steps = getattr(pairs, 'steps', None)
    if steps is None or int(steps.valid.sum()) != count:
        raise NoDataError(f'the {what} data do not say which episodes they are from; history '
                          f'{horizons.history} and chunk {horizons.chunk} need that')
    _finite('observation', steps.observations, what)


def _finite(name: str, array: np.ndarray, what: str):
    finite = np.isfinite(array).all(axis=1)
    if not finite.all():
        raise NotFiniteError(f'{name} {int(np.argmin(finite))} of the {what} data is not finite')
