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

"""Camera images at the contract's size: the mean over areas, and a sentence for what is wrong."""

import io

from il_ros.contract.contract import Contract, Feature, IMAGE, TOOL_VELOCITY
from il_ros.contract.contract_file import Source
from il_ros.ros.conversion.assembly import ObservationError
from il_ros.ros.conversion.images import ImageReader, images_of, pixels_of, smaller
from il_ros.ros.conversion.robot_messages import image_message
from il_ros_interfaces.msg import Observation
import numpy as np
from PIL import Image as Coded
import pytest
from sensor_msgs.msg import CompressedImage, Image

FEATURE = Feature('camera', IMAGE, height=4, width=6, encoding='rgb8', frame_id='optical')
SOURCE = Source('camera', 'camera/image_raw', '')
CONTRACT = Contract('test', 20.0, (FEATURE,), TOOL_VELOCITY, 'base', ())


def pixels(height: int, width: int, channels: int = 3, seed: int = 0) -> np.ndarray:
    """Return an image of noise."""
    return np.random.default_rng(seed).integers(0, 256, (height, width, channels), np.uint8)


def message(height: int = 8, width: int = 12, **changes) -> Image:
    """Return a colour image of noise as a message."""
    image = image_message(pixels(height, width), 42, 'optical')
    for name, value in changes.items():
        setattr(image, name, value)
    return image


@pytest.mark.parametrize('height, width', [(4, 6), (3, 5), (1, 1), (7, 11)])
def test_a_smaller_image_has_the_mean_over_the_area_of_each_pixel(height, width):
    image, fine = pixels(8, 12), np.zeros((8 * height, 12 * width, 3))
    fine[:] = np.kron(image, np.ones((height, width, 1)))
    mean = fine.reshape(height, 8, width, 12, 3).mean(axis=(1, 3))
    found = smaller(image, height, width)
    assert (found.shape, found.dtype) == ((height, width, 3), np.uint8)
    assert np.abs(found - mean).max() <= 0.5 + 1e-9


def test_an_even_area_keeps_its_colour_and_an_image_of_that_size_its_pixels():
    assert (smaller(np.full((9, 13, 3), 201, np.uint8), 4, 6) == 201).all()
    image = pixels(4, 6)
    np.testing.assert_array_equal(smaller(image, 4, 6), image)


def test_an_image_is_brought_to_the_contracts_size_and_keeps_its_stamp_and_frame():
    read, image = ImageReader(FEATURE, SOURCE), message()
    found = read(image)
    assert (found.height, found.width, found.encoding, found.step) == (4, 6, 'rgb8', 18)
    assert found.header == image.header
    np.testing.assert_array_equal(pixels_of(found, ''), smaller(pixels(8, 12), 4, 6))
    assert read(image) is found, 'an image that stands is resized once'


def test_rows_may_be_padded():
    padded = np.zeros((8, 40), np.uint8)
    padded[:, :36] = pixels(8, 12).reshape(8, 36)
    image = message(step=40, data=padded.ravel())
    np.testing.assert_array_equal(pixels_of(image, ''), pixels(8, 12))


@pytest.mark.parametrize('image, sentence', [
    (message(encoding='bgr8'), "image_raw has encoding 'bgr8'; feature camera wants 'rgb8'"),
    (message(3, 12), 'camera/image_raw has 3x12 pixels; feature camera wants 4x6'),
    (message(data=np.zeros(5, np.uint8)), 'camera/image_raw has 5 bytes in rows of 36'),
    (message(step=35), 'in rows of 35; expected 8 rows of at least 36'),
    (image_message(pixels(8, 12), 1, 'world'), "camera/image_raw is in frame 'world'")])
def test_an_image_that_cannot_be_used_is_refused_with_one_sentence(image, sentence):
    with pytest.raises(ObservationError, match=sentence):
        ImageReader(FEATURE, SOURCE)(image)


def test_the_images_of_an_observation_come_by_name_and_must_be_the_contracts():
    image = ImageReader(FEATURE, SOURCE)(message())
    found = images_of(Observation(images=[image]), CONTRACT)
    assert list(found) == ['camera']
    assert found['camera'].shape == FEATURE.shape
    with pytest.raises(ObservationError, match='has 0 images; the contract test has 1'):
        images_of(Observation(), CONTRACT)
    with pytest.raises(ObservationError, match="image camera is 8x12 'rgb8'; expected 4x6"):
        images_of(Observation(images=[message()]), CONTRACT)


def compressed(image: np.ndarray, form: str = 'PNG') -> CompressedImage:
    """Return an image as a camera's driver compresses it."""
    file = io.BytesIO()
    Coded.fromarray(image if image.shape[2] > 1 else image[:, :, 0]).save(file, form)
    message = CompressedImage(format=form.lower(), data=file.getvalue())
    message.header.frame_id = 'optical'
    return message


def test_a_compressed_image_gives_the_pixels_of_the_raw_one():
    image, read = pixels(8, 12), ImageReader(FEATURE, SOURCE)
    np.testing.assert_array_equal(
        pixels_of(read(compressed(image)), 'camera'), smaller(image, 4, 6))
    even = np.full((8, 12, 3), (200, 100, 50), np.uint8)
    lossy = pixels_of(read(compressed(even, 'JPEG')), 'camera').astype(int)
    assert np.abs(lossy - (200, 100, 50)).max() <= 3


@pytest.mark.parametrize('sent, sentence', [
    (CompressedImage(data=b'no image'), 'camera/image_raw is not a complete JPEG or PNG'),
    (compressed(pixels(8, 12, 1)), "has 1 channels of uint8; feature camera wants 'rgb8'"),
    (compressed(pixels(3, 12)), 'has 3x12 pixels; feature camera wants 4x6')])
def test_a_compressed_image_that_cannot_be_used_is_refused(sent, sentence):
    sent.header.frame_id = 'optical'
    with pytest.raises(ObservationError, match=sentence):
        ImageReader(FEATURE, SOURCE)(sent)
