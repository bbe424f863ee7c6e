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
Play and record one episode after the other in this process.

Task, observation, choice of the driver, limits and recording are those of the graph in lockstep,
so that an episode is the same in both, bit for bit.
"""

from collections import deque
import contextlib
from pathlib import Path
import time

from il_ros.contract.episode_spec import ENDED, EpisodeSpec, EXPERT, FAULT, POLICY
from il_ros.contract.episode_spec import REFUSED_MISSING, REFUSED_NOT_FINITE, RUNNING, TERMINATED
from il_ros.contract.observation import parts_of
from il_ros.driving.arbiter import Arbiter, Step
from il_ros.driving.driving import Driving
from il_ros.episodes.receipts import Receipt
from il_ros.errors import ImitationError
from il_ros.learning import checkpoint
from il_ros.learning.dry_run import dry_run
from il_ros.learning.policy import Images
from il_ros.learning.runner import Runner
from il_ros.loop.failures import COLLECT_FAILED, LOAD_FAILED, RunError
from il_ros.loop.local.recording import Recording
from il_ros.robots.actions.actuator import Actuator, TRACKING_LIMIT_RAD
from il_ros.sim.environment import Environment
from il_ros.sim.session import Session
from il_ros.tasks.expert_registry import make_expert
import numpy as np

RECENT_OBSERVATIONS = 100
"""The newest observations are kept: a policy must answer all of them before it may run."""

REFUSED_IN_A_ROW = 5
"""Actions in a row that cannot be used, after which an episode is given up."""

NO_ANSWER = np.zeros(0, np.float32)
_UNUSABLE = REFUSED_NOT_FINITE | REFUSED_MISSING


class Player:
    """
    One simulated arm with one task, its expert and a policy.

    :ivar contract: of the episodes
    :ivar expert: of the task
    """

    def __init__(self, task: str, contract: str = '', options: str = ''):
        """
        Build the simulation of a task.

        :param contract: a file, or a task's name, with _image for images; '': the task's own
        :param options: canonical JSON of the episodes' options; '': none
        :raises ImitationError: if there is no such task, contract or expert
        """
        self._environment = Environment(task, contract=contract)
        self.contract = self._environment.contract
        self.expert = make_expert(task, self.contract, options)
        self._session = Session(self._environment.simulation, time.time_ns())
        self._runner: Runner | None = None
        self._recent: deque[tuple[np.ndarray, Images]] = deque(maxlen=RECENT_OBSERVATIONS)

    def close(self):
        """Give PyBullet's memory back."""
        self._environment.close()

    def load(self, path: Path, sha256: str):
        """
        Let a checkpoint drive from now on, once it has been tried on what was observed lately.

        :raises RunError: if it is not what it was, or its answers cannot be used
        """
        if self._runner is not None and self._runner.policy.sha256 == sha256:
            return
        try:
            policy = checkpoint.load(path, sha256)
            checkpoint.check(policy, self.contract)
            dry_run(policy, tuple(self._recent))
        except ImitationError as error:
            raise RunError(LOAD_FAILED, f'policy refused: {error}') from error
        self._runner = Runner(policy)

    def play(self, spec: EpisodeSpec, folder: Path, gate_threshold: float) -> Receipt:
        """
        Run an episode and record it in a folder.

        :param gate_threshold: where an adapted threshold stands; -1: at the plan's own
        :raises RunError: if it has to be given up; nothing of it is kept
        """
        try:
            return self._play(spec, folder, gate_threshold)
        except RunError:
            raise
        except ImitationError as error:
            raise RunError(COLLECT_FAILED, f'{spec.episode_id}: {error}') from error

    def _play(self, spec: EpisodeSpec, folder: Path, gate_threshold: float) -> Receipt:
        simulation = self._environment.simulation
        driving = Driving(spec.plan, spec.episode_id, self.contract, gate_threshold)
        arbiter = Arbiter(
            spec.episode_id, driving,
            Actuator(simulation.robot, self.contract, 1.0 / self.contract.rate,
                     simulation.kinematics), tracking_limit_rad=TRACKING_LIMIT_RAD)
        recording = Recording(folder, spec, self.contract, simulation.robot.joint_names)
        with contextlib.ExitStack() as undo:
            undo.callback(recording.abandon)
            undo.callback(self._stop)
            self._session.reset(spec)
            if self._runner is not None:
                self._runner.begin(spec.episode_id, anew=True)
            self._drive(arbiter, recording)
            undo.pop_all()
        return recording.close(
            float(np.float32(driving.threshold)) if spec.plan.target_rate > 0.0 else -1.0)

    def _stop(self):
        """Make room for another episode after one that was given up."""
        status = self._session.status
        if status.phase == RUNNING:
            self._session.finish(status.episode_id, TERMINATED, FAULT, False)

    def _drive(self, arbiter: Arbiter, recording: Recording):
        session, unusable = self._session, 0
        while True:
            values, images = parts_of(self._environment.observe(session.state))
            recording.state(session.stamp_ns, session.status, values, images)
            arbiter.measure(session.stamp_ns, session.state.joint_position)
            arbiter.observe(session.stamp_ns, session.status.step, session.status.phase)
            if session.status.phase == ENDED:
                return
            uncertainty = self._ask(arbiter, values, images)
            step = arbiter.act()
            assert step is not None, 'the arm was measured above'
            if arbiter.fault:
                session.finish(arbiter.episode_id, TERMINATED, FAULT, False, arbiter.fault)
                continue
            unusable = unusable + 1 if _is_unusable(step) else 0
            if unusable == REFUSED_IN_A_ROW:
                raise RunError(COLLECT_FAILED, (
                    f'{arbiter.episode_id}: {unusable} actions in a row have the wrong width or '
                    'are not finite'))
            policy_id = self._runner.policy.policy_id if self._runner is not None else 0
            recording.step(step, uncertainty, policy_id, arbiter.answers)
            if self._runner is not None and step.driver != POLICY:
                self._runner.discard_plan()
            session.step(step.sent.positions)

    def _ask(self, arbiter: Arbiter, values: np.ndarray, images: Images) -> float:
        """Give the arbiter the answers that it requires; return the policy's uncertainty."""
        uncertainty = -1.0
        while missing := arbiter.missing():
            for source in missing:
                answer: np.ndarray | None = NO_ANSWER
                spread = -1.0
                with contextlib.suppress(ImitationError):  # no answer: the arm holds
                    if source == EXPERT:
                        answer = self.expert.act(values)
                    else:
                        answer, spread = self._ask_policy(arbiter.stamp_ns, values, images)
                        uncertainty = spread
                arbiter.answer(source, arbiter.stamp_ns, NO_ANSWER if answer is None else np.array(
                    answer, np.float32), spread)
        return uncertainty

    def _ask_policy(self, stamp_ns: int, values: np.ndarray,
                    images: Images) -> tuple[np.ndarray, float]:
        self._recent.append((values, images))
        if self._runner is None:
            return NO_ANSWER, -1.0
        action = self._runner.act(stamp_ns, values, images)
        return action, float(np.float32(self._runner.uncertainty))


def _is_unusable(step: Step) -> bool:
    return bool(step.limits & _UNUSABLE) and not step.choice.refused
