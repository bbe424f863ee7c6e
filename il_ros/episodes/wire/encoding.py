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
import functools
from typing import Any

from il_ros.episodes.wire.cdr import BODY, groups, LITTLE_ENDIAN
from il_ros.episodes.wire.schema import Field, fields_of, PRIMITIVES, Schema, split
import numpy as np


def with_text(schema: Schema, raws: Sequence[bytes], field: str, text: str) -> list[bytes]:
    """
    Return messages of one type in which the string ``field`` says something else.

    Every other field stays as it is, bit for bit; what stands behind the text moves.

    :param field: path of the field, e.g. ``episode_id``
    :raises CdrError: if a message is too short or not little-endian
    :raises SchemaError: if the schema cannot be understood
    """
    definitions = _definitions(schema)
    changed: list[bytes] = [b''] * len(raws)
    for members, rows in groups(schema, raws):
        for index, row in zip(members, rows, strict=True):
            encoder = _Encoder(definitions, row, {field: text.encode()})
            changed[index] = encoder.message(next(iter(definitions)))
    return changed


def encode(schema: Schema, message: Mapping[str, Any]) -> bytes:
    """
    Return a message as it goes over the wire.

    :param message: a value for each field: numbers, texts, arrays, and mappings for messages
    :raises KeyError: if a field is missing
    :raises SchemaError: if the schema cannot be understood
    """
    definitions = _definitions(schema)
    writer = _Writer(definitions)
    writer.write(next(iter(definitions)), message)
    return bytes(writer.raw)


@functools.lru_cache(maxsize=16)
def _definitions(schema: Schema) -> dict[str, list[Field]]:
    return {name: fields_of(name, body) for name, body in split(schema).items()}


class _Bytes:
    """A message in the making, by the rules of ``cdr``."""

    def __init__(self):
        self.raw = bytearray(LITTLE_ENDIAN + b'\0\0')

    def numbers(self, kind: str, values, counted: bool = False):
        """Write numbers of one type, their count in front if the field is a sequence."""
        array = np.asarray(values, PRIMITIVES[kind])
        if counted:
            self.count(array.size)
        if array.size:
            self.pad(array.itemsize)
        self.raw += array.tobytes()

    def text(self, text: bytes):
        """Write a string."""
        self.count(len(text) + 1)
        self.raw += text + b'\0'

    def count(self, number: int):
        """Write how many entries follow."""
        self.pad(4)
        self.raw += number.to_bytes(4, 'little')

    def pad(self, alignment: int):
        """Write zeros up to the next multiple of a size."""
        self.raw += bytes((BODY - len(self.raw)) % alignment)


class _Writer(_Bytes):
    """Writes the fields of mappings."""

    def __init__(self, definitions: dict[str, list[Field]]):
        super().__init__()
        self._definitions = definitions

    def write(self, type_name: str, message: Mapping[str, Any]):
        """Write a message, or one inside another."""
        for field in self._definitions[type_name]:
            value = message[field.name]
            if field.type_name in PRIMITIVES:
                self.numbers(field.type_name, value, field.size < 0)
                continue
            if field.size < 0:
                self.count(len(value))
            for item in value if field.size else (value,):
                if field.type_name == 'string':
                    self.text(item.encode())
                else:
                    self.write(field.type_name, item)


class _Encoder(_Bytes):
    """Writes the fields of a row again."""

    def __init__(self, definitions: dict, row: np.void, replaced: dict[str, bytes]):
        super().__init__()
        self._definitions, self._row, self._replaced = definitions, row, replaced
        self._names = row.dtype.names or ()

    def message(self, top: str) -> bytes:
        """Return the serialised message of type ``top``."""
        self._write(top, '')
        return bytes(self.raw)

    def _write(self, type_name: str, prefix: str):
        for field in self._definitions[type_name]:
            path = prefix + field.name
            if field.type_name in PRIMITIVES:
                self.numbers(field.type_name, self._row[path], field.size < 0)
            elif field.size == 0:
                self._single(field.type_name, path)
            else:
                self._sequence(field.type_name, path, field.size)

    def _single(self, kind: str, path: str):
        if kind == 'string':
            self.text(self._replaced.get(path, bytes(self._row[path])))
        else:
            self._write(kind, f'{path}.')

    def _sequence(self, kind: str, path: str, size: int):
        begins = f'{path}.'
        count = len({name[len(begins):].partition('.')[0] for name in self._names
                     if name.startswith(begins)})
        if size < 0:
            self.count(count)
        for index in range(count):
            self._single(kind, f'{path}.{index}')
