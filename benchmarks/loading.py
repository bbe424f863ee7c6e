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
How long recorded steps take to load: from their episode files, and from the aggregated one.

The files are copies of a few recorded episodes under new ids, message by message, through the
recorder's own writer. Cold: read in a fresh process, ``python -m benchmarks.loading``, after
the system was told to forget them. The peak of memory is that of the process, libraries included.
"""

from collections.abc import Callable, Iterable
import dataclasses
import os
from pathlib import Path
import sys
import time

from benchmarks.child import Parent
from il_ros.contract.episode_spec import DrivePlan, episode_id, EpisodeSpec, ROLLOUT
from il_ros.dataset.aggregation import aggregate
from il_ros.dataset.dataset import Demonstrations, load, same_contract, training_episode
from il_ros.episodes.mcap import McapFile, read_mcap
from il_ros.episodes.reader import head
from il_ros.episodes.wire.schema import recorded_schemas
from il_ros.episodes.writer import EpisodeWriter
import numpy as np

FILTER_KEY = 'round_0'
DATASET = 'dataset.hdf5'
_ROUND = 98
_FIRST_SEED = 100_000
"""Ids of copies are as long as those of the originals, so that one fits in the other's place."""


def make_episodes(originals: list[Path], folder: Path, steps: int) -> list[Path]:
    """
    Write copies of episodes until they have so many steps.

    :param originals: recorded episodes
    :returns: their files
    """
    sources = [_Original(path) for path in originals]
    written, paths = 0, []
    while written < steps:
        source = sources[len(paths) % len(sources)]
        paths.append(source.copy(folder, _FIRST_SEED + len(paths)))
        written += source.steps
    return paths


class _Original:
    """A recorded episode, ready to be copied."""

    def __init__(self, path: Path):
        file: McapFile = read_mcap(path)
        self._spec, self._contract = head(file)
        self._messages = list(file.in_order())
        self._schemas = recorded_schemas()
        self.steps = sum(topic == 'executed' for topic, _, _ in self._messages)

    def copy(self, folder: Path, seed: int) -> Path:
        spec = self._renamed(seed)
        writer = EpisodeWriter(folder, spec, self._contract, self._schemas)
        old, new = self._spec.episode_id.encode(), spec.episode_id.encode()
        for topic, raw, time_ns in self._messages:
            writer.write(topic, raw.replace(old, new), time_ns)
        writer.close()
        return writer.path

    def _renamed(self, seed: int) -> EpisodeSpec:
        # The plan's labels: ALL, so that every step is a pair to learn from.
        name = episode_id(ROLLOUT, _ROUND, seed)
        if len(name) != len(self._spec.episode_id):
            raise ValueError(f'{name} does not fit in the place of {self._spec.episode_id}')
        return dataclasses.replace(self._spec, episode_id=name, round=_ROUND, seed=seed,
                                   plan=DrivePlan(driver=self._spec.plan.driver,
                                                  beta=self._spec.plan.beta))


def episodes_in(folder: str) -> list[Path]:
    """Return the files of the episodes in a folder."""
    return sorted(Path(folder).glob('*.mcap'))


def from_episodes(paths: Iterable[Path]) -> Demonstrations:
    """
    Return the labelled states of episodes, straight from their files.

    :raises EpisodeFileError: naming the file that is missing or damaged
    :raises DatasetError: if two have different contracts
    """
    observations, actions, contract = [], [], None
    images: dict[str, list[np.ndarray]] = {}
    for path in paths:
        episode, labels = training_episode(path)
        contract = same_contract(contract, episode.contract, path)
        observations.append(episode.observations[:-1][labels.valid])
        actions.append(labels.actions[labels.valid])
        for name, frames in episode.images.items():
            images.setdefault(name, []).append(frames[:-1][labels.valid])
    return Demonstrations(np.concatenate(observations), np.concatenate(actions), contract,
                          images={name: np.concatenate(parts) for name, parts in images.items()})


def aggregated(folder: str, output: str) -> int:
    """Aggregate the episodes of a folder and return how many labelled steps they have."""
    entries = [(path, (FILTER_KEY,)) for path in episodes_in(folder)]
    return aggregate(Path(output), entries).labels[FILTER_KEY]


def fitted(dataset: str, config: str, steps: int) -> dict:
    """
    Load an aggregated file and fit a policy to all of it, as a training does.

    :param config: training YAML
    :param steps: of the fit; 0: the configuration's own
    """
    from il_ros.learning.config import TrainConfig
    from il_ros.learning.fit import fit
    settings = TrainConfig.load(Path(config))
    if steps:
        settings = dataclasses.replace(settings, steps=steps, warmup_steps=0)
    began_s = time.perf_counter()
    data = load(Path(dataset), FILTER_KEY)
    loaded_s = time.perf_counter() - began_s
    result = fit(data, None, data.contract, settings, seed=0)
    return {'steps': len(data), 'seconds': time.perf_counter() - began_s, 'load_s': loaded_s,
            'training_steps': settings.steps, 'train_loss': result.train_loss}


def forget(paths: Iterable[Path]):
    """Tell the system that the files' pages will not be needed, so that it reads them anew."""
    for path in paths:
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        finally:
            os.close(descriptor)


def timed(read: Callable, *arguments) -> dict:
    """Return how many labelled steps ``read`` gave, and in how many seconds."""
    began_s = time.perf_counter()
    found = read(*arguments)
    seconds = time.perf_counter() - began_s
    return {'steps': found if isinstance(found, int) else len(found), 'seconds': seconds}


def peak_mib() -> float:
    """Return the most memory that this process has had since it was started, MiB."""
    for line in Path('/proc/self/status').read_text().splitlines():
        if line.startswith('VmHWM:'):
            return int(line.split()[1]) / 1024.0
    raise OSError('/proc/self/status has no VmHWM')


def answer_to(request: dict) -> dict:
    """Do what one request asks for, and return what it took."""
    if 'output' in request:
        return timed(aggregated, request['episodes'], request['output'])
    if 'config' in request:
        return fitted(**request)
    if 'episodes' in request:
        return timed(from_episodes, episodes_in(request['episodes']))
    return timed(load, Path(request['dataset']), FILTER_KEY)


def main() -> int:
    """
    Answer requests until the input ends.

    ``{"episodes": FOLDER}`` loads these, with ``"output": FILE`` it aggregates them;
    ``{"dataset": FILE}`` loads it, with ``"config": YAML, "steps": N`` it also trains on it.
    """
    return Parent().serve(lambda request: {**answer_to(request), 'peak_mib': peak_mib()})


if __name__ == '__main__':
    sys.exit(main())
