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


"""What a run holds: its episodes counted by outcome, driver, round, and their true rate."""

import collections
from collections.abc import Callable, Iterable, Sequence
import dataclasses
from pathlib import Path

from il_ros.contract.episode_spec import ABORTED, DRIVER_NAMES, HOLD, LOST, NOT_ENDED
from il_ros.contract.episode_spec import TRUNCATED
from il_ros.episodes.episode import Episode
from il_ros.episodes.label_file import read_labels
from il_ros.episodes.labels import labels_of
from il_ros.episodes.mcap import read_mcap
from il_ros.episodes.reader import episode_in
from il_ros.episodes.receipts import CLOCK_JUMP, DISCARDED, DROPS, INCOMPLETE, read_receipt
from il_ros.episodes.receipts import Receipt, receipt_path
from il_ros.episodes.streams import stream_counts
from il_ros.errors import EpisodeFileError, NoSuchRunError
from il_ros.runs.shard import episode_paths, missing_in
import numpy as np

EPISODES = 'episodes'
"""Folder of a run that has its shards."""

FLAGS = {INCOMPLETE: 'incomplete', DROPS: 'drops', CLOCK_JUMP: 'clock jump',
         DISCARDED: 'discarded'}

Progress = Callable[[Sequence], Iterable]
"""Goes through a sequence as it is, and may show how far it is."""


def find_run(runs: Path, run: str) -> Path:
    """
    Return the folder of a run.

    :param run: a name under ``runs``, or the path of its folder
    :raises NoSuchRunError: naming both places
    """
    places = tuple(dict.fromkeys((Path(runs) / run, Path(run))))
    for folder in places:
        if (folder / EPISODES).is_dir():
            return folder
    looked = f'neither {places[0]} nor {places[1]} has' if len(places) > 1 else f'{run} has not'
    raise NoSuchRunError(f'there is no run {run!r}: {looked} a folder {EPISODES}')


def place_of_run(runs: Path, run: str) -> tuple[Path, str]:
    """
    Return the folder of the runs and the name of a run, which need not exist.

    :param run: a name under ``runs``, or the path of a run's folder; what leads into a run, or
        out of the working directory where there is no run, is returned as it is: it is no name
    """
    path = Path(run)
    if len(path.parts) < 2:
        return Path(runs), run.rstrip('/')
    for folder in (Path(runs) / path, path):
        if _is_run(folder):
            return folder.parent, folder.name
    inside = any(_is_run(place / above) for place in (Path(runs), Path())
                 for above in path.parents[:-1])
    if inside or '..' in path.parts:
        return Path(runs), run
    return path.parent, path.name


def _is_run(folder: Path) -> bool:
    return (folder / EPISODES).is_dir() or (folder / 'run.json').is_file()


def shards_of(folder: Path) -> list[Path]:
    """Return the folders of episodes in a run, by name."""
    return sorted(path for path in (Path(folder) / EPISODES).iterdir() if path.is_dir())


def episodes_of(folder: Path) -> list[Path]:
    """Return the files of all finished episodes of a run, by shard and name."""
    return [path for shard in shards_of(folder) for path in episode_paths(shard)]


def outcome_of(receipt: Receipt) -> str:
    """Return how an episode went, in a word."""
    if receipt.flags & INCOMPLETE or receipt.end == NOT_ENDED:
        return 'incomplete'
    if receipt.success:
        return 'success'
    if receipt.end == ABORTED:
        return 'aborted'
    if receipt.cause == LOST:
        return 'lost'
    return 'truncated' if receipt.end == TRUNCATED else 'failure'


def driver_of(episode: Episode) -> str:
    """Return who drove an episode: one name, ``mixed`` or ``nobody``."""
    drove = [name for who, name in DRIVER_NAMES.items()
             if who != HOLD and (episode.driver == who).any()]
    return drove[0] if len(drove) == 1 else 'mixed' if drove else 'nobody'


@dataclasses.dataclass
class Inventory:
    """Counts over the episodes of a run; in steps unless noted."""

    run: str
    episodes: int = 0
    steps: int = 0
    tasks: collections.Counter = dataclasses.field(default_factory=collections.Counter)
    """Episodes by task."""
    purposes: collections.Counter = dataclasses.field(default_factory=collections.Counter)
    rounds: collections.Counter = dataclasses.field(default_factory=collections.Counter)
    outcomes: collections.Counter = dataclasses.field(default_factory=collections.Counter)
    """Episodes by outcome, as the purposes and rounds are."""
    drivers: collections.Counter = dataclasses.field(default_factory=collections.Counter)
    flags: collections.Counter = dataclasses.field(default_factory=collections.Counter)
    streams: collections.Counter = dataclasses.field(default_factory=collections.Counter)
    """Recorded messages of the additional topics, by topic."""
    stream_drops: collections.Counter = dataclasses.field(default_factory=collections.Counter)
    """Messages of those that are missing, as far as it is known."""
    labels: int = 0
    queries: int = 0
    watched: int = 0
    takeovers: int = 0
    later_queries: int = 0
    """Answers of the labelling service after the episode, used or not."""
    later_labels: int = 0
    later_used: int = 0
    """Those of them that training uses; labels of the loop come first."""
    dropped: int = 0
    """Messages that never arrived."""
    seconds: float = 0.0
    """From the first state to the last of each episode, by the stamps, s."""
    intervals: int = 0
    """Steps between those states."""
    contract_rate_hz: float = 0.0
    largest_gap_s: float = 0.0
    """Between two states in a row, by their stamps."""
    largest_gap_in: str = ''
    unreadable: list[str] = dataclasses.field(default_factory=list)
    """A sentence for each file that could not be counted."""

    @property
    def rate_hz(self) -> float:
        """Return the mean rate of the states, by their stamps; 0: unknown."""
        return self.intervals / self.seconds if self.seconds else 0.0

    def as_dict(self) -> dict:
        """Return the counts as JSON has them."""
        fields = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        return {**{name: {str(key): value[key] for key in sorted(value)}
                   if isinstance(value, collections.Counter) else value
                   for name, value in fields.items()}, 'rate_hz': self.rate_hz}

    def count(self, receipt: Receipt, path: Path):
        """
        Add one episode.

        :raises EpisodeFileError: naming the file that is damaged; nothing is added then
        """
        file = read_mcap(path)
        episode, streams = episode_in(file), stream_counts(file)
        later = read_labels(path, episode)
        spec = receipt.spec
        self.episodes += 1
        self.steps += episode.steps
        self.tasks[spec.task] += 1
        self.purposes[spec.purpose] += 1
        self.rounds[spec.round] += 1
        self.outcomes[outcome_of(receipt)] += 1
        for who, name in DRIVER_NAMES.items():
            driven = int((episode.driver == who).sum())
            if driven:
                self.drivers[name] += driven
        self.flags.update(name for bit, name in FLAGS.items() if receipt.flags & bit)
        for name in ('labels', 'queries', 'watched', 'takeovers', 'dropped'):
            setattr(self, name, getattr(self, name) + getattr(receipt, name))
        for topic, stream in streams.items():
            self.streams[topic] += stream.recorded
            self.stream_drops[topic] += stream.dropped
        self._count_stamps(episode)
        if later is not None:
            self.later_queries += int(later.asked.sum())
            self.later_labels += int(later.answers.valid.sum())
            labels = labels_of(episode, later.answers, use_later=later.used)
            self.later_used += int(labels.valid.sum() - labels_of(episode).valid.sum())

    def _count_stamps(self, episode: Episode):
        gaps_s = np.diff(episode.stamps_ns) * 1e-9
        self.contract_rate_hz = episode.contract.rate
        self.intervals += len(gaps_s)
        self.seconds += float(gaps_s.sum())
        if len(gaps_s) and gaps_s.max() > self.largest_gap_s:
            self.largest_gap_s = float(gaps_s.max())
            self.largest_gap_in = episode.spec.episode_id


def take_inventory(folder: Path, progress: Progress = iter) -> Inventory:
    """
    Count what a run holds; a file that cannot be read is named, and left out of the counts.

    :param progress: goes through the episodes and may show how far it is
    """
    inventory = Inventory(Path(folder).name)
    for path in progress(episodes_of(folder)):
        try:
            inventory.count(read_receipt(receipt_path(path)), path)
        except EpisodeFileError as error:
            inventory.unreadable.append(str(error))
    inventory.unreadable += [f'{path}: {reason}'
                             for path, reason in missing_in(Path(folder) / EPISODES)]
    return inventory
