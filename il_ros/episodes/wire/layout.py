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
Where the fields of a serialised message stand: the one walk over the bytes of a message.

The rules are those of CDR in its little-endian form: four bytes of encapsulation, and each
primitive aligned to its own size behind them. As long as strings and sequences keep their lengths,
every field of the next message of a type stands at the same byte, so that a layout serves many.
"""

import collections
from collections.abc import Callable, Iterable
import functools
import operator
import struct
import sys
from typing import Any, NamedTuple

from il_ros.episodes.wire.schema import CODES, Definitions, PRIMITIVES
from il_ros.errors import BadMessageError, DecodeError
import numpy as np

LITTLE_ENDIAN = b'\x00\x01'
BODY = 4
"""Bytes of encapsulation in front of the first field."""

_UINT32 = struct.Struct('<I')
ITEM_SIZE = {kind: np.dtype(form).itemsize for kind, form in PRIMITIVES.items()}


class Place(NamedTuple):
    """Where a field stands; a text without the zero behind it."""

    offset: int
    size: int
    kind: str
    """A primitive's name, or ``string``."""

    numpy_format: str | tuple
    """What numpy reads it as."""

    code: str
    """What ``struct`` reads it with: a number, or the bytes of a text or array."""


class Selection(NamedTuple):
    """What is unpacked of each message of a layout."""

    size: int
    """Bytes that a message has at least."""

    unpack: Callable[[bytes], tuple]
    places: dict[str, int]
    """Where the value of each field stands among those that are unpacked."""

    same: Callable[[tuple], tuple]
    """Returns those values in which all messages of the layout agree."""


class Layout:
    """
    Where each field stands in one message, and what makes another message alike.

    :ivar fields: by path: ``header.stamp.sec``, ``values``, ``candidates.0.source``
    :ivar counts: entries of each sequence of texts or messages, by path
    :ivar lengths: by the byte where it stands (an uint32), each length in the message
    """

    def __init__(self, definitions: Definitions, raw: bytes, most_fields: int = sys.maxsize):
        """
        Walk ``raw``, a message of the type that ``definitions`` begins with.

        :raises BadMessageError: naming the field in which it ends, or behind ``most_fields``
        :raises DecodeError: if it is not little-endian
        """
        if bytes(raw[:2]) != LITTLE_ENDIAN:
            raise DecodeError('a message is not in little-endian CDR')
        self.definitions = definitions
        self.fields: dict[str, Place] = {}
        self.counts: dict[str, int] = {}
        self.lengths: dict[int, int] = {}
        self.size = BODY
        self._raw, self._path, self._most = raw, '', most_fields
        self._walk(next(iter(definitions)), '')
        del self._raw

    def _walk(self, kind: str, path: str, size: int = 0):
        count = self._length() if size < 0 else size
        if kind in PRIMITIVES:
            item, form = ITEM_SIZE[kind], PRIMITIVES[kind]
            length = count * item if size else item
            offset = self._take(length, item if length else 1)
            forms = ((form, (count,)), f'{length}s') if size else (form, CODES[kind])
            self.fields[path] = Place(offset, length, kind, *forms)
        elif size:
            if count > len(self._raw):
                raise self._end()
            self.counts[path] = count
            for index in range(count):
                self._walk(kind, f'{path}.{index}')
        elif kind == 'string':
            length = self._length()
            offset, length = self._take(length, 1), max(length - 1, 0)
            self.fields[path] = Place(offset, length, kind, f'S{length}', f'{length}s')
        else:
            for field in self.definitions[kind]:
                self._path = _joined(path, field.name)
                self._walk(field.type_name, self._path, field.size)

    def _length(self) -> int:
        offset = self._take(4, 4)
        self.lengths[offset] = _UINT32.unpack_from(self._raw, offset)[0]
        return self.lengths[offset]

    def _take(self, size: int, alignment: int) -> int:
        """Return where the next bytes begin."""
        offset = self.size + (BODY - self.size) % alignment
        self.size = offset + size
        if self.size > len(self._raw):
            raise self._end()
        if len(self.fields) + len(self.lengths) + 1 >= self._most:
            raise BadMessageError(f'{self._path} is too long; expected a message of less than '
                                  f'{self._most} fields')
        return offset

    def _end(self) -> BadMessageError:
        return BadMessageError(f'a message of {len(self._raw)} bytes ends inside {self._path}')

    def select(self, paths: Iterable[str], constants: Iterable[str] = ()) -> Selection:
        """
        Return what reads fields off messages of this layout.

        :param constants: fields whose numbers make a message alike, too
        """
        spots = [(offset, 4, 'I', '') for offset in self.lengths]
        for path in (*paths, *constants):
            offset, size, *_, code = self.fields[path]
            spots.append((offset, size, code, path))
        forms, end, places, guards = ['<2s2x'], BODY, {}, [0]
        for place, (offset, size, code, path) in enumerate(sorted(spots), 1):
            forms.append(f'{offset - end}x{code}')
            end = offset + size
            places[path] = place
            if not path or path in constants:
                guards.append(place)
        same = operator.itemgetter(*guards) if len(guards) <= len(spots) else tuple
        return Selection(self.size, struct.Struct(''.join(forms)).unpack_from, places, same)

    def rebuilt(self, leaf: Callable[[str], Any], join: Callable[[str, dict[str, Any]], Any]):
        """
        Put the fields together again, from the inside out.

        :param leaf: is given the path of a field, and returns what stands for it
        :param join: is given a message's type, and what stands for its fields by name, a list for
            a sequence of texts or messages
        """
        def rebuild(kind: str, path: str):
            if path in self.fields:
                return leaf(path)
            if path in self.counts:
                return [rebuild(kind, f'{path}.{index}') for index in range(self.counts[path])]
            return join(kind, {field.name: rebuild(field.type_name, _joined(path, field.name))
                               for field in self.definitions[kind]})
        return rebuild(next(iter(self.definitions)), '')

    @functools.cached_property
    def dtype(self) -> np.dtype:
        """Return what numpy reads a message as, its fields named by path."""
        places = self.fields.values()
        return np.dtype({'names': list(self.fields), 'formats': [p.numpy_format for p in places],
                         'offsets': [p.offset for p in places], 'itemsize': self.size})

    @functools.cached_property
    def _guard(self) -> np.ndarray:
        return np.array([0, 1, *(offset + i for offset in self.lengths for i in range(4))])

    def alike(self, block: np.ndarray) -> np.ndarray:
        """Return which rows of ``block`` (``(n, size)``, uint8) have this layout, as its first."""
        guards = block[:, self._guard]
        return (guards == guards[0]).all(axis=1)

    def cleaned(self, block: np.ndarray) -> np.ndarray:
        """Return rows of ``block`` (``(n, size)``, uint8) with zeros where no field stands."""
        kept = np.zeros(self.size, bool)
        kept[self._guard] = True
        for place in self.fields.values():
            kept[place.offset:place.offset + place.size] = True
        return np.where(kept, block, 0).astype(np.uint8)


class Layouts:
    """
    The layouts that were met lately in messages of one type.

    :param learn: walks a message, and returns what to unpack of the next ones of its layout, and
        what else is to be kept of it
    :param kept: so many are remembered
    """

    def __init__(self, learn: Callable[[bytes], tuple[Selection, Any]], kept: int):
        self._learn = learn
        self._known: collections.deque[tuple] = collections.deque(maxlen=kept)

    def find(self, raw: bytes) -> tuple[Any, tuple]:
        """
        Return what was kept of the layout of a message, and the values that were unpacked.

        :raises DecodeError: if it is not little-endian, or no message of the type
        """
        for size, unpack, same, expected, kept in self._known:
            if len(raw) >= size:
                values = unpack(raw)
                if same(values) == expected:
                    return kept, values
        (size, unpack, _, same), kept = self._learn(raw)
        values = unpack(raw)
        self._known.appendleft((size, unpack, same, same(values), kept))
        return kept, values


def _joined(path: str, name: str) -> str:
    return f'{path}.{name}' if path else name
