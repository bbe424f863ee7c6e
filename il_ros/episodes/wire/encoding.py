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


"""Messages again from the fields that ``cdr.groups`` gave, one text among them replaced."""

from collections.abc import Sequence

from il_ros.episodes.wire.cdr import BODY, groups, LITTLE_ENDIAN
from il_ros.episodes.wire.schema import fields_of, PRIMITIVES, Schema, split
import numpy as np


def with_text(schema: Schema, raws: Sequence[bytes], field: str, text: str) -> list[bytes]:
    """
    Return messages of one type in which the string ``field`` says something else.

    Every other field stays as it is, bit for bit; what stands behind the text moves.

    :param field: path of the field, e.g. ``episode_id``
    :raises CdrError: if a message is too short or not little-endian
    :raises SchemaError: if the schema cannot be understood
    """
    definitions = {name: fields_of(name, body) for name, body in split(schema).items()}
    changed: list[bytes] = [b''] * len(raws)
    for members, rows in groups(schema, raws):
        for index, row in zip(members, rows, strict=True):
            encoder = _Encoder(definitions, row, {field: text.encode()})
            changed[index] = encoder.message(next(iter(definitions)))
    return changed


class _Encoder:
    """One message in the making."""

    def __init__(self, definitions: dict, row: np.void, replaced: dict[str, bytes]):
        self._definitions, self._row, self._replaced = definitions, row, replaced
        self._names = row.dtype.names or ()
        self._raw = bytearray(LITTLE_ENDIAN + b'\0\0')

    def message(self, top: str) -> bytes:
        """Return the serialised message of type ``top``."""
        self._write(top, '')
        return bytes(self._raw)

    def _write(self, type_name: str, prefix: str):
        for field in self._definitions[type_name]:
            path = prefix + field.name
            if field.size == 0:
                self._single(field.type_name, path)
            elif field.type_name in PRIMITIVES:
                self._array(field.type_name, path, field.size < 0)
            else:
                self._sequence(field.type_name, path, field.size)

    def _single(self, kind: str, path: str):
        if kind in PRIMITIVES:
            values = np.asarray(self._row[path], PRIMITIVES[kind])
            self._pad(values.itemsize)
            self._raw += values.tobytes()
        elif kind == 'string':
            text = self._replaced.get(path, bytes(self._row[path])) + b'\0'
            self._count(len(text))
            self._raw += text
        else:
            self._write(kind, f'{path}.')

    def _array(self, kind: str, path: str, counted: bool):
        values = np.asarray(self._row[path], PRIMITIVES[kind])
        if counted:
            self._count(values.size)
        if values.size:
            self._pad(values.itemsize)
        self._raw += values.tobytes()

    def _sequence(self, kind: str, path: str, size: int):
        begins = f'{path}.'
        count = len({name[len(begins):].partition('.')[0] for name in self._names
                     if name.startswith(begins)})
        if size < 0:
            self._count(count)
        for index in range(count):
            self._single(kind, f'{path}.{index}')

    def _count(self, number: int):
        self._pad(4)
        self._raw += np.uint32(number).astype('<u4').tobytes()

    def _pad(self, alignment: int):
        self._raw += bytes((BODY - len(self._raw)) % alignment)
