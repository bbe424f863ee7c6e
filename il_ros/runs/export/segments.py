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


"""The unbroken stretches of steps that another library can learn from."""

from collections.abc import Iterator, Sequence
import dataclasses
from pathlib import Path

from il_ros.contract.contract import Contract, VALUES
from il_ros.contract.episode_spec import VALIDATION
from il_ros.dataset.aggregation import reason_of
from il_ros.dataset.dataset import same_contract, training_episode
from il_ros.episodes.episode import Episode
from il_ros.episodes.labels import Labels
from il_ros.errors import ExportError
from il_ros.runs.inventory import Progress
from il_ros.runs.rebuild import fresh_keys, trainable
import numpy as np

LABELS, EXECUTED = 'labels', 'executed'
"""What becomes an action: what the expert wanted, or what was sent to the arm."""


@dataclasses.dataclass(frozen=True)
class Segment:
    """Steps ``start`` to ``stop`` (exclusive) of one episode, each with an action."""

    episode: Episode
    labels: Labels
    start: int
    stop: int
    keys: tuple[str, ...]
    """Filter keys of the episode."""
    actions: np.ndarray
    """Shape ``(stop - start, act_dim)``, float32."""

    @property
    def name(self) -> str:
        """Return the episode's id and the steps, first and last."""
        return f'{self.episode.spec.episode_id} {self.start}-{self.stop - 1}'

    @property
    def ends_episode(self) -> bool:
        """Tell whether the segment has the episode's last step."""
        return self.stop == self.episode.steps

    def observed(self, shift: int = 0) -> Iterator[tuple[str, np.ndarray]]:
        """Yield name and values, shape ``(n, elements)``, of each feature that is no image."""
        rows = self.episode.observations[self.start + shift:self.stop + shift]
        for feature in self.episode.contract.features:
            if feature.kind == VALUES:
                yield feature.name, rows[:, feature.start:feature.stop]

    def images(self, shift: int = 0) -> Iterator[tuple[str, np.ndarray]]:
        """Yield name and pictures, shape ``(n, height, width, channels)``, of each image."""
        for name, frames in self.episode.images.items():
            yield name, frames[self.start + shift:self.stop + shift]

    def rewards(self) -> np.ndarray:
        """Return 1 at the step that brought success and 0 else, shape ``(n,)``, float32."""
        rewards = np.zeros(self.stop - self.start, np.float32)
        rewards[-1] = float(self.ends_episode and self.episode.success)
        return rewards


def segments_of(folder: Path, actions: str = LABELS,
                progress: Progress = iter) -> Iterator[Segment]:
    """
    Yield what a run has to learn from, by shard and name.

    Flagged episodes are left out, and held-out demonstrations, which nothing may train on.

    An episode is split where a step has no label: no one knows what the expert would have done
    there, and a library that reads sequences would take it for an action.

    :param actions: ``LABELS`` or ``EXECUTED``; executed ones are never split
    :raises EpisodeFileError: naming the file that is missing or damaged
    :raises DatasetError: if two episodes have different contracts
    :raises ExportError: if there is nothing to export
    """
    keys, contract, found = fresh_keys(folder)[0], None, False
    for path, receipt in progress(trainable(folder)):
        if receipt.flags or receipt.error_code or receipt.spec.purpose == VALIDATION:
            continue
        episode, labels = training_episode(path)
        contract = same_contract(contract, episode.contract, path)
        chosen = labels.actions if actions == LABELS else episode.executed
        valid = labels.valid if actions == LABELS else np.ones(episode.steps, bool)
        for start, stop in runs_of(valid):
            found = True
            yield Segment(episode, labels, start, stop, keys.get(receipt.spec.episode_id, ()),
                          chosen[start:stop])
    if not found:
        raise ExportError(f'{folder} has nothing to export: no step of an unflagged episode has '
                          'a label')


def left_out(folder: Path) -> list[tuple[Path, str]]:
    """Return the episodes of a run that have something to learn from, but are not exported."""
    return [(path, reason_of(receipt)) for path, receipt in trainable(folder)
            if receipt.flags or receipt.error_code]


def runs_of(valid: np.ndarray) -> list[tuple[int, int]]:
    """Return the first row and the one after the last of each run of true ones."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], valid.astype(np.int8), [0]])))
    return [(int(start), int(stop)) for start, stop in edges.reshape(-1, 2)]


def element_names(contract: Contract) -> Sequence[str]:
    """Return a name for each entry of an observation's values."""
    return [f'{feature.name}.{element}' for feature in contract.features
            if feature.kind == VALUES for element in feature.elements]
