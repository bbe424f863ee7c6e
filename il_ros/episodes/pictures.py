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
Full-size images of an episode's streams as arrays: raw ones, and JPEG and PNG by Pillow.

Encodings are those of ``sensor_msgs/image_encodings.hpp``; the compressed formats are those of
``compressed_image_transport``.
"""

from collections.abc import Iterator
import dataclasses
import io

from il_ros.episodes.mcap import Channel, McapFile
from il_ros.episodes.streams import stream_channels
from il_ros.episodes.wire.cdr import groups, stamps_of
from il_ros.episodes.wire.schema import Schema
from il_ros.errors import DecodeError, EpisodeFileError, SchemaError, StreamError
import numpy as np
from PIL import Image

IMAGE = 'sensor_msgs/msg/Image'
COMPRESSED_IMAGE = 'sensor_msgs/msg/CompressedImage'
TYPES = (IMAGE, COMPRESSED_IMAGE)

_ENCODINGS = {
    'rgb8': ('u1', 3, (0, 1, 2)), 'bgr8': ('u1', 3, (2, 1, 0)),
    'rgba8': ('u1', 4, (0, 1, 2, 3)), 'bgra8': ('u1', 4, (2, 1, 0, 3)),
    'mono8': ('u1', 1, (0,)), '8UC1': ('u1', 1, (0,)),
    'mono16': ('u2', 1, (0,)), '16UC1': ('u2', 1, (0,)), '32FC1': ('f4', 1, (0,))}
"""Item type, channels, and where red, green, blue (and alpha) stand."""


@dataclasses.dataclass(frozen=True)
class Picture:
    """One image of a stream."""

    stamp_ns: int
    """When it was taken, as its header says."""

    received_ns: int
    """When it reached the recorder, by the time of day."""

    pixels: np.ndarray
    """``(height, width, channels)``: red, green, blue first, whatever travelled."""


def pictures(file: McapFile, topic: str) -> Iterator[Picture]:
    """
    Return the images of a stream one after the other, in the order of their arrival.

    :param file: an episode's, from ``read_mcap``
    :param topic: of the stream, as it was asked for
    :raises StreamError: if the episode has no such stream of images, or an encoding is unknown
    :raises EpisodeFileError: naming the file, if an image is damaged
    """
    channel = stream_channels(file).get(topic)
    if channel is None or channel.schema.name not in TYPES:
        known = [name for name, one in stream_channels(file).items() if one.schema.name in TYPES]
        raise StreamError(f'{file.path} has no stream of images {topic!r}; it has '
                          f'{", ".join(known) or "none"}')
    return _pictures(file, channel)


def _pictures(file: McapFile, channel: Channel) -> Iterator[Picture]:
    for begin, end in channel.spots:
        try:
            stamp_ns, pixels = decoded(channel.schema, file.data[begin:end])
        except (DecodeError, SchemaError, KeyError, ValueError) as error:
            raise EpisodeFileError(
                f'{file.path}: an image of {channel.topic} is damaged: {error}') from error
        except StreamError as error:
            raise StreamError(f'{file.path}: {channel.topic}: {error}') from error
        yield Picture(stamp_ns, file.log_time_ns(begin), pixels)


def decoded(schema: Schema, raw: bytes) -> tuple[int, np.ndarray]:
    """
    Return the stamp in ns and the pixels, ``(height, width, channels)``, of an image message.

    :param schema: of ``sensor_msgs/msg/Image`` or ``CompressedImage``
    :raises StreamError: if its encoding or format is none that is known here
    :raises DecodeError: if the message is too short
    :raises ValueError: if it has another size than it says, or is not a complete JPEG or PNG
    """
    _, rows = next(groups(schema, [raw]))
    row = rows[0]
    stamp_ns = int(stamps_of(row))
    if schema.name == COMPRESSED_IMAGE:
        return stamp_ns, decompressed(row['data'].tobytes())
    encoding = row['encoding'].decode()
    if encoding not in _ENCODINGS:
        raise StreamError(f'the encoding {encoding!r} is unknown; expected one of '
                          f'{", ".join(_ENCODINGS)}')
    return stamp_ns, _unpacked(row, *_ENCODINGS[encoding])


def _unpacked(row: np.void, item: str, channels: int, order: tuple[int, ...]) -> np.ndarray:
    height, width, step = int(row['height']), int(row['width']), int(row['step'])
    kind = np.dtype(item).newbyteorder('>' if row['is_bigendian'] else '<')
    used = width * channels * kind.itemsize
    if row['data'].size != height * step or step < used:
        raise ValueError(f'{row["data"].size} bytes are no {height} rows of {step}')
    lines = np.ascontiguousarray(row['data'].reshape(height, step)[:, :used])
    pixels = lines.view(kind).reshape(height, width, channels)
    return pixels[..., order].astype(kind.newbyteorder('='))


def decompressed(data: bytes) -> np.ndarray:
    """
    Return the pixels, ``(height, width, channels)``, of a JPEG or PNG.

    :raises ValueError: if it is no complete one
    """
    try:
        with Image.open(io.BytesIO(data), formats=('JPEG', 'PNG')) as image:
            coded = image.mode in ('P', 'CMYK', 'YCbCr')
            pixels = np.asarray(image.convert('RGB') if coded else image)
    except (OSError, SyntaxError, Image.DecompressionBombError) as error:
        raise ValueError(f'not a complete JPEG or PNG: {error}') from error
    return pixels if pixels.ndim == 3 else pixels[:, :, None]
