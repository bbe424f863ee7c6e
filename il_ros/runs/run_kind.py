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

"""What all episodes of a run have in common: the task, its options and the contract."""

import dataclasses
import json
from pathlib import Path

from il_ros.contract.contract import Contract
from il_ros.episodes.mcap import read_mcap
from il_ros.episodes.reader import head
from il_ros.errors import EpisodeFileError, RunKindError
from il_ros.runs.shard import receipts_in


@dataclasses.dataclass(frozen=True)
class RunKind:
    """What a run's episodes are of; one run never mixes two kinds."""

    task: str
    options: str = ''
    """JSON of the episodes' options; '': none."""
    contract: Contract | None = None
    """None: not known."""

    def difference(self, other: 'RunKind') -> tuple[str, str, str] | None:
        """Return what differs, and its value here and there; None: they are of one kind."""
        if self.task != other.task:
            return 'task', self.task, other.task
        if _parsed(self.options) != _parsed(other.options):
            return 'options', self.options or 'none', other.options or 'none'
        if (self.contract is None or other.contract is None
                or self.contract.id == other.contract.id):
            return None
        return 'contract', _named(self.contract), _named(other.contract)


def _parsed(options: str) -> object:
    try:
        return json.loads(options) if options else {}
    except ValueError:
        return options  # not JSON: whoever uses it says so


def _named(contract: Contract) -> str:
    return f'{contract.name} ({contract.id:016x})'


def kind_of_run(folder: Path) -> tuple[RunKind, Path] | None:
    """
    Return what a run's first whole episode is of, and its file; None: there is none.

    :param folder: of the run
    """
    for path, receipt in receipts_in(Path(folder) / 'episodes', unreadable=[]):
        spec = receipt.spec
        try:
            return RunKind(spec.task, spec.options, head(read_mcap(path))[1]), path
        except EpisodeFileError:
            return RunKind(spec.task, spec.options), path
    return None


def refuse_other_kind(folder: Path, found: RunKind, asked: RunKind):
    """
    Refuse to add episodes of another kind to a run.

    :param found: what the run in ``folder`` is of
    :raises RunKindError: naming what differs, with both values
    """
    differing = asked.difference(found)
    if differing is not None:
        what, wanted, stands = differing
        raise RunKindError(f'{folder} has episodes with {what} {stands}; {what} {wanted} was '
                           'asked for, and a run never mixes two: choose another run name')


class RunKeeper:
    """Remembers what a run is of, so that not every new episode reads it again."""

    def __init__(self):
        """Begin with no run."""
        self._folder: Path | None = None
        self._found: tuple[RunKind, Path] | None = None

    def admit(self, folder: Path, asked: RunKind):
        """
        Refuse an episode that would make a run a mixture.

        :param folder: of the run; it need not be there yet
        :raises RunKindError: naming what differs, with both values
        """
        # The episode that was looked at may be gone: an evaluation replaces the one before.
        if folder != self._folder or self._found is None or not self._found[1].exists():
            self._folder, self._found = folder, kind_of_run(folder)
        if self._found is not None:
            refuse_other_kind(folder, self._found[0], asked)
