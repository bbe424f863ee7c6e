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
Subscriptions and timers of nodes: the one place where they are created, and messages are refused.

A message that cannot be decoded, or that its callback refuses by raising an ``ImitationError``, is
counted and said (``refusals``), and changes nothing else: no message ends a node. All of them are
raw subscriptions, decoded without rclpy's slow conversion.
"""

from collections.abc import Callable

from il_ros.contract.contract import Contract
from il_ros.episodes.wire.decoder import Decoder
from il_ros.errors import BadMessageError, DecodeError, ImitationError
from il_ros.ros import qos
from il_ros.ros.conversion.messages import contract_from_message
from il_ros.ros.refusals import refusals_of
from il_ros_interfaces.msg import Contract as ContractMessage
from rclpy.callback_groups import CallbackGroup
from rclpy.clock import Clock, ClockType
from rclpy.impl.implementation_singleton import rclpy_implementation
from rclpy.node import Node
from rclpy.qos import QoSProfile
from rclpy.serialization import deserialize_message
from rclpy.subscription import Subscription
from rclpy.timer import Timer


def listen(node: Node, kind: type, topic: str, callback: Callable, profile: QoSProfile,
           check: Callable | None = None, **arguments) -> Subscription:
    """
    Subscribe as ``create_subscription`` does; the callback gets the same messages, sooner.

    :param callback: an ``ImitationError`` that it raises is the refusal of the message
    :param check: is given each message before the callback, and refuses in the same way
    :param arguments: what else ``create_subscription`` takes
    """
    decode, refusals = Decoder(kind), refusals_of(node)

    # One function: a control step is some fifteen of these calls.
    def on_raw(raw: bytes):
        try:
            try:
                message = decode(raw)
            except BadMessageError:
                raise
            except DecodeError:
                message = _decode_slowly(kind, raw)
            if check is not None:
                check(message)
            callback(message)
        except ImitationError as error:
            refusals.add(topic, error)
    return node.create_subscription(kind, topic, on_raw, profile, raw=True, **arguments)


def listen_raw(node: Node, kind: type, topic: str, callback: Callable[[bytes], None],
               profile: QoSProfile, **arguments) -> Subscription:
    """Subscribe as ``listen`` does; the callback gets the bytes as they came over the wire."""
    refusals = refusals_of(node)

    def on_raw(raw: bytes):
        try:
            callback(raw)
        except ImitationError as error:
            refusals.add(topic, error)
    return node.create_subscription(kind, topic, on_raw, profile, raw=True, **arguments)


def listen_to_contract(node: Node, callback: Callable[[Contract], None],
                       **arguments) -> Subscription:
    """Subscribe to the latched contract; one that contradicts itself is refused."""
    def on_contract(message: ContractMessage):
        callback(contract_from_message(message))
    return listen(node, ContractMessage, 'contract', on_contract, qos.LATCHED, **arguments)


def every(node: Node, period_s: float, callback: Callable[[], None],
          group: CallbackGroup | None = None) -> Timer:
    """Call a function again and again, by a clock that never stops: a watchdog needs it."""
    return node.create_timer(period_s, callback, callback_group=group,
                             clock=Clock(clock_type=ClockType.STEADY_TIME))


def _decode_slowly(kind: type, raw: bytes):
    try:
        return deserialize_message(raw, kind)
    except rclpy_implementation.RMWError as error:
        raise BadMessageError(f'{len(raw)} bytes that are no {kind.__name__}') from error
