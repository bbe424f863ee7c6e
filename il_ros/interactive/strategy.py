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

"""What a strategy is: by which plan a round is driven, and what it needs of the training."""

import dataclasses
from typing import Any, ClassVar

from il_ros.contract.episode_spec import DrivePlan, EXPERT, LABEL_ALL, LABEL_EXPERT_DRIVEN
from il_ros.contract.episode_spec import LABEL_NONE, TELEOP
from il_ros.driving.driving import required_drivers
from il_ros.errors import ImitationError
from il_ros.interactive.outcomes import Trained
from il_ros.settings import built, refuse_other_keys


class StrategyError(ImitationError):
    """Settings of a strategy that are unknown or out of range; the sentence names the key."""

    code = 801


class UnknownStrategyError(StrategyError):
    """A strategy of that name does not exist; the sentence lists those that do."""


@dataclasses.dataclass(frozen=True)
class Strategy:
    """
    How the rounds of a run are driven.

    :param name: by which it was asked for
    :param settings: as given in the YAML, for ``run.json``
    """

    config: ClassVar[str] = ''
    """YAML of its settings, absolute or beside its module, of one without in config/strategies."""

    keys: ClassVar[dict[str, Any]] = {}
    """Its settings: what each may be, as an annotation (see `il_ros/settings.py`)."""

    name: str
    settings: dict

    def __post_init__(self):
        self.check()

    def check(self):
        """
        Refuse settings that are unknown or out of range.

        :raises StrategyError: naming the key
        """
        refuse_other_keys(self.name, self.settings, self.keys, StrategyError)
        for key, value in self.settings.items():
            built(f'{self.name}.{key}', value, self.keys[key], StrategyError)

    @property
    def learner(self) -> dict:
        """Return what the strategy needs of the training: keys that override its file's."""
        return self.settings.get('learner', {})

    @property
    def augmentation(self) -> dict:
        """Return more such keys, for the rounds from 1 on: never for BC and the baseline."""
        return {}

    def plan(self, round_: int, seed: int, trained: Trained | None = None) -> DrivePlan:
        """
        Return the plan of the episodes of a round.

        :param round_: 0: demonstrations, the expert drives; from 1 on: rollouts of a learner
        :param seed: the run's seed; the generator of an episode is seeded by it and the id
        :param trained: the policy of the round before; None: not trained yet
        """
        if round_ == 0:
            return self.demonstration(seed)
        return self.learner_plan(round_, seed, trained)

    def demonstration(self, seed: int) -> DrivePlan:
        """Return the plan of a demonstration, of the held-out ones and the baseline's alike."""
        return demonstration_plan(seed)

    def learner_plan(self, round_: int, seed: int, trained: Trained | None) -> DrivePlan:
        """Return the plan of a rollout in round ``round_`` >= 1."""
        raise NotImplementedError


def demonstration_plan(seed: int) -> DrivePlan:
    """Return the plan of a demonstration: the expert drives, every state is labelled."""
    return DrivePlan(driver=EXPERT, labels=LABEL_ALL, seed=seed)


def person_plan(seed: int) -> DrivePlan:
    """Return the plan of a person's demonstration: what he drove is labelled, no rest is."""
    return DrivePlan(driver=TELEOP, labels=LABEL_EXPERT_DRIVEN, seed=seed)


def evaluation_plan(driver: int, seed: int) -> DrivePlan:
    """Return the plan of an evaluation: ``EXPERT`` or ``POLICY`` alone, nothing is labelled."""
    return DrivePlan(driver=driver, labels=LABEL_NONE, seed=seed)


def wants_service(plan: DrivePlan) -> bool:
    """Return whether visited states are labelled only after the episode."""
    return plan.labels == LABEL_ALL and EXPERT not in required_drivers(plan)
