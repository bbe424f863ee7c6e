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

"""YAML files that people write: numbers are numbers, also as 1e-3."""

from collections.abc import Iterator
import contextlib
from pathlib import Path
import re
from typing import Any

from il_ros.errors import ImitationError
from il_ros.files.regular import read_text
import yaml

_FLOAT = 'tag:yaml.org,2002:float'
_EXPONENT = re.compile(r'[-+]?([0-9][0-9_]*\.?[0-9_]*|\.[0-9][0-9_]*)[eE][-+]?[0-9]+$')
"""Numbers that YAML 1.2 reads as such, and YAML 1.1 as text: without a dot, or without a sign."""


class YamlFileError(ImitationError):
    """A file that cannot be read as YAML; the sentence says why, and whoever asked names it."""


@contextlib.contextmanager
def named(name: Path | str, refusal: type[ImitationError]) -> Iterator[None]:
    """
    Put a name, as that of a file, before what is refused meanwhile.

    :raises ImitationError: ``refusal``, or what it was of that kind
    """
    try:
        yield
    except YamlFileError as error:
        raise refusal(f'{name}: cannot be read: {error}') from error
    except ImitationError as error:
        kind = type(error) if isinstance(error, refusal) else refusal
        raise kind(f'{name}: {error}') from error


class _Loader(yaml.SafeLoader):
    """Plain values alone."""


_Loader.add_implicit_resolver(_FLOAT, _EXPONENT, list('-+.0123456789'))


def read_yaml(path: Path) -> Any:
    """
    Return what a YAML file says, as plain values.

    :raises YamlFileError: if it cannot be read, or is no YAML; with the line that is wrong
    """
    try:
        text = read_text(path)
    except OSError as error:
        raise YamlFileError(error.strerror or str(error)) from error
    try:
        loader = _Loader(text)
        try:
            return loader.get_single_data()
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise YamlFileError(f'{_place(mark)}{error.problem or error.context}') from error
    except yaml.reader.ReaderError as error:
        line = text.count('\n', 0, error.position) + 1
        raise YamlFileError(f'line {line}: {error.reason} (character {error.character!r})'
                            ) from error
    except (ValueError, yaml.YAMLError) as error:
        raise YamlFileError(' '.join(str(error).split())) from error
    except RecursionError as error:
        raise YamlFileError('it is nested too deeply') from error


def _place(mark: yaml.Mark | None) -> str:
    return '' if mark is None else f'line {mark.line + 1}, column {mark.column + 1}: '
