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
Which visited states carry a label, and what they cost.

A label is one (stamp, expert action) pair: the intention of whoever labelled, clipped to the
contract. Which ones the plan admits: ``DrivePlan.labels``.
"""

from collections.abc import Sequence
import dataclasses

from il_ros.contract.episode_spec import EXPERT, HOLD, LABEL_ALL, LABEL_EXPERT_DRIVEN, POLICY
from il_ros.contract.episode_spec import TELEOP
from il_ros.episodes.episode import Answers, Episode
from il_ros.errors import LabelError
import numpy as np


@dataclasses.dataclass(frozen=True)
class Labels:
    """What training may learn from one episode."""

    actions: np.ndarray
    """Shape ``(T, act_dim)``, float32, inside the contract's bounds; zero where invalid."""

    valid: np.ndarray
    """Shape ``(T,)``, bool."""

    source: np.ndarray
    """Shape ``(T,)``, uint8: EXPERT or TELEOP; HOLD where invalid."""


@dataclasses.dataclass(frozen=True)
class Costs:
    """Costs and labels of one episode, in states and steps."""

    labels: int
    """In-loop labels that the plan admits."""

    queries: int
    """States for which the expert or a person answered in the loop, used or not."""

    watched: int
    """Queries of which no label came."""

    expert_steps: int
    """Steps that the expert or a person drove."""

    takeovers: int
    """Times that the expert or a person took over from the policy."""


def labels_of(episode: Episode, later: Answers | None = None,
              discarded: Sequence[tuple[int, int]] = (), use_later: bool = False) -> Labels:
    """
    Return the labels that the episode's plan admits.

    Where a person drove, the label is the person's; else the expert's, as given in the loop or,
    where the plan wants every state labelled and the loop had none, afterwards.

    :param later: answers of the labelling service, one an action
    :param discarded: first and last step (inclusive) of what the operator took back
    :param use_later: let them count also where the plan wants only driven steps labelled
    :raises LabelError: if ``later`` has another number of steps than the episode
    """
    if later is not None and later.actions.shape != episode.executed.shape:
        raise LabelError(f'{episode.spec.episode_id}: labels of shape {later.actions.shape} do '
                         f'not fit its actions of shape {episode.executed.shape}')
    actions = np.zeros_like(episode.executed)
    source = np.full(episode.steps, HOLD, np.uint8)
    plan = episode.spec.plan.labels
    if later is not None and takes_later_labels(plan, use_later):
        _put(actions, source, later.actions, later.valid, EXPERT)
    if plan == LABEL_ALL:
        _put(actions, source, episode.expert.actions, episode.expert.valid, EXPERT)
    elif plan == LABEL_EXPERT_DRIVEN:
        drove = episode.driver == EXPERT
        _put(actions, source, episode.expert.actions, episode.expert.valid & drove, EXPERT)
    if plan in (LABEL_ALL, LABEL_EXPERT_DRIVEN):
        drove = episode.driver == TELEOP
        _put(actions, source, episode.teleop.actions, episode.teleop.valid & drove, TELEOP)
    for first, last in discarded:
        source[first:last + 1] = HOLD
    valid = source != HOLD
    clipped = np.where(valid[:, None], episode.contract.clip(actions), 0.0)
    return Labels(clipped.astype(np.float32), valid, source)


def takes_later_labels(plan_labels: int, use_later: bool = False) -> bool:
    """
    Tell whether labels that come after an episode count where the loop gave none.

    :param plan_labels: of the episode's plan
    :param use_later: they were asked for with the wish that they count
    """
    return plan_labels == LABEL_ALL or (use_later and plan_labels == LABEL_EXPERT_DRIVEN)


def _put(actions: np.ndarray, source: np.ndarray, given: np.ndarray, where: np.ndarray, who: int):
    actions[where] = given[where]
    source[where] = who


def unlabelled(episode: Episode, later: Answers | None = None) -> np.ndarray:
    """Return the steps that the plan wants labelled and that have no label yet, ascending."""
    if episode.spec.plan.labels != LABEL_ALL:
        return np.zeros(0, np.int64)
    return np.flatnonzero(~labels_of(episode, later).valid)


def costs_of(episode: Episode) -> Costs:
    """Return the ledger's counts of one episode, those of the loop alone."""
    labelled = labels_of(episode).valid
    asked = episode.expert.valid | episode.teleop.valid
    expert_drove = (episode.driver == EXPERT) | (episode.driver == TELEOP)
    return Costs(labels=int(labelled.sum()), queries=int(asked.sum()),
                 watched=int((asked & ~labelled).sum()), expert_steps=int(expert_drove.sum()),
                 takeovers=takeovers(episode.driver))


def takeovers(driver: np.ndarray) -> int:
    """Count the changes from policy to expert or person; held steps between do not hide one."""
    return len(takeover_steps(driver))


def takeover_steps(driver: np.ndarray) -> np.ndarray:
    """Return the steps at which an expert or a person took over, shape ``(n,)``."""
    driving = np.flatnonzero(driver != HOLD)
    before, after = driver[driving[:-1]], driver[driving[1:]]
    return driving[1:][(before == POLICY) & (after != POLICY)]
