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

"""Gates: when the expert takes over, and when it returns control."""

import math
from typing import Sequence

from il_ros.contract.contract import Contract, GRIPPER, GRIPPER_DISAGREEMENT
from il_ros.contract.episode_spec import DrivePlan

UNKNOWN = -1.0
"""Disagreement of a step for which one of the two has no finite answer."""

MAX_DISAGREEMENT = math.inf
"""A policy without a finite answer disagrees with whatever the expert would do."""


class Disagreement:
    """
    How far two actions are apart, as a share of full scale.

    Both are clipped to the contract's bounds. Over all axes but the gripper it is the Euclidean
    norm of the difference, each axis divided by half of its range (for symmetric bounds: by the
    bound), so that 0.5 is half of one axis' full scale. Two answers on different sides of the
    gripper's middle count as ``GRIPPER_DISAGREEMENT``; the larger of the two is the result.
    """

    def __init__(self, contract: Contract):
        self._axes = tuple(
            (index, element.lower, element.upper, element.scale)
            for index, element in enumerate(contract.actions) if element.name != GRIPPER)
        self._gripper = contract.gripper_index
        self._middle = contract.actions[self._gripper].middle if self._gripper >= 0 else 0.0

    def __call__(self, one: Sequence[float], other: Sequence[float]) -> float:
        """
        Return the disagreement, >= 0; ``UNKNOWN`` if a number in either is not finite.

        :param one: action, ``act_dim`` plain floats, in the contract's units
        :param other: the action that it is compared with
        """
        square = 0.0
        for index, lower, upper, scale in self._axes:
            # The value comes first: min and max then let a NaN pass, to be noticed below.
            difference = (min(max(one[index], lower), upper)
                          - min(max(other[index], lower), upper)) * scale
            square += difference * difference
        distance = math.sqrt(square)
        if self._gripper >= 0:
            left, right = one[self._gripper], other[self._gripper]
            if left != left or right != right:
                return UNKNOWN
            if (left > self._middle) != (right > self._middle):
                distance = max(distance, GRIPPER_DISAGREEMENT)
        return distance if distance == distance else UNKNOWN


class Gate:
    """
    Give the expert control after a run of large signals, and take it back when they are small.

    ``m <- smoothing * m + (1 - smoothing) * [s > threshold]``, with this step's ``s`` in it
    before this step's driver is chosen. While the policy drives, ``m > takeover_level`` gives
    the expert control. It goes back on the step that completes ``release_patience`` steps in a
    row with ``s < release_threshold``, never before ``hold_min`` driven steps and always after
    ``hold_max``; ``m`` then starts at zero again, so that a new run is needed.

    With disagreement as its signal it is SafeDAgger's (Zhang, Cho, AAAI 2017, section 3), with
    novelty that of EnsembleDAgger (Menda, Driggs-Campbell, Kochenderfer, IROS 2019).

    The threshold is given apart from the plan: an adapted one outlives the episode.
    """

    def __init__(self, plan: DrivePlan, threshold: float):
        self.threshold = threshold
        self.expert_drives = False
        self.level = 0.0
        self.release_threshold = plan.release_threshold
        self._smoothing = plan.smoothing
        self._takeover_level = plan.takeover_level
        self._release_patience = plan.release_patience
        self._hold_min = plan.hold_min
        self._hold_max = plan.hold_max
        self._held = 0
        self._agreed = 0

    def step(self, signal: float) -> bool:
        """
        Take in one step's signal and say whether the expert drives this step.

        :param signal: >= 0; ``UNKNOWN`` counts neither as large nor as small
        """
        if self.expert_drives:
            self._hold(signal)
        else:
            self._watch(signal)
        if self.expert_drives:
            self._held += 1
        return self.expert_drives

    def _watch(self, signal: float):
        if signal < 0.0:
            return
        self.level *= self._smoothing
        if signal > self.threshold:
            self.level += 1.0 - self._smoothing
        if self.level > self._takeover_level:
            self.expert_drives = True
            self._held = self._agreed = 0

    def _hold(self, signal: float):
        agrees = 0.0 <= signal < self.release_threshold
        self._agreed = self._agreed + 1 if agrees else 0
        agreed = self._agreed >= self._release_patience and self._held >= self._hold_min
        if agreed or 0 < self._hold_max <= self._held:
            self.expert_drives = False
            self.level = 0.0


ADAPTATION = 0.05
"""
Gain of an adapted threshold, in natural logarithms a step.

Over T steps the realised rate differs from the target by |log(last / first)| / (ADAPTATION T).
"""

_LOG_RANGE = math.log(1e4)
"""An adapted threshold stays within this factor of the plan's, up and down."""


class AdaptedGate(Gate):
    """
    A gate whose threshold is adapted so that the expert drives ``target_rate`` of the steps.

    ThriftyDAgger (Hoque et al., CoRL 2021, section 4.3) sets its thresholds from quantiles of
    past rollouts; a policy that learns leaves those behind. Here the threshold follows online:
    ``log threshold += ADAPTATION * (driven - target_rate)`` after each step, as in adaptive
    conformal inference (Gibbs, Candes, NeurIPS 2021, equation 2), so that the realised rate comes
    to the target whatever the signal's scale. The release threshold keeps the plan's ratio to it.
    """

    def __init__(self, plan: DrivePlan, threshold: float):
        super().__init__(plan, threshold)
        self._target_rate = plan.target_rate
        self._ratio = plan.release_threshold / plan.threshold
        self._middle = math.log(plan.threshold)
        self.release_threshold = self._ratio * threshold

    def step(self, signal: float) -> bool:
        """Take in one step's signal, say who drives it, and adapt the threshold behind it."""
        drives = super().step(signal)
        moved = math.log(self.threshold) + ADAPTATION * (drives - self._target_rate)
        moved = min(max(moved, self._middle - _LOG_RANGE), self._middle + _LOG_RANGE)
        self.threshold = math.exp(moved)
        self.release_threshold = self._ratio * self.threshold
        return drives


def make_gate(plan: DrivePlan, threshold: float) -> Gate:
    """
    Return the gate of a plan.

    :param threshold: to start from; 0 or less, as a message has it that does not say: the plan's
    """
    start = threshold if threshold > 0.0 else plan.threshold
    return (AdaptedGate if plan.target_rate > 0.0 else Gate)(plan, start)
