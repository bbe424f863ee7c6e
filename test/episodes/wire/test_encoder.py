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
"""The fast encoder gives the bytes that rclpy gives, whatever the lengths in a message."""

import random

from geometry_msgs.msg import PoseArray, PoseStamped
from il_ros.episodes.wire.cdr import canonical
from il_ros.episodes.wire.decoder import Decoder
from il_ros.episodes.wire.encoding import encoder
from il_ros.episodes.wire.schema import find_schema
from il_ros.errors import DecodeError
from il_ros_interfaces.msg import Action, EpisodeStatus, Executed, Observation
import pytest
from rclpy.serialization import serialize_message
from sensor_msgs.msg import CameraInfo, JointState
from std_msgs.msg import Float64, Float64MultiArray
from test_decoder import MAKERS


def by_rclpy(message) -> bytes:
    """Return what rclpy writes, without what stands between and behind the fields."""
    kind = type(message)
    schema = find_schema(f'{kind.__module__.partition(".")[0]}/msg/{kind.__name__}')
    return canonical(schema, [serialize_message(message)])[0]


@pytest.mark.parametrize('make', MAKERS)
def test_a_message_has_the_bytes_that_rclpy_gives_it(make):
    rng = random.Random(3)
    for _ in range(60):
        message = make(rng)
        raw = encoder(type(message))(message)
        assert raw == by_rclpy(message)
        assert encoder(type(message))(Decoder(type(message))(raw)) == raw


@pytest.mark.parametrize('kind', [
    Action, EpisodeStatus, Executed, Observation, JointState, PoseArray, PoseStamped, Float64,
    Float64MultiArray])
def test_an_empty_message_has_the_bytes_that_rclpy_gives_it(kind):
    assert encoder(kind)(kind()) == by_rclpy(kind())


def test_a_type_with_fields_of_another_kind_is_refused():
    with pytest.raises(DecodeError, match='not known'):
        encoder(CameraInfo)
