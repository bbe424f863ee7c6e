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

"""Camera images at the contract's size, and the images of an observation as arrays."""

import array
import functools

from il_ros.contract.contract import CHANNELS, Contract, Feature
from il_ros.contract.contract_file import Source
from il_ros.ros.conversion.assembly import ObservationError
from il_ros_interfaces.msg import Observation
import numpy as np
from sensor_msgs.msg import CompressedImage, Image


class ImageReader:
    """
    Brings the images of one topic to the size that a feature has.

    The same message gives the same result object, so that an image that stands for several steps
    is resized once.
    """

    def __init__(self, feature: Feature, source: Source):
        self._feature = feature
        self._topic = source.topic
        self._seen: Image | CompressedImage | None = None
        self._result = Image()

    def __call__(self, message: Image | CompressedImage) -> Image:
        """
        Return the image at the contract's size, with the stamp of when it was taken.

        A larger one is made smaller by the mean over each pixel's area; its proportions may
        change.

        :raises ObservationError: for another encoding or frame, a smaller image, or bytes that
            do not fit its size, or are no JPEG or PNG
        """
        if message is not self._seen:
            self._result = self._resized(message)
            self._seen = message
        return self._result

    def _resized(self, message: Image | CompressedImage) -> Image:
        feature, topic = self._feature, self._topic
        frame = message.header.frame_id
        if feature.frame_id and frame != feature.frame_id:
            raise ObservationError(f'{topic} is in frame {frame!r}; expected '
                                   f'{feature.frame_id!r}')
        height, width, channels = feature.shape
        taken = (self._raw(message) if isinstance(message, Image)
                 else self._decompressed(message))
        rows, columns, _ = taken.shape
        if rows < height or columns < width:
            raise ObservationError(
                f'{topic} has {rows}x{columns} pixels; feature {feature.name} '
                f'wants {height}x{width}, and images are never made larger')
        pixels = smaller(taken, height, width)
        return Image(header=message.header, height=height, width=width,
                     encoding=feature.encoding, step=width * channels,
                     data=array.array('B', pixels.tobytes()))

    def _raw(self, message: Image) -> np.ndarray:
        if message.encoding != self._feature.encoding:
            raise ObservationError(f'{self._topic} has encoding {message.encoding!r}; feature '
                                   f'{self._feature.name} wants {self._feature.encoding!r}')
        return pixels_of(message, self._topic)

    def _decompressed(self, message: CompressedImage) -> np.ndarray:
        # Imported here: most observers have no use for Pillow.
        from il_ros.episodes.pictures import decompressed
        try:
            pixels = decompressed(bytes(message.data))
        except ValueError as error:
            raise ObservationError(f'{self._topic} is {error}') from error
        wanted = CHANNELS[self._feature.encoding]
        if pixels.shape[2] != wanted or pixels.dtype != np.uint8:
            raise ObservationError(
                f'{self._topic} has {pixels.shape[2]} channels of {pixels.dtype}; feature '
                f'{self._feature.name} wants {self._feature.encoding!r}, {wanted} of uint8')
        return pixels


def pixels_of(message: Image, topic: str) -> np.ndarray:
    """
    Return the pixels of an 8-bit image, shape ``(height, width, channels)``, uint8.

    :raises ObservationError: if its bytes do not fit its size
    """
    height, width, channels = message.height, message.width, CHANNELS[message.encoding]
    data = np.frombuffer(message.data, np.uint8)
    if message.step < width * channels or len(data) != height * message.step:
        raise ObservationError(
            f'{topic} has {len(data)} bytes in rows of {message.step}; expected {height} rows of '
            f'at least {width * channels}')
    return data.reshape(height, message.step)[:, :width * channels].reshape(
        height, width, channels)


def smaller(pixels: np.ndarray, height: int, width: int) -> np.ndarray:
    """
    Return an image made smaller by the mean over the area of each new pixel.

    :param pixels: shape ``(H, W, channels)``, uint8, with ``H >= height`` and ``W >= width``
    :returns: shape ``(height, width, channels)``, uint8; the same pixels where the size is the
        same
    """
    rows, columns, _ = pixels.shape
    if (rows, columns) == (height, width):
        return pixels
    # In float64 a mean of equal bytes is that byte, and a half is rounded to even.
    mean = np.einsum('hy,yxc,wx->hwc', _shares(rows, height), pixels, _shares(columns, width),
                     optimize=True)
    return np.rint(mean).astype(np.uint8)


@functools.lru_cache(maxsize=16)
def _shares(old: int, new: int) -> np.ndarray:
    """Return how much of each old pixel lies in each new one, shape ``(new, old)``; rows: 1."""
    scale = old / new
    edges = np.arange(new + 1) * scale
    pixels = np.arange(old)
    overlap = (np.minimum(edges[1:, None], pixels + 1.0)
               - np.maximum(edges[:-1, None], pixels))
    return np.maximum(overlap, 0.0) / scale


def images_of(observation: Observation, contract: Contract) -> dict[str, np.ndarray]:
    """
    Return the images of an observation by the names of their features, uint8.

    :raises ObservationError: if they are not those of the contract
    """
    if len(observation.images) != len(contract.images):
        raise ObservationError(f'an observation has {len(observation.images)} images; the '
                               f'contract {contract.name} has {len(contract.images)}')
    images = {}
    for feature, message in zip(contract.images, observation.images):
        if (message.height, message.width, message.encoding) != (
                feature.height, feature.width, feature.encoding):
            raise ObservationError(
                f'image {feature.name} is {message.height}x{message.width} {message.encoding!r}; '
                f'expected {feature.height}x{feature.width} {feature.encoding!r}')
        images[feature.name] = pixels_of(message, feature.name)
    return images
