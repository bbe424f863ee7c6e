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

"""Finishing episodes in a thread of its own, so that a slow disk holds no callback up."""

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
import threading

from il_ros.episodes.discards import discard
from il_ros.episodes.receipts import DISCARDED, Receipt
from il_ros.episodes.writer import EpisodeWriter
from il_ros.errors import ImitationError

Discards = Sequence[tuple[int, int]]
"""First and last step of what an operator took back; ``(0, 0)`` is the whole episode."""


Done = Callable[[Receipt | ImitationError], None]


class Saver:
    """Saves one episode at a time."""

    def __init__(self):
        self._pool = ThreadPoolExecutor(1, 'saver')
        self._lock = threading.Lock()
        self._discards: list[tuple[int, int]] = []
        self._future: Future | None = None
        self.saving = ''
        """Id of the episode that is being saved; empty: none."""

    def save(self, writer: EpisodeWriter, done: Done, discards: Discards = (), flags: int = 0,
             gate_threshold: float = -1.0, error_msg: str = ''):
        """
        Finish the episode of ``writer``; what is not named here is as in its ``close``.

        :param done: called in the saver's thread with the receipt, or with why there is none;
            by then the next episode may be saved
        """
        if (0, 0) in discards:
            flags |= DISCARDED
        with self._lock:
            self.saving = writer.path.stem
            self._discards = [pair for pair in discards if pair != (0, 0)]
        self._future = self._pool.submit(
            self._save, writer, done, flags, gate_threshold, error_msg)

    def discard(self, episode_id: str, first: int, last: int) -> bool:
        """Take back steps of the episode that is being saved; False: it is another one."""
        with self._lock:
            if not episode_id or self.saving != episode_id:
                return False
            self._discards.append((first, last))
            return True

    def check(self):
        """Raise what went wrong in the saver's thread, if that was no ``ImitationError``."""
        if self._future is not None and self._future.done():
            self._future.result()

    def wait(self):
        """Wait until what is being saved is on the disk."""
        if self._future is not None:
            self._future.result()

    def close(self):
        """Wait, and end the thread."""
        self._pool.shutdown()

    def _save(self, writer: EpisodeWriter, done: Done, *ending):
        outcome: Receipt | ImitationError
        try:
            outcome = writer.close(*ending)
        except ImitationError as error:
            outcome = error
        with self._lock:
            if isinstance(outcome, Receipt):
                outcome = self._take_back(writer, outcome)
            self.saving = ''
        done(outcome)

    def _take_back(self, writer: EpisodeWriter, receipt: Receipt) -> Receipt | ImitationError:
        try:
            for first, last in self._discards:
                if first < receipt.steps or last == 0:
                    last = min(last, max(receipt.steps - 1, 0))
                    receipt = discard(writer.path, first, last)
        except ImitationError as error:
            return error
        return receipt
