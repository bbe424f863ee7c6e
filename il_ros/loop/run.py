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
The loop of a run, from demonstrations to report, over any back end.

It goes through the stages of ``interactive/rounds.py``; ``run.json`` is written after each, so
that a killed run resumes. It alone writes ``run.json``, ``dataset.hdf5`` and the
results.
"""

from collections.abc import Callable
import contextlib
import dataclasses
from pathlib import Path
import time

from il_ros.errors import ImitationError
from il_ros.interactive import rounds, run_state
from il_ros.interactive.goal import Goal
from il_ros.interactive.ledger import ledger
from il_ros.interactive.outcomes import Collected, Outcome
from il_ros.interactive.run_state import Fault, RunState
from il_ros.interactive.stage import BASELINE_PART, EXPERT_PART, Stage, stage_name
from il_ros.learning.config import TrainConfig
from il_ros.learning.inputs import image_features, Inputs
from il_ros.loop.backend import Backend
from il_ros.loop.failures import CANCELED
from il_ros.loop.results import SUMMARY, write_results
from il_ros.loop.run_settings import check_goal, keep_training
from il_ros.loop.stages import Fit, StageRunner
from il_ros.runs.run_kind import RunKeeper, RunKind

REPORT_S = 0.5


@dataclasses.dataclass
class Progress:
    """Progress of a run; the fields of ``RunDagger.Feedback``."""

    round: int = 0  # noqa: A003
    stage: int = 0
    """As in ``stage.PHASES``."""

    progress: float = 0.0
    """Of the stage, [0, 1]."""

    labels: int = 0
    success_rate: float = -1.0
    """Of the last evaluation; -1: none yet."""

    loss: float = -1.0
    """Of the running fit; -1: none."""


def silent(_):
    """Report no progress."""


class Loop:
    """
    One run over a back end.

    :ivar state: how far the run is; None: it has not begun
    """

    def __init__(self, backend: Backend, folder: Path, replay: bool = True,
                 report: Callable[[Progress], None] = silent,
                 log: Callable[[str], None] = silent):
        """
        Describe the run.

        :param folder: of the run; its name is that of the run
        :param replay: replay two episodes in the simulator for the report's pictures
        :param report: is given the progress, at most twice a second and at each new stage
        :param log: is given a sentence for each finished stage
        """
        self.state: RunState | None = None
        self._backend, self._folder, self._replay = backend, folder, replay
        self._reporter, self._log = _Reporter(report), log
        self._under_way = ''

    async def run(self, goal: Goal, resume: bool = False) -> RunState:
        """
        Go through all stages that are not finished, and write the results.

        :param resume: go on with an existing run of the same goal
        :raises ImitationError: what is wrong with the goal, or what failed; a run that has begun
            can be resumed
        """
        started = time.monotonic()
        check_goal(goal, resume, run=self._folder)
        contract = await self._backend.contract()
        strategy, training_file = check_goal(goal, resume, contract.name, self._folder)
        # Refused now, not after the demonstrations.
        config = TrainConfig.load(training_file)
        Inputs(contract, config.inputs)
        image_features(contract, config.images)
        broken = ((self._folder / run_state.FILE_NAME).exists()
                  and not (self._folder / SUMMARY).exists())
        state = run_state.begin(self._folder, goal, strategy.settings, resume)
        RunKeeper().admit(self._folder, RunKind(goal.task, goal.options, contract))
        self.state, earlier_s = state, run_state.seconds(state)
        if broken:
            self.note('the run had ended before it was finished', 'resumed')
        runner = StageRunner(self._backend, self._folder,
                             keep_training(self._folder, training_file, strategy),
                             self._reporter.tell)
        try:
            state = await self._carry_out(runner, self.state)
            await self._backend.beside(lambda check: write_results(
                self._folder, state, self._replay,
                lambda: earlier_s + time.monotonic() - started, check))
        except (ImitationError, OSError) as error:
            if getattr(error, 'code', 0) != CANCELED:
                self.note(str(error), 'the run ended')
            raise
        return state

    def note(self, what: str, done: str):
        """
        Take in a fault of a run that has begun.

        :param done: what was done about it
        """
        if self.state is not None:
            self.state = self._with_fault(self.state, what, done)
            with contextlib.suppress(ImitationError):  # full disk; saved with the next stage
                run_state.save(self._folder, self.state)

    def _with_fault(self, state: RunState, what: str, done: str) -> RunState:
        return state.with_fault(Fault(time.time(), self._under_way, what, done))

    async def _carry_out(self, runner: StageRunner, state: RunState) -> RunState:
        """Go through the stages that are not finished; a fit goes on beside those it can."""
        fits: list[Fit] = []
        try:
            return await self._stages(runner, state, fits)
        except (ImitationError, OSError):
            for fit in fits:
                await fit.abandon()
            raise

    async def _stages(self, runner: StageRunner, state: RunState, fits: list[Fit]) -> RunState:
        """
        Carry out one stage after the other.

        :param fits: the one that is under way, if any: whoever waits ends it when this fails
        """
        while True:
            stage = rounds.next_stage(state, fits[0].stage if fits else None)
            if stage is None and not fits:
                return state
            self._under_way = (stage or fits[0].stage).name
            self._reporter.begin(state, stage or fits[0].stage)
            if stage is None:
                outcome: Outcome = await fits[0].outcome()
                stage = fits[0].stage
                fits.clear()
            elif stage.act == 'train':
                await runner.refresh_dataset(state)
                fits.append(runner.start_fit(state, stage, self._reporter.tell_fit))
                continue
            else:
                outcome = await runner.execute(state, stage)
            self._log(f'{state.goal.run}: {stage.name} is finished')
            assert self.state is not None, 'the run has begun'
            state = self.state.after(stage, outcome)
            for flagged in runner.flagged(outcome):
                state = self._with_fault(state, flagged, 'not trained on')
            self.state = state
            run_state.save(self._folder, state)


class _Reporter:
    """Progress of a run, at most twice a second and at each new stage."""

    def __init__(self, report: Callable[[Progress], None]):
        self._report = report
        self._progress = Progress()
        self._said = 0.0
        self._fit_alone = False

    def begin(self, state: RunState, stage: Stage):
        progress = self._progress
        progress.round, progress.stage, progress.progress = stage.round, stage.reported, 0.0
        self._fit_alone = stage.act == 'train'
        if not self._fit_alone:
            progress.loss = -1.0
        rows = ledger(state)
        progress.labels = rows[-1].labels if rows else 0
        newest_first: tuple[int | str, ...] = (
            BASELINE_PART, *reversed(range(state.goal.rounds + 1)), EXPERT_PART)
        for of in newest_first:
            if evaluated := state.find(Collected, stage_name('evaluate', of)):
                progress.success_rate = evaluated.successes / evaluated.episodes
                break
        self._say()

    def tell(self, progress: float, _loss: float):
        self._progress.progress = float(progress)
        self._tick()

    def tell_fit(self, progress: float, loss: float):
        """Take in where a fit beside the stage stands; its progress counts when it is alone."""
        self._progress.loss = float(loss)
        if self._fit_alone:
            self._progress.progress = float(progress)
        self._tick()

    def _tick(self):
        if time.monotonic() - self._said >= REPORT_S:
            self._say()

    def _say(self):
        self._said = time.monotonic()
        self._report(self._progress)
