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
The receipt of an episode: it is on disk, closed and hashed, and this is what it holds.

The same content as ``RecordedEpisode.msg``. A receipt is written last, so that an episode with
a receipt is whole.
"""

import dataclasses
import hashlib
import io
import json
from pathlib import Path
from typing import cast

from il_ros.contract.episode_spec import ABORTED, CLOCK_JUMP as CLOCK_JUMPED, EpisodeSpec
from il_ros.contract.episode_spec import NOT_ENDED, SpecError
from il_ros.episodes.episode import Episode
from il_ros.episodes.labels import costs_of
from il_ros.errors import EpisodeFileError
from il_ros.files.atomic import write_atomically
from il_ros.files.regular import open_regular, read_bytes
from il_ros.settings import Settings

INCOMPLETE, DROPS, CLOCK_JUMP, DISCARDED = 1, 2, 4, 8
"""Flags; any of them leaves the episode out of training unless asked for."""


@dataclasses.dataclass(frozen=True)
class Receipt(Settings, refusal=SpecError):
    """See ``RecordedEpisode.msg`` for the fields."""

    spec: EpisodeSpec
    path: str = ''
    sha256: str = ''
    content_sha256: str = ''
    flags: int = 0
    steps: int = 0
    dropped: int = 0
    end: int = 0
    cause: int = 0
    success: bool = False
    goals_reached: int = 0
    labels: int = 0
    queries: int = 0
    watched: int = 0
    expert_steps: int = 0
    takeovers: int = 0
    gate_threshold: float = -1.0
    error_code: int = 0
    error_msg: str = ''

    def to_json(self) -> str:
        """Return the JSON that lies beside the episode."""
        return json.dumps(dataclasses.asdict(self), sort_keys=True, indent=1)

    @classmethod
    def from_json(cls, text: str) -> 'Receipt':
        """
        Return the receipt that ``to_json`` wrote.

        :raises ValueError: if the text is no receipt
        """
        try:
            return cls.from_dict(json.loads(text))
        except SpecError as error:
            raise ValueError(str(error)) from error


def is_unfinished(receipt: Receipt) -> bool:
    """Tell whether the episode has to be run again: cut off by a crash, or aborted."""
    return bool(receipt.flags & INCOMPLETE or receipt.error_code or receipt.end == ABORTED)


def receipt_of(episode: Episode, path: Path, sha256: str, flags: int = 0,
               gate_threshold: float = -1.0, error_msg: str = '') -> Receipt:
    """
    Return the receipt of what was read back from disk.

    :param path: of the episode's file, ``runs/<run>/episodes/<shard>/<id>.mcap``
    :param flags: what the recorder knows; what the file shows is added
    """
    costs = costs_of(episode)
    flags |= INCOMPLETE if episode.end == NOT_ENDED else 0
    flags |= DROPS if episode.dropped else 0
    flags |= CLOCK_JUMP if episode.cause == CLOCK_JUMPED else 0
    if episode.refused_labels and not error_msg:
        error_msg = (f'{episode.refused_labels} answers lie outside the bounds of the contract '
                     f'{episode.contract.name}: they are no labels')
    return Receipt(
        spec=episode.spec, path=relative_path(path), sha256=sha256,
        content_sha256=episode.content_sha256(), flags=flags, steps=episode.steps,
        dropped=episode.dropped, end=episode.end, cause=episode.cause, success=episode.success,
        goals_reached=episode.goals_reached, labels=costs.labels, queries=costs.queries,
        watched=costs.watched, expert_steps=costs.expert_steps, takeovers=costs.takeovers,
        gate_threshold=gate_threshold, error_msg=error_msg)


def relative_path(path: Path) -> str:
    """Return the path relative to the run's folder: ``episodes/<shard>/<id>.mcap``."""
    parts = Path(path).parts
    return '/'.join(parts[-3:])


def receipt_path(episode_path: Path) -> Path:
    """Return where the receipt of an episode lies."""
    return Path(episode_path).with_suffix('.json')


def write_receipt(episode_path: Path, receipt: Receipt):
    """
    Put the receipt beside its episode, whole or not at all.

    :raises EpisodeWriteError: naming the file
    """
    write_atomically(receipt_path(episode_path), receipt.to_json().encode())


def read_receipt(path: Path | str) -> Receipt:
    """
    Read the receipt ``<id>.json``.

    :raises EpisodeFileError: naming the file: it is missing or no receipt
    """
    try:
        return Receipt.from_json(read_bytes(path).decode())
    except OSError as error:
        raise EpisodeFileError(f'{path} cannot be read: {error.strerror}') from error
    except ValueError as error:
        raise EpisodeFileError(f'{path} is no receipt of an episode: {error}') from error


def content_of(path: Path) -> bytes:
    """
    Return the bytes of a file.

    :raises EpisodeFileError: naming the file, if it cannot be read
    """
    try:
        return read_bytes(path)
    except OSError as error:
        raise EpisodeFileError(f'{path} cannot be read: {error.strerror}') from error


def file_sha256(path: Path) -> str:
    """
    Return the SHA-256 of a file in hexadecimal digits.

    :raises EpisodeFileError: naming the file, if it cannot be read
    """
    try:
        with open_regular(path) as file:
            return hashlib.file_digest(cast(io.FileIO, file), 'sha256').hexdigest()
    except OSError as error:
        raise EpisodeFileError(f'{path} cannot be read: {error.strerror}') from error


def verify(episode_path: Path) -> Receipt:
    """
    Compare an episode with its receipt, byte for byte.

    :raises EpisodeFileError: naming the file that is missing, damaged or exchanged
    """
    receipt = read_receipt(receipt_path(episode_path))
    name = Path(episode_path).stem
    if receipt.spec.episode_id != name:
        raise EpisodeFileError(f'{receipt_path(episode_path)} is the receipt of '
                               f'{receipt.spec.episode_id}; expected {name}')
    if file_sha256(episode_path) != receipt.sha256:
        raise EpisodeFileError(f'{episode_path} does not match the SHA-256 in its receipt')
    return receipt
