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

"""The collector: runs and records episodes in order, beside one simulator or arm."""

import dataclasses
import time

from il_ros.bridge.messages import spec_from_message
from il_ros.data.spec import ABORTED, DRIVER_SILENT, FAULT, OPERATOR, TELEOP
from il_ros.errors import ImitationError
from il_ros.interactive.driving import check_gate_threshold, check_plan, HUMAN
from il_ros.nodes import qos, runtime
from il_ros.nodes.calls import CallError, Waiter
from il_ros.nodes.listening import listen
from il_ros.nodes.parameters import bounded, declare, flag
from il_ros_interfaces.action import CollectEpisodes
from il_ros_interfaces.msg import DrivePlan, RecordedEpisode
from il_ros_interfaces.srv import EndEpisode, OpenEpisode, ResetTask, SetDriver
from rclpy.action import ActionServer, CancelResponse
from rclpy.node import Node
from rclpy.task import Future
from std_srvs.srv import Trigger

CANCEL_CALL_S = 0.3
"""Deadline of each call after a cancel: whoever cancels waits for it."""

FEEDBACK_S = 0.5
RETRY_S = 0.1
Result = CollectEpisodes.Result
NOT_YET = frozenset((OpenEpisode.Response.BUSY, SetDriver.Response.BUSY,
                     SetDriver.Response.DRIVER_ABSENT))
"""Refusals of nodes that have just started and have not found each other yet."""

FAILURES = {DRIVER_SILENT: Result.DRIVER_FAILED, FAULT: Result.TASK_FAILED}
"""Causes of an aborted episode after which no other one is begun."""


class CollectError(ImitationError):
    """Collecting came to an end; the code is one of ``CollectEpisodes.Result``."""

    def __init__(self, code: int, message: str):
        super().__init__(message)
        self.code = code


@dataclasses.dataclass(frozen=True)
class CollectorParameters:
    """Parameters of the collector node."""

    call_deadline_s: float = bounded(10.0, 0.1, 120.0, 'deadline of each service call [s]')
    settle_s: float = bounded(
        5.0, 0.0, 60.0, 'how long nodes that have just started may not be ready [s]')
    episode_deadline_s: float = bounded(
        120.0, 1.0, 86400.0, "deadline from an episode's reset to its receipt [s]")
    operator_start: bool = flag(
        False, 'wait for start_episode before each episode in which a person may drive')
    stop_on_fault: bool = flag(
        True, 'begin no other episode after one in which the arm did not follow; false: it is a '
        'failed episode like any other (simulation)')
    start_deadline_s: float = bounded(3600.0, 1.0, 86400.0, 'how long it waits for that [s]')


class CollectorNode(Node):
    """Serves ``collect_episodes``: open, arm, reset, wait for the receipt, next."""

    def __init__(self, **kwargs):
        super().__init__('collector', **kwargs)
        self.parameters = declare(self, CollectorParameters)
        self._waiter = Waiter(self)
        self._open = self._client(OpenEpisode, 'open_episode')
        self._arm = self._client(SetDriver, 'set_driver')
        self._reset = self._client(ResetTask, 'reset_task')
        self._end = self._client(EndEpisode, 'end_episode')
        self._awaited: dict[str, Future] = {}
        self._running = None
        self._started: Future | None = None
        self.create_service(Trigger, 'start_episode', self._on_start,
                            callback_group=self._waiter.group)
        listen(self, RecordedEpisode, 'recorded', self._on_recorded, qos.RECEIPTS,
               callback_group=self._waiter.group)
        self._server = ActionServer(
            self, CollectEpisodes, 'collect_episodes', self._execute,
            callback_group=self._waiter.group, cancel_callback=self._on_cancel)

    def _client(self, kind: type, name: str):
        return self.create_client(kind, name, callback_group=self._waiter.group)

    def _on_recorded(self, receipt: RecordedEpisode):
        future = self._awaited.get(receipt.spec.episode_id)
        if future is not None and not future.done():
            future.set_result(receipt)

    def _on_start(self, _request, response):
        response.success = self._started is not None and not self._started.done()
        if response.success:
            self._started.set_result(None)
        else:
            response.message = 'no episode is waiting to be started'
        return response

    def _on_cancel(self, goal):
        if goal is self._running:
            self._waiter.stop(CollectError(Result.CANCELED, 'canceled'))
        return CancelResponse.ACCEPT

    async def _execute(self, goal):
        result = Result()
        if self._running is not None:
            goal.abort()
            result.error_code = Result.BUSY
            result.error_msg = 'another goal is being collected; wait for it or cancel it'
            return result
        self._running = goal
        self._waiter.go_on()
        try:
            if goal.is_cancel_requested:
                raise CollectError(Result.CANCELED, 'canceled')
            await self._collect(goal, result)
            goal.succeed()
        except ImitationError as error:
            result.error_code, result.error_msg = error.code or Result.TASK_FAILED, str(error)
            if result.error_code == Result.CANCELED and goal.is_cancel_requested:
                goal.canceled()
            else:
                self.get_logger().error(f'collecting failed: {error}')
                goal.abort()
        finally:
            self._running = None
        return result

    async def _collect(self, goal, result: Result):
        _check(goal.request)
        started = said = time.monotonic()
        threshold = goal.request.gate_threshold
        feedback = CollectEpisodes.Feedback()
        for spec in goal.request.episodes:
            receipt = await self._attempt(spec, threshold, result)
            if receipt.gate_threshold >= 0.0:
                threshold = receipt.gate_threshold
            feedback.finished += 1
            feedback.steps += receipt.steps
            feedback.successes += receipt.success
            now = time.monotonic()
            feedback.steps_per_s = feedback.steps / (now - started)
            if now - said >= FEEDBACK_S:
                said = now
                goal.publish_feedback(feedback)
            if receipt.cause in FAILURES and (
                    receipt.end == ABORTED or self.parameters.stop_on_fault):
                raise CollectError(
                    FAILURES[receipt.cause], f'{spec.episode_id}: {receipt.error_msg}')
        goal.publish_feedback(feedback)

    async def _attempt(self, spec, threshold: float, result: Result) -> RecordedEpisode:
        """Run an episode, and again for as long as the operator takes the attempt back."""
        while True:
            await self._wait_for_start(spec)
            receipt = await self._run(spec, threshold)
            result.episodes.append(receipt)
            if receipt.end != ABORTED or receipt.cause != OPERATOR:
                return receipt
            self.get_logger().info(f'{spec.episode_id} was taken back; once more')

    async def _wait_for_start(self, spec):
        if not self.parameters.operator_start or not may_be_driven_by_hand(spec.plan):
            return
        deadline_s = self.parameters.start_deadline_s
        self._started = Future()
        self.get_logger().info(f'{spec.episode_id} waits to be started')
        try:
            await self._waiter.wait(self._started, deadline_s, CollectError(
                Result.TASK_FAILED,
                f'{spec.episode_id}: nobody called start_episode within {deadline_s} s'))
        finally:
            self._started = None

    async def _run(self, spec, threshold: float) -> RecordedEpisode:
        receipt, begun = Future(), False
        self._awaited[spec.episode_id] = receipt
        try:
            await self._start(spec, threshold)
            begun = True
            return await self._receipt(spec, receipt)
        except CollectError as error:
            if begun or error.code == Result.CANCELED:
                await self._end_running(spec, error.code == Result.CANCELED)
            raise
        finally:
            del self._awaited[spec.episode_id]

    async def _start(self, spec, threshold: float):
        for client, request, code in (
                (self._open, OpenEpisode.Request(spec=spec), Result.RECORDER_FAILED),
                (self._arm, SetDriver.Request(spec=spec, gate_threshold=threshold),
                 Result.DRIVER_FAILED),
                (self._reset, ResetTask.Request(spec=spec), Result.TASK_FAILED)):
            try:
                response = await self._ask(client, request)
            except CallError as error:
                raise CollectError(code, f'{spec.episode_id}: {error}') from error
            if response.error_code:
                raise CollectError(code, f'{spec.episode_id}: {response.error_msg}')

    async def _ask(self, client, request):
        until = time.monotonic() + self.parameters.settle_s
        while True:
            response = await self._waiter.call(client, request, self.parameters.call_deadline_s)
            if response.error_code not in NOT_YET or time.monotonic() > until:
                return response
            await self._waiter.pause(RETRY_S)

    async def _receipt(self, spec, future: Future) -> RecordedEpisode:
        deadline_s = self.parameters.episode_deadline_s
        receipt = await self._waiter.wait(future, deadline_s, CollectError(
            Result.TASK_FAILED,
            f'{spec.episode_id}: no receipt within {deadline_s} s of its reset'))
        if receipt.error_code:
            raise CollectError(
                Result.RECORDER_FAILED, f'{spec.episode_id}: {receipt.error_msg}')
        return receipt

    async def _end_running(self, spec, canceled: bool):
        """End the episode that is given up, so that the arm rests and the next can begin."""
        deadline_s = self.parameters.call_deadline_s
        if canceled:
            self._waiter.go_on()
            deadline_s = min(deadline_s, CANCEL_CALL_S)
        request = EndEpisode.Request(
            episode_id=spec.episode_id, end=ABORTED, cause=OPERATOR, reason='collecting ended')
        try:
            await self._waiter.call(self._end, request, deadline_s)
        except CallError as error:
            self.get_logger().error(str(error))


def _check(request: CollectEpisodes.Goal):
    """Refuse a goal of which any part cannot be run, before its first episode."""
    try:
        check_gate_threshold(request.gate_threshold)
        for spec in request.episodes:
            check_plan(spec_from_message(spec).plan)
    except ImitationError as error:
        raise CollectError(Result.BAD_GOAL, str(error)) from error


def may_be_driven_by_hand(plan: DrivePlan) -> bool:
    """Tell whether a plan asks a person, from the start or by the human gate."""
    return plan.driver == TELEOP or plan.gate == HUMAN


def main(args=None) -> int:
    """Run the collector until it is asked to stop."""
    return runtime.run(CollectorNode, args, slow=True)
