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

"""Whom a coordinator hands work to: one action each, one goal at a time, canceled at any time."""

from collections.abc import Awaitable, Callable
import dataclasses
import time
from typing import Any

from il_ros.errors import ImitationError
from il_ros.learning.training_worker.protocol import JobDone
from il_ros.loop.backend import FitOrder, Tell
from il_ros.loop.failures import CANCELED, RunError
from il_ros.ros.calls import CallError, LostError, Waiter
from il_ros_interfaces.action import TrainPolicy
from rclpy.action import ActionClient
from rclpy.node import Node
from rclpy.task import Future

SETTLE_S = 6.0
"""How long a server may be busy with a goal that was given up: it ends what it cancels."""

RETRY_S = 0.2

Again = Callable[[str, Callable[[], Awaitable]], Awaitable]
"""Does the work of a stage, and once more where a node is lost that it needs."""


class Delegate:
    """
    The client of one action.

    :param code: of ``RunDagger.Result``, what a failure is called
    :param call_s: deadline until the server has accepted a goal, s
    """

    def __init__(self, node: Node, waiter: Waiter, kind: Any, name: str, code: int,
                 call_s: float):
        self._waiter, self._code, self._call_s = waiter, code, call_s
        self._canceled_code, self._busy_code = kind.Result.CANCELED, kind.Result.BUSY
        self._client = ActionClient(node, kind, name, callback_group=waiter.group)
        self._handle = None
        self._canceled = False

    def begin(self):
        """Forget an earlier cancel."""
        self._canceled = False

    def cancel(self):
        """Stop the work that is under way, and begin no other."""
        self._canceled = True
        if self._handle is not None:
            self._handle.cancel_goal_async()

    async def ask(self, goal, on_feedback):
        """
        Return the action's result, whatever code it carries.

        :raises RunError: if there is no server, or it refuses or breaks down
        :raises LostError: if the server's node ended meanwhile
        """
        until = time.monotonic() + SETTLE_S
        while True:
            result = await self._ask(goal, on_feedback)
            if result.error_code != self._busy_code or time.monotonic() > until:
                return result
            await self._waiter.pause(RETRY_S)

    async def _ask(self, goal, on_feedback):
        if self._canceled:
            raise RunError(CANCELED, 'canceled')
        try:
            _, result = await self._waiter.run_action(
                self._client, goal, self._call_s, on_feedback, self._on_start)
        except LostError:
            raise
        except CallError as error:
            raise RunError(self._code, str(error)) from error
        finally:
            self._handle = None
        return result

    def _on_start(self, handle):
        self._handle = handle
        if self._canceled:
            handle.cancel_goal_async()

    def check(self, result):
        """
        Pass a result without an error.

        :raises RunError: with the result's sentence and code
        """
        if result.error_code == self._canceled_code and self._canceled:
            raise RunError(CANCELED, 'canceled')
        if result.error_code:
            raise RunError(self._code, f'{result.error_msg} (code {result.error_code})')


class RemoteFit:
    """A fit that runs beside other stages of its run, in the trainer's own process."""

    def __init__(self, node: Node, trainer: Delegate, order: FitOrder, tell: Tell, again: Again):
        """Begin it at once; ``outcome`` waits for it."""
        self._order, self._again = order, again
        self._trainer, self._tell = trainer, tell
        self._done = Future()
        executor = node.executor
        assert executor is not None, 'the node is being spun'
        executor.create_task(self._run(TrainPolicy.Goal(
            run=order.run, filter_key=order.filter_key, config=str(order.config), seed=order.seed,
            output=str(order.output))))

    async def _run(self, goal: TrainPolicy.Goal):
        # What a task raises would end the executor's spin: it goes to whoever waits instead.
        try:
            result = await self._again(
                self._order.stage, lambda: self._trainer.ask(goal, self._on_feedback))
            self._trainer.check(result)
        except ImitationError as error:
            self._done.set_exception(error)
        else:
            self._done.set_result(result)

    def _on_feedback(self, message):
        step = message.feedback
        self._tell(step.step / max(step.steps, 1), step.train_loss)

    async def outcome(self) -> JobDone:
        """
        Wait for its end.

        :raises RunError: with the code of what failed, and its sentence
        """
        # The trainer's own server is watched by the call; a fit takes what it takes.
        result = await self._done
        return JobDone(0, **{field.name: getattr(result, field.name)
                             for field in dataclasses.fields(JobDone) if field.name != 'number'})

    async def abandon(self):
        """Cancel it and wait until it has stopped."""
        self._trainer.cancel()
        await self._done
