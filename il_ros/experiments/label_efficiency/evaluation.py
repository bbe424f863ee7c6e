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
Evaluate the checkpoints of a study on the same held-out episodes, in processes without ROS.

Each result is a small file, named after all that it depends on: the checkpoint's hash, the
contract, the episodes. An existing result is not computed again.
"""

from collections.abc import Callable, Iterable
import dataclasses
import hashlib
import json
from pathlib import Path
from typing import NamedTuple

from il_ros.contract.episode_spec import LOST
from il_ros.errors import ImitationError
from il_ros.evaluation.mistakes import count_mistakes
from il_ros.experiments.rollouts import Conditions, RolloutRunner
from il_ros.files.atomic import write_atomically
from il_ros.processes.pool import map_processes
from il_ros.tasks.contracts import find_contract
from il_ros.tasks.expert_registry import make_expert

_FORMAT = 1


class Driver(NamedTuple):
    """The expert or a policy that is evaluated."""

    folder: str
    """Of the checkpoint; '': the expert."""
    sha256: str
    """Of the checkpoint; '': the expert."""


EXPERT = Driver('', '')


@dataclasses.dataclass(frozen=True)
class EvaluationResult:
    """Result of the episodes of one driver."""

    wins: str
    """``1`` or ``0`` for each episode, in the order of their seeds."""
    lost: int
    """Episodes whose object was lost."""
    steps: int
    """Steps for which the expert has an answer."""
    mistakes: int
    """Of these steps."""


class Evaluator:
    """Runs the missing episodes and keeps their results in files."""

    def __init__(self, folder: Path, conditions: Conditions, seeds: range):
        """
        Record what the results depend on.

        :param folder: of the files; created when needed
        :param seeds: of the episodes, the same for all drivers
        """
        contract, _ = find_contract(conditions.layout)
        self._folder, self._conditions, self._seeds = folder, conditions, seeds
        expert = make_expert(conditions.task, contract, conditions.options)
        self._about = {'format': _FORMAT, **dataclasses.asdict(conditions),
                       'contract': contract.id, 'first_seed': seeds[0], 'episodes': len(seeds),
                       'expert': expert.name}

    def found(self, driver: Driver) -> EvaluationResult | None:
        """Return the result of a driver; None: its episodes were not run yet."""
        try:
            said = json.loads(self._path(driver).read_text())
            if said.pop('about') != self._about_of(driver):
                return None
            return EvaluationResult(**said)
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return None

    def result(self, driver: Driver) -> EvaluationResult:
        """
        Return the result of a driver that was evaluated.

        :raises ImitationError: if it has gone
        """
        found = self.found(driver)
        if found is None:
            raise ImitationError(
                f'{self._path(driver)} is missing; the same command evaluates again')
        return found

    def run(self, drivers: Iterable[Driver], workers: int,
            on_done: Callable[[], None] = lambda: None):
        """
        Evaluate the drivers that have no result yet.

        :param on_done: called after each
        :raises ProcessError: if a process fails; what is finished stays
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        missing = [driver for driver in dict.fromkeys(drivers) if self.found(driver) is None]
        make = (make_evaluator, (self._conditions, self._seeds))
        for driver, result in map_processes(*make, missing, workers):
            content = {'about': self._about_of(driver), **dataclasses.asdict(result)}
            write_atomically(self._path(driver), (json.dumps(content) + '\n').encode())
            on_done()

    def _about_of(self, driver: Driver) -> dict:
        return {**self._about, 'driver': driver.sha256}

    def _path(self, driver: Driver) -> Path:
        about = json.dumps(self._about_of(driver), sort_keys=True)
        name = hashlib.sha256(about.encode()).hexdigest()[:16]
        return self._folder / f'{self._conditions.task}-{name}.json'


def make_evaluator(conditions: Conditions, seeds: range) -> Callable[[Driver], EvaluationResult]:
    """Return a function that evaluates one driver after the other in its process."""
    rollouts = RolloutRunner(conditions)

    def evaluate(driver: Driver) -> EvaluationResult:
        rollouts.take(driver.folder, driver.sha256)
        episodes = [rollouts.run(seed) for seed in seeds]
        counted = count_mistakes((one.compared for one in episodes), rollouts.contract)
        return EvaluationResult(''.join(str(int(one.success)) for one in episodes),
                                sum(one.cause == LOST for one in episodes), counted.steps,
                                counted.mistakes)
    return evaluate
