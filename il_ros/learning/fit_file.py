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
Unfinished fits on disk, so that a killed one resumes, with the same weights.

A file beside the checkpoint that is to be: the SHA-256 of what follows, then safetensors with
weights, state of the optimiser and of the chance, step and losses so far. Its key is a hash of
data, configuration and seed: a file of any other fit is never used. It is written whole or not at
all, and removed when the fit is complete.
"""

from collections.abc import Mapping, Sequence
import dataclasses
import hashlib
import json
from pathlib import Path
import time

from il_ros.errors import EpisodeWriteError
from il_ros.files.atomic import write_atomically
from il_ros.files.regular import read_bytes
import numpy as np
import safetensors
import safetensors.numpy

EVERY_S = 0.5
"""How often a fit is saved, at most."""

SHARE = 20.0
"""A save may cost this part of the time between two of them, at most."""

_FORMAT = 'il_ros.fit 1'
_DIGEST_BYTES = 32


@dataclasses.dataclass(frozen=True)
class Saved:
    """How far a fit was."""

    step: int
    """Steps that were taken."""

    tensors: Mapping[str, np.ndarray]
    """What changes from step to step, by name."""

    curve: tuple[Mapping[str, float], ...]
    """The reports that were given."""


class FitFile:
    """
    The file of one unfinished fit.

    :param output: folder of the checkpoint that the fit is to write
    """

    def __init__(self, output: Path):
        output = Path(output)
        self.path = output.parent / f'.{output.name}.fit'
        self._key = ''
        self._due_s = time.monotonic() + EVERY_S

    def load(self, key: str) -> Saved | None:
        """
        Return the saved fit with this key; None: none, or incomplete.

        :param key: as ``key_of`` makes it; what is saved from now on belongs to it
        """
        self._key = key
        try:
            content = read_bytes(self.path)
            digest, data = content[:_DIGEST_BYTES], content[_DIGEST_BYTES:]
            if hashlib.sha256(data).digest() != digest:
                return None
            tensors = safetensors.numpy.load(data)
            notes = json.loads(tensors.pop('notes').tobytes())
            if (notes['format'], notes['key']) != (_FORMAT, key):
                return None
            return Saved(int(notes['step']), tensors, tuple(notes['curve']))
        except (OSError, safetensors.SafetensorError, KeyError, TypeError, ValueError):
            return None

    @property
    def due(self) -> bool:
        """Tell whether it is time to save."""
        return time.monotonic() >= self._due_s

    def save(self, saved: Saved):
        """Write how far the fit is; a disk that refuses costs nothing but the way back."""
        began = time.monotonic()
        notes = {'format': _FORMAT, 'key': self._key, 'step': saved.step, 'curve': saved.curve}
        text = np.frombuffer(json.dumps(notes).encode(), np.uint8)
        data = safetensors.numpy.save({**saved.tensors, 'notes': text})
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(self.path, hashlib.sha256(data).digest() + data)
        except (EpisodeWriteError, OSError):
            self._due_s = float('inf')
            return
        now = time.monotonic()
        self._due_s = now + max(EVERY_S, SHARE * (now - began))

    def remove(self):
        """Remove the file, and what a killed writer left of it."""
        for path in (self.path, self.path.with_name(f'{self.path.name}.tmp')):
            path.unlink(missing_ok=True)


def key_of(arrays: Sequence[np.ndarray], settings: Mapping) -> str:
    """
    Return the hash of all that a fit depends on.

    :param arrays: the data
    :param settings: configuration and seed, as JSON has them
    """
    digest = hashlib.sha256(json.dumps(settings, sort_keys=True).encode())
    for array in arrays:
        digest.update(f'{array.dtype.str} {array.shape}'.encode())
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()
