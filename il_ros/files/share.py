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

"""Where the package's data files (config/, launch/) lie, installed or not."""

import functools
import os
from pathlib import Path
import sys

from il_ros.errors import ImitationError


class MissingShareError(ImitationError):
    """A data file of the package is in none of the places where it may be."""


def _candidates() -> list[Path]:
    prefixes = os.environ.get('AMENT_PREFIX_PATH', '').split(os.pathsep)
    ament = [Path(prefix) / 'share' / 'il_ros' for prefix in prefixes if prefix]
    source = Path(__file__).resolve().parents[2]
    installed = Path(sys.prefix) / 'share' / 'il_ros'
    in_tree = (source / 'package.xml').is_file()
    return [*ament, *([source, installed] if in_tree else [installed])]


@functools.cache
def share_path(*parts: str) -> Path:
    """
    Find a data file of the package, as in ``'config', 'strategies', 'gated.yaml'``.

    The ament index comes first, then the source tree that this module runs from (an editable
    install copies no data), then the environment's own ``share/il_ros``.

    :raises MissingShareError: if no place has it; the sentence lists the places
    """
    for folder in _candidates():
        path = folder.joinpath(*parts)
        if path.exists():
            return path
    places = ', '.join(str(folder) for folder in _candidates())
    raise MissingShareError(f'{"/".join(parts)} is in none of {places}')
