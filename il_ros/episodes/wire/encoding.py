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

from collections.abc import Mapping, Sequence
from typing import Any

from il_ros.episodes.wire.cdr import groups, layout_of
from il_ros.episodes.wire.layout import BODY, LITTLE_ENDIAN
from il_ros.episodes.wire.schema import Definitions, definitions_of, PRIMITIVES, Schema
import numpy as np


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
    definitions = definitions_of(schema)
    writer = _Writer(definitions)
    writer.write(next(iter(definitions)), message)
    return bytes(writer.raw)


class _Writer:
    """A message in the making, by the rules of ``layout``."""

    def __init__(self, definitions: Definitions):
        self.raw = bytearray(LITTLE_ENDIAN + b'\0\0')
        self._definitions = definitions

    def write(self, type_name: str, message: Mapping[str, Any]):
        """Write a message, or one inside another."""
        for kind, name, size in self._definitions[type_name]:
            value = message[name]
            if kind in PRIMITIVES:
                self._numbers(kind, value, size < 0)
                continue
            if size < 0:
                self._count(len(value))
            for item in value if size else (value,):
                if kind == 'string':
                    self._text(item if isinstance(item, bytes) else item.encode())
                else:
                    self.write(kind, item)

    def _numbers(self, kind: str, values, counted: bool):
        array = np.asarray(values, PRIMITIVES[kind])
        if counted:
            self._count(array.size)
        if array.size:
            self._pad(array.itemsize)
        self.raw += array.tobytes()

    def _text(self, text: bytes):
        self._count(len(text) + 1)
        self.raw += text + b'\0'

    def _count(self, number: int):
        self._pad(4)
        self.raw += number.to_bytes(4, 'little')

    def _pad(self, alignment: int):
        self.raw += bytes((BODY - len(self.raw)) % alignment)
