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

"""Which results speak of a checkpoint: one that is spoken of is never replaced."""

from collections.abc import Iterator
import json
import os
from pathlib import Path

from il_ros.errors import LearningError
from il_ros.files.regular import read_text
from il_ros.learning.checkpoint import DOCUMENT, WEIGHTS

CHECKPOINTS = 'checkpoints'
"""Folder of a run that has its checkpoints."""

_DEPTH = 3
"""Folders below that of the runs in which results are looked for."""

_NO_RESULTS = ('episodes', CHECKPOINTS)
_LARGEST = 64 << 20
"""Bytes of a file that is looked into, at most."""


def refuse_replacing(checkpoint: Path, runs: Path, overwrite: bool):
    """
    Refuse to replace a checkpoint that results refer to.

    :param checkpoint: folder that the fit is to write
    :param runs: folder of the runs, whose results may speak of it
    :param overwrite: one that no result speaks of may be replaced
    :raises LearningError: saying who speaks of it, or how to replace it
    """
    checkpoint = Path(checkpoint)
    if not any((checkpoint / name).exists() for name in (DOCUMENT, WEIGHTS)):
        return
    speaking = referring(checkpoint, runs)
    if speaking is not None:
        raise LearningError(f'{checkpoint} is the checkpoint that {speaking} speaks of, and is '
                            'never replaced: give another --output')
    if not overwrite:
        raise LearningError(f'{checkpoint} has a checkpoint already: give another --output, or '
                            'replace it with --overwrite')


def referring(checkpoint: Path, runs: Path) -> Path | None:
    """
    Return a file of results that speaks of a checkpoint, by its place or its hash; None: none.

    They are looked for in its run, in all runs and in the working directory.

    :param checkpoint: its folder
    :param runs: folder of the runs
    """
    place = Path(checkpoint).absolute()
    own = place.parents[1] if place.parent.name == CHECKPOINTS else place.parent
    said = [text for text in (_sha256(place), str(place)) if text]
    for path in _results(own, 1 if place.parent.name == CHECKPOINTS else 0):
        if _says(path, [*said, str(place.relative_to(own))]):
            return path
    others = (path for folder, depth in ((Path(runs), _DEPTH), (Path(), 0))
              for path in _results(folder, depth))
    return next((path for path in others if _says(path, said)), None)


def is_finished(checkpoint: Path) -> bool:
    """Tell whether the state of a checkpoint's own run says that it is trained."""
    place = Path(checkpoint).absolute()
    if place.parent.name != CHECKPOINTS:
        return False
    return _says(place.parents[1] / 'run.json', [f'{CHECKPOINTS}/{place.name}'])


def _results(folder: Path, depth: int) -> Iterator[Path]:
    for place, folders, names in os.walk(folder):
        deep = len(Path(place).relative_to(folder).parts)
        folders[:] = sorted(name for name in folders if deep < depth
                            and name not in _NO_RESULTS and not name.startswith('.'))
        for name in sorted(names):
            if name.endswith('.json'):
                yield Path(place, name)


def _says(path: Path, texts: list[str]) -> bool:
    """Tell whether a JSON file has one of these as a text of its own."""
    try:
        if path.stat().st_size > _LARGEST:
            return False
        content = read_text(path)
    except OSError:
        return False
    return any(json.dumps(text) in content for text in texts)


def _sha256(checkpoint: Path) -> str:
    try:
        found = json.loads(read_text(checkpoint / DOCUMENT))['sha256']
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return ''
    return found if isinstance(found, str) and len(found) == 64 else ''
