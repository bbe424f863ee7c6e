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


"""Identify episode files by name and content, and move misplaced ones aside."""

import itertools
import os
from pathlib import Path

from il_ros.contract.episode_spec import EPISODE_ID
from il_ros.episodes.label_file import METADATA as LABELS
from il_ros.episodes.mcap import read_mcap
from il_ros.episodes.reader import decode
from il_ros.episodes.receipts import read_receipt
from il_ros.errors import EpisodeFileError
from il_ros.files.atomic import sync_folder

MISPLACED = '.misplaced'
BESIDE = ('.labels.mcap', '.discarded.json', '.json', '.mcap')
"""What an episode's name ends with, the longest first."""


def set_aside(path: Path, with_all: bool = False) -> Path:
    """
    Rename a file to the first free ``<name>.damaged-N...``, and return that.

    :param with_all: the receipt, labels and discards of the episode ``path`` go with it
    """
    path = Path(path)
    stem, ending = parted(path)
    endings = BESIDE if with_all else (ending,)
    aside = dict(zip(endings, free_paths(path.parent, *(_damaged(stem, one) for one in endings))))
    for one, target in aside.items():
        if path.with_name(stem + one).exists():
            os.replace(path.with_name(stem + one), target)
    sync_folder(path.parent)
    return aside[ending]


def parted(path: Path) -> tuple[str, str]:
    """Return the name of a file of an episode and what it ends with, one of ``BESIDE``."""
    ending = next((one for one in BESIDE if path.name.endswith(one)), path.suffix)
    return path.name.removesuffix(ending), ending


def restore_names(folder: Path) -> list[tuple[Path, Path | None]]:
    """
    Rename misplaced files of a shard by their content.

    :returns: each file by its own name; and what it was moved to, where that name was taken
    """
    wrong = {path: right for path in sorted(folder.iterdir())
             if (right := _own_name(path)) is not None and right != path.name}
    if not wrong and not list(folder.glob(f'*{MISPLACED}')):
        return []
    for path, right in wrong.items():
        os.replace(path, *free_paths(folder, f'{right}.{{}}{MISPLACED}'))
    placed: list[tuple[Path, Path | None]] = []
    for path in sorted(folder.glob(f'*{MISPLACED}')):
        target = folder / path.name.removesuffix(MISPLACED).rpartition('.')[0]
        if target.exists():
            stem, ending = parted(target)
            aside, = free_paths(folder, _damaged(stem, ending))
            os.replace(path, aside)
            placed.append((target, aside))
        else:
            os.replace(path, target)
            placed.append((target, None))
    sync_folder(folder)
    return placed


def _damaged(stem: str, ending: str) -> str:
    return f'{stem}.damaged-{{}}{ending}'


def free_paths(folder: Path, *patterns: str) -> list[Path]:
    """Return paths of such names with the first number, for ``{}``, that none of them has yet."""
    tries = ([folder / pattern.replace('{}', str(number)) for pattern in patterns]
             for number in itertools.count(1))
    return next(paths for paths in tries if not any(path.exists() for path in paths))


def _own_name(path: Path) -> str | None:
    """Return the name that a file's content calls for; None: it does not tell."""
    stem, ending = parted(path)
    if not EPISODE_ID.fullmatch(stem):
        return None
    try:
        if ending == '.mcap':
            return f'{decode(read_mcap(path)).spec.episode_id}.mcap'
        if ending == '.json':
            return f'{read_receipt(path).spec.episode_id}.json'
        if ending == '.labels.mcap':
            name = read_mcap(path).metadata.get(LABELS, {}).get('episode_id', '')
            return f'{name}.labels.mcap' if EPISODE_ID.fullmatch(name) else None
    except EpisodeFileError:
        pass  # damaged: that is another matter
    return None
