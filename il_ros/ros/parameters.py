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
Parameters of a node as one frozen dataclass: declared, described, bounded and rebuilt whole.

Every field is made by one of the functions below; a change builds the dataclass anew, so that no
rule can be skipped.
"""

import dataclasses
from typing import Any, cast, TypeVar

from il_ros.errors import ImitationError
from rcl_interfaces.msg import FloatingPointRange, IntegerRange, ParameterDescriptor
from rcl_interfaces.msg import SetParametersResult
from rclpy.node import Node

P = TypeVar('P')


class ParameterError(ImitationError):
    """A parameter that the node refuses; the sentence has its name, value and allowed range."""


def bounded(default: float, low: float, high: float, description: str,
            read_only: bool = True) -> Any:
    """Return a field for a number in ``[low, high]``; the description names the unit."""
    descriptor = ParameterDescriptor(description=description, read_only=read_only)
    if isinstance(default, int):
        descriptor.integer_range = [IntegerRange(from_value=low, to_value=high, step=0)]
    else:
        descriptor.floating_point_range = [FloatingPointRange(from_value=low, to_value=high)]
    return dataclasses.field(default=default, metadata={'descriptor': descriptor})


def choice(default: str, allowed: tuple[str, ...], description: str) -> Any:
    """Return a field for one of the allowed words."""
    descriptor = ParameterDescriptor(
        description=description, read_only=True,
        additional_constraints=f'one of {", ".join(allowed)}')
    return dataclasses.field(
        default=default, metadata={'descriptor': descriptor, 'allowed': allowed})


def text(default: str | bool, description: str) -> Any:
    """Return a field for free text."""
    return dataclasses.field(
        default=default,
        metadata={'descriptor': ParameterDescriptor(description=description, read_only=True)})


def flag(default: bool, description: str) -> Any:
    """Return a field that is true or false."""
    return text(default, description)


def declare(node: Node, kind: type[P]) -> P:
    """
    Declare every field of a dataclass on the node and return the instance.

    What is set later, where a field may be, is in the node's ``parameters``.

    :raises ParameterError: if a value given at start is outside its range
    """
    values = {}
    for field in dataclasses.fields(cast(Any, kind)):
        descriptor = field.metadata['descriptor']
        try:
            values[field.name] = node.declare_parameter(
                field.name, field.default, descriptor).value
        except (ValueError, TypeError) as error:
            raise ParameterError(f'{node.get_name()}.{field.name}: {error}') from error
        except Exception as error:  # noqa: B902 - rclpy's parameter exceptions have no base
            if type(error).__module__ != 'rclpy.exceptions':
                raise
            raise ParameterError(f'{node.get_name()}.{field.name}: {error}') from error
        _check_choice(node, field, values[field.name])
    _refuse_unknown(node, kind)

    def apply(_changes):
        node.parameters = kind(**{name: node.get_parameter(name).value for name in values})
    node.add_post_set_parameters_callback(apply)
    node.add_on_set_parameters_callback(lambda changes: _validate(node, kind, changes))
    return kind(**values)


def _check_choice(node: Node, field: dataclasses.Field, value: Any):
    allowed = field.metadata.get('allowed')
    if allowed and value not in allowed:
        raise ParameterError(
            f'{node.get_name()}.{field.name} is {value!r}; expected one of {", ".join(allowed)}')


def _refuse_unknown(node: Node, kind: type):
    known = {field.name for field in dataclasses.fields(kind)}
    unknown = sorted(
        name for name in node._parameter_overrides
        if name not in known and not node.has_parameter(name)
        and not name.startswith('qos_overrides'))
    if unknown:
        raise ParameterError(
            f'{node.get_name()} has no parameter {", ".join(unknown)}; it has '
            f'{", ".join(sorted(known))}')


def _validate(node: Node, kind: type, changes: list) -> SetParametersResult:
    known = {field.name for field in dataclasses.fields(kind)}
    values = {name: node.get_parameter(name).value for name in known}
    values.update({change.name: change.value for change in changes if change.name in known})
    try:
        kind(**values)
    except (ValueError, ImitationError) as error:
        return SetParametersResult(successful=False, reason=str(error))
    return SetParametersResult(successful=True)
