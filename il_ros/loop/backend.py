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
Back ends of a run: who runs its episodes, labels states, fits policies and loads them.

The loop (``run.py``) awaits every call. A back end that answers at once, in this process, is
driven to its end by ``finish``; no event loop is needed.
"""

from collections.abc import Awaitable, Callable, Coroutine
import dataclasses
from pathlib import Path
from typing import Any, NamedTuple, Protocol, Sequence, TypeVar

from il_ros.contract.contract import Contract
from il_ros.contract.episode_spec import EpisodeSpec
from il_ros.episodes.episode import Episode
from il_ros.episodes.receipts import Receipt
from il_ros.interactive.outcomes import Trained
from il_ros.learning.training_worker.protocol import JobDone
import numpy as np

Result = TypeVar('Result')

Tell = Callable[[float, float], None]
"""Is given the progress of a stage, [0, 1], and the running loss (-1: none)."""

Check = Callable[[], None]
"""Raises what ends the work: a cancelled run stops here."""


class Labels(NamedTuple):
    """Answers of the expert to some states of an episode."""

    actions: np.ndarray
    """Shape ``(N, act_dim)``, float32; zero where ``valid`` is false."""

    valid: np.ndarray
    """Shape ``(N,)``, bool: the expert has an answer."""

    labeller: str
    seconds: float
    """The expert's own time, s."""


@dataclasses.dataclass(frozen=True)
class Episodes:
    """Episodes that are to be run and recorded, in order."""

    stage: str
    folder: Path
    """Of the run."""

    specs: Sequence[EpisodeSpec]
    gate_threshold: float
    """Where an adapted threshold starts; -1: at the plan's own."""

    policy: Trained | None
    """The checkpoint that has to run all the time; None: none."""


@dataclasses.dataclass(frozen=True)
class FitOrder:
    """A fit on a part of the data set of a run."""

    stage: str
    run: str
    folder: Path
    """Of the run."""

    filter_key: str
    config: Path
    """Training settings, a YAML file."""

    seed: int
    output: Path
    """Folder of the checkpoint."""


class Fitting(Protocol):
    """A fit that is under way beside other stages."""

    async def outcome(self) -> JobDone:
        """
        Wait for its end.

        :raises RunError: with the code of what failed, and its sentence
        """

    async def abandon(self):
        """Cancel it and wait until it has stopped."""


class Backend(Protocol):
    """What a run needs done; a failure is a ``RunError`` with the code of ``RunDagger``."""

    async def contract(self) -> Contract:
        """Return the contract of the episodes."""

    async def carry_out(self, stage: str, work: Callable[[], Awaitable[Result]]) -> Result:
        """Do the work of a stage; repeat it if a required part was lost."""

    async def load(self, path: Path, sha256: str):
        """Let the policy be this checkpoint; at once if it is already."""

    async def collect(self, episodes: Episodes, keep: Callable[[Receipt], None],
                      finished: Callable[[int], None]):
        """
        Run and record episodes.

        :param keep: is given each receipt, also those of attempts that are run again
        :param finished: is told now and then how many episodes are finished
        """

    async def label(self, episode: Episode, steps: np.ndarray) -> Labels:
        """Return what the expert would have done in these steps of an episode, ascending."""

    def start_fit(self, order: FitOrder, tell: Tell) -> Fitting:
        """Begin a fit; other stages go on meanwhile."""

    async def beside(self, work: Callable[[Check], Result]) -> Result:
        """Do what takes long, so that it can be cancelled."""

    async def pause(self):
        """Let others run, and end a cancelled run."""

    def check(self):
        """End a cancelled run."""


def finish(work: Coroutine[Any, Any, Result]) -> Result:
    """
    Run a coroutine whose calls all answer at once, and return what it returns.

    :raises RuntimeError: if it waits for something
    """
    try:
        work.send(None)
    except StopIteration as done:
        return done.value
    work.close()
    raise RuntimeError('a back end in this process waits; expected an answer at once')
