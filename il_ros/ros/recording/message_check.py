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
Checks of an open episode's messages: one that its file could not be read with is refused.

The bytes are looked at as they came over the wire. The first message of a layout is walked by its
schema; of the next ones only the lengths, what must be constant, and the numbers are compared.
"""

import collections
from collections.abc import Callable, Iterable
import math
import struct

from il_ros.contract.contract import Contract
from il_ros.episodes.wire.cdr import CdrError, layout_of
from il_ros.episodes.wire.decoder import BadMessageError
from il_ros.episodes.wire.schema import Schema
from il_ros.ros.conversion.checks import are_finite
import numpy as np

MOST_BYTES = 65_536
"""Of a message, beside its images: no field of it is so long."""

_KNOWN = 8
"""Layouts that are remembered: one for each set of drivers that may have answered."""

Rule = Callable[[np.void], tuple[tuple[str, ...], tuple[str, ...]]]
"""
Looks at a message as ``data.cdr`` reads it; raises ``BadMessageError``.

Returns the whole numbers that must be the same in each message, and the fields whose numbers,
float32 or float64, must be finite.
"""


class MessageCheck:
    """
    The check of one topic.

    :param most_bytes: of a message
    """

    def __init__(self, schema: Schema, rule: Rule, most_bytes: int = MOST_BYTES):
        self._schema, self._rule, self._most_bytes = schema, rule, most_bytes
        self._known: collections.deque[tuple] = collections.deque(maxlen=_KNOWN)

    def __call__(self, raw: bytes):
        """
        Check a message.

        :raises BadMessageError: naming the field
        """
        for size, lengths_of, expected, numbers in self._known:
            if len(raw) >= size and lengths_of(raw) == expected:
                break
        else:
            numbers = self._learn(raw)
        for name, start, stop, code in numbers:
            if not are_finite(raw, start, stop, code):
                raise BadMessageError(f'{name} has a number that is not finite')

    def _learn(self, raw: bytes) -> tuple[tuple[str, int, int, str], ...]:
        """Take in a layout that was not met before, and return where its numbers stand."""
        if len(raw) > self._most_bytes:
            raise BadMessageError(f'{len(raw)} bytes; expected at most {self._most_bytes}')
        try:
            layout = layout_of(self._schema, raw)
        except CdrError as error:
            raise BadMessageError(str(error)) from error
        constants, finite = self._rule(np.frombuffer(raw, layout.dtype, 1)[0])
        fields = layout.dtype.fields
        numbers = tuple((name, fields[name][1], fields[name][1] + fields[name][0].itemsize,
                         fields[name][0].base.char) for name in finite)
        lengths = _reader_of(
            [(offset, 'I') for offset in layout.guards]
            + [(fields[name][1], 'Q' if fields[name][0].itemsize == 8 else 'I')
               for name in constants])
        self._known.appendleft((layout.size, lengths, lengths(raw), numbers))
        return numbers


def _reader_of(numbers: list[tuple[int, str]]) -> Callable[[bytes], tuple[int, ...]]:
    """Return what reads whole numbers off a message: their offsets and ``struct`` codes."""
    form, end = '<', 0
    for offset, code in sorted(numbers):
        form += f'{offset - end}x{code}'
        end = offset + struct.calcsize(f'<{code}')
    return struct.Struct(form).unpack_from


def observation_rule(contract: Contract) -> Rule:
    """Return the rule of ``observation``: the contract's id, width, images, finite values."""
    def rule(row: np.void) -> tuple[tuple[str, ...], tuple[str, ...]]:
        if row['contract_id'] != contract.id:
            raise BadMessageError(f'contract_id is {row["contract_id"]}; expected {contract.id} '
                                  f'({contract.name})')
        _expect('values', row['values'].shape[0], (contract.width,))
        constants = ['contract_id']
        for index, feature in enumerate(contract.images):
            where = f'images.{index}'
            if f'{where}.data' not in (row.dtype.names or ()):
                raise BadMessageError(f'images has {index} entries; expected '
                                      f'{len(contract.images)}')
            for side in ('height', 'width'):
                if row[f'{where}.{side}'] != getattr(feature, side):
                    raise BadMessageError(f'{where}.{side} is {row[f"{where}.{side}"]}; expected '
                                          f'{getattr(feature, side)}')
                constants.append(f'{where}.{side}')
            _expect(f'{where}.data', row[f'{where}.data'].shape[0], (math.prod(feature.shape),))
        return tuple(constants), ('values',)
    return rule


def executed_rule(contract: Contract) -> Rule:
    """Return the rule of ``executed``: width of the action, as many joints in each message."""
    width = len(contract.actions)
    joints: list[int] = []

    def rule(row: np.void) -> tuple[tuple[str, ...], tuple[str, ...]]:
        _expect('values', row['values'].shape[0], (width,))
        _expect('noise', row['noise'].shape[0], (0, width))
        found = row['command.position'].shape[0]
        named = sum(name.startswith('command.name.') for name in row.dtype.names or ())
        _expect('command.position', found, joints or (named,))
        joints[:] = [found]
        return (), ('values', 'noise', 'command.position')
    return rule


def status_rule(_row: np.void) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Check ``episode``: it is whole, and nothing else is wanted of it."""
    return (), ()


def image_bytes(contract: Contract) -> int:
    """Return how many bytes the images of an observation have."""
    return sum(math.prod(feature.shape) for feature in contract.images)


def _expect(name: str, found: int, allowed: Iterable[int]):
    if found not in allowed:
        raise BadMessageError(f'{name} has {found} entries; expected '
                              f'{" or ".join(map(str, allowed))}')
