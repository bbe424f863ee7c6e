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

"""Progress of a command: a bar on a terminal, one line for each stage elsewhere."""

from collections.abc import Iterator, Sequence
import sys
import time
from typing import TypeVar

from tqdm import tqdm

Item = TypeVar('Item')
_PLURALS = {'policy': 'policies'}
_SHARE = '%'


class Progress:
    """
    How far a stage is, on standard error; a context manager.

    :param what: the stage, e.g. ``recording``
    :param total: how much there is to do; None: not known yet
    :param unit: of what is counted, in the singular; ``%``: a share, in per cent
    :param done: what was done before
    :param hidden: say nothing
    """

    def __init__(self, what: str = '', total: float | None = None, unit: str = 'step',
                 done: float = 0, hidden: bool = False):
        self._what, self._unit, self._hidden = what, unit, hidden
        self._total, self._done, self._note = total, done, ''
        self._began = time.monotonic()
        self._bar: tqdm | None = None
        if not hidden and sys.stderr.isatty():
            own = {'bar_format': '{desc} {bar} {n:3.0f} % {postfix}', 'leave': False}
            self._bar = tqdm(total=total, desc=what, unit=unit, initial=done, file=sys.stderr,
                             **(own if unit == _SHARE else {}))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self, quiet: bool = False):
        """
        Finish the last stage.

        :param quiet: without its line
        """
        self._hidden |= quiet
        self._finish_stage()
        if self._bar is not None:
            self._bar.close()

    @property
    def done(self) -> float:
        """Return how much is done."""
        return self._done

    def update(self, count: float = 1):
        """Count what was done since the last call."""
        self.reach(self._done + count)

    def reach(self, done: float, total: float | None = None):
        """
        Say how much is done, of how much.

        :param total: None: as it was
        """
        self._done = done
        self._total = self._total if total is None else total
        if self._bar is not None:
            self._bar.total = self._total
            self._bar.update(done - self._bar.n)

    def note(self, text: str):
        """Say something beside it, such as a loss."""
        self._note = text
        if self._bar is not None:
            self._bar.set_postfix_str(text)

    def begin(self, what: str):
        """Finish a stage, and go on with another one that counts towards the same total."""
        self._finish_stage()
        self._what, self._note, self._began = what, '', time.monotonic()
        if self._bar is not None:
            self._bar.set_description(what)

    def say(self, text: str):
        """Print a line of the command's own, above the bar."""
        if self._bar is None:
            print(text)
        else:
            tqdm.write(text)

    def _finish_stage(self):
        if self._hidden or self._bar is not None or not self._what:
            return
        if self._total == 0 and not self._done:
            return
        seconds = f'{time.monotonic() - self._began:.1f} s'
        parts = [part for part in (self._count(), seconds, self._note) if part]
        print(f'{self._what}: {", ".join(parts)}', file=sys.stderr)

    def _count(self) -> str:
        if self._unit == _SHARE:
            return ''
        units = _PLURALS.get(self._unit, f'{self._unit}s')
        return f'{self._done:g} {units}' if self._total is None else (
            f'{self._done:g} of {self._total:g} {units}')


def each(items: Sequence[Item], what: str, unit: str = 'episode') -> Iterator[Item]:
    """Go through a sequence, and say how far it is; of one that is left early, nothing."""
    progress, finished = Progress(what, len(items), unit), False
    try:
        for item in items:
            yield item
            progress.update()
        finished = True
    finally:
        progress.close(quiet=not finished)
