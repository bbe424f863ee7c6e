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
The dry run of a policy: its answers before they are bounded, to what was observed lately.

A clipped answer always looks well. Where nothing was learnt a fitted net extrapolates: policies
that were fitted to the tasks here, from one step of training to 20,000 and from 1 label to 266,
answer up to 5 ranges beyond the bounds in states far from their data, and most of their answers
may lie outside. What lies far beyond that was not fitted to labels inside the bounds.
"""

from collections.abc import Sequence

from il_ros.contract.contract import Contract
from il_ros.errors import DryRunError, ImitationError
from il_ros.learning.policy import Images, Policy
from il_ros.learning.runner import Runner
import numpy as np

FARTHEST_RANGES = 10.0
"""Most answers lie nearer to the bounds than this, in ranges of an element (twice the worst)."""


def dry_run(policy: Policy, recent: Sequence[tuple[np.ndarray, Images]]):
    """
    Ask a policy, before it may drive, about its own training and what was observed lately.

    :param recent: observations, oldest first, each of shape ``(D,)``, float32, and its images
    :raises DryRunError: if it has no answer to one of them, or naming the element of the action
        that lies far outside its bounds
    """
    contract = policy.contract
    _refuse(contract, policy.at_mean()[None], 'the mean of its training inputs')
    trial = Runner(policy)
    answers: list[np.ndarray] = []
    seen: list[np.ndarray] = []
    for number, (values, images) in enumerate(recent):
        try:
            trial.begin('')
            trial.act(number, values, images)
        except ImitationError as error:
            raise DryRunError(f'{error} (in the dry run)') from error
        seen = [*(seen or [values] * policy.horizons.history), values][1:]
        window = np.array(seen) if policy.horizons.history > 1 else values
        answers.append(policy.propose(window, images)[0][0])
    if answers:
        _refuse(contract, np.array(answers), 'what was observed lately')


def _refuse(contract: Contract, answers: np.ndarray, asked: str):
    """Refuse raw answers, shape ``(N, act_dim)``, of which most lie too far outside."""
    lower, upper = contract.lower.astype(np.float64), contract.upper.astype(np.float64)
    beyond = np.maximum(lower - answers, answers - upper) / (upper - lower)
    far = ~(beyond <= FARTHEST_RANGES).all(axis=1)
    if 2 * far.sum() <= len(far):
        return
    row, index = np.unravel_index(np.argmax(beyond), beyond.shape)
    element = contract.actions[index]
    raise DryRunError(
        f'{far.sum()} of {len(far)} answers to {asked} lie far outside the bounds before they are '
        f'clipped: {element.name} is up to {answers[row, index]:g} {element.unit}, expected '
        f'{element.lower:g} to {element.upper:g}; train the policy again (in the dry run)')
