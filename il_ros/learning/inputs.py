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
What a policy sees: features, parts of features, differences of them, and their lengths.

The grammar of an expression, names as in the contract::

    term   := FEATURE ['.' ELEMENTS]
    vector := term [' - ' term]
    input  := vector | '|' vector '|'

Between bars stands the Euclidean length of the vector, one number.

``ELEMENTS`` is the name of one element (``joint_position.joint4``) or a run of one-letter
elements (``object_position.xy``). ``fit`` and the policy node compute inputs with this one class.
"""

from collections.abc import Sequence
import functools
import typing

from il_ros.contract.contract import Contract, Feature, VALUES
from il_ros.errors import ImitationError, InputsError
import numpy as np


class _Term(typing.NamedTuple):
    """One side of an expression: where its entries lie, what they are called, and their unit."""

    indices: tuple[int, ...]
    names: tuple[str, ...]
    unit: str
    frame_id: str


class Inputs:
    """A pure function from ``Observation.values`` to a policy's input vector."""

    def __init__(self, contract: Contract, expressions: Sequence[str]):
        """
        Compile expressions against a contract.

        :param contract: layout of the observations
        :param expressions: at least one, each at most once
        :raises InputsError: naming the expression and what the contract has instead
        """
        self.expressions = tuple(expressions)
        if not self.expressions:
            raise InputsError('a policy needs at least one input; none is given')
        names: list[str] = []
        units: list[str] = []
        plus: list[int] = []
        minus: list[int] = []
        self._lengths: list[tuple[int, int, int]] = []
        for expression in self.expressions:
            start = len(plus)
            bare = _without_bars(expression)
            left, right = _parse(contract, bare)
            minus += right.indices if right else (-1,) * len(left.indices)
            plus += left.indices
            if bare is not expression:
                self._lengths.append((len(names), start, len(plus)))
                units.append(left.unit)
                names.append(f'|{bare}|')
                continue
            units += [left.unit] * len(left.indices)
            names += [f'{a} - {b}' for a, b in zip(left.names, right.names)] if right else (
                left.names)
        if len(set(names)) != len(names):
            twice = sorted({name for name in names if names.count(name) > 1})
            raise InputsError(f'inputs {list(self.expressions)} give {twice[0]!r} twice; '
                              'expected each entry once')
        self.names, self.units = tuple(names), tuple(units)
        self.observation_width = contract.width
        self._minus = np.array([index for index in minus if index >= 0], np.intp)
        self._at = np.array([at for at, index in enumerate(minus) if index >= 0], np.intp)
        self._plus = np.array(plus, np.intp)
        bars = [index for _, start, stop in self._lengths for index in range(start, stop)]
        self._bare = np.setdiff1d(np.arange(len(self._plus)), bars)
        self._entries = np.setdiff1d(np.arange(self.width), [at for at, *_ in self._lengths])

    @property
    def width(self) -> int:
        """Return K, the number of entries that ``apply`` gives."""
        return len(self.names)

    @functools.cached_property
    def features(self) -> tuple[str, ...]:
        """Return the names of the features used, each once, in order of first use."""
        terms = [term for expression in self.expressions
                 for term in _without_bars(expression).split(' - ')]
        return tuple(dict.fromkeys(term.partition('.')[0].strip() for term in terms))

    def apply(self, values: np.ndarray) -> np.ndarray:
        """
        Compute the inputs of one observation or of many.

        :param values: ``Observation.values``, shape ``(..., D)``, float32
        :returns: shape ``(..., K)``, float32, in the units of ``units``
        :raises InputsError: if an observation is not ``D`` wide
        """
        if values.shape[-1] != self.observation_width:
            raise InputsError(f'an observation has {values.shape[-1]} values; the contract of '
                              f'this policy has {self.observation_width}')
        values = values.astype(np.float32, copy=False)
        chosen = values[..., self._plus]
        if len(self._at):
            chosen[..., self._at] -= values[..., self._minus]
        return self._with_lengths(chosen) if self._lengths else chosen

    def _with_lengths(self, chosen: np.ndarray) -> np.ndarray:
        inputs = np.empty((*chosen.shape[:-1], self.width), np.float32)
        inputs[..., self._entries] = chosen[..., self._bare]
        for at, start, stop in self._lengths:
            part = chosen[..., start:stop]
            # Not by a matrix product, whose rounding depends on how many rows there are.
            inputs[..., at] = np.sqrt(np.square(part).sum(axis=-1))
        return inputs


def _without_bars(expression):
    """Return what stands between the bars; what has none, or is no text, comes back itself."""
    if isinstance(expression, str) and len(expression) > 2 and (
            expression[0] == expression[-1] == '|'):
        return expression[1:-1].strip()
    return expression


def image_features(contract: Contract, names: Sequence[str]) -> tuple[Feature, ...]:
    """
    Return the images that a policy sees.

    :raises InputsError: naming the one that the contract does not have, or has for the expert
    """
    features = {feature.name: feature for feature in contract.images}
    for name in names:
        if name not in features:
            raise InputsError(f'images has {name!r}; expected names among those of the contract '
                              f'{contract.name}: {", ".join(features) or "it has none"}')
        if features[name].privileged:
            raise InputsError(f'images has {name!r}, which is privileged; only the expert sees it')
    return tuple(features[name] for name in names)


def _parse(contract: Contract, expression: str) -> tuple[_Term, _Term | None]:
    if not isinstance(expression, str):
        raise InputsError(f'input {expression!r} is no text; expected a name as '
                          "'goal_position - object_position'")
    terms = [_term(contract, text.strip(), expression) for text in expression.split(' - ')]
    if len(terms) == 1:
        return terms[0], None
    if len(terms) > 2:
        raise InputsError(f'input {expression!r} subtracts more than once; expected one or two '
                          'terms')
    left, right = terms
    for what in ('unit', 'frame_id'):
        if getattr(left, what) != getattr(right, what):
            raise InputsError(f'input {expression!r} subtracts {what} {getattr(right, what)!r} '
                              f'from {getattr(left, what)!r}; expected the same')
    if len(left.indices) != len(right.indices):
        raise InputsError(f'input {expression!r} subtracts {len(right.indices)} elements from '
                          f'{len(left.indices)}; expected the same number')
    return left, right


def _term(contract: Contract, text: str, expression: str) -> _Term:
    name, dot, elements = text.partition('.')
    try:
        feature = contract.feature(name)
    except ImitationError as error:
        raise InputsError(f'input {expression!r}: {error}') from error
    if feature.kind != VALUES:
        raise InputsError(f'input {expression!r}: {name} is an image; expected values')
    if feature.privileged:
        raise InputsError(f'input {expression!r}: {name} is privileged; only the expert sees it')
    chosen = _elements(feature, elements, expression) if dot else feature.elements
    return _Term(
        indices=tuple(feature.start + feature.elements.index(element) for element in chosen),
        names=tuple(f'{name}.{element}' for element in chosen),
        unit=feature.unit, frame_id=feature.frame_id)


def _elements(feature: Feature, text: str, expression: str) -> tuple[str, ...]:
    if text in feature.elements:
        return (text,)
    if text and all(letter in feature.elements for letter in text):
        return tuple(text)
    raise InputsError(f'input {expression!r}: {feature.name} has no element {text!r}; it has '
                      f'{", ".join(feature.elements)}')
