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
Message definitions as an MCAP file carries them, so that it opens anywhere.

The text of a ``ros2msg`` schema is the definition of the message, then those of all messages
in it, each behind a line of equal signs and ``MSG: package/Type``.
"""

from collections.abc import Callable
import dataclasses
import functools
import os
from pathlib import Path
import re
import sys
from typing import NamedTuple

from il_ros.errors import SchemaError

SEPARATOR = '=' * 80

OBSERVATION = 'il_ros_interfaces/msg/Observation'
EXECUTED = 'il_ros_interfaces/msg/Executed'
STATUS = 'il_ros_interfaces/msg/EpisodeStatus'
ACTION = 'il_ros_interfaces/msg/Action'

RECORDED = {'observation': OBSERVATION, 'executed': EXECUTED, 'episode': STATUS}
"""Topics that every episode file has, with the type of their messages."""

_FIELD = re.compile(r'^([\w/]+)(?:<=\d+)?(\[(?:<=)?(\d*)\])?\s+(\w+)')
_CONSTANT = re.compile(r'^[\w<=]+\s+\w+\s*=')

PRIMITIVES = {
    'bool': 'u1', 'byte': 'u1', 'char': 'u1', 'int8': 'i1', 'uint8': 'u1',
    'int16': '<i2', 'uint16': '<u2', 'int32': '<i4', 'uint32': '<u4',
    'int64': '<i8', 'uint64': '<u8', 'float32': '<f4', 'float64': '<f8'}
"""Fixed-size types, as numpy formats."""

CODES = {
    'bool': '?', 'byte': 'B', 'char': 'B', 'int8': 'b', 'uint8': 'B', 'int16': 'h',
    'uint16': 'H', 'int32': 'i', 'uint32': 'I', 'int64': 'q', 'uint64': 'Q', 'float32': 'f',
    'float64': 'd'}
"""The same, as codes of ``struct``."""


@dataclasses.dataclass(frozen=True)
class Schema:
    """The type of a channel: its full name and the text of its definition."""

    name: str
    text: str


class Field(NamedTuple):
    """One field of a definition."""

    type_name: str
    """A primitive's name, ``string``, or ``package/Type``."""

    name: str
    size: int
    """0: a single value; -1: a sequence; else an array of that many."""


Definitions = dict[str, list[Field]]
"""The fields of each message (``package/Type``) in a type, its own first."""


def recorded_schemas(topics: dict[str, str] = RECORDED) -> dict[str, Schema]:
    """
    Return the schema of each topic, from the definitions that are installed.

    :param topics: name of a topic to the full name of its type
    :raises SchemaError: if a definition is in none of the places where ROS installs them
    """
    return {topic: find_schema(type_name) for topic, type_name in topics.items()}


@functools.cache
def find_schema(type_name: str) -> Schema:
    """
    Return the schema of ``package/msg/Type`` from the definitions that are installed.

    :raises SchemaError: naming the definition that is missing and where it was sought
    """
    return _gathered(type_name, _definition)


def extract(schema: Schema, type_name: str) -> Schema:
    """
    Return the schema of a message that ``schema`` contains, without any installed definition.

    :raises SchemaError: if it does not contain it
    """
    try:
        return _gathered(type_name, split(schema).__getitem__)
    except KeyError as error:
        raise SchemaError(f'the schema of {schema.name} holds no {type_name}') from error


def _gathered(type_name: str, text_of: Callable[[str], str]) -> Schema:
    """Return the definition of a message, and those of all messages in it, behind each other."""
    names, parts = [type_name.replace('/msg/', '/')], list[str]()
    for name in names:
        text = text_of(name).rstrip('\n')
        parts.append(f'MSG: {name}\n{text}' if parts else text)
        kinds = dict.fromkeys(field.type_name for field in fields_of(name, text))
        names += [kind for kind in kinds if '/' in kind and kind not in names]
    return Schema(type_name, f'\n{SEPARATOR}\n'.join(parts) + '\n')


def split(schema: Schema) -> dict[str, str]:
    """Return the definitions in a schema by ``package/Type``; the message's own comes first."""
    top = schema.name.replace('/msg/', '/')
    texts = {}
    for part in re.split(r'^={3,}\s*$', schema.text, flags=re.MULTILINE):
        head = re.match(r'\s*MSG:\s*(\S+)\s*$', part, flags=re.MULTILINE)
        if head:
            texts[head[1].replace('/msg/', '/')] = part[head.end():].lstrip('\n')
        else:
            texts[top] = part
    return texts


def fields_of(top: str, text: str) -> list[Field]:
    """
    Return the fields of one definition, in order.

    :param top: ``package/Type``, whose package completes bare names
    :raises SchemaError: if a line is neither field, constant nor comment
    """
    fields = []
    for line in text.splitlines():
        line = line.partition('#')[0].strip()
        if not line or _CONSTANT.match(line):
            continue
        match = _FIELD.match(line)
        if match is None:
            raise SchemaError(f'{top}: {line!r} is no field of a message')
        kind, brackets, size, name = match.groups()
        if kind not in PRIMITIVES and kind != 'string':
            kind = kind.replace('/msg/', '/')
            kind = kind if '/' in kind else f'{top.partition("/")[0]}/{kind}'
        bounded = brackets and ('<=' in brackets or not size)
        fields.append(Field(kind, name, -1 if bounded else int(size or 0)))
    return fields


@functools.lru_cache(maxsize=64)
def definitions_of(schema: Schema) -> Definitions:
    """
    Return the fields of all messages in a schema.

    :raises SchemaError: if it cannot be understood
    """
    definitions = {name: fields_of(name, text) for name, text in split(schema).items()}
    for name, fields in definitions.items():
        for field in fields:
            if '/' in field.type_name and field.type_name not in definitions:
                raise SchemaError(
                    f'{name} uses {field.type_name}, which its schema does not define')
    return definitions


def _definition(name: str) -> str:
    package, _, message = name.partition('/')
    prefixes = [p for p in os.environ.get('AMENT_PREFIX_PATH', '').split(os.pathsep) if p]
    for prefix in [*prefixes, sys.prefix]:
        path = Path(prefix, 'share', package, 'msg', f'{message}.msg')
        if path.is_file():
            return path.read_text()
    raise SchemaError(
        f'the definition of {name} is missing: no share/{package}/msg/{message}.msg under '
        f'{" or ".join([*prefixes, sys.prefix])}')
