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

from il_ros.contract.contract import Contract
from il_ros.contract.episode_spec import DrivePlan, EXPERT, POLICY, TELEOP
from il_ros.driving.gates import Disagreement, Gate, make_gate, MAX_DISAGREEMENT, UNKNOWN
from il_ros.errors import ImitationError
from il_ros.settings import check, sentence
import numpy as np

DISCREPANCY, NOVELTY, HUMAN = 'discrepancy', 'novelty', 'human'


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

    noise: np.ndarray | None = None
    """What is added to the action on purpose, same shape and units; None: nothing."""

    @property
    def disturbed(self) -> np.ndarray | None:
        """Return what goes to the arm, before limits: the intention and its noise, if it fits."""
        if self.action is None or self.noise is None or len(self.action) != len(self.noise):
            return self.action
        return self.action + self.noise


def required_drivers(plan: DrivePlan) -> tuple[int, ...]:
    """
    Return who must answer every observation, ascending: it follows from the plan alone.

    Under the novelty gate the expert is required as well, while it drives (``Driving.required``).

    :raises BadPlanError: if nobody can drive by this plan; the sentence names the field
    """
    check_plan(plan)
    if plan.driver == EXPERT or plan.beta == 1.0:
        return (EXPERT,)
    if plan.driver == TELEOP:
        return (TELEOP,)
    if plan.gate == HUMAN:
        return (POLICY, TELEOP)
    if plan.beta > 0.0 or plan.gate == DISCREPANCY:
        return (EXPERT, POLICY)
    return (POLICY,)


def check_plan(plan: DrivePlan):
    """
    Refuse what cannot be driven.

    :raises BadPlanError: naming the field, what it is and what was expected
    """
    adapts, gated = plan.target_rate > 0.0, plan.driver == POLICY and plan.gate != ''
    rules = (
        (plan.gate != HUMAN or not plan.beta, 'beta', '0 where a person decides who drives'),
        (plan.driver != TELEOP or not plan.beta, 'beta', '0 while a person drives'),
        (plan.driver == EXPERT or not plan.noise_covariance, 'noise_covariance',
         'none, as not the expert drives'),
        (0.0 <= plan.target_rate < 1.0, 'target_rate', 'a share of at least 0, below 1'),
        (not adapts or plan.gate == NOVELTY, 'target_rate',
         f'0, as only the threshold of the gate {NOVELTY!r} is adapted'),
        (not adapts or plan.threshold > 0.0, 'threshold', 'one above 0, as it is adapted'),
        (gated or not plan.gate, 'gate', f'none: a gate watches a policy, driver {POLICY}'),
        (not gated or plan.threshold >= 0.0, 'threshold', 'at least 0'),
        (not gated or plan.release_threshold >= 0.0, 'release_threshold', 'at least 0'),
        # The smoothed share never exceeds 1: the gate would never hand over.
        (not gated or 0.0 <= plan.takeover_level < 1.0, 'takeover_level', 'at least 0, below 1'),
        (not gated or not 0 < plan.hold_max < plan.hold_min, 'hold_max',
         f'0, or at least hold_min, {plan.hold_min}'))
    for holds, name, expected in rules:
        if not holds:
            raise BadPlanError(sentence(f'plan.{name}', getattr(plan, name), expected))


def check_gate_threshold(gate_threshold: float):
    """
    Refuse a threshold to start from that is no number.

    :raises BadPlanError: if it is NaN or infinite: a gate would never hand over
    """
    check('gate_threshold', gate_threshold, float, BadPlanError)


def seeded_generator(seed: int, episode_id: str) -> np.random.Generator:
    """Return the generator of one episode: the same in any order, run and process."""
    digest = hashlib.sha256(f'{seed}/{episode_id}'.encode()).digest()
    return np.random.default_rng(int.from_bytes(digest[:16], 'big'))


class Driving:
    """
    The chooser of one episode.

    It restarts with each ``episode_id``. ``choose`` is called once a step, with the answers of
    exactly the ``required`` drivers, and never again for a repeated stamp: it advances the
    generators and the gate. Under the novelty gate ``watch`` comes before it.

    :ivar required: who must answer the present observation
    :ivar driving: who drives, as far as it is decided
    :ivar engaged: the person holds the dead-man's button: set it with each answer of TELEOP
    :param gate_threshold: where an adapted threshold stood at the last episode's end; 0 or less:
        the plan's own
    :raises BadPlanError: if nobody can drive by this plan; the sentence names the field
    """

    def __init__(self, plan: DrivePlan, episode_id: str, contract: Contract,
                 gate_threshold: float = -1.0):
        self.required = required_drivers(plan)
        check_gate_threshold(gate_threshold)
        self.driving = EXPERT if plan.beta == 1.0 and plan.driver == POLICY else plan.driver
        self._beta = plan.beta if self.driving == POLICY else float(self.driving == EXPERT)
        self._random = self._noise = None
        self._gate: Gate | None = None
        self._width = len(contract.actions)
        self._human = plan.gate == HUMAN
        self.engaged = False
        self._novelty = plan.gate == NOVELTY and self.driving == POLICY
        self._signal: float | None = None
        self._decided = False
        if 0.0 < self._beta < 1.0:
            self._random = seeded_generator(plan.seed, episode_id).random
        if plan.gate and not self._human and self.driving == POLICY:
            self._gate = make_gate(plan, gate_threshold)
            self._disagreement = Disagreement(contract)
        if plan.noise_covariance:
            self._noise = Noise(plan, episode_id, contract)

    @property
    def threshold(self) -> float:
        """Return the gate's threshold, as adapted so far; -1: there is no gate."""
        return self._gate.threshold if self._gate is not None else -1.0

    def watch(self, policy: np.ndarray | None, uncertainty: float) -> bool:
        """
        Take in the policy's answer; the novelty gate may then want the expert's for this step.

        Does nothing under any other plan, and while the expert is required anyway.

        :param policy: shape ``(act_dim,)``; None or empty: no answer for this state
        :param uncertainty: the policy's own, >= 0; negative: it has none, which counts as novel
        :returns: whether ``required`` has grown
        """
        if self._gate is None or not self._novelty or self._signal is not None:
            return False
        lost = policy is None or len(policy) == 0 or not uncertainty >= 0.0
        self._signal = MAX_DISAGREEMENT if lost else uncertainty
        if EXPERT in self.required:
            return False
        self._decided = True
        if not self._gate.step(self._signal):
            return False
        self.driving, self.required = EXPERT, (EXPERT, POLICY)
        return True

    def choose(self, answers: Mapping[int, np.ndarray | None]) -> Choice:
        """
        Say who drives this step.

        :param answers: by source, shape ``(act_dim,)``; None or empty: no answer for this state
        """
        gate = UNKNOWN
        if self._human:
            self.driving = TELEOP if self.engaged else POLICY
        elif self._gate is not None:
            gate = (self._apply_novelty_gate(self._gate) if self._novelty
                    else self._apply_disagreement_gate(self._gate, answers))
        elif self._random is not None:
            self.driving = POLICY
        # One draw a step, whoever drives: the sequence must not depend on the gate.
        if self._random is not None and self._random() < self._beta:
            self.driving = EXPERT
        noise = self._noise.draw() if self._noise is not None else None
        action = answers.get(self.driving)
        if self.driving == TELEOP and not self.engaged:
            action = None
        if action is None or len(action) == 0:
            return Choice(self.driving, None, self._beta, gate, True)
        return Choice(self.driving, action, self._beta, gate, False, noise)

    def _apply_novelty_gate(self, gate: Gate) -> float:
        """Let the novelty gate decide, unless it did when the policy answered."""
        signal = UNKNOWN if self._signal is None else self._signal
        if not self._decided:
            gate.step(signal)
        self._signal, self._decided = None, False
        drives = gate.expert_drives
        self.driving = EXPERT if drives else POLICY
        self.required = (EXPERT, POLICY) if drives else (POLICY,)
        return UNKNOWN if math.isinf(signal) else signal

    def _apply_disagreement_gate(self, gate: Gate,
                                 answers: Mapping[int, np.ndarray | None]) -> float:
        """Let the gate compare the policy's answer with the expert's; return what it compared."""
        policy, expert = (_floats(answers.get(source), self._width)
                          for source in (POLICY, EXPERT))
        if not expert:
            signal = compared = UNKNOWN
        elif not policy:
            signal, compared = MAX_DISAGREEMENT, UNKNOWN
        else:
            signal = compared = self._disagreement(policy, expert)
            if compared < 0.0 and all(map(math.isfinite, expert)):
                signal = MAX_DISAGREEMENT
        self.driving = EXPERT if gate.step(signal) else POLICY
        return compared


def _floats(action: np.ndarray | None, width: int) -> list[float]:
    """Return an answer's numbers; none of one that has another width than an action."""
    return [] if action is None or len(action) != width else np.asarray(action).tolist()


class Noise:
    """
    Noise on the expert's actions, to visit states that the policy will visit (DART).

    Laskey, Lee, Fox, Dragan, Goldberg, "DART: Noise Injection for Robust Imitation Learning",
    CoRL 2017, Algorithm 1. The label is the intended action; the gripper is left alone.

    :raises BadPlanError: if the covariance is no covariance of the contract's actions
    """

    def __init__(self, plan: DrivePlan, episode_id: str, contract: Contract):
        width = len(contract.actions)
        if len(plan.noise_covariance) != width * width:
            raise BadPlanError(f'plan.noise_covariance has {len(plan.noise_covariance)} numbers; '
                               f'expected {width * width} for {width} actions')
        covariance = np.array(plan.noise_covariance).reshape(width, width)
        values, vectors = np.linalg.eigh((covariance + covariance.T) / 2.0)
        if values[0] < -1e-6 * max(1.0, values[-1]):
            raise BadPlanError('plan.noise_covariance has a negative eigenvalue; expected a '
                               'covariance')
        self._root = vectors * np.sqrt(np.maximum(values, 0.0))
        if contract.gripper_index >= 0:
            self._root[contract.gripper_index] = 0.0
        # Apart from the generator of beta, which must not depend on the noise.
        self._random = seeded_generator(plan.seed, f'{episode_id}/noise')

    def draw(self) -> np.ndarray:
        """Return the noise of the next step, shape ``(act_dim,)``, float32."""
        drawn = self._random.standard_normal(len(self._root))
        return (self._root @ drawn).astype(np.float32)
