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


"""Messages are written again with another text, or without what stands between their fields."""

from il_ros.episodes.wire.cdr import canonical, groups
from il_ros.episodes.wire.encoding import encode, with_text
from il_ros.errors import DecodeError
from mcap_ros2._dynamic import serialize_dynamic
import numpy as np
import pytest
from recordings import action, executed, header, observation, SCHEMAS, spec, status

MESSAGES = {
    'observation': observation(spec(), 3, 9), 'executed': executed(spec(), 4),
    'episode': status(spec(), 9, 9)}


def others(name: str, raw: bytes) -> dict:
    """Return all fields of a message but its episode's id."""
    _, rows = next(iter(groups(SCHEMAS[name], [raw])))
    return {field: rows[field].tolist() for field in rows.dtype.names if field != 'episode_id'}


@pytest.mark.parametrize('name', MESSAGES)
@pytest.mark.parametrize('text', ['a', 'rollout-r01-000007', 'rollout-r01-000007-12', 'x' * 64])
def test_a_text_is_replaced_and_nothing_else_changes(name, text):
    raw, = with_text(SCHEMAS[name], [MESSAGES[name]], 'episode_id', text)
    _, rows = next(iter(groups(SCHEMAS[name], [raw])))
    assert rows['episode_id'][0].decode() == text
    assert others(name, raw) == others(name, MESSAGES[name])
    back, = with_text(SCHEMAS[name], [raw], 'episode_id', spec().episode_id)
    assert back == MESSAGES[name]


@pytest.mark.parametrize('name, padding', [('observation', 6), ('executed', 20), ('episode', 2)])
def test_what_is_no_field_is_cleared_and_every_field_stays(name, padding):
    clean = MESSAGES[name]
    assert canonical(SCHEMAS[name], [clean]) == [clean]
    assert canonical(SCHEMAS[name], [clean + b'\x07\x08']) == [clean]
    cleared = 0
    for place in range(2, len(clean)):
        dirty = bytearray(clean)
        dirty[place] ^= 1
        try:
            said = others(name, bytes(dirty)), episode_id(name, bytes(dirty))
        except (DecodeError, UnicodeDecodeError):
            continue
        if said == (others(name, clean), episode_id(name, clean)):
            again, = canonical(SCHEMAS[name], [bytes(dirty)])
            assert others(name, again) == said[0]
            cleared += again == clean
        elif len(said[0]) == len(others(name, clean)):
            assert others(name, canonical(SCHEMAS[name], [bytes(dirty)])[0]) == said[0]
    assert cleared >= padding


def episode_id(name: str, raw: bytes) -> str:
    """Return the episode that a message belongs to."""
    _, rows = next(iter(groups(SCHEMAS[name], [raw])))
    return rows['episode_id'][0].decode()


IMAGE = {'header': header(2), 'height': 1, 'width': 2, 'encoding': 'rgb8', 'is_bigendian': 0,
         'step': 6, 'data': np.arange(6, dtype=np.uint8)}
FIELDS = {
    'observation': {
        'header': header(3), 'contract_id': 2**64 - 1, 'step': 3, 'phase': 1,
        'episode_id': 'rollout-r01-000007', 'values': np.array([0.1, -2.0], np.float32),
        'images': [IMAGE, IMAGE]},
    'executed': {
        'header': header(4), 'step': 4, 'driver': 2, 'chosen': 1, 'limits': 64, 'beta': 0.3,
        'gate': -1.0, 'episode_id': 'x', 'values': np.array([0.5], np.float32), 'noise': (),
        'command': {'header': header(4), 'name': ['a', 'second'], 'position': [0.1, 0.2],
                    'velocity': [], 'effort': []},
        'candidates': [action(1, (0.1,)), action(2, ())]},
    'episode': {
        'header': header(9), 'episode_id': 'x', 'task': 'push', 'seed': 2**32 - 1, 'step': 9,
        'horizon': 9, 'phase': 2, 'end': 1, 'cause': 1, 'success': True, 'goals_reached': 0,
        'reason': 'über'}}


@pytest.mark.parametrize('name', FIELDS)
def test_a_message_is_encoded_as_another_implementation_does(name):
    schema = SCHEMAS[name]
    plain = {field: value.tolist() if isinstance(value, np.ndarray) else value
             for field, value in FIELDS[name].items()}
    if plain.get('images'):
        plain['images'] = [{**image, 'data': bytes(image['data'])} for image in plain['images']]
    theirs = serialize_dynamic(schema.name, schema.text)[schema.name](plain)
    assert encode(schema, FIELDS[name]) == theirs


def test_a_message_that_lacks_a_field_is_refused():
    with pytest.raises(KeyError, match='phase'):
        encode(SCHEMAS['episode'], {
            name: value for name, value in FIELDS['episode'].items() if name != 'phase'})
