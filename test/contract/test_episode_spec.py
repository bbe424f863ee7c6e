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

"""What an episode is to be: its defaults, canonical text, bounds and id."""

import dataclasses

from il_ros.contract.episode_spec import DrivePlan, episode_id, EpisodeSpec, LARGEST_SEED
from il_ros.contract.episode_spec import SpecError
import pytest

SPEC = EpisodeSpec('a-1', 'run', 'push', plan=DrivePlan(noise_covariance=(0.5,)))
TEXT = (
    '{"continuing":false,"episode_id":"a-1","horizon":0,"options":"","plan":{"beta":0.0,'
    '"driver":1,"gate":"","hold_max":15,"hold_min":0,"labels":0,"noise_covariance":[0.5],'
    '"release_patience":3,"release_threshold":0.3,"seed":0,"smoothing":0.7,"takeover_level":0.5,'
    '"target_rate":0.0,"threshold":0.5},"purpose":"demonstration","round":0,"run":"run","seed":0,'
    '"task":"push"}')


def test_the_canonical_text_has_every_default_and_reads_back():
    assert SPEC.to_json() == TEXT
    assert EpisodeSpec.from_json(TEXT) == SPEC
    assert EpisodeSpec.from_dict(dataclasses.asdict(SPEC)) == SPEC


@pytest.mark.parametrize('text', ['{', '[]', '{}', '{"plan": 3}', TEXT.replace('"run"', '"walk"'),
                                  TEXT.replace('[0.5]', '3')])
def test_a_text_that_is_no_specification_is_refused(text):
    with pytest.raises(SpecError):
        EpisodeSpec.from_json(text)


@pytest.mark.parametrize('fields', [
    {'driver': 1}, {'driver': 3}, {'beta': 0.0}, {'beta': 1.0}, {'smoothing': 0.0},
    {'labels': 0}, {'labels': 2}])
def test_a_plan_at_the_ends_of_its_bounds_is_taken(fields):
    assert DrivePlan(**fields)


@pytest.mark.parametrize('fields', [
    {'driver': 0}, {'driver': 4}, {'beta': -0.1}, {'beta': 1.1}, {'smoothing': -0.1},
    {'smoothing': 1.0}, {'labels': -1}, {'labels': 3}, {'gate': 'open'}, {'threshold': 'high'},
    {'threshold': float('nan')}])
def test_a_plan_beyond_its_bounds_is_refused_by_the_field(fields):
    with pytest.raises(SpecError, match=f'plan.{next(iter(fields))}') as refusal:
        DrivePlan(**fields)
    assert refusal.value.code == 503


def test_a_plan_is_rounded_as_a_message_rounds_it():
    assert DrivePlan(beta=0.1 + 1e-12) == DrivePlan(beta=0.1)
    assert DrivePlan(noise_covariance=(0.1 + 1e-12,)).noise_covariance == (0.1,)


def test_an_id_says_purpose_round_and_seed():
    assert episode_id('rollout', 2, 123) == 'rollout-r02-000123'


@pytest.mark.parametrize('name, taken', [
    ('a', True), ('0_-z', True), ('x' * 64, True), ('x' * 65, False), ('', False), ('-a', False),
    ('A', False), ('a\n', False)])
def test_a_name_has_at_most_64_small_letters_digits_and_dashes(name, taken):
    if taken:
        assert EpisodeSpec(name, 'run', 'x' * 64).episode_id == name
    else:
        with pytest.raises(SpecError, match='episode_id'):
            EpisodeSpec(name, 'run', 'push')


def test_a_task_has_at_most_64_characters_and_a_seed_32_bits():
    assert EpisodeSpec('a', 'run', 'push', seed=2 ** 32 - 1).seed == LARGEST_SEED == 4294967295
    with pytest.raises(SpecError, match='task'):
        EpisodeSpec('a', 'run', 'x' * 65)
