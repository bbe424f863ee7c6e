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

"""Episode loop: one episode of an environment from its reset to its end."""

from collections.abc import Callable
import dataclasses
from typing import Any

from il_ros.sim.environment import Environment
import numpy as np

Observation = np.ndarray | dict[str, np.ndarray]
"""As an `Environment` gives it: the values, or with images a dictionary."""

Act = Callable[[int, Observation], np.ndarray]
"""From the step, counted from 0, and its observation to an action, shape ``(act_dim,)``."""


@dataclasses.dataclass(frozen=True, eq=False)
class Ending:
    """How an episode of T steps ended."""

    seed: int
    success: bool
    """Of the last state; in a continuing episode ``goals_reached`` counts."""
    cause: int
    """``EpisodeStatus.cause``."""
    goals_reached: int
    reached: np.ndarray
    """Shape ``(T,)``, bool: the step reached a goal."""
    observation: Observation
    """The observation after the last step."""


def run_episode(environment: Environment, act: Act, seed: int,
                options: dict[str, Any] | None = None) -> Ending:
    """
    Run one episode and return how it ended.

    :param act: called once a step; it keeps what the caller wants to know of the steps
    :param options: of ``Environment.reset``
    :raises ImitationError: what ``act`` and the simulation raise
    """
    observation, info = environment.reset(seed=seed, options=options)
    reached: list[bool] = []
    over = False
    while not over:
        action = act(len(reached), observation)
        observation, reward, terminated, truncated, info = environment.step(action)
        reached.append(reward > 0.0)
        over = terminated or truncated
    return Ending(seed, bool(info['success']), int(info['cause']), int(info['goals_reached']),
                  np.array(reached), observation)
