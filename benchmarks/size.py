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

"""How much is measured, and on which episodes: the same ones in every loop."""

import dataclasses

from il_ros.contract.episode_spec import DrivePlan, episode_id, EpisodeSpec, LABEL_NONE, POLICY
from il_ros.contract.episode_spec import ROLLOUT

RUN = 'bench'


@dataclasses.dataclass(frozen=True)
class Size:
    """What one bench takes."""

    slices: int = 10
    """The loops take turns so often: what else the machine does meets all of them alike."""

    episodes: int = 2
    """Of each slice."""

    horizon: int = 400
    """Steps of an episode; a new goal comes after each success."""

    realtime_hz: float = 50.0
    realtime_s: float = 60.0
    training_steps: int = 600
    """Of each slice; a slice is one fit and one bare loop."""

    loaded_steps: int = 100_000
    loaded_horizon: int = 80
    """Steps of an episode of those that are loaded."""

    loaded_training_steps: int = 0
    """Of a fit to all that was loaded, with ``--only loading``; 0: the task's own."""


QUICK = Size(slices=1, episodes=1, horizon=30, realtime_s=1.0, training_steps=60,
             loaded_steps=200, loaded_horizon=30, loaded_training_steps=20)
"""Smoke test; its numbers are not meaningful."""


def specs(task: str, seeds: list[int], horizon: int, round_: int = 0) -> list[EpisodeSpec]:
    """
    Return the episodes of these seeds: policy and expert are asked at each step, a coin decides.

    :param round_: makes other episode ids of the same seeds
    """
    plan = DrivePlan(driver=POLICY, beta=0.5, labels=LABEL_NONE)
    return [EpisodeSpec(
        episode_id=episode_id(ROLLOUT, round_, seed), run=RUN, task=task, purpose=ROLLOUT,
        round=round_, seed=seed, horizon=horizon, continuing=True, plan=plan) for seed in seeds]
