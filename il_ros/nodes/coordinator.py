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
The coordinator: runs DAgger from demonstrations to report; a client of everything else.

It goes through the stages of ``interactive/rounds.py``; ``run.json`` is written after each, so
that a killed run goes on where it was. It alone writes ``run.json``, ``dataset.hdf5`` and the
results.
"""

import dataclasses
from pathlib import Path
import time

from il_ros.errors import ImitationError
from il_ros.interactive import rounds, run_state
from il_ros.interactive.ledger import ledger
from il_ros.interactive.run_state import RunState
from il_ros.learning.config import TrainConfig
from il_ros.learning.inputs import image_features, Inputs
from il_ros.ros import runtime
from il_ros.ros.calls import Waiter
from il_ros.ros.dagger.delegates import Fit, Result
from il_ros.ros.dagger.results import round_summaries, write_results
from il_ros.ros.dagger.run_settings import check_goal, keep_training
from il_ros.ros.dagger.stages import StageRunner
from il_ros.ros.parameters import bounded, declare, flag, text
from il_ros.runs.run_kind import RunKeeper, RunKind
from il_ros_interfaces.action import RunDagger
from rclpy.action import ActionServer, CancelResponse
from rclpy.node import Node

FEEDBACK_S = 0.5


@dataclasses.dataclass(frozen=True)
class CoordinatorParameters:
    """Parameters of the coordinator node."""

    runs: str = text('runs', 'folder of the runs')
    call_deadline_s: float = bounded(20.0, 0.5, 600.0, 'deadline of each call [s]')
    replay: bool = flag(True, "replay two episodes in the simulator for the report's pictures")


class CoordinatorNode(Node):
    """Serves ``run_dagger``."""

    def __init__(self, **kwargs):
        super().__init__('coordinator', **kwargs)
        self.parameters = declare(self, CoordinatorParameters)
        self._waiter = Waiter(self)
        self._runner = StageRunner(self, self._waiter, self.parameters.call_deadline_s)
        self._running = None
        self._server = ActionServer(
            self, RunDagger, 'run_dagger', self._execute, callback_group=self._waiter.group,
            cancel_callback=self._on_cancel)

    def _on_cancel(self, goal):
        if goal is self._running:
            self._runner.cancel()
        return CancelResponse.ACCEPT

    async def _execute(self, handle):
        result = Result()
        if self._running is not None:
            result.error_code = Result.BUSY
            result.error_msg = 'another run is under way; wait for it or cancel it'
            handle.abort()
            return result
        self._running = handle
        self._waiter.go_on()
        try:
            await self._run(handle, result)
            handle.succeed()
        except (ImitationError, OSError) as error:
            code = getattr(error, 'code', 0)
            code = code if 800 <= code < 900 else Result.BAD_GOAL
            result.error_code, result.error_msg = code, str(error)
            canceled = code == Result.CANCELED and handle.is_cancel_requested
            (handle.canceled if canceled else handle.abort)()
        finally:
            self._running = None
        return result

    async def _run(self, handle, result: Result):
        started = time.monotonic()
        folder = Path(self.parameters.runs) / handle.request.run
        check_goal(handle.request, run=folder)
        if handle.is_cancel_requested:
            self._runner.cancel()
        contract = await self._runner.contract()
        goal, strategy, training_file = check_goal(handle.request, contract.name, folder)
        # Refused now, not after the demonstrations.
        config = TrainConfig.load(training_file)
        Inputs(contract, config.inputs)
        image_features(contract, config.images)
        state = run_state.begin(folder, goal, strategy.settings, handle.request.resume)
        RunKeeper().admit(folder, RunKind(goal.task, goal.options, contract))
        earlier_s = run_state.seconds(state)
        reporter = _Reporter(handle)
        self._runner.begin(folder, keep_training(folder, training_file, strategy), reporter.tell)
        if handle.is_cancel_requested:
            self._runner.cancel()
        try:
            state = await self._carry_out(folder, state, reporter)
        finally:
            result.rounds = round_summaries(run_state.load(folder))
        await self._waiter.beside(lambda check: write_results(
            folder, state, self.parameters.replay,
            lambda: earlier_s + time.monotonic() - started, check))

    async def _carry_out(self, folder: Path, state: RunState, reporter: '_Reporter') -> RunState:
        """Go through the stages that are not finished; a fit goes on beside those it can."""
        fits: list[Fit] = []
        try:
            return await self._stages(folder, state, reporter, fits)
        except (ImitationError, OSError):
            for fit in fits:
                await fit.abandon()
            raise

    async def _stages(self, folder: Path, state: RunState, reporter: '_Reporter',
                      fits: list[Fit]) -> RunState:
        """
        Carry out one stage after the other.

        :param fits: the one that is under way, if any: whoever waits ends it when this fails
        """
        while True:
            stage = rounds.next_stage(state, fits[0].stage if fits else None)
            if stage is None and not fits:
                return state
            reporter.begin(state, stage or fits[0].stage)
            if stage is None:
                stage, outcome = fits[0].stage, await fits[0].outcome()
                fits.clear()
            elif stage.act == 'train':
                await self._runner.refresh_dataset(state)
                fits.append(self._runner.start_fit(state, stage, reporter.tell_fit))
                continue
            else:
                outcome = await self._runner.execute(state, stage)
            self.get_logger().info(f'{state.goal.run}: {stage.name} is finished')
            state = state.after(stage, outcome)
            run_state.save(folder, state)


class _Reporter:
    """Feedback of a run, at most twice a second and at each new stage."""

    def __init__(self, handle):
        self._handle = handle
        self._feedback = RunDagger.Feedback(success_rate=-1.0, loss=-1.0)
        self._said = 0.0
        self._fit_alone = False

    def begin(self, state, stage):
        feedback = self._feedback
        feedback.round, feedback.stage, feedback.progress = stage.round, stage.reported, 0.0
        self._fit_alone = stage.act == 'train'
        if not self._fit_alone:
            feedback.loss = -1.0
        rows = ledger(state)
        feedback.labels = rows[-1].labels if rows else 0
        evaluated = [outcome for name, outcome in state.finished.items()
                     if name.endswith('-evaluate')]
        if evaluated:
            feedback.success_rate = evaluated[-1].successes / evaluated[-1].episodes
        self._publish()

    def tell(self, progress: float, _loss: float):
        self._feedback.progress = float(progress)
        self._tick()

    def tell_fit(self, progress: float, loss: float):
        """Take in where a fit beside the stage stands; its progress counts when it is alone."""
        self._feedback.loss = float(loss)
        if self._fit_alone:
            self._feedback.progress = float(progress)
        self._tick()

    def _tick(self):
        if time.monotonic() - self._said >= FEEDBACK_S:
            self._publish()

    def _publish(self):
        self._said = time.monotonic()
        self._handle.publish_feedback(self._feedback)


def main(args=None) -> int:
    """Run the coordinator until it is asked to stop."""
    return runtime.run(CoordinatorNode, args, slow=True)
