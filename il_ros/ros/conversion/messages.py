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

"""Pure types to messages and back: plans, specifications, contracts, receipts, stamps."""

import array
from collections.abc import Sequence
import dataclasses

from builtin_interfaces.msg import Time
from il_ros.contract.contract import ActionElement, Contract, ContractError, Feature
from il_ros.contract.episode_spec import DrivePlan, EpisodeSpec
from il_ros.episodes.receipts import Receipt
from il_ros.episodes.wire.cdr import NS
from il_ros_interfaces import msg as messages
import numpy as np


def to_ns(stamp: Time) -> int:
    """Return a stamp as integer nanoseconds."""
    return stamp.sec * NS + stamp.nanosec


def to_stamp(nanoseconds: int) -> Time:
    """Return integer nanoseconds as a stamp."""
    return Time(sec=nanoseconds // NS, nanosec=nanoseconds % NS)


def float32s(values: np.ndarray | Sequence[float]) -> array.array:
    """Return ``values`` as a message field takes them without a copy an element."""
    return array.array('f', np.asarray(values, np.float32).tobytes())


def spec_to_message(spec: EpisodeSpec) -> messages.EpisodeSpec:
    """Return the message of an episode's specification."""
    return _fill(messages.EpisodeSpec(), spec)


def spec_from_message(message: messages.EpisodeSpec) -> EpisodeSpec:
    """
    Return the specification that a message carries.

    :raises SpecError: naming the first field that is out of range
    """
    plan = DrivePlan(**_fields(DrivePlan, message.plan))
    return EpisodeSpec(**{**_fields(EpisodeSpec, message), 'plan': plan})


def receipt_to_message(receipt: Receipt) -> messages.RecordedEpisode:
    """Return the message of a receipt."""
    return _fill(messages.RecordedEpisode(), receipt)


def receipt_from_message(message: messages.RecordedEpisode) -> Receipt:
    """Return the receipt that a message carries."""
    return Receipt(**{**_fields(Receipt, message), 'spec': spec_from_message(message.spec)})


def contract_to_message(contract: Contract) -> messages.Contract:
    """Return the message of a contract, with its id."""
    return messages.Contract(
        id=contract.id, name=contract.name, rate=contract.rate,
        features=[_fill(messages.Feature(), feature) for feature in contract.features],
        action_space=contract.action_space, action_frame_id=contract.action_frame_id,
        actions=[_fill(messages.ActionElement(), element) for element in contract.actions],
        robot=contract.robot, command=contract.command)


def contract_from_message(message: messages.Contract) -> Contract:
    """
    Return the contract that a message carries.

    :raises ContractError: if it contradicts itself, or its id is not the one of its content
    """
    contract = Contract(
        name=message.name, rate=message.rate,
        features=tuple(Feature(**_fields(Feature, feature)) for feature in message.features),
        action_space=message.action_space, action_frame_id=message.action_frame_id,
        actions=tuple(ActionElement(**_fields(ActionElement, element))
                      for element in message.actions),
        robot=message.robot, command=message.command)
    if message.id != contract.id:
        raise ContractError(f'contract {contract.name}: its id is {message.id}; its content has '
                            f'{contract.id}')
    return contract


def _fill(message, source):
    for field in dataclasses.fields(source):
        value = getattr(source, field.name)
        if dataclasses.is_dataclass(value):
            _fill(getattr(message, field.name), value)
        else:
            setattr(message, field.name, list(value) if isinstance(value, tuple) else value)
    return message


def _fields(kind: type, message) -> dict:
    values = {}
    for field in dataclasses.fields(kind):
        value = getattr(message, field.name)
        values[field.name] = tuple(value) if isinstance(value, (list, array.array)) else value
    return values
