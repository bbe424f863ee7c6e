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

"""Settings: a class declares its fields, and what they do not allow is refused in a sentence."""

import dataclasses
import json
from typing import Annotated

from il_ros.errors import ImitationError
from il_ros.settings import build, one_of, Settings
from msgspec import Meta
import numpy as np
import pytest


class WrongError(ImitationError):
    """What these settings raise."""


@dataclasses.dataclass(frozen=True)
class Part(Settings, refusal=WrongError, title='part.'):
    """A part of others."""

    share: Annotated[float, Meta(gt=0, le=1)] = 0.5
    count: Annotated[int, Meta(ge=1)] = 1


@dataclasses.dataclass(frozen=True)
class Whole(Settings, refusal=WrongError):
    """All kinds of fields."""

    names: tuple[str, ...]
    steps: Annotated[int, Meta(ge=0, le=10_000_000)] = 10
    kind: Annotated[str, one_of('mean', 'sum')] = 'mean'
    fast: bool = False
    number: float = 0.0
    offsets: dict[str, list[float]] = dataclasses.field(default_factory=dict)
    parts: dict[str, Part] = dataclasses.field(default_factory=dict)
    part: Part | None = None

    def __post_init__(self):
        super().__post_init__()
        self.refuse_unless(not self.fast or self.steps, 'steps', 'some, where fast is true')


@pytest.mark.parametrize('fields, said', [
    (3, 'the content is 3; expected a mapping with keys of names, steps, kind, fast, number'),
    ({}, 'names is missing; expected a list'),
    ({'names': 'ab'}, "names is 'ab'; expected a list"),
    ({'names': [1]}, 'names is (1,); expected a list'),
    ({'names': [], 'stesp': 1}, "unknown key 'stesp'; known are names, steps"),
    ({'names': [], 7: 1}, "unknown key '7'; known are names, steps"),
    ({'names': [], 'steps': True}, 'steps is True; expected a whole number in 0..10000000'),
    ({'names': [], 'steps': 1.0}, 'steps is 1.0; expected a whole number'),
    ({'names': [], 'steps': -1}, 'steps is -1; expected a whole number'),
    ({'names': [], 'steps': 10 ** 400}, 'steps is 1000'),
    ({'names': [], 'kind': 'most'}, "kind is 'most'; expected one of mean, sum"),
    ({'names': [], 'fast': 1}, 'fast is 1; expected true or false'),
    ({'names': [], 'fast': True, 'steps': 0}, 'steps is 0; expected some, where fast is true'),
    ({'names': [], 'number': '1'}, "number is '1'; expected a finite number"),
    ({'names': [], 'number': False}, 'number is False; expected a finite number'),
    ({'names': [], 'number': float('nan')}, 'number is nan; expected a finite number'),
    ({'names': [], 'number': 1e39}, 'number is 1e+39; expected a finite number'),
    ({'names': [], 'number': 10 ** 400}, 'number is 1000'),
    ({'names': [], 'offsets': {'a': [float('inf')]}}, 'offsets.a is [inf]; expected finite'),
    ({'names': [], 'offsets': [1]}, 'offsets is [1]; expected a mapping'),
    ({'names': [], 'parts': {'a': 1}}, 'parts.a is 1; expected a mapping with keys of share'),
    ({'names': [], 'part': 3}, 'part is 3; expected a mapping with keys of share, count'),
    ({'names': [], 'part': {'size': 3}}, "part has the unknown key 'size'; known are share"),
    ({'names': [], 'part': {'share': 0}}, 'part.share is 0; expected a number above 0'),
    ({'names': [], 'part': {'count': 0}},
     'part.count is 0; expected a whole number of at least 1')])
def test_what_a_field_does_not_allow_is_refused_in_a_sentence_with_its_name(fields, said):
    with pytest.raises(WrongError) as refusal:
        Whole.from_dict(fields)
    assert str(refusal.value).startswith(said)
    assert len(str(refusal.value)) < 300


@pytest.mark.parametrize('name, circle', [('names', []), ('offsets', {})])
def test_a_value_that_holds_itself_is_refused_too(name, circle):
    circle.append(circle) if isinstance(circle, list) else circle.update(a=circle)
    with pytest.raises(WrongError, match=f'{name}.* is .*; expected a list'):
        Whole.from_dict({'names': [], name: circle})


def test_settings_are_checked_however_they_are_made():
    with pytest.raises(WrongError, match='steps is -1'):
        Whole(('a',), steps=-1)
    with pytest.raises(WrongError, match='part.count is 0'):
        dataclasses.replace(Part(), count=0)
    assert Part(share=np.float64(0.25)).share == 0.25


def test_what_is_read_is_what_was_written_number_for_number():
    whole = Whole(('a', 'b'), number=1, offsets={'a': [1.0, 2]}, part=Part(count=3))
    written = json.dumps(dataclasses.asdict(whole))
    assert Whole.from_dict(json.loads(written)) == whole
    assert json.dumps(dataclasses.asdict(Whole.from_dict(json.loads(written)))) == written


def test_a_dataclass_without_rules_of_its_own_is_built_with_the_same_ones():
    @dataclasses.dataclass(frozen=True)
    class Plain:
        index: Annotated[int, Meta(ge=0, lt=64, description='an index from 0 to 63')]

        def __post_init__(self):
            if self.index == 13:
                raise ValueError('no bad luck')

    assert build(Plain, {'index': 3}, WrongError) == build(Plain, {}, WrongError, index=3)
    with pytest.raises(WrongError, match="stick is {'index': 13}; expected no bad luck"):
        build(Plain, {'index': 13}, WrongError, 'stick.')
    with pytest.raises(WrongError, match='stick.index is 64; expected an index from 0 to 63'):
        build(Plain, {'index': 64}, WrongError, 'stick.')
