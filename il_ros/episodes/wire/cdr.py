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
Serialised messages to arrays, many at a time.

Where the lengths of all strings and sequences agree, every field of a message stands at the
same byte, and a whole recording is read as one numpy array. Messages are therefore grouped by
their layout: the first message of a group is walked by its schema, the others only have to
carry the same lengths. The rules are those of CDR in its little-endian form: four bytes of
encapsulation, and each primitive aligned to its own size behind them.
"""

import collections
from collections.abc import Iterator, Sequence
import functools
import struct

from il_ros.episodes.wire.schema import fields_of, PRIMITIVES, Schema, split
from il_ros.errors import SchemaError
import numpy as np

LITTLE_ENDIAN = b'\x00\x01'
BODY = 4
"""Bytes of encapsulation in front of the first field."""

_KNOWN = 8
"""Layouts of a schema that are remembered: episodes of a run mostly share theirs."""

_UINT32 = struct.Struct('<I')
_ITEM_SIZE = {kind: np.dtype(form).itemsize for kind, form in PRIMITIVES.items()}


class CdrError(ValueError):
    """Bytes that are no message of the given schema; the reader adds the file's name."""


class Layout:
    """
    Where each field stands in one message, and what makes another message alike.

    :ivar guards: where the lengths stand, each an uint32
    """

    def __init__(self, definitions: dict[str, tuple], top: str, raw: bytes):
        """Walk ``raw``, a message of type ``top``."""
        if bytes(raw[:2]) != LITTLE_ENDIAN:
            raise CdrError('a message is not in little-endian CDR')
        self._definitions = definitions
        self._raw = raw
        self._offset = BODY
        self._names, self._formats, self._offsets, self._guards = [], [], [], []
        self._walk(top, '')
        self.size = self._offset
        self.dtype = np.dtype({'names': self._names, 'formats': self._formats,
                               'offsets': self._offsets, 'itemsize': self.size})
        self.guards = tuple(self._guards)
        guards = np.array([0, 1, *(g + i for g in self._guards for i in range(4))])
        self._guard = guards
        self._expected = np.frombuffer(raw, np.uint8, self.size)[guards]
        del self._raw

    def alike(self, block: np.ndarray) -> np.ndarray:
        """Return which rows of ``block`` (``(n, size)``, uint8) have this layout."""
        return (block[:, self._guard] == self._expected).all(axis=1)

    def cleaned(self, block: np.ndarray) -> np.ndarray:
        """Return rows of ``block`` (``(n, size)``, uint8) with zeros where no field stands."""
        kept = np.zeros(self.size, bool)
        kept[self._guard] = True
        for form, offset in (self.dtype.fields or {}).values():
            kept[offset:offset + form.itemsize] = True
        return np.where(kept, block, 0).astype(np.uint8)

    def _walk(self, type_name: str, prefix: str):
        for kind, name, size in self._definitions[type_name]:
            path = prefix + name
            if size == 0:
                self._single(kind, path)
                continue
            count = self._length() if size < 0 else size
            if kind in PRIMITIVES:
                self._array(kind, path, count)
                continue
            if count > len(self._raw):
                raise CdrError(f'{path} claims {count} entries')
            for index in range(count):
                self._single(kind, f'{path}.{index}')

    def _single(self, kind: str, path: str):
        if kind in PRIMITIVES:
            self._advance(path, PRIMITIVES[kind], _ITEM_SIZE[kind], _ITEM_SIZE[kind])
        elif kind == 'string':
            length = self._length()
            self._advance(path, f'S{max(length - 1, 0)}', length, 1)
        else:
            self._walk(kind, path + '.')

    def _array(self, kind: str, path: str, count: int):
        item = _ITEM_SIZE[kind]
        self._advance(path, (PRIMITIVES[kind], (count,)), count * item, item if count else 1)

    def _length(self) -> int:
        self._offset += (BODY - self._offset) % 4
        self._need(4)
        self._guards.append(self._offset)
        length = _UINT32.unpack_from(self._raw, self._offset)[0]
        self._offset += 4
        return length

    def _advance(self, path: str, form, size: int, alignment: int):
        self._offset += (BODY - self._offset) % alignment
        self._need(size)
        self._names.append(path)
        self._formats.append(form)
        self._offsets.append(self._offset)
        self._offset += size

    def _need(self, size: int):
        if self._offset + size > len(self._raw):
            raise CdrError(f'a message of {len(self._raw)} bytes ends inside a field')


def groups(schema: Schema, raws: Sequence[bytes]) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """
    Decode messages of one type, those of equal layout together.

    :param raws: serialised messages; bytes behind the last field are ignored
    :returns: pairs of indices into ``raws`` and rows, a structured array whose fields are
        named by path: ``header.stamp.sec``, ``values``, ``candidates.0.source``
    :raises CdrError: if a message is too short or not little-endian
    :raises SchemaError: if the schema cannot be understood
    """
    sizes = np.fromiter(map(len, raws), np.int64, len(raws))
    pending = np.arange(len(raws))
    while pending.size:
        layout = layout_of(schema, raws[pending[0]])
        fitting = pending[sizes[pending] >= layout.size]
        joined = b''.join([raws[index][:layout.size] for index in fitting])
        block = np.frombuffer(joined, np.uint8).reshape(-1, layout.size)
        alike = layout.alike(block)
        if alike.all():
            members = fitting
        else:
            block, members = block[alike], fitting[alike]
        yield members, block.view(layout.dtype)[:, 0]
        done = len(members) == len(pending)
        pending = pending[:0] if done else np.setdiff1d(pending, members, assume_unique=True)


def canonical(schema: Schema, raws: Sequence[bytes]) -> list[bytes]:
    """
    Return messages of one type without what a sender leaves between and behind their fields.

    Some middleware sends uninitialised padding and up to 8 trailing bytes, which strict readers
    refuse; every field stays as it is, bit for bit.

    :raises CdrError: if a message is too short or not little-endian
    :raises SchemaError: if the schema cannot be understood
    """
    clean: list[bytes] = [b''] * len(raws)
    # Compressed images have a layout each: of equal size only a few are compared.
    by_size: dict[int, list[int]] = collections.defaultdict(list)
    for index, raw in enumerate(raws):
        by_size[len(raw)].append(index)
    for indices in by_size.values():
        for members, rows in groups(schema, [raws[index] for index in indices]):
            layout = layout_of(schema, raws[indices[members[0]]])
            block = np.ascontiguousarray(rows).view(np.uint8).reshape(len(rows), layout.size)
            for member, row in zip(members, layout.cleaned(block), strict=True):
                clean[indices[member]] = row.tobytes()
    return clean


def layout_of(schema: Schema, raw: bytes) -> Layout:
    """
    Return the layout of one message: one that was met before, or a new one.

    :raises CdrError: if the message is too short or not little-endian
    :raises SchemaError: if the schema cannot be understood
    """
    top, definitions, known = _definitions(schema)
    for layout in known:
        if len(raw) >= layout.size:
            row = np.frombuffer(raw, np.uint8, layout.size)[None]
            if layout.alike(row)[0]:
                return layout
    known.appendleft(Layout(definitions, top, raw))
    return known[0]


@functools.lru_cache(maxsize=64)
def _definitions(schema: Schema) -> tuple[str, dict[str, tuple], collections.deque[Layout]]:
    texts = split(schema)
    definitions = {
        name: tuple((field.type_name, field.name, field.size) for field in fields_of(name, text))
        for name, text in texts.items()}
    for name, fields in definitions.items():
        for kind, _, _ in fields:
            if '/' in kind and kind not in definitions:
                raise SchemaError(f'{name} uses {kind}, which its schema does not define')
    return next(iter(texts)), definitions, collections.deque(maxlen=_KNOWN)
