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
Subscriptions that nodes share: to the contract, and to what comes once a control step.

The latter go without rclpy's slow conversion.
"""

from collections.abc import Callable

from il_ros.bridge.decoder import DecodeError, Decoder
from il_ros.bridge.messages import contract_from_message
from il_ros.data.contract import Contract, ContractError
from il_ros.nodes import qos
from il_ros_interfaces.msg import Contract as ContractMessage
from rclpy.node import Node
from rclpy.qos import QoSProfile
from rclpy.serialization import deserialize_message
from rclpy.subscription import Subscription


def listen(node: Node, kind: type, topic: str, callback: Callable, profile: QoSProfile,
           **arguments) -> Subscription:
    """
    Subscribe as ``create_subscription`` does; the callback gets the same messages, sooner.

    :param arguments: what else ``create_subscription`` takes
    """
    decode = Decoder(kind)

    def on_raw(raw: bytes):
        try:
            message = decode(raw)
        except DecodeError:
            message = deserialize_message(raw, kind)
        callback(message)
    return node.create_subscription(kind, topic, on_raw, profile, raw=True, **arguments)


def listen_to_contract(node: Node, callback: Callable[[Contract], None],
                       **arguments) -> Subscription:
    """
    Subscribe to the latched contract; one that contradicts itself is refused by a log line.

    :param arguments: what else ``create_subscription`` takes
    """
    def on_contract(message: ContractMessage):
        try:
            contract = contract_from_message(message)
        except ContractError as error:
            node.get_logger().error(f'contract refused: {error}')
            return
        callback(contract)
    return node.create_subscription(ContractMessage, 'contract', on_contract, qos.LATCHED,
                                    **arguments)
