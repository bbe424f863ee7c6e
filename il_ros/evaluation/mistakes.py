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
Definition of a mistake, and how mistakes add up over an episode.

A mistake is an action whose tool velocity is off by more than half of the expert's own speed
(with a floor, so that standing nearly still is not held against anybody): loss on the expert's
states hides it, and the number of them on the policy's own states is what DAgger bounds (Ross,
Gordon, Bagnell, AISTATS 2011, section 2). The gripper is counted apart.
"""

import dataclasses
from typing import Iterable, NamedTuple

from il_ros.contract.contract import Contract
import numpy as np

FRACTION = 0.5
"""Of the expert's own speed: an error above it is a mistake."""

FLOOR = 0.2
"""Of full scale: a slower expert is taken to be this fast."""

FRACTIONS = (0.25, FRACTION, 1.0)
"""A stricter, the usual and a laxer fraction, to show how much the definition matters."""


class ComparedActions(NamedTuple):
    """Actions of the policy and the expert in the same states of one episode."""

    actions: np.ndarray
    """Shape ``(T, act_dim)``; a row that is not finite is no answer, and a mistake."""

    expert: np.ndarray
    """Shape ``(T, act_dim)``."""

    valid: np.ndarray
    """Shape ``(T,)``, bool: where the expert has an answer; other steps do not count."""


@dataclasses.dataclass(frozen=True)
class Mistakes:
    """Mistakes of some episodes; the field names are those of ``outcomes.Measured``."""

    steps: int
    mistakes: int
    gripper_mistakes: int
    curve: tuple[float, ...]
    """``J(t)``, t = 1, 2, ...: mean number of mistakes an episode made in its first t steps."""
    mistakes_at: tuple[int, ...]
    """Mistakes at each of ``FRACTIONS``."""


def mistaken(actions: np.ndarray, expert: np.ndarray, contract: Contract,
             fraction: float = FRACTION, floor: float = FLOOR) -> np.ndarray:
    """
    Return which actions are mistakes: ``|a - a*| > fraction * max(|a*|, floor)``.

    Both are clipped to the contract first; lengths are Euclidean over all axes but the gripper,
    each divided by half of its range.

    :param actions: shape ``(N, act_dim)``, in the contract's units
    :param expert: same shape
    :returns: shape ``(N,)``, bool
    """
    axes = [index for index in range(len(contract.actions)) if index != contract.gripper_index]
    scale = np.array([element.scale for element in contract.actions])
    ours, theirs = (contract.clip(np.asarray(a, np.float64))[:, axes] * scale[axes]
                    for a in (actions, expert))
    error = np.linalg.norm(ours - theirs, axis=1)
    allowed = fraction * np.maximum(np.linalg.norm(theirs, axis=1), floor)
    # Not "error > allowed": an action that is not a number is a mistake.
    return ~(error <= allowed)


def gripper_mistaken(actions: np.ndarray, expert: np.ndarray, contract: Contract) -> np.ndarray:
    """
    Return where the grippers disagree: one open, the other closed.

    :returns: shape ``(N,)``, bool; all false where the contract has no gripper
    """
    index = contract.gripper_index
    if index < 0:
        return np.zeros(len(actions), bool)
    middle = contract.actions[index].middle
    return (np.asarray(actions)[:, index] > middle) != (np.asarray(expert)[:, index] > middle)


def count_mistakes(rollouts: Iterable[ComparedActions], contract: Contract) -> Mistakes:
    """
    Count the mistakes of whole episodes.

    An episode that ended adds nothing more to ``J``: what it made stands.
    """
    at = np.zeros(len(FRACTIONS), int)
    steps = grippers = 0
    cumulative = []
    for rollout in rollouts:
        valid = np.asarray(rollout.valid, bool)
        flags = [mistaken(rollout.actions, rollout.expert, contract, fraction) & valid
                 for fraction in FRACTIONS]
        at += [flag.sum() for flag in flags]
        grippers += int((gripper_mistaken(rollout.actions, rollout.expert, contract)
                         & valid).sum())
        steps += int(valid.sum())
        cumulative.append(np.cumsum(flags[FRACTIONS.index(FRACTION)]))
    usual = FRACTIONS.index(FRACTION)
    return Mistakes(steps, int(at[usual]), grippers, _mean_curve(cumulative),
                    tuple(int(count) for count in at))


def _mean_curve(cumulative: list[np.ndarray]) -> tuple[float, ...]:
    length = max((len(one) for one in cumulative), default=0)
    if not length:
        return ()
    total = np.zeros(length)
    for one in cumulative:
        if len(one):
            total[:len(one)] += one
            total[len(one):] += one[-1]
    return tuple(np.round(total / len(cumulative), 6).tolist())
