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

"""Hostile messages: what nobody should ever send, made from what somebody would."""

import array
import random

from geometry_msgs.msg import PoseStamped
from il_ros.contract.contract import Contract
from il_ros.contract.episode_spec import EXPERT, POLICY, RUNNING, TELEOP
from il_ros.ros.conversion.messages import contract_to_message, float32s, to_ns, to_stamp
from il_ros_interfaces.msg import Action, Contract as ContractMessage, Drive, EpisodeStatus
from il_ros_interfaces.msg import Executed, Observation
import numpy as np
from rclpy.serialization import serialize_message
from sensor_msgs.msg import JointState, Joy
from shipped_arms import PANDA

KINDS = {'contract': ContractMessage, 'joint_states': JointState, 'tool_pose': PoseStamped,
         'goal_pose': PoseStamped, 'episode': EpisodeStatus, 'observation': Observation,
         'drive': Drive, 'executed': Executed, 'joy': Joy, 'expert/action': Action,
         'policy/action': Action, 'teleop/action': Action}
SOURCES = {'expert/action': EXPERT, 'policy/action': POLICY, 'teleop/action': TELEOP}

_LARGEST = {'int8': 2**7 - 1, 'uint8': 2**8 - 1, 'int16': 2**15 - 1, 'uint16': 2**16 - 1,
            'int32': 2**31 - 1, 'uint32': 2**32 - 1, 'int64': 2**63 - 1, 'uint64': 2**64 - 1}
_NEVER = (float('nan'), float('inf'), float('-inf'))


def usual(topic: str, contract: Contract, episode_id: str, step: int, stamp_ns: int):
    """Return a message as it might come in an episode at this step."""
    kind = KINDS[topic]
    if kind is ContractMessage:
        return contract_to_message(contract)
    message = kind()
    message.header.stamp, message.header.frame_id = to_stamp(stamp_ns), PANDA.base_frame
    width = len(contract.actions)
    if kind is JointState:
        message.name, message.position = list(PANDA.joint_names), PANDA.home.tolist()
        message.velocity = [0.0] * len(PANDA.joint_names)
    elif kind is PoseStamped:
        message.pose.position.x, message.pose.orientation.w = 0.4, 1.0
    elif kind is Joy:
        message.axes, message.buttons = [0.0] * 8, [0] * 11
    elif kind is Action:
        message.contract_id, message.source = contract.id, SOURCES[topic]
        message.values, message.engaged = float32s(np.full(width, 0.01)), True
    else:
        message.episode_id = episode_id
    if kind is Drive:
        message.required = [EXPERT, POLICY]
    if kind in (Observation, EpisodeStatus):
        message.step, message.phase = step, RUNNING
    if kind is Observation:
        message.contract_id, message.values = contract.id, float32s(np.zeros(contract.width))
    if kind is Executed:
        message.step, message.values = step, float32s(np.zeros(width))
        message.command = usual('joint_states', contract, episode_id, step, stamp_ns)
    return message


def empty(message, _chance: random.Random):
    """Return a message in which nothing is set."""
    return type(message)()


def short(message, _chance: random.Random):
    """Return it with the last entry of each sequence and text gone."""
    return _each(message, lambda form, value: value[:-1] if _is_long(value) else value)


def long(message, chance: random.Random):
    """Return it with sequences and texts that are far too long."""
    times = chance.choice((2, 12))
    return _each(message, lambda form, value: value * times if _is_long(value) else value)


def not_finite(message, chance: random.Random):
    """Return it with no finite number."""
    return _each(message, lambda form, value: _numbers(
        form, value, lambda: chance.choice(_NEVER)))


def huge(message, chance: random.Random):
    """Return it with the largest numbers that there are."""
    def largest(form, value):
        return _LARGEST.get(form, _numbers(form, value, lambda: chance.choice((1e30, -1e30))))
    return _each(message, largest)


def foreign(message, chance: random.Random):
    """Return it with frames, names and ids of others."""
    def other(form, value):
        if form == 'uint64':
            return chance.randrange(2**64)
        return f'{value}_ö{chance.randrange(1000)}' if form == 'string' else value
    return _each(message, other)


def past(message, chance: random.Random):
    """Return it with a stamp of long ago."""
    if hasattr(message, 'header'):
        stamp_ns = to_ns(message.header.stamp) - chance.randrange(1, 10**12)
        message.header.stamp = to_stamp(max(stamp_ns, 0))
    return message


def cut(message, chance: random.Random) -> bytes:
    """Return a part of its bytes."""
    raw = serialize_message(message)
    return raw[:chance.randrange(len(raw))]


def flipped(message, chance: random.Random) -> bytes:
    """Return its bytes, some of them changed."""
    raw = bytearray(serialize_message(message))
    for _ in range(chance.randrange(1, 8)):
        raw[chance.randrange(len(raw))] = chance.randrange(256)
    return bytes(raw)


CONTENTS = (empty, short, long, not_finite, huge, foreign, past, cut, flipped)


def _is_long(value) -> bool:
    return isinstance(value, (str, list, array.array))


def _numbers(form: str, value, draw):
    if isinstance(value, float):
        return draw()
    if isinstance(value, array.array) and value.typecode in 'fd':
        return array.array(value.typecode, [draw() for _ in value])
    return value


def _each(message, change):
    """Change every field of a message, and of those in it."""
    for name, form in message.get_fields_and_field_types().items():
        value = getattr(message, name)
        for part in value if isinstance(value, list) else [value]:
            if hasattr(part, 'get_fields_and_field_types'):
                _each(part, change)
        if not hasattr(value, 'get_fields_and_field_types'):
            setattr(message, name, change(form, value))
    return message
