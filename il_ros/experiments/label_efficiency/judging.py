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
Every checkpoint of a study on the same resets, in this machine's processes, without ROS.

What came of one is a small file named after all that it depends on: the checkpoint's hash, the
contract, the resets. What is there is not run again.
"""

from collections.abc import Callable, Iterable
import dataclasses
import hashlib
import json
from pathlib import Path
from typing import NamedTuple

from il_ros.contract.episode_spec import LOST
from il_ros.evaluation.mistakes import count_mistakes
from il_ros.experiments.rollouts import Conditions, Rollouts
from il_ros.files.atomic import write_atomically
from il_ros.processes.pool import map_processes
from il_ros.tasks.contracts import find_contract
from il_ros.tasks.expert_registry import make_expert

_FORMAT = 1


class Driver(NamedTuple):
    """Who is judged."""

    folder: str
    """Of the checkpoint; '': the expert."""
    sha256: str
    """Of the checkpoint; '': the expert."""


EXPERT = Driver('', '')


@dataclasses.dataclass(frozen=True)
class Verdict:
    """What the episodes of one driver came to."""

    wins: str
    """A ``1`` or ``0`` an episode, in the order of their seeds."""
    lost: int
    """Episodes whose object was lost."""
    steps: int
    """Where the expert has an answer."""
    mistakes: int
    """Of these steps."""


class Judge:
    """Runs the episodes that are missing, and remembers."""

    def __init__(self, folder: Path, conditions: Conditions, seeds: range):
        """
        Look at what the episodes depend on.

        :param folder: of the files; made when it is needed
        :param seeds: of the episodes, the same for everybody
        """
        contract, _ = find_contract(conditions.task)
        self._folder, self._conditions, self._seeds = folder, conditions, seeds
        expert = make_expert(conditions.task, contract, conditions.options)
        self._about = {'format': _FORMAT, **dataclasses.asdict(conditions),
                       'contract': contract.id, 'first_seed': seeds[0], 'episodes': len(seeds),
                       'expert': expert.name}

    def found(self, driver: Driver) -> Verdict | None:
        """Return what came of somebody; None: the episodes were not run yet."""
        try:
            said = json.loads(self._path(driver).read_text())
            if said.pop('about') != self._about_of(driver):
                return None
            return Verdict(**said)
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return None

    def run(self, drivers: Iterable[Driver], workers: int,
            told: Callable[[], None] = lambda: None):
        """
        Judge those that were not judged yet.

        :param told: called after each
        :raises ProcessError: if a process fails; what is finished stays
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        missing = [driver for driver in dict.fromkeys(drivers) if self.found(driver) is None]
        make = (make_judge, (self._conditions, self._seeds))
        for driver, verdict in map_processes(*make, missing, workers):
            content = {'about': self._about_of(driver), **dataclasses.asdict(verdict)}
            write_atomically(self._path(driver), (json.dumps(content) + '\n').encode())
            told()

    def _about_of(self, driver: Driver) -> dict:
        return {**self._about, 'driver': driver.sha256}

    def _path(self, driver: Driver) -> Path:
        about = json.dumps(self._about_of(driver), sort_keys=True)
        name = hashlib.sha256(about.encode()).hexdigest()[:16]
        return self._folder / f'{self._conditions.task}-{name}.json'


def make_judge(conditions: Conditions, seeds: range) -> Callable[[Driver], Verdict]:
    """Return what judges one driver after the other in a process."""
    rollouts = Rollouts(conditions)

    def judge(driver: Driver) -> Verdict:
        rollouts.take(driver.folder, driver.sha256)
        episodes = [rollouts.run(seed) for seed in seeds]
        counted = count_mistakes((one.rollout for one in episodes), rollouts.contract)
        return Verdict(''.join(str(int(one.success)) for one in episodes),
                       sum(one.cause == LOST for one in episodes), counted.steps,
                       counted.mistakes)
    return judge
