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
What an operator took back: marked beside the episode, never erased.

``<id>.discarded.json`` lists ranges of steps; a whole episode gets the flag in its receipt.
"""

import dataclasses
import json
from pathlib import Path

from il_ros.episodes.receipts import DISCARDED, read_receipt, Receipt, receipt_path, write_receipt
from il_ros.errors import EpisodeFileError, NoSuchEpisodeError, StepRangeError
from il_ros.files.atomic import write_atomically
from il_ros.files.regular import read_text


def discards_path(episode_path: Path) -> Path:
    """Return where the discarded ranges of an episode lie."""
    return Path(episode_path).with_suffix('.discarded.json')


def discard(episode_path: Path, first: int = 0, last: int = 0) -> Receipt:
    """
    Leave steps ``first`` to ``last`` (inclusive) out of training; both 0: the whole episode.

    :returns: the receipt as it stands now
    :raises NoSuchEpisodeError: if the episode has no receipt
    :raises StepRangeError: if it has no such steps
    """
    if not receipt_path(episode_path).exists():
        raise NoSuchEpisodeError(f'no episode {Path(episode_path).stem} was recorded in '
                                 f'{Path(episode_path).parent}')
    receipt = read_receipt(receipt_path(episode_path))
    if first == 0 and last == 0:
        receipt = dataclasses.replace(receipt, flags=receipt.flags | DISCARDED)
        write_receipt(episode_path, receipt)
        return receipt
    if not 0 <= first <= last < receipt.steps:
        raise StepRangeError(f'{receipt.spec.episode_id} has steps 0 to {receipt.steps - 1}; '
                             f'{first} to {last} is no range of them')
    ranges = sorted({*discarded(episode_path), (first, last)})
    write_atomically(discards_path(episode_path), json.dumps(ranges).encode())
    return receipt


def discarded(episode_path: Path) -> tuple[tuple[int, int], ...]:
    """
    Return the discarded ranges of an episode: first and last step, inclusive.

    :raises EpisodeFileError: naming the file, if it cannot be read
    """
    path = discards_path(episode_path)
    if not path.exists():
        return ()
    try:
        return tuple((int(first), int(last)) for first, last in json.loads(read_text(path)))
    except (OSError, TypeError, ValueError) as error:
        raise EpisodeFileError(f'{path} is no list of discarded steps: {error}') from error
