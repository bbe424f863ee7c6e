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

"""Messages as bytes: of their fields, or again of what ``cdr.groups`` gave with another text."""

import array
from collections.abc import Callable, Iterator, Mapping, Sequence
import functools
import operator
import struct
from typing import Any, NamedTuple

from il_ros.episodes.wire.cdr import groups, layout_of
from il_ros.episodes.wire.decoder import definitions_of_class
from il_ros.episodes.wire.layout import BODY, ITEM_SIZE, LITTLE_ENDIAN
from il_ros.episodes.wire.schema import CODES, Definitions, definitions_of, Field, PRIMITIVES
from il_ros.episodes.wire.schema import Schema
import numpy as np

_KNOWN = 64
"""Combinations of lengths of a type that are remembered."""

_LENGTH = 4
"""Bytes of a length, and how it is aligned."""

Path = tuple[str, ...]
Reader = Callable[[list[Path]], Callable[[Any], Sequence]]
"""From the paths of fields to what reads all of them off a message."""


def with_text(schema: Schema, raws: Sequence[bytes], field: str, text: str) -> list[bytes]:
    """
    Return messages of one type in which the string ``field`` says something else.

    Every other field stays as it is, bit for bit; what stands behind the text moves.

    :param field: of the message itself, e.g. ``episode_id``
    :raises DecodeError: if a message is too short or not little-endian
    :raises SchemaError: if the schema cannot be understood
    """
    changed: list[bytes] = [b''] * len(raws)
    for members, rows in groups(schema, raws):
        layout = layout_of(schema, raws[members[0]])
        for index, row in zip(members, rows, strict=True):
            message = layout.rebuilt(row.__getitem__, lambda _, fields: fields)
            changed[index] = encode(schema, {**message, field: text})
    return changed


def encode(schema: Schema, message: Mapping[str, Any]) -> bytes:
    """
    Return a message as it goes over the wire.

    :param message: a value for each field: numbers, texts (also as bytes), arrays, and mappings
        for messages
    :raises KeyError: if a field is missing
    :raises SchemaError: if the schema cannot be understood
    """
    return _encoder(schema)(message)


@functools.lru_cache(maxsize=64)
def _encoder(schema: Schema) -> Callable[[Mapping[str, Any]], bytes]:
    return _Encoder(definitions_of(schema), _items)


@functools.cache
def encoder(kind: type) -> Callable[[Any], bytes]:
    """
    Return what encodes the messages of a class, as rclpy does and several times faster.

    :param kind: the class; its fields are numbers, strings, messages, and sequences
    :raises DecodeError: if it has fields of another kind
    """
    return _Encoder(definitions_of_class(kind)[1], _slots)


class _Type(NamedTuple):
    """A message's fields, with those of the messages in it."""

    fields: list[Field]
    read: Callable[[Any], Sequence]
    varying: list[tuple[int, Field]]
    """Those that take a length, with their places."""


class _Encoder:
    """
    Encodes messages of one type: as long as all lengths stay, by one ``struct``.

    :param reader: makes what reads the fields off a message
    """

    def __init__(self, definitions: Definitions, reader: Reader):
        self._definitions, self._reader = definitions, reader
        self._types: dict[str, _Type] = {}
        self._top = self._type(next(iter(definitions)))
        self._pack_of = functools.lru_cache(maxsize=_KNOWN)(self._packing)

    def _type(self, name: str) -> _Type:
        if name not in self._types:
            leaves = list(self._leaves(name, ()))
            fields = [field for _, field in leaves]
            varying = [(at, field) for at, field in enumerate(fields)
                       if field.size or field.type_name == 'string']
            self._types[name] = _Type(
                fields, self._reader([path for path, _ in leaves]), varying)
        return self._types[name]

    def _leaves(self, name: str, before: Path) -> Iterator[tuple[Path, Field]]:
        for field in self._definitions[name]:
            path = (*before, field.name)
            if field.size or '/' not in field.type_name:
                yield path, field
            else:
                yield from self._leaves(field.type_name, path)

    def __call__(self, message: Any) -> bytes:
        values: list[Any] = []
        lengths: list[int] = []
        self._collect(self._top, message, values, lengths)
        return self._pack_of(*lengths)(LITTLE_ENDIAN, *values)

    def _collect(self, of: _Type, message: Any, values: list, lengths: list[int]):
        """Put what a message takes behind ``values``, and its lengths behind ``lengths``."""
        fields, done = of.read(message), 0
        for at, (kind, _, size) in of.varying:
            value = fields[at]
            values += fields[done:at]
            done = at + 1
            if kind in PRIMITIVES:
                if not isinstance(value, array.array) or value.typecode != CODES[kind]:
                    value = np.asarray(value, PRIMITIVES[kind])
                raw = value.tobytes()
                if size < 0:
                    values.append(len(raw) // ITEM_SIZE[kind])
                values.append(raw)
                lengths.append(len(raw))
            elif kind == 'string':
                text = _texts(tuple(value), size < 0) if size else _text(value)
                values.append(text)
                lengths.append(len(text))
            else:
                if size < 0:
                    values.append(len(value))
                lengths.append(len(value))
                for item in value:
                    self._collect(self._type(kind), item, values, lengths)
        values += fields[done:]

    def _packing(self, *lengths: int) -> Callable[..., bytes]:
        """Return what packs the values of a message with these lengths."""
        forms = [f'<{len(LITTLE_ENDIAN)}s{BODY - len(LITTLE_ENDIAN)}x']
        size, left = 0, iter(lengths)

        def put(code: str, length: int, alignment: int):
            nonlocal size
            padding = -size % alignment
            forms.append(f'{padding}x{code}')
            size += padding + length

        def walk(of: _Type):
            for kind, _, count in of.fields:
                if kind in PRIMITIVES and not count:
                    put(CODES[kind], ITEM_SIZE[kind], ITEM_SIZE[kind])
                    continue
                length = next(left)
                if count < 0 and kind != 'string':
                    put('I', _LENGTH, _LENGTH)
                if kind == 'string':
                    put(f'{length}s', length, _LENGTH)
                elif kind in PRIMITIVES:
                    put(f'{length}s', length, ITEM_SIZE[kind] if length else 1)
                else:
                    for _ in range(length):
                        walk(self._type(kind))
        walk(self._top)
        return struct.Struct(''.join(forms)).pack


def _items(paths: list[Path]) -> Callable[[Mapping], Sequence]:
    return lambda message: [functools.reduce(operator.getitem, path, message) for path in paths]


def _slots(paths: list[Path]) -> Callable[[Any], Sequence]:
    # Past the properties of a message's class, which would be a function call each.
    names = ['.'.join(f'_{name}' for name in path) for path in paths]
    read = operator.attrgetter(*names)
    return read if len(names) > 1 else lambda message: (read(message),)


@functools.lru_cache(maxsize=1024)
def _text(text: str | bytes) -> bytes:
    """Return a text with its length; frames, ids and names come again and again."""
    raw = text if isinstance(text, bytes) else text.encode()
    return (len(raw) + 1).to_bytes(_LENGTH, 'little') + raw + b'\0'


@functools.lru_cache(maxsize=64)
def _texts(texts: tuple[str | bytes, ...], counted: bool) -> bytes:
    """Return a sequence of texts; each begins at a multiple of its length's size."""
    raw = len(texts).to_bytes(_LENGTH, 'little') if counted else b''
    for text in texts:
        raw += bytes(-len(raw) % _LENGTH) + _text(text)
    return raw
