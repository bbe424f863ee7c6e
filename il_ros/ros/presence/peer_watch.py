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
Watch which nodes of a graph run, ended, or were started again.

Every process says a few times a second who it is and which parts it plays. Of one on this
machine the operating system says at once whether it still runs; of one elsewhere its silence
does. Pure: the steady clock's time and a look at the processes are handed in.
"""

from collections.abc import Callable, Iterable
import dataclasses
import re

from il_ros.errors import ImitationError

BEAT_S = 0.5
"""How often a process says that it is there."""

SILENT_S = 1.75
"""A process elsewhere that is silent for so long is gone."""

_REPLACED_S = 1.5 * BEAT_S
"""Whoever plays a part that another one played so long ago has taken its place."""

_LONGEST_LOOK_S = 0.5
"""What one look adds at most: a pause of the process that looks is nobody's silence."""

_PART = r'[a-z]{1,20}(?::\w{1,64})?'
_BEAT = re.compile(
    rf'(\S{{1,200}}) (\d{{1,10}}) (\d{{1,20}}) ({_PART}(?:,{_PART}){{0,15}})', re.ASCII)


class BadBeatError(ImitationError):
    """A message on ``alive`` that cannot be read."""


@dataclasses.dataclass(frozen=True)
class Process:
    """One process in the world; another one never has the same values."""

    place: str
    """The machine, and where on it process ids are counted."""
    pid: int
    started: int
    """When it was started, as the operating system counts it; 0: unknown."""

    def __str__(self):
        return f'process {self.pid} on {self.place.partition("/")[0]}'


@dataclasses.dataclass(frozen=True)
class Beat:
    """Identity of a process and its nodes."""

    process: Process
    parts: tuple[str, ...]
    """Each with the name of its node, where that is another: ``simulator:operator_task``."""

    @property
    def names(self) -> dict[str, str]:
        """Return the names of its nodes by the parts that they play."""
        split = (part.partition(':') for part in self.parts)
        return {part: name or part for part, _, name in split}

    def __str__(self):
        who = self.process
        return f'{who.place} {who.pid} {who.started} {",".join(self.parts)}'

    @classmethod
    def of(cls, text: str) -> 'Beat':
        """
        Parse a message on ``alive``.

        :raises BadBeatError: if it is no beat
        """
        found = _BEAT.fullmatch(text)
        if found is None:
            raise BadBeatError(f'data is {text[:40]!r}; expected PLACE PID START PART,PART,...')
        place, pid, started, parts = found.groups()
        return cls(Process(place, int(pid), int(started)), tuple(parts.split(',')))


@dataclasses.dataclass
class _Player:
    name: str
    process: Process
    is_near: bool
    """Whether the operating system knows of it; it may be of another user, and hidden."""
    silent_s: float = 0.0
    is_gone: bool = False


class PeerWatch:
    """
    Who plays which part.

    :param own: this process: it is never lost to itself
    :param runs: tells whether a process of this place still runs
    """

    def __init__(self, own: Process, runs: Callable[[Process], bool]):
        self._own, self._runs = own, runs
        self._players: dict[str, _Player] = {}
        self._losses: dict[str, int] = {}
        self._looked_s = 0.0

    @property
    def parts(self) -> Iterable[str]:
        """Return the parts that others play, or played."""
        return self._players.keys()

    def hear(self, beat: Beat, now_s: float) -> dict[str, Process]:
        """
        Take in a message of a process.

        :returns: who is lost by that, by part: it plays what they played
        """
        lost: dict[str, Process] = {}
        if beat.process == self._own:
            return lost
        if not self._players:
            self._looked_s = now_s
        for part, name in beat.names.items():
            before = self._players.get(part)
            if before is not None and before.process == beat.process:
                before.silent_s, before.is_gone = 0.0, False
                continue
            if before is not None and not before.is_gone:
                if self._is_there(before, _REPLACED_S):
                    continue  # two of them; whoever came first is looked at
                self._lose(part, before, lost)
            self._players[part] = _Player(name, beat.process, self._is_near(beat.process))
        return lost

    def look(self, now_s: float) -> dict[str, Process]:
        """Return who is lost since the last look, by part; called several times a second."""
        passed_s, self._looked_s = min(now_s - self._looked_s, _LONGEST_LOOK_S), now_s
        lost: dict[str, Process] = {}
        for part, player in self._players.items():
            player.silent_s += passed_s
            if not player.is_gone and not self._is_there(player, SILENT_S):
                self._lose(part, player, lost)
        return lost

    def is_gone(self, part: str) -> bool:
        """Tell whether a part that was played is not played now."""
        player = self._players.get(part)
        return player is not None and player.is_gone

    def name(self, part: str) -> str:
        """Return the name of the node that plays a part, or played it last."""
        player = self._players.get(part)
        return part if player is None else player.name

    def losses(self, part: str) -> int:
        """Return how often a part was lost."""
        return self._losses.get(part, 0)

    def _is_there(self, player: _Player, patience_s: float) -> bool:
        return self._runs(player.process) if player.is_near else player.silent_s < patience_s

    def _is_near(self, process: Process) -> bool:
        return process.place == self._own.place and self._runs(process)

    def _lose(self, part: str, player: _Player, lost: dict[str, Process]):
        player.is_gone = True
        self._losses[part] = self.losses(part) + 1
        lost[part] = player.process
