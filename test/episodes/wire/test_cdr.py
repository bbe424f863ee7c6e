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

from il_ros.episodes.wire.cdr import canonical, groups
from il_ros.episodes.wire.schema import EXECUTED, find_schema, Schema, SEPARATOR
from il_ros.errors import DecodeError
from mcap_ros2._dynamic import generate_dynamic
import numpy as np
import pytest
from recordings import action, executed, messages, SCHEMAS, spec


def field_of(message, path):
    """Follow ``candidates.0.values`` in a message that ``mcap_ros2`` decoded."""
    for part in path.split('.'):
        message = message[int(part)] if part.isdigit() else getattr(message, part)
    return message


@pytest.mark.parametrize('topic', SCHEMAS)
def test_every_field_agrees_with_another_decoder(topic):
    raws = [raw for name, raw in messages(spec()) if name == topic]
    decode = generate_dynamic(SCHEMAS[topic].name, SCHEMAS[topic].text)[SCHEMAS[topic].name]
    checked = 0
    for members, rows in groups(SCHEMAS[topic], raws):
        for index, row in zip(members, rows, strict=True):
            oracle = decode(raws[index])
            for path in rows.dtype.names:
                expected = field_of(oracle, path)
                found = row[path].decode() if isinstance(expected, str) else row[path].tolist()
                assert found == (expected if np.isscalar(expected) else list(expected)), path
                checked += 1
    assert checked > 5 * len(raws)


def test_messages_of_different_layout_all_come_back_once():
    raws = [executed(spec(), step, candidates=[action(1, [0.5] * (step % 3))] * (step % 2))
            for step in range(20)]
    seen = {}
    for members, rows in groups(SCHEMAS['executed'], raws):
        seen.update(zip(members.tolist(), rows['step'].tolist(), strict=True))
    assert seen == {step: step for step in range(20)}


def test_bytes_behind_the_last_field_change_nothing():
    raws = [executed(spec(), step) + b'\xa5' * (step % 9) for step in range(10)]
    (members, rows), = groups(SCHEMAS['executed'], raws)
    assert rows['step'].tolist() == list(range(10))
    assert (rows['header.frame_id'] == b'panda_link0').all()


def test_a_message_cut_anywhere_is_refused():
    raw = executed(spec(), 3)
    for size in range(len(raw)):
        with pytest.raises(DecodeError):
            list(groups(SCHEMAS['executed'], [raw[:size]]))


def test_a_claim_of_four_billion_entries_is_refused_at_once():
    raw = executed(spec(), 3, candidates=[])
    assert raw.endswith(b'\0\0\0\0')
    with pytest.raises(DecodeError):
        list(groups(SCHEMAS['executed'], [raw[:-4] + b'\xff\xff\xff\xff']))


def test_messages_without_any_field_are_rows_too():
    schema = Schema('tf2_msgs/msg/TFMessage', 'Item[] transforms\n' + SEPARATOR + '\nMSG: '
                    'tf2_msgs/Item\nfloat32 x\n')
    raws = [b'\0\1\0\0\0\0\0\0', b'\0\1\0\0\1\0\0\0\0\0\x80\x3f']
    found = {int(members[0]): rows.dtype.names for members, rows in groups(schema, raws)}
    assert found == {0: (), 1: ('transforms.0.x',)}
    assert canonical(schema, [raw + b'\7' for raw in raws]) == raws


def test_big_endian_bytes_are_refused():
    with pytest.raises(DecodeError, match='little-endian'):
        list(groups(SCHEMAS['executed'], [b'\0\0' + executed(spec(), 3)[2:]]))


def test_what_ros_serialises_is_read_as_it_was():
    serialization = pytest.importorskip('rclpy.serialization', reason='needs rclpy: make test')
    messages_of = pytest.importorskip(
        'il_ros_interfaces.msg', reason='needs il_ros_interfaces: make test')
    installed = find_schema(EXECUTED)
    raws = []
    for step in range(5):
        message = messages_of.Executed(step=step, episode_id='x' * step, values=[0.5] * step)
        message.command.name, message.command.position = ['a', 'bcd'], [0.1 * step, -1.0]
        message.candidates = [messages_of.Action(policy_id=2**63 + step)] * (step % 3)
        raws.append(serialization.serialize_message(message))
    for members, rows in groups(installed, raws):
        for index, row in zip(members, rows, strict=True):
            message = serialization.deserialize_message(raws[index], messages_of.Executed)
            assert row['episode_id'].decode() == message.episode_id
            assert row['values'].tolist() == list(message.values)
            assert row['command.position'].tolist() == list(message.command.position)
            for number, candidate in enumerate(message.candidates):
                assert row[f'candidates.{number}.policy_id'] == candidate.policy_id
