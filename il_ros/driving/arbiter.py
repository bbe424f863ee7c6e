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
One armed episode at the arm: what a step needs is collected by stamp, and acted on once.

Pure: it is given joint positions, observations and answers, and returns what to send. The actuator
(``robots/actions/actuator.py``) and the chooser (``driving.py``) are handed in.
"""

import math
from typing import Any, NamedTuple

from il_ros.contract.episode_spec import BLENDED, ENDED, HOLD, NOT_FOLLOWED, POLICY
from il_ros.contract.episode_spec import REFUSED_MISSING, REFUSED_NOT_FINITE, RUNNING, TELEOP
from il_ros.driving.blending import Blending
from il_ros.driving.driving import Choice, Driving
import numpy as np


class Step(NamedTuple):
    """What one control step came to."""

    stamp_ns: int
    step: int
    driver: int
    """Who really drove; ``HOLD`` where the chosen one's action was refused."""

    choice: Choice
    sent: Any
    """The actuator's answer: joint targets, values after limits, limit bits."""

    limits: int
    handed_over: bool
    """Another one drives than in the step before, by the gate."""


class Arbiter:
    """
    Collects one step after the other; each stamp is acted on exactly once.

    :param driving: who drives, by the episode's plan
    :param actuator: an ``Actuator`` (``robots/actions/actuator.py``), not yet started
    :param paired: the joints of exactly the observation's stamp are waited for (lockstep)
    :param blending: of hand-overs; None: none
    :param joints: of real time: compares measured joints (``robots/joint_watch.py``); None: none
    :param tracking_limit_rad: how far the arm may be from where it was sent
    """

    def __init__(self, episode_id: str, driving: Driving, actuator, paired: bool = True,
                 blending: Blending | None = None, joints=None,
                 tracking_limit_rad: float = math.inf):
        self.episode_id = episode_id
        self.driving = driving
        self.phase = RUNNING
        self.stamp_ns = -1
        self.step = -1
        self.answers: dict[int, np.ndarray] = {}
        self.acted = False
        self.widened = False
        self.fault = ''
        """Why the arm only holds from now on, as a sentence; empty: it does not."""
        self._tracking_limit_rad = tracking_limit_rad
        self._actuator = actuator
        self.paired = paired
        self._blending = blending
        self._joints = joints
        self._measured: np.ndarray | None = None
        self._measured_ns = -1
        self._started = False
        self._last_driving = driving.driving
        self._held_at: np.ndarray | None = None

    @property
    def measured(self) -> np.ndarray | None:
        """Return the newest joint positions, shape ``(joints,)``; None: there are none yet."""
        return self._measured

    @property
    def running(self) -> bool:
        """Return whether the episode was observed, and not yet its end."""
        return self.phase == RUNNING and self.stamp_ns >= 0

    @property
    def waiting(self) -> bool:
        """Return whether an observation awaits an action."""
        return self.running and not self.acted

    def measure(self, stamp_ns: int, positions: np.ndarray):
        """
        Take in joint positions, shape ``(joints,)``, float64.

        :raises RobotError: for a jump that no arm can have made; the ones before then count
        """
        if stamp_ns >= self._measured_ns:
            if self._joints is not None:
                self._joints.take(stamp_ns, positions, self._started)
            self._measured_ns, self._measured = stamp_ns, positions

    def observe(self, stamp_ns: int, step: int, phase: int) -> bool:
        """
        Take in an observation's stamp.

        :returns: whether it is a new one; a repeated or older stamp changes nothing, nor does an
            end without a beginning, which is that of an attempt before
        """
        if stamp_ns <= self.stamp_ns or (self.stamp_ns < 0 and phase == ENDED):
            return False
        self.stamp_ns, self.step, self.phase = stamp_ns, step, phase
        self.answers.clear()
        self.acted = phase == ENDED
        return True

    def overtake(self, stamp_ns: int, idle: bool = False):
        """
        Take in that another episode, or none, is current at a stamp.

        If it is later than what was seen of this one, its end was missed: the task was restarted.

        :param idle: no episode at all; who says so after this one began was restarted, even with
            a clock that stands before the lockstep's
        """
        if self.stamp_ns >= 0 and (idle or self.stamp_ns < stamp_ns):
            self.phase, self.acted = ENDED, True

    def answer(self, source: int, stamp_ns: int, values: np.ndarray,
               uncertainty: float = -1.0, engaged: bool = True) -> bool:
        """
        Take in an answer; only the first one of a required source for the present stamp counts.

        ``widened`` tells afterwards whether somebody else is now asked for this step, too.

        :param values: shape ``(act_dim,)``, float32; empty: no answer for this state
        :param uncertainty: of the answer, as its source estimates it; -1: not estimated
        :param engaged: of a person: the dead-man's button is held
        """
        self.widened = False
        if (stamp_ns != self.stamp_ns or self.acted or source in self.answers
                or source not in self.driving.required):
            return False
        self.answers[source] = values
        if source == TELEOP:
            self.driving.engaged = engaged
        if source == POLICY and self.driving.watch(values, uncertainty):
            self.widened, self._last_driving = True, self.driving.driving
        return True

    def missing(self) -> list[int]:
        """Return the required sources that have not answered the present stamp."""
        return [source for source in self.driving.required if source not in self.answers]

    def ready(self) -> bool:
        """Tell whether the present step has all that it needs."""
        measured = self._is_known and (not self.paired or self._measured_ns == self.stamp_ns)
        return self.waiting and measured and len(self.answers) == len(self.driving.required)

    @property
    def _is_known(self) -> bool:
        """Tell whether it is known where the arm is."""
        return self._measured is not None and (
            self._started or self._joints is None or self._joints.agreed)

    def act(self, refusal: int = 0) -> Step | None:
        """
        Decide and actuate the present step, with the answers that there are.

        :param refusal: bits that say why the arm only holds, whatever the answers are
        :returns: None if it is not known where the arm is
        """
        measured = self._measured
        if measured is None or not self._is_known:
            return None
        if not self._started:
            self._actuator.start(measured)
            self._started = True
        choice = self.driving.choose(self.answers)
        handed_over = self.driving.driving != self._last_driving
        self._last_driving = self.driving.driving
        sent, driver, limits = self._actuate(choice, measured, refusal)
        self.acted = True
        return Step(self.stamp_ns, self.step, driver, choice, sent, limits, handed_over)

    def _actuate(self, choice: Choice, measured: np.ndarray,
                 refusal: int) -> tuple[Any, int, int]:
        refusal = refusal or (REFUSED_MISSING if choice.refused else 0)
        disturbed = choice.disturbed
        error_rad, joint = self._actuator.tracking_error(measured)
        if error_rad > self._tracking_limit_rad:
            self.fault = (f'{joint} is {error_rad:.2f} rad from where it was sent; at most '
                          f'{self._tracking_limit_rad:.2f} is accepted: is the arm blocked?')
            self._held_at = measured
        if self.fault:
            sent, driver = self._actuator.hold_at(self._held_at, NOT_FOLLOWED), HOLD
            limits = sent.limits | refusal
        elif refusal or disturbed is None:
            sent, driver = self._actuator.hold(measured), HOLD
            limits = sent.limits | refusal
        else:
            action, led = disturbed, False
            if self._blending is not None:
                action, led = self._blending.limit_rate(choice.chosen, disturbed)
            sent = self._actuator.step(action, measured)
            held = sent.limits & (REFUSED_NOT_FINITE | REFUSED_MISSING)
            driver = HOLD if held else choice.chosen
            limits = sent.limits | (BLENDED if led else 0)
        if self._blending is not None:
            self._blending.sent(sent.values, driver)
        return sent, driver, limits
