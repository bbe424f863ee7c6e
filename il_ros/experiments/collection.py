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
Run many episodes of one driver in processes, and keep them in files.

Each chunk of episodes has a file, so that an interrupted run resumes. A file names the conditions
that it was made under; one with other conditions is replaced.
"""

from collections.abc import Callable
import hashlib
import json
from pathlib import Path
import shutil
from typing import Sequence

from il_ros.experiments.rollouts import Conditions, from_npz, Rollout, RolloutError, RolloutRunner
from il_ros.experiments.rollouts import to_npz
from il_ros.files.atomic import write_atomically
from il_ros.learning import checkpoint
from il_ros.processes.pool import map_processes
from il_ros.tasks.contracts import find_contract
from il_ros.tasks.expert_registry import make_expert

CHUNK = 5
"""Episodes of a file: the most that each process loses when a run is interrupted."""

_FORMAT = 1


class Collection:
    """
    The episodes of one driver, in a folder named after all that they depend on.

    :param policy: folder of the checkpoint that drives; '': the expert
    :param folder: of all collections; made when it is needed
    :raises ImitationError: if there is no such task or checkpoint
    """

    def __init__(self, conditions: Conditions, policy: str, folder: Path,
                 keep_observations: bool = False):
        contract, _ = find_contract(conditions.layout)
        expert = make_expert(conditions.task, contract, conditions.options)
        driver = ''
        if policy:
            loaded = checkpoint.load(Path(policy))
            checkpoint.check(loaded, contract)
            driver = loaded.sha256
        self._arguments = (conditions, policy, keep_observations)
        self._about = json.dumps({
            'format': _FORMAT, 'task': conditions.task, 'horizon': conditions.horizon,
            'continuing': conditions.continuing, 'options': conditions.options,
            'contract': contract.id, 'expert': expert.name, 'driver': driver,
            'observations': keep_observations}, sort_keys=True)
        name = hashlib.sha256(self._about.encode()).hexdigest()[:16]
        self.folder = folder / f'{conditions.task}-{name}'

    def forget(self):
        """Remove all episodes, so that they are run again."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def run(self, seeds: Sequence[int], workers: int,
            on_done: Callable[[int, int], None] = lambda episodes, steps: None) -> list[Rollout]:
        """
        Run the missing episodes, and return all of them in the order of the seeds.

        :param workers: processes
        :param on_done: called with episodes and steps of each chunk that was run
        :raises ProcessError: if a process fails; the chunks that are finished stay
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        chunks = [tuple(seeds[at:at + CHUNK]) for at in range(0, len(seeds), CHUNK)]
        found = {chunk: self._read(chunk) for chunk in chunks}
        missing = [chunk for chunk in chunks if found[chunk] is None]
        make = (make_runner, (*self._arguments, self._about))
        for chunk, content in map_processes(*make, missing, workers):
            write_atomically(self._path(chunk), content)
            found[chunk] = episodes = from_npz(content, self._about)
            on_done(len(chunk), sum(one.steps for one in episodes))
        return [one for chunk in chunks for one in found[chunk] or ()]

    def missing(self, seeds: Sequence[int]) -> int:
        """Return how many of the episodes are missing."""
        chunks = [tuple(seeds[at:at + CHUNK]) for at in range(0, len(seeds), CHUNK)]
        return sum(len(chunk) for chunk in chunks if self._read(chunk) is None)

    def _path(self, chunk: tuple[int, ...]) -> Path:
        return self.folder / f'{chunk[0]}-{len(chunk)}.npz'

    def _read(self, chunk: tuple[int, ...]) -> list[Rollout] | None:
        try:
            episodes = from_npz(self._path(chunk).read_bytes(), self._about)
        except (FileNotFoundError, RolloutError):
            return None
        return episodes if tuple(one.seed for one in episodes) == chunk else None


def make_runner(conditions: Conditions, policy: str, keep_observations: bool,
                about: str) -> Callable[[tuple[int, ...]], bytes]:
    """Return a function that runs a chunk of seeds and returns the content of its file."""
    rollouts = RolloutRunner(conditions, policy, keep_observations)
    return lambda seeds: to_npz([rollouts.run(seed) for seed in seeds], about)
