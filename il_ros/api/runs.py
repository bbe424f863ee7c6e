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

"""Runs and checkpoints on disk: what was recorded and trained, for notebooks."""

import dataclasses
import json
from pathlib import Path
import tempfile
from typing import Any, TYPE_CHECKING

from il_ros.files.atomic import write_atomically
from il_ros.files.regular import read_bytes, read_text
from il_ros.interactive.run_state import RunFileError
from il_ros.learning import checkpoint
from il_ros.learning.places import is_run, newest_checkpoint
from il_ros.learning.policy import Policy
from il_ros.learning.references import CHECKPOINTS
from il_ros.loop.results import SUMMARY
from il_ros.reports.plots import success_figure
from il_ros.reports.run_report import rounds_table
from il_ros.reports.table import Table
from il_ros.runs.inventory import episodes_of, find_run

if TYPE_CHECKING:
    from matplotlib.figure import Figure

REPORT = 'report.html'
RUNS = Path('runs')
"""Where runs are looked for by name, as the command line does."""


def save_policy(policy: Policy, path: Path | str, *, replace: bool = False) -> str:
    """
    Write a policy as a checkpoint: a folder with safetensors and JSON, complete or absent.

    >>> import il_ros
    >>> policy = il_ros.load_policy('runs/first')
    >>> sha256 = il_ros.save_policy(policy, 'checkpoints/mine')
    >>> il_ros.load_policy('checkpoints/mine').sha256 == sha256
    True

    :param path: the folder; its parents are made
    :param replace: put it in the place of another checkpoint
    :returns: SHA-256 of the checkpoint, hex
    :raises LearningError: if another checkpoint is there and ``replace`` is false, or anything
        that is no checkpoint
    :raises OSError: if the disk refuses
    """
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    return checkpoint.save(Path(path), policy, replace=replace)


def load_policy(path: Path | str) -> Policy:
    """
    Read and verify a policy: ``policy(observation)`` is its action, shape ``(act_dim,)``.

    >>> import il_ros
    >>> env = il_ros.make_env('reach')
    >>> policy = il_ros.load_policy('runs/first')      # the checkpoint of the last round
    >>> observation, _ = env.reset(seed=0)
    >>> policy(observation).shape
    (3,)

    A call has no memory: let `evaluate` drive a policy with a history or chunks.

    :param path: folder of a checkpoint; or of a run: its last round, or what ``il_ros train``
        made of it
    :raises NoCheckpointError: if there is none
    :raises DamagedError: naming the file and what is wrong with it
    """
    path = Path(path)
    if not (path / checkpoint.DOCUMENT).exists() and is_run(path):
        path = newest_checkpoint(path)
    return checkpoint.load(path)


@dataclasses.dataclass(frozen=True)
class Run:
    """A run on disk; every access reads what is there now."""

    folder: Path
    _temporary: tempfile.TemporaryDirectory | None = dataclasses.field(
        default=None, repr=False, compare=False)
    """Is removed with this object; None: the folder stays."""

    def episodes(self) -> list[Path]:
        """Return the files of all finished episodes, by shard and name; see `read_episode`."""
        return episodes_of(self.folder)

    @property
    def summary(self) -> dict[str, Any] | None:
        """
        Return what ``summary.json`` says; None: the run is not finished.

        :raises RunFileError: naming the file, if it is damaged
        """
        path = self.folder / SUMMARY
        try:
            return json.loads(read_text(path))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, RecursionError) as error:
            raise RunFileError(f'{path} cannot be read: {error}') from error

    def table(self) -> Table:
        """
        Return labels, driving and success of each policy with its 95 % interval; ``print`` it.

        :raises RunFileError: if the run has not come to its end
        """
        return rounds_table(self._whole_summary())

    def success_curve(self) -> 'Figure':
        """
        Return the figure of success against labels, with 95 % intervals.

        :raises RunFileError: if the run has not come to its end
        """
        return success_figure(self._whole_summary())

    def report(self, path: Path | str | None = None) -> Path:
        """
        Return the page with tables, figures and pictures; it needs no other file.

        :param path: where to copy it first; None: it stays where it is, in the run
        :raises RunFileError: if the run has not come to its end
        :raises EpisodeWriteError: naming the copy that cannot be written
        """
        self._whole_summary()
        page = self.folder / REPORT
        if path is None:
            return page
        try:
            content = read_bytes(page)
        except OSError as error:
            raise RunFileError(f'{page} cannot be read: {error}') from error
        write_atomically(Path(path), content)
        return Path(path)

    def _whole_summary(self) -> dict[str, Any]:
        summary = self.summary
        if summary is None:
            raise RunFileError(f'{self.folder} has no {SUMMARY}: the run has not come to its end; '
                               'resume it')
        return summary

    def policy(self, round_: int | None = None) -> Policy:
        """
        Return a policy of the run.

        :param round_: 0: behavioural cloning, 1: after the first round, ...; None: the newest
        :raises NoCheckpointError: if there is none
        :raises DamagedError: naming the file and what is wrong with it
        """
        if round_ is None:
            return load_policy(self.folder)
        return checkpoint.load(self.folder / CHECKPOINTS / f'round_{round_:02d}')


def open_run(path: Path | str) -> Run:
    """
    Open a run on disk.

    >>> import il_ros
    >>> run = il_ros.open_run('runs/first')
    >>> run.summary['task']
    'reach'
    >>> il_ros.read_episode(run.episodes()[0]).contract.id == run.policy().contract.id
    True

    :param path: the run's folder, or its name under ``runs``
    :raises NoSuchRunError: naming the places that were looked at
    """
    return Run(find_run(RUNS, str(path)))
