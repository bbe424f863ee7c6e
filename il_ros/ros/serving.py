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
Services of nodes: the one place where they are created, and requests are checked first.

A request whose numbers are not finite, or whose texts are longer than any that makes sense, is
answered with a refusal that names the field; so is one that the callback refuses.
"""

import array
from collections.abc import Callable, Iterator
import math

from il_ros.errors import ImitationError
from il_ros.ros.refusals import refusals_of, shortened
import numpy as np
from rclpy.node import Node
from rclpy.service import Service

MOST_TEXT = 20_000
"""Characters of a text in a request; options of an episode are the longest."""

MOST_ITEMS = 10_000
"""Entries of a sequence in a request, bytes of images apart."""


class RequestError(ImitationError):
    """A request that nobody can answer; the sentence names the field."""


def serve(node: Node, kind: type, name: str, callback: Callable, code: int) -> Service:
    """
    Create a service as ``create_service`` does; ``callback`` gets checked requests only.

    :param code: for the response's ``error_code`` if the request is refused, or if the callback
        raises an ``ImitationError`` whose code is none of this service: of another hundred
    """
    refusals = refusals_of(node)

    def on_request(request, response):
        try:
            check_request(request)
            response = callback(request, response)
        except ImitationError as error:
            if isinstance(error, RequestError):
                refusals.add(name, error)
            own = error.code // 100 == code // 100
            response.error_code, response.error_msg = error.code if own else code, str(error)
        response.error_msg = shortened(response.error_msg)
        return response
    return node.create_service(kind, name, on_request)


def check_request(request):
    """
    Check all numbers and texts of a request.

    :raises RequestError: naming the first field that is not finite or too long
    """
    for name, value in _fields(request):
        if isinstance(value, str):
            if len(value) > MOST_TEXT:
                raise RequestError(f'{name} has {len(value)} characters; expected at most '
                                   f'{MOST_TEXT}')
        elif isinstance(value, float):
            if not math.isfinite(value):
                raise RequestError(f'{name} is {value}; expected a finite number')
        elif isinstance(value, array.array):
            _check_numbers(name, value)
        elif isinstance(value, list) and len(value) > MOST_ITEMS:
            raise RequestError(f'{name} has {len(value)} entries; expected at most {MOST_ITEMS}')


def _check_numbers(name: str, numbers: array.array):
    if numbers.typecode not in 'fd':
        return
    if len(numbers) > MOST_ITEMS:
        raise RequestError(f'{name} has {len(numbers)} entries; expected at most {MOST_ITEMS}')
    if not np.isfinite(numbers).all():
        raise RequestError(f'{name} has a number that is not finite')


def _fields(message, prefix: str = '') -> Iterator[tuple[str, object]]:
    for field in message.get_fields_and_field_types():
        value, name = getattr(message, field), f'{prefix}{field}'
        yield name, value
        if hasattr(value, 'get_fields_and_field_types'):
            yield from _fields(value, f'{name}.')
        elif isinstance(value, list):
            for index, item in enumerate(value):
                if hasattr(item, 'get_fields_and_field_types'):
                    yield from _fields(item, f'{name}[{index}].')
                else:
                    yield f'{name}[{index}]', item
