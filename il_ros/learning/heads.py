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
Output heads: how network outputs become actions, and their losses.

Everything is in normalised actions, ``dim`` numbers wide: the elements of all steps of a chunk,
step by step. ``decode`` is NumPy and runs on the arm; ``loss`` takes torch tensors and is called
by `fit` alone. An action is decided without chance: a mean, the mean of the most probable
component, the centre of the most probable bin.

A loss is the mean over the elements that count, and never below zero: the likelihoods of ``nll``
and ``mixture`` are taken relative to the highest density that the head can express.
"""

import abc
from collections.abc import Mapping, Sequence
import dataclasses
import math
import typing
from typing import Annotated

from il_ros.errors import LearningError
from il_ros.settings import check
from msgspec import Meta
import numpy as np

if typing.TYPE_CHECKING:
    import torch

LEAST_SD, LARGEST_SD = 0.15, 2.0
"""Bounds of a learnt standard deviation, as a share of the labels' own."""

MOST_BINS = 1024
"""Of an element."""

UNIFORM, QUANTILE = 'uniform', 'quantile'


class Head(abc.ABC):
    """The meaning of a network's output."""

    kind = ''
    dim: int
    """Numbers of a decoded action."""

    @property
    @abc.abstractmethod
    def width(self) -> int:
        """Return how many outputs the network has."""

    @abc.abstractmethod
    def decode(self, out: np.ndarray) -> np.ndarray:
        """Return the action, shape ``(..., dim)``, of an output, shape ``(..., width)``."""

    @abc.abstractmethod
    def loss(self, out: 'torch.Tensor', targets: 'torch.Tensor',
             counts: 'torch.Tensor | None' = None) -> 'torch.Tensor':
        """
        Return the mean loss, a scalar tensor.

        :param out: shape ``(..., width)``
        :param targets: shape ``(..., dim)``
        :param counts: shape ``(..., dim)``, 1 where a target counts and 0 elsewhere; None: all do
        """

    def document(self) -> dict:
        """Return what a checkpoint notes, as JSON has it."""
        return {'kind': self.kind}


@dataclasses.dataclass(frozen=True)
class Mean(Head):
    """The action itself; squared error, or Huber's loss where ``huber_delta`` is above zero."""

    dim: int
    huber_delta: float = 0.0
    kind = 'mean'

    @property
    def width(self) -> int:
        return self.dim

    def decode(self, out: np.ndarray) -> np.ndarray:
        return out

    def loss(self, out, targets, counts=None):
        if not self.huber_delta and counts is None:
            from torch.nn.functional import mse_loss
            return mse_loss(out, targets)
        error = out - targets
        if not self.huber_delta:
            return _mean(error.square(), counts)
        size = error.abs()
        slope = size.clamp(max=self.huber_delta)
        return _mean(slope * (size - 0.5 * slope), counts)


@dataclasses.dataclass(frozen=True)
class Gaussian(Head):
    """Mean and logarithm of the standard deviation of each element: independent Gaussians."""

    dim: int
    kind = 'gaussian'

    @property
    def width(self) -> int:
        return 2 * self.dim

    def decode(self, out: np.ndarray) -> np.ndarray:
        return out[..., :self.dim]

    def loss(self, out, targets, counts=None):
        return _mean(_surprise(out[..., :self.dim], out[..., self.dim:], targets), counts)


@dataclasses.dataclass(frozen=True)
class Mixture(Head):
    """Logits of the components (Bishop, *Mixture Density Networks*, 1994), means, log-sds."""

    dim: int
    components: int
    kind = 'mixture'

    @property
    def width(self) -> int:
        return self.components * (1 + 2 * self.dim)

    def decode(self, out: np.ndarray) -> np.ndarray:
        likeliest = np.argmax(out[..., :self.components], axis=-1)[..., None, None]
        means = out[..., self.components:self.components * (1 + self.dim)]
        means = means.reshape(*out.shape[:-1], self.components, self.dim)
        return np.take_along_axis(means, likeliest, axis=-2)[..., 0, :]

    def loss(self, out, targets, counts=None):
        logits, means, raw_sds = out.split(
            [self.components, *[self.components * self.dim] * 2], dim=-1)
        shape = (self.components, self.dim)
        surprise = _surprise(means.unflatten(-1, shape), raw_sds.unflatten(-1, shape),
                             targets.unsqueeze(-2))
        if counts is not None:
            surprise = surprise * counts.unsqueeze(-2)
        rows = -(logits.log_softmax(dim=-1) - surprise.sum(dim=-1)).logsumexp(dim=-1)
        return rows.mean() / self.dim if counts is None else rows.sum() / counts.sum()

    def document(self) -> dict:
        return {'kind': self.kind, 'components': self.components}


class Categorical(Head):
    """
    One bin of each element; the action is the most probable bin's centre.

    The centre is the mean of the labels that fell into the bin. Elements may have fewer bins than
    others: outputs beyond them mean nothing.
    """

    kind = 'categorical'

    def __init__(self, edges: Sequence[Sequence[float]], centres: Sequence[Sequence[float]],
                 chunk: int = 1):
        """
        Take the bins of one step's elements.

        :param edges: of each element, ascending; a label on an edge belongs below it
        :param centres: of each element, one more than edges
        :raises LearningError: if they do not fit
        """
        self.edges = tuple(np.array(one, np.float32) for one in edges)
        self.centres = tuple(np.array(one, np.float32) for one in centres)
        if [len(one) + 1 for one in self.edges] != [len(one) for one in self.centres]:
            raise LearningError(f'{[len(one) for one in self.edges]} edges have '
                                f'{[len(one) for one in self.centres]} centres; expected one more')
        for one in (*self.edges, *self.centres):
            if not (np.isfinite(one).all() and (np.diff(one) >= 0.0).all()):
                raise LearningError(f'bins lie at {one}; expected finite, ascending numbers')
        self.chunk, self.dim = chunk, chunk * len(self.centres)
        self.bins = max(len(one) for one in self.centres)
        self._edges = _table(self.edges, self.bins - 1, chunk)
        self._centres = _table(self.centres, self.bins, chunk)
        self._absent = np.isinf(self._centres)

    @classmethod
    def fit(cls, actions: np.ndarray, bins: int, binning: str, chunk: int = 1,
            two: Mapping[int, Sequence[float]] | None = None) -> 'Categorical':
        """
        Choose the bins by labels.

        :param actions: shape ``(N, act_dim)``, normalised
        :param bins: of an element at most; equal values are never parted
        :param binning: ``UNIFORM``: equally wide from the least to the largest label;
            ``QUANTILE``: with about equally many labels
        :param two: elements with two bins alone, each with the bins' centres
        """
        edges: list[typing.Any] = []
        centres: list[typing.Any] = []
        for at, column in enumerate(actions.T.astype(np.float64)):
            if two and at in two:
                edges.append([0.5 * (two[at][0] + two[at][1])])
                centres.append(two[at])
                continue
            between = _between(np.unique(column), _cuts(column, bins, binning))
            edges.append(between)
            centres.append(_centres_of(column, between))
        return cls(edges, centres, chunk)

    @property
    def width(self) -> int:
        return self.dim * self.bins

    def decode(self, out: np.ndarray) -> np.ndarray:
        logits = out.reshape(*out.shape[:-1], self.dim, self.bins)
        logits = np.where(self._absent, -np.inf, logits)
        return self._centres[np.arange(self.dim), np.argmax(logits, axis=-1)]

    def loss(self, out, targets, counts=None):
        absent, edges = out.new_tensor(self._absent), out.new_tensor(self._edges)
        logits = out.unflatten(-1, (self.dim, self.bins)).masked_fill(absent.bool(), -math.inf)
        chosen = (targets.unsqueeze(-1) > edges).sum(dim=-1, keepdim=True)
        return _mean(-logits.log_softmax(dim=-1).gather(-1, chosen).squeeze(-1), counts)

    def document(self) -> dict:
        return {'kind': self.kind, 'edges': [one.tolist() for one in self.edges],
                'centres': [one.tolist() for one in self.centres]}


def from_document(document: Mapping, act_dim: int, chunk: int) -> Head:
    """
    Build the head that a checkpoint notes.

    :raises LearningError: if its kind is unknown or its numbers do not fit
    """
    kind, dim = document['kind'], act_dim * chunk
    if kind == Mixture.kind:
        check('components', document['components'], Annotated[int, Meta(ge=1)], LearningError)
        return Mixture(dim, document['components'])
    if kind == Categorical.kind:
        counts = [len(one) for one in document['centres']]
        if len(counts) != act_dim or max(counts) > MOST_BINS:
            raise LearningError(f'bins are {counts}; expected of {act_dim} elements, at most '
                                f'{MOST_BINS} each')
        return Categorical(document['edges'], document['centres'], chunk)
    for head in (Mean, Gaussian):
        if kind == head.kind:
            return head(dim)
    raise LearningError(f'head {kind!r} is unknown; expected one of '
                        f'{[one.kind for one in (Mean, Gaussian, Mixture, Categorical)]}')


def _mean(losses, counts):
    return losses.mean() if counts is None else (losses * counts).sum() / counts.sum()


def _surprise(means, raw, targets):
    """Return the negative log density, above that of the mean at the least sd."""
    span = math.log(LARGEST_SD / LEAST_SD)
    above = span * raw.sigmoid()
    return 0.5 * ((targets - means) / LEAST_SD * (-above).exp()).square() + above


def _table(rows: Sequence[np.ndarray], width: int, chunk: int) -> np.ndarray:
    table = np.full((len(rows), width), np.inf, np.float32)
    for row, values in zip(table, rows):
        row[:len(values)] = values
    return np.tile(table, (chunk, 1))


def _cuts(column: np.ndarray, bins: int, binning: str) -> np.ndarray:
    """Return where to cut, ascending, before equal labels are kept together."""
    if binning == QUANTILE:
        return np.quantile(column, np.arange(1, bins) / bins)
    return np.linspace(column.min(), column.max(), bins + 1)[1:-1]


def _between(values: np.ndarray, cuts: np.ndarray) -> np.ndarray:
    """Return each cut moved to the middle between the two labels about it, each gap once."""
    above = np.searchsorted(values, cuts, side='right')
    above = np.unique(above[(above > 0) & (above < len(values))])
    return 0.5 * (values[above - 1] + values[above])


def _centres_of(column: np.ndarray, edges: np.ndarray) -> np.ndarray:
    bins = np.searchsorted(edges, column, side='left')
    return (np.bincount(bins, column, len(edges) + 1)
            / np.bincount(bins, minlength=len(edges) + 1))
