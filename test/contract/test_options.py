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

"""Options of an episode: a JSON object within bounds, whoever sends it."""

import json

from il_ros.contract.episode_spec import EpisodeSpec, LARGEST_SEED, SpecError
from il_ros.contract.options import LONGEST, OptionsError, read_options
import pytest

DEEP = '[' * 20_000
NESTED = '{"a":' + '[' * 16 + ']' * 16 + '}'


@pytest.mark.parametrize('text, options', [
    ('', {}), ('{}', {}), ('{"bumps": {"rate": 0.1, "speed": 1}}',
                           {'bumps': {'rate': 0.1, 'speed': 1}}),
    ('{"a": "[[[[[[[[[[[[[[[[[[[[ \\" {{{"}', {'a': '[[[[[[[[[[[[[[[[[[[[ " {{{'})])
def test_options_are_read_as_the_object_that_they_are(text, options):
    assert read_options(text) == options


@pytest.mark.parametrize('text, sentence', [
    (DEEP, 'options are 20000 characters; expected at most 4096'),
    (DEEP[:4000], 'options are nested 4000 levels deep; expected at most 16'),
    ('{"a":' * 2000 + '1', 'characters; expected at most'),
    (NESTED, 'options are nested 17 levels deep; expected at most 16'),
    ('{', 'options are not JSON'), ('"', 'options are not JSON'), ('x', 'options are not JSON'),
    ('[1]', r'options are \[1\]; expected a JSON object'), ('3', 'expected a JSON object'),
    ('{"a": NaN}', 'NaN is not a finite number'), ('{"a": -Infinity}', 'not a finite number'),
    ('{"a": 1e999}', '1e999 is not a finite number'),
    (f'{{"a": {"9" * 400}}}', 'not a finite number')])
def test_options_beyond_the_bounds_are_refused_with_a_sentence(text, sentence):
    with pytest.raises(OptionsError, match=sentence) as refused:
        read_options(text)
    assert len(str(refused.value)) < 300


def test_the_longest_options_are_read():
    text = json.dumps({'a': 'x' * (LONGEST - 9)})
    assert len(text) == LONGEST and read_options(text)


@pytest.mark.parametrize('field, value', [
    ('options', DEEP), ('options', '{"a": ' * 50), ('task', 'x' * 1_000_000),
    ('run', 'X' * 1_000_000), ('episode_id', 'x' * 1_000_000), ('purpose', 'x' * 1_000_000)])
def test_an_episode_with_a_text_beyond_the_bounds_is_refused_in_a_short_sentence(field, value):
    with pytest.raises(SpecError, match=field) as refused:
        EpisodeSpec(**{'episode_id': 'a', 'run': 'r', 'task': 'push', field: value})
    assert len(str(refused.value)) < 300


@pytest.mark.parametrize('seed', [-1, LARGEST_SEED + 1, 0.5, '7'])
def test_an_episode_with_a_seed_that_no_message_carries_is_refused(seed):
    with pytest.raises(SpecError, match='seed is .*; expected a whole number in 0..42949'):
        EpisodeSpec(episode_id='a', run='r', task='push', seed=seed)
    assert EpisodeSpec(episode_id='a', run='r', task='push', seed=LARGEST_SEED).seed > 0


def test_what_was_closed_before_does_not_count_nor_hide_what_is_open():
    assert read_options('{"a": [[]], "b": [[]], "c": []}') == {'a': [[]], 'b': [[]], 'c': []}
    with pytest.raises(OptionsError, match='are nested 17 levels deep'):
        read_options('{"z": [[]], "a":' + NESTED[5:])
    assert read_options('{"a":' + '[' * 15 + ']' * 15 + '}')


def test_a_refusal_shows_the_first_80_characters():
    with pytest.raises(OptionsError) as refused:
        read_options('[' + '1,' * 99 + '1]')
    shown = '[' + '1,' * 39 + '1'
    assert str(refused.value) == f'options are {shown}; expected a JSON object'


def test_options_a_character_too_long_are_refused():
    with pytest.raises(OptionsError, match='are 4097 characters'):
        read_options(json.dumps({'a': 'x' * (LONGEST - 8)}))
