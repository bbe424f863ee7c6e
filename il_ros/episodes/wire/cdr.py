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

Where the lengths of all strings and sequences agree a whole recording is read as one numpy array.
Messages are therefore grouped by their layout: the first message of a group is walked by its
schema, the others only have to carry the same lengths.
"""

import collections
from collections.abc import Iterator, Sequence
import functools

from il_ros.episodes.wire.layout import Layout, Layouts
from il_ros.episodes.wire.schema import definitions_of, Schema
import numpy as np

NS = 1_000_000_000
"""Nanoseconds in a second."""

_KNOWN = 8
"""Layouts of a schema that are remembered: episodes of a run mostly share theirs."""


def groups(schema: Schema, raws: Sequence[bytes]) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """
    Decode messages of one type, those of equal layout together.

    :param raws: serialised messages; bytes behind the last field are ignored
    :returns: pairs of indices into ``raws`` and rows, a structured array whose fields are
        named by path: ``header.stamp.sec``, ``values``, ``candidates.0.source``
    :raises DecodeError: if a message is too short or not little-endian
    :raises SchemaError: if the schema cannot be understood
    """
    sizes = np.fromiter(map(len, raws), np.int64, len(raws))
    pending = np.arange(len(raws))
    while pending.size:
        layout = layout_of(schema, raws[pending[0]])
        size = layout.size
        fitting = pending[sizes[pending] >= size]
        joined = b''.join([raws[index][:size] for index in fitting])
        block = np.frombuffer(joined, np.uint8).reshape(-1, size)
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

    :raises DecodeError: if a message is too short or not little-endian
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

    :raises DecodeError: if the message is too short or not little-endian
    :raises SchemaError: if the schema cannot be understood
    """
    return _layouts(schema).find(raw)[0]


@functools.lru_cache(maxsize=64)
def _layouts(schema: Schema) -> Layouts:
    def learn(raw: bytes):
        layout = Layout(definitions_of(schema), raw)
        return layout.select(()), layout
    return Layouts(learn, _KNOWN)


def stamps_of(rows: np.ndarray) -> np.ndarray:
    """Return the stamps of messages (or of one) that have a header, in nanoseconds."""
    return rows['header.stamp.sec'].astype(np.int64) * NS + rows['header.stamp.nanosec']
