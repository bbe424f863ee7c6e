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

"""Who drives each step of one episode, by its plan; the same for the graph and for any loop."""

import hashlib
import math
from typing import Mapping, NamedTuple

from il_ros.data.contract import Contract
from il_ros.data.spec import DrivePlan, EXPERT, POLICY, TELEOP
from il_ros.errors import ImitationError
from il_ros.interactive.gates import Disagreement, DiscrepancyGate, FARTHEST, UNKNOWN
import numpy as np

DISCREPANCY = 'discrepancy'


class BadPlanError(ImitationError):
    """A plan that the supervisor cannot drive by; the sentence names the field."""

    code = 301


class Choice(NamedTuple):
    """Who drives one step, and with which action."""

    chosen: int
    """Whom the plan chose, before refusals: ``EXPERT``, ``POLICY`` or ``TELEOP``."""

    action: np.ndarray | None
    """The chosen one's intention as it came, shape ``(act_dim,)``; None: hold."""

    beta: float
    """Probability that the expert drives, [0, 1]."""

    gate: float
    """What the gate compared with its threshold; -1: no gate, or one had no finite answer."""

    refused: bool
    """The chosen one had no answer (REFUSED_MISSING): the arm holds."""


def required_drivers(plan: DrivePlan) -> tuple[int, ...]:
    """
    Return who must answer every observation, ascending: it follows from the plan alone.

    :raises BadPlanError: if nobody can drive by this plan; the sentence names the field
    """
    check_plan(plan)
    if plan.driver == EXPERT or plan.beta == 1.0:
        return (EXPERT,)
    if plan.driver == TELEOP:
        return (TELEOP,)
    if plan.beta > 0.0 or plan.gate == DISCREPANCY:
        return (EXPERT, POLICY)
    return (POLICY,)


def check_plan(plan: DrivePlan):
    """
    Refuse what cannot be driven.

    :raises BadPlanError: naming the field, what it is and what was expected
    """
    if plan.gate not in ('', DISCREPANCY):
        raise BadPlanError(f'plan.gate is {plan.gate!r}, which is not supported yet; expected '
                           f"'' or {DISCREPANCY!r}")
    if plan.noise_covariance:
        raise BadPlanError('plan.noise_covariance is set, but noise is not supported yet; '
                           'expected it empty')
    if plan.target_rate > 0.0:
        raise BadPlanError(f'plan.target_rate is {plan.target_rate}, but adapted thresholds are '
                           'not supported yet; expected 0')
    if plan.driver != POLICY and plan.gate:
        raise BadPlanError(f'plan.gate is {plan.gate!r} while plan.driver is {plan.driver}; a '
                           f'gate watches a policy, expected driver {POLICY}')
    if plan.driver == TELEOP and plan.beta > 0.0:
        raise BadPlanError(f'plan.beta is {plan.beta} while a person drives; expected 0')
    if plan.gate and plan.threshold < 0.0:
        raise BadPlanError(f'plan.threshold is {plan.threshold}; expected at least 0')
    if plan.gate and 0 < plan.hold_max < plan.hold_min:
        raise BadPlanError(f'plan.hold_max is {plan.hold_max}, below hold_min {plan.hold_min}')


def seeded_generator(seed: int, episode_id: str) -> np.random.Generator:
    """Return the generator of one episode: the same in any order, run and process."""
    digest = hashlib.sha256(f'{seed}/{episode_id}'.encode()).digest()
    return np.random.default_rng(int.from_bytes(digest[:16], 'big'))


class Driving:
    """
    The chooser of one episode.

    It restarts with each ``episode_id``. ``choose`` is called once a step, with the answers of
    exactly the ``required`` drivers, and never again for a repeated stamp: it advances the
    generator and the gate.

    :param gate_threshold: where an adapted threshold stood at the last episode's end; negative:
        the plan's own
    :raises BadPlanError: if nobody can drive by this plan; the sentence names the field
    """

    def __init__(self, plan: DrivePlan, episode_id: str, contract: Contract,
                 gate_threshold: float = -1.0):
        self.required = required_drivers(plan)
        self.driving = EXPERT if plan.beta == 1.0 and plan.driver == POLICY else plan.driver
        self.threshold = -1.0
        self._beta = plan.beta if self.driving == POLICY else float(self.driving == EXPERT)
        self._random = None
        self._gate = None
        if 0.0 < self._beta < 1.0:
            self._random = seeded_generator(plan.seed, episode_id).random
        if plan.gate and self.driving == POLICY:
            self.threshold = gate_threshold if gate_threshold >= 0.0 else plan.threshold
            self._gate = DiscrepancyGate(plan, self.threshold)
            self._disagreement = Disagreement(contract)

    def choose(self, answers: Mapping[int, np.ndarray | None]) -> Choice:
        """
        Say who drives this step.

        :param answers: by source, shape ``(act_dim,)``; None or empty: no answer for this state
        """
        gate = UNKNOWN
        if self._gate is not None:
            gate = self._compare(answers)
        elif self._random is not None:
            self.driving = POLICY
        # One draw a step, whoever drives: the sequence must not depend on the gate.
        if self._random is not None and self._random() < self._beta:
            self.driving = EXPERT
        action = answers.get(self.driving)
        if action is None or len(action) == 0:
            return Choice(self.driving, None, self._beta, gate, True)
        return Choice(self.driving, action, self._beta, gate, False)

    def _compare(self, answers: Mapping[int, np.ndarray | None]) -> float:
        policy, expert = _floats(answers.get(POLICY)), _floats(answers.get(EXPERT))
        if not expert:
            signal, gate = UNKNOWN, UNKNOWN
        elif not policy:
            signal, gate = FARTHEST, UNKNOWN
        else:
            signal = gate = self._disagreement(policy, expert)
            if gate < 0.0 and all(map(math.isfinite, expert)):
                signal = FARTHEST
        self.driving = EXPERT if self._gate.step(signal) else POLICY
        return gate


def _floats(action: np.ndarray | None) -> list[float]:
    return [] if action is None else np.asarray(action).tolist()
