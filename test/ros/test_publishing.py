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
"""Messages are published as bytes, through the same gate as before."""

from il_ros.ros.publishing import sending
import pytest
from rclpy.lifecycle.managed_entity import SimpleManagedEntity
from rclpy.serialization import deserialize_message
from sensor_msgs.msg import CameraInfo, JointState


class Gate(SimpleManagedEntity):
    """A lifecycle publisher that keeps what goes out."""

    def __init__(self, kind: type):
        super().__init__()
        self.msg_type, self.sent = kind, []

    @SimpleManagedEntity.when_enabled
    def publish(self, message):
        """Keep a message."""
        self.sent.append(message)


@pytest.mark.parametrize('kind', [JointState, CameraInfo])
def test_an_inactive_publisher_sends_nothing(kind):
    gate = Gate(kind)
    send = sending(gate)
    send(kind())
    assert not gate.sent
    gate.on_activate(None)
    send(kind())
    assert len(gate.sent) == 1
    gate.on_deactivate(None)
    send(kind())
    assert len(gate.sent) == 1


def test_known_fields_go_out_as_bytes_and_others_as_rclpy_takes_them():
    known, other = Gate(JointState), Gate(CameraInfo)
    for gate in (known, other):
        gate.on_activate(None)
    message = JointState(name=['a'], position=[0.5])
    sending(known)(message)
    assert deserialize_message(known.sent[0], JointState) == message
    sending(other)(CameraInfo(width=3))
    assert other.sent == [CameraInfo(width=3)]
