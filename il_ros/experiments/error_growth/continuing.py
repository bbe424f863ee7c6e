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
Episodes that continue after a success: their mistakes and outcomes.

One stuck episode can hold nearly all mistakes of a policy, and one that is stuck from the start
makes ``J`` linear whatever the policy does elsewhere; such episodes are counted apart here.
"""

import dataclasses
from typing import Mapping, NamedTuple, Sequence

from il_ros.contract.contract import Contract
from il_ros.evaluation.mistakes import ComparedActions, FRACTION, FRACTIONS, gripper_mistaken
from il_ros.evaluation.mistakes import mistaken
from il_ros.experiments.error_growth.analysis import Episodes
import numpy as np


class ContinuingScores(NamedTuple):
    """Mistakes and goals of one policy's episodes, over a common horizon H."""

    episodes: Episodes
    """With the usual definition of a mistake."""
    at: Mapping[float, np.ndarray]
    """Mistakes by fraction of the expert's speed (``FRACTIONS``), shape ``(E, H)``, bool."""
    gripper: np.ndarray | None
    """Where the grippers disagree, shape ``(E, H)``, bool; None: there is no gripper."""


def score_continuing(rollouts: Sequence[ComparedActions], reached: Sequence[np.ndarray],
                     contract: Contract, horizon: int) -> ContinuingScores:
    """
    Find the mistakes in episodes that continue after a success.

    :param reached: of each episode, the steps that reached a goal, shape ``(T,)``, bool
    :param horizon: H, at least as long as each episode
    """
    def padded(rows: list[np.ndarray]) -> np.ndarray:
        whole = np.zeros((len(rows), horizon), bool)
        for at, row in enumerate(rows):
            whole[at, :len(row)] = row
        return whole

    steps = np.array([len(one.actions) for one in rollouts], int)
    by_fraction = {fraction: padded([
        mistaken(one.actions, one.expert, contract, fraction) & one.valid for one in rollouts])
        for fraction in FRACTIONS}
    gripper = None
    if contract.gripper_index >= 0:
        gripper = padded([gripper_mistaken(one.actions, one.expert, contract) & one.valid
                          for one in rollouts])
    return ContinuingScores(Episodes(by_fraction[FRACTION], steps, padded(list(reached))),
                            by_fraction, gripper)


@dataclasses.dataclass(frozen=True, eq=False)
class EpisodeOutcomes:
    """Outcome of each episode; an episode works until its last goal."""

    stopped: np.ndarray
    """
    Shape ``(E,)``, int: the step of its last goal; H where it still worked at the end: it ran,
    and that goal (or the start) was at most ``patience`` steps ago.
    """
    from_start: np.ndarray
    """Shape ``(E,)``, bool: it never reached a goal."""
    later: np.ndarray
    """Shape ``(E,)``, bool: it stopped after its last goal."""
    ended: np.ndarray
    """Shape ``(E,)``, bool: it ended early (the object was lost); the others stopped are stuck."""

    @property
    def working(self) -> np.ndarray:
        """Return the episodes that worked until the end, shape ``(E,)``, bool."""
        return ~(self.from_start | self.later)

    def share_working(self, horizon: int) -> np.ndarray:
        """Return the share that still works after step t, t = 0 .. H, shape ``(H + 1,)``."""
        over = np.bincount(self.stopped[~self.working], minlength=horizon + 1)
        return 1.0 - np.cumsum(over) / max(1, len(self.stopped))


def classify_outcomes(episodes: Episodes, patience: int) -> EpisodeOutcomes:
    """
    Return which episodes worked until the end, and when the others stopped.

    :param patience: steps without a goal after which an episode counts as stopped; at the end of
        the horizon an episode may have this many steps without one
    """
    horizon = episodes.horizon
    reached = episodes.reached & episodes.running
    at = np.where(reached, np.arange(1, horizon + 1), 0).max(axis=1)
    ended = episodes.steps < horizon
    works = ~ended & (horizon - at <= patience)
    return EpisodeOutcomes(np.where(works, horizon, at), ~works & (at == 0), ~works & (at > 0),
                           ended)


def goals_per_1000(episodes: Episodes, weight: np.ndarray) -> np.ndarray:
    """
    Return the goals reached in 1,000 steps; the steps after an early end count, without goals.

    :param weight: of the episodes, shape ``(B, E)``
    :returns: shape ``(B,)``
    """
    goals = (episodes.reached & episodes.running).sum(axis=1)
    return 1000.0 * (weight @ goals) / (weight.sum(axis=1) * episodes.horizon)


def after_first_mistake(episodes: Episodes, ends: Sequence[int]) -> np.ndarray:
    """
    Return the share of mistaken steps by their distance from an episode's first mistake.

    An early end counts as mistakes, as in the headline. NaN where no episode is long enough.

    :param ends: rising distances in steps; the first share is of steps 1 .. ``ends[0]`` after the
        mistake, the next of those beyond up to ``ends[1]``, and so on
    :returns: shape ``(len(ends),)``
    """
    counted, horizon = episodes.counted, episodes.horizon
    made = counted.any(axis=1)
    first = counted[made].argmax(axis=1)
    at = first[:, None] + np.arange(1, ends[-1] + 1)
    inside = at < horizon
    flags = counted[made][np.arange(len(first))[:, None], np.minimum(at, horizon - 1)] & inside
    begins = (0, *ends[:-1])
    mistakes, steps = (np.add.reduceat(one.sum(axis=0), begins) for one in (flags, inside))
    with np.errstate(invalid='ignore'):
        return mistakes / steps


def rate_after_first(episodes: Episodes, weight: np.ndarray) -> np.ndarray:
    """
    Return the mistakes a step over all steps after each episode's first mistake.

    :param weight: of the episodes, shape ``(B, E)``
    :returns: shape ``(B,)``; NaN where there is no such step
    """
    counted = episodes.counted
    after = np.cumsum(counted, axis=1) - counted > 0
    with np.errstate(invalid='ignore'):
        return (weight @ (counted & after).sum(axis=1)) / (weight @ after.sum(axis=1))
