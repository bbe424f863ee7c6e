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

"""Numbers as the reports write them."""

from collections.abc import Callable, Mapping


def percent(share: float | None) -> str:
    """Return a share in per cent, never rounding an incomplete one to 100 %; ?: unknown."""
    if share is None:
        return '?'
    text = f'{100 * share:.1f}'
    if text == '100.0' and share < 1.0:
        text = '99.9'
    return f'{text.removesuffix(".0")} %'


def short(number: float | None) -> str:
    """Return a number with three digits; ?: unknown."""
    if number is None:
        return '?'
    return f'{number:.0f}' if abs(number) >= 100 else f'{number:.3g}'


def whole(number: float | None) -> str:
    """Return a count with its thousands apart; ?: unknown."""
    return '?' if number is None else f'{number:,.0f}'


def counted(count: int, noun: str) -> str:
    """Return a count with its noun, in the plural unless it is one."""
    if count == 1:
        return f'{count} {noun}'
    return f'{count} {noun.removesuffix("y")}ies' if noun.endswith('y') else f'{count} {noun}s'


def bounds(estimate: Mapping, between: str = '-', write: Callable = short) -> str:
    """Return the ends ``low`` and ``high`` of an estimate."""
    return f'{write(estimate["low"])}{between}{write(estimate["high"])}'
