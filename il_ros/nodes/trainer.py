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

"""The trainer: fits policies in a worker process that stays warm; the node stays responsive."""

import dataclasses
from pathlib import Path
import time

from il_ros.dataset.dataset import DATASET, HELD_OUT
from il_ros.errors import CodedError, JobError
from il_ros.learning.references import is_finished
from il_ros.learning.training_worker.protocol import Job, JobDone, JobFailed, JobProgress
from il_ros.learning.training_worker.worker_client import WorkerClient
from il_ros.ros.node import ActionNode
from il_ros.ros.parameters import bounded, text
from il_ros_interfaces.action import TrainPolicy

FEEDBACK_S = 0.5
WORKER_END_S = 3.0
Result = TrainPolicy.Result


@dataclasses.dataclass(frozen=True)
class TrainerParameters:
    """Parameters of the trainer node."""

    runs: str = text('runs', 'folder of the runs')
    nice: int = bounded(10, 0, 19, 'how much the worker gives way to the control loop')
    poll_s: float = bounded(0.05, 0.01, 1.0, 'how often the worker is listened to [s]')
    silence_s: float = bounded(
        10.0, 2.0, 3600.0, 'a worker whose heartbeat is silent for so long hangs: its fit fails, '
        'and it is killed [s]')
    stuck_s: float = bounded(
        600.0, 1.0, 86400.0, 'a fit without a step for so long fails, its worker is killed [s]')


class TrainerNode(ActionNode):
    """Serves ``train_policy``."""

    otherwise = Result.BAD_GOAL

    def __init__(self, **kwargs):
        super().__init__('trainer', TrainerParameters, TrainPolicy, 'train_policy',
                         'another policy is being trained; wait for it or cancel it', **kwargs)
        self._worker = WorkerClient(self.parameters.nice, self.get_logger().info,
                                    self.parameters.silence_s, self.parameters.stuck_s)
        self._worker.start()

    def shut_down(self):
        """End the worker process."""
        # Without a job there is nothing to wait for, least of all that it has loaded torch.
        self._worker.close(WORKER_END_S if self._worker.busy else 0.0)

    def new_result(self) -> TrainPolicy.Result:
        """Return the result without a loss."""
        return Result(train_loss=-1.0, held_out_loss=-1.0)

    async def work(self, goal, result: TrainPolicy.Result):
        """Fit a policy."""
        self._worker.submit(self._job(goal.request))
        outcome = await self._outcome(goal)
        if isinstance(outcome, JobFailed):
            raise CodedError(outcome.code, outcome.message)
        for field in result.get_fields_and_field_types():
            if hasattr(outcome, field):
                setattr(result, field, getattr(outcome, field))

    def _job(self, request) -> Job:
        if is_finished(Path(request.output)):
            raise JobError(f'output is {request.output}, a checkpoint that its run is done with '
                           'and speaks of; expected another folder')
        dataset = Path(self.parameters.runs) / request.run / DATASET
        return Job(dataset=str(dataset), filter_key=request.filter_key, config=request.config,
                   output=request.output, seed=request.seed, held_out_key=HELD_OUT,
                   replace=True)

    async def _outcome(self, goal) -> JobDone | JobFailed:
        said, canceling = time.monotonic(), False
        while True:
            if goal.is_cancel_requested and not canceling:
                canceling = True
                self._worker.cancel()
            for event in self._worker.poll():
                if isinstance(event, (JobDone, JobFailed)):
                    return event
                if isinstance(event, JobProgress) and time.monotonic() - said >= FEEDBACK_S:
                    said = time.monotonic()
                    goal.publish_feedback(TrainPolicy.Feedback(
                        step=event.step, steps=event.steps, train_loss=event.train_loss,
                        held_out_loss=event.held_out_loss))
            await self.waiter.pause(self.parameters.poll_s)
