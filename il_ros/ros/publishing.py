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

"""Publishing of the messages of a control step: prepared bytes, as ``listening`` takes them."""

from collections.abc import Callable
from typing import Any

from il_ros.episodes.wire.encoding import encoder
from il_ros.errors import DecodeError
from rclpy.publisher import Publisher


def sending(publisher: Publisher) -> Callable[[Any], None]:
    """
    Return what publishes a message as ``publisher.publish`` does, sooner.

    Fields that ``encoder`` does not know go rclpy's own way.
    """
    try:
        encode = encoder(publisher.msg_type)
    except DecodeError:
        return publisher.publish

    def send(message: Any):
        publisher.publish(encode(message))
    return send
