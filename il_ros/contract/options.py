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
Options of an episode: the JSON object that a goal, a service or a command line brings, in bounds.

Whoever reads them runs in a node that moves an arm or serves it: no text may end the process.
"""

import json
import math
import re

from il_ros.errors import ImitationError

LONGEST = 4096
"""Characters of a text of options."""

DEEPEST = 16
"""Objects and lists inside each other: the JSON parser recurses, as deep as the text says."""

_STRING = re.compile(r'"(?:[^"\\]|\\.)*"?', re.DOTALL)
_SHOWN = 80
"""Characters of a refused text that its refusal repeats."""


class OptionsError(ImitationError):
    """A text that is no JSON object within the bounds; the sentence says what it is."""


def read_options(text: str, refusal: type[ImitationError] = OptionsError,
                 name: str = 'options') -> dict:
    """
    Return the options that a text holds; of an empty one: none.

    :param text: JSON, an object; numbers are finite, at most ``DEEPEST`` levels
    :param name: what the text is, in the plural, for the sentence of a refusal
    :raises ImitationError: ``refusal``, if it is anything else, or too long
    """
    if not text:
        return {}
    if len(text) > LONGEST:
        raise refusal(f'{name} are {len(text)} characters; expected at most {LONGEST}')
    depth = _depth(text)
    if depth > DEEPEST:
        raise refusal(f'{name} are nested {depth} levels deep; expected at most {DEEPEST}')
    try:
        options = json.loads(text, parse_float=_finite, parse_int=_whole, parse_constant=_finite)
    except ValueError as error:
        raise refusal(f'{name} are not JSON: {error}') from error
    if not isinstance(options, dict):
        raise refusal(f'{name} are {text[:_SHOWN]}; expected a JSON object')
    return options


def _depth(text: str) -> int:
    """Return how many brackets are open at most, those in strings left out."""
    depth = deepest = 0
    for character in _STRING.sub('', text):
        if character in '[{':
            depth += 1
            deepest = max(deepest, depth)
        elif character in ']}':
            depth -= 1
    return deepest


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f'{text[:_SHOWN]} is not a finite number')
    return number


def _whole(text: str) -> int:
    _finite(text)
    return int(text)
