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
Settings: what a field may hold is declared once, in its annotation, and checked by msgspec.

A class of settings is a frozen dataclass that builds on `Settings`::

    @dataclasses.dataclass(frozen=True)
    class Shift(Settings, refusal=TrainConfigError, title='shift.'):
        sd_m: Annotated[float, Meta(ge=0.0, le=1.0)] = 0.012
        copies: Annotated[int, Meta(ge=1, le=100)] = 1

It can neither be built nor changed into one with a field that its annotation does not allow, and
the refusal is one sentence: ``shift.copies is 0; expected a whole number in 1..100``.
"""

from collections.abc import Iterable
import dataclasses
import functools
import numbers
import re
import types
import typing
from typing import Annotated, Any, ClassVar, Self

from il_ros.errors import ImitationError
import msgspec
from msgspec import Meta

FLOAT32_MAX = (2.0 - 2.0 ** -23) * 2.0 ** 127
"""No number is larger: a float32 field of a message has to hold it."""

_SHOWN = 80
"""Characters of a refused value that its refusal repeats."""

_WORDS = {int: 'a whole number', float: 'a number', bool: 'true or false', str: 'a text',
          tuple: 'a list', list: 'a list', dict: 'a mapping'}


def is_finite(value: Any) -> bool:
    """
    Tell whether a value is a number that float32 holds.

    Numbers that would become infinite on their way through a message are none; nor are texts and
    truth values, as YAML and JSON have them.
    """
    number: Any = value
    return (isinstance(value, numbers.Real) and not isinstance(value, bool)
            and bool(abs(number) <= FLOAT32_MAX))


def one_of(*names: str) -> Meta:
    """Return what an annotation says where a text is one of these names."""
    return Meta(pattern=rf'\A(?:{"|".join(map(re.escape, names))})\Z',
                description=f'one of {", ".join(name or repr(name) for name in names)}')


class Settings:
    """A frozen dataclass whose fields are what their annotations say."""

    refusal: ClassVar[type[ImitationError]] = ImitationError
    """The error that is raised."""

    title: ClassVar[str] = ''
    """What stands before a field's name in a sentence, as ``shift.``."""

    def __init_subclass__(cls, refusal: type[ImitationError] | None = None,
                          title: str | None = None):
        cls.refusal = refusal or cls.refusal
        cls.title = cls.title if title is None else title

    def __post_init__(self):
        _check_all(type(self), vars(self), self.refusal, self.title)

    def refuse_unless(self, fine: Any, name: str, expected: str):
        """Refuse a field whose value does not go together with others."""
        if not fine:
            raise self.refusal(sentence(self.title + name, getattr(self, name), expected))

    @classmethod
    def from_dict(cls, found: Any) -> Self:
        """
        Return settings made of plain values, as YAML and JSON have them.

        :raises ImitationError: the class's own, naming the key that is unknown, missing or wrong
        """
        return build(cls, found, cls.refusal, cls.title)


def build(kind: type, found: Any, refusal: type[ImitationError], title: str = '',
          **given: Any) -> Any:
    """
    Return a dataclass made of plain values: mappings become dataclasses, lists become tuples.

    A ``ValueError`` of the dataclass itself says what it expects of a whole mapping.

    :param title: what stands before a field's name in a sentence
    :param given: fields that are no keys of the mapping
    :raises ImitationError: ``refusal``, naming the key that is unknown, missing or wrong
    """
    fields = {name: one for name, one in _fields_of(kind).items() if name not in given}
    whole = title.rstrip('.: ')
    refuse_other_keys(whole, found, fields, refusal)
    values = {}
    for name, (field, parts) in fields.items():
        if name in found:
            values[name] = _shaped(title + name, found[name], parts, refusal)
        elif field.default is field.default_factory is dataclasses.MISSING:
            raise refusal(f'{title}{name} is missing; expected {_expected(field.type)}')
    _check_all(kind, values, refusal, title)
    try:
        return kind(**values, **given)
    except ValueError as error:
        raise refusal(sentence(whole, found, str(error))) from error


def refuse_other_keys(name: str, found: Any, known: Iterable[str], refusal: type[ImitationError]):
    """
    Refuse what is no mapping, and keys that it may not have.

    :param name: what it is, for the sentence; '': the whole file
    """
    if not isinstance(found, dict):
        raise refusal(sentence(name or 'the content', found,
                               f'a mapping with keys of {", ".join(known) or "none"}'))
    unknown = [str(key) for key in found if key not in known]
    if unknown:
        raise refusal(f'{f"{name} has the " if name else ""}unknown key {unknown[0]!r}; known '
                      f'are {", ".join(known) or "none"}')


def check(name: str, value: Any, hint: Any, refusal: type[ImitationError]):
    """
    Refuse a value that an annotation does not allow.

    :raises ImitationError: ``refusal``, with name, value and what was expected
    """
    try:
        if _finite(value):
            msgspec.convert(float(value) if isinstance(value, float) else value, hint)
            return
        expected = 'a finite number' if isinstance(value, float) else 'finite numbers'
    except (msgspec.ValidationError, RecursionError):
        expected = _expected(hint)
    base, arguments, *_ = _parts(hint)
    if base is dict and isinstance(value, dict):
        for key, entry in value.items():
            check(f'{name}.{key}', entry, arguments[1], refusal)
    raise refusal(sentence(name, value, expected))


def _check_all(kind: Any, values: dict[str, Any], refusal: type[ImitationError], title: str):
    """Refuse the first of a dataclass's fields that its annotation does not allow."""
    try:
        msgspec.convert(values, _struct_of(kind))
        if all(map(_finite, values.values())):
            return
    except (msgspec.ValidationError, RecursionError):
        pass
    for name, value in values.items():
        check(title + name, value, _fields_of(kind)[name][0].type, refusal)


@functools.cache
def _struct_of(kind: Any) -> type:
    """Return what msgspec checks all fields of a dataclass by, at once: that is much faster."""
    return msgspec.defstruct(kind.__name__, [
        (name, field.type, None) for name, (field, _) in _fields_of(kind).items()])


@functools.cache
def _fields_of(kind: Any) -> dict[str, tuple[dataclasses.Field, tuple]]:
    """Return the fields of a dataclass by name, each with the parts of its annotation."""
    return {field.name: (field, _parts(field.type)) for field in dataclasses.fields(kind)}


def sentence(name: str, value: Any, expected: str) -> str:
    """Return the sentence of a refusal."""
    shown = repr(value)
    return f'{name} is {shown[:_SHOWN]}{"..." * (len(shown) > _SHOWN)}; expected {expected}'


def built(name: str, value: Any, hint: Any, refusal: type[ImitationError]) -> Any:
    """
    Return a plain value as a field of that annotation has it; numbers stay what they are.

    :raises ImitationError: ``refusal``, naming what is wrong
    """
    value = _shaped(name, value, _parts(hint), refusal)
    check(name, value, hint, refusal)
    return value


def _shaped(name: str, value: Any, parts: tuple, refusal: type[ImitationError]) -> Any:
    """Return a value with dataclasses in the place of mappings, and tuples of lists."""
    base, arguments, _, optional = parts
    if isinstance(base, type) and issubclass(base, Settings) and isinstance(value, dict):
        return base.from_dict(value)
    has_fields = dataclasses.is_dataclass(base)
    if has_fields and not (optional and value is None):
        return value if isinstance(value, base) else build(base, value, refusal, f'{name}.')
    if base is dict and isinstance(value, dict):
        inner = _parts(arguments[1])
        return {key: _shaped(f'{name}.{key}', entry, inner, refusal)
                for key, entry in value.items()}
    if base is tuple and isinstance(value, list):
        inner = _parts(arguments[0])
        return tuple(_shaped(f'{name}.{_called(entry, index)}', entry, inner, refusal)
                     for index, entry in enumerate(value))
    return value


def _called(entry: Any, index: int) -> Any:
    """Return what an entry of a list is called in a sentence: by its name, or by its number."""
    return entry.get('name', index) if isinstance(entry, dict) else index


def _parts(hint: Any) -> tuple[Any, tuple, list[Meta], bool]:
    """Return the type behind an annotation, its arguments, its bounds, and if None will do."""
    optional = typing.get_origin(hint) in (types.UnionType, typing.Union)
    hint = typing.get_args(hint)[0] if optional else hint
    plain, *metas = typing.get_args(hint) if typing.get_origin(hint) is Annotated else [hint]
    return typing.get_origin(plain) or plain, typing.get_args(plain), metas, optional


def _expected(hint: Any) -> str:
    """Return in words what an annotation allows."""
    base, _, metas, _ = _parts(hint)
    if metas and metas[-1].description:
        return metas[-1].description
    words = _WORDS.get(base, 'a mapping')
    bounds = {name: f'{getattr(meta, name):.15g}' for meta in metas
              for name in ('ge', 'gt', 'le', 'lt') if getattr(meta, name) is not None}
    if base is float and len(bounds) < 2:
        words = 'a finite number'
    if set(bounds) == {'ge', 'le'}:
        return f'{words} in {bounds["ge"]}..{bounds["le"]}'
    said = {'ge': 'of at least', 'gt': 'above', 'le': 'at most', 'lt': 'below'}
    limits = [f'{said[name]} {bound}' for name, bound in bounds.items()]
    return f'{words} {", ".join(limits)}'.strip()


def _finite(value: Any) -> bool:
    """Tell whether a float32 holds every number in a value."""
    if isinstance(value, (list, tuple)):
        return all(map(_finite, value))
    if isinstance(value, dict):
        return _finite([*value.values()])
    return not isinstance(value, (int, float)) or abs(value) <= FLOAT32_MAX
