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

from collections.abc import Callable, Collection, Mapping
import dataclasses
import time

from il_ros.contract.episode_spec import ABORTED, DRIVER_SILENT, FAULT, OPERATOR
from il_ros.episodes.receipts import is_unfinished
from il_ros.errors import ImitationError
from il_ros.ros import qos
from il_ros.ros.calls import CallError, LostError, server_of
from il_ros.ros.conversion.messages import receipt_from_message
from il_ros.ros.listening import listen
from il_ros.ros.node import ActionNode
from il_ros.ros.parameters import bounded, flag
from il_ros.ros.presence.episode_needs import check, code_of, CollectError, GoneError
from il_ros.ros.presence.episode_needs import may_be_driven_by_hand, parts_of
from il_ros.ros.presence.peers import ATTEMPTS, Peers
from il_ros_interfaces.action import CollectEpisodes
from il_ros_interfaces.msg import RecordedEpisode
from il_ros_interfaces.srv import EndEpisode, OpenEpisode, ResetTask, SetDriver
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

WAY_HOME_S = 60.0
"""How long a real arm may be on its way home, and a person may take to release what holds it."""

GIVEN_UP_S = 3.0
"""How long the receipt of an episode that was given up is waited for."""

FAILURES = {DRIVER_SILENT: Result.DRIVER_FAILED, FAULT: Result.TASK_FAILED}
"""Causes of an aborted episode after which no other one is begun."""


@dataclasses.dataclass(frozen=True)
class CollectorParameters:
    """Parameters of the collector node."""

    call_deadline_s: float = bounded(10.0, 0.1, 120.0, 'deadline of each service call [s]')
    settle_s: float = bounded(
        5.0, 0.0, 60.0, 'how long nodes that have just started may not be ready [s]')
    return_s: float = bounded(
        20.0, 0.0, 600.0, 'how long a node that ended may take to be started again [s]')
    episode_deadline_s: float = bounded(
        120.0, 1.0, 86400.0, "deadline from an episode's reset to its receipt [s]")
    operator_start: bool = flag(
        False, 'wait for start_episode before each episode in which a person may drive')
    always_start: bool = flag(
        False, 'wait for start_episode before every episode: a person puts the objects back')
    stop_on_fault: bool = flag(
        True, 'begin no other episode after one in which the arm did not follow; false: it is a '
        'failed episode like any other (simulation)')
    start_deadline_s: float = bounded(3600.0, 1.0, 86400.0, 'how long it waits for that [s]')


class CollectorNode(ActionNode):
    """Serves ``collect_episodes``: open, arm, reset, wait for the receipt, next."""

    otherwise = Result.TASK_FAILED

    def __init__(self, **kwargs):
        super().__init__('collector', CollectorParameters, CollectEpisodes, 'collect_episodes',
                         'another goal is being collected; wait for it or cancel it', **kwargs)
        self._peers = Peers(self, self.waiter)
        self._open = self._client(OpenEpisode, 'open_episode')
        self._arm = self._client(SetDriver, 'set_driver')
        self._reset = self._client(ResetTask, 'reset_task')
        self._end = self._client(EndEpisode, 'end_episode')
        self._awaited: dict[str, Future] = {}
        self._started: Future | None = None
        self.create_service(Trigger, 'start_episode', self._on_start,
                            callback_group=self.waiter.group)
        listen(self, RecordedEpisode, 'recorded', self._on_recorded, qos.RECEIPTS,
               callback_group=self.waiter.group)

    def _client(self, kind: type, name: str):
        return self.create_client(kind, name, callback_group=self.waiter.group)

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

    def begin(self, goal):
        """Let waits take their time again."""
        self.waiter.go_on()

    def cancel(self):
        """End every wait."""
        self.waiter.stop(CollectError(Result.CANCELED, 'canceled'))

    def aborted(self, error: ImitationError | OSError):
        """Log it."""
        self.get_logger().error(f'collecting failed: {error}')

    async def work(self, goal, result: CollectEpisodes.Result):
        """Run and record the episodes of a goal."""
        if goal.is_cancel_requested:
            raise CollectError(Result.CANCELED, 'canceled')
        check(goal.request)
        started = said = time.monotonic()
        threshold = goal.request.gate_threshold
        before = self._peers.losses(('policy',))
        feedback = CollectEpisodes.Feedback()

        def repeated(reason: str):
            self.get_logger().warning(f'repeated: {reason}')
            feedback.repeated = reason
            goal.publish_feedback(feedback)
            feedback.repeated = ''
        for spec in goal.request.episodes:
            receipt = await self._attempt(spec, threshold, result, before, repeated)
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

    async def _attempt(self, spec, threshold: float, result: CollectEpisodes.Result,
                       before: Mapping[str, int],
                       repeated: Callable[[str], None]) -> RecordedEpisode:
        """
        Run an episode, and again when the operator takes it back or a node is lost meanwhile.

        :param before: how often the policy was lost before this goal: one that is started again
            has not the checkpoint that the goal is about
        :param repeated: is told which episode is repeated, and why
        """
        parts, again = parts_of(spec), 0
        while True:
            await self._wait_for_start(spec)
            await self._present(spec, parts)
            self._require_policy(spec, before)
            known, settled_s = self._peers.losses(parts), self._settled_s()
            try:
                failed: CollectError | LostError | None = None
                receipt = await self._run(spec, threshold, result)
                result.episodes.append(receipt)
                if not is_unfinished(receipt_from_message(receipt)):
                    return receipt
            except (CollectError, LostError) as error:
                if isinstance(error, GoneError) or error.code == Result.CANCELED:
                    raise
                failed = error
            # One that is back may not have been found by all others yet.
            lost = self._peers.lost_since(known) or self._peers.back_since(parts, settled_s)
            if lost:
                self._require_policy(spec, before)
                again += 1
                if again == ATTEMPTS:
                    raise CollectError(code_of(lost[0]), (
                        f'{spec.episode_id}: {self._peers.name(lost[0])} ended, for the {again}th '
                        'time'))
                reason = str(failed or f'{self._peers.name(lost[0])} ended')
                named = f'{spec.episode_id}: '
                repeated(f'{named}{reason.removeprefix(named)} ({again} of {ATTEMPTS - 1})')
            elif failed is not None:
                raise failed
            elif receipt.end == ABORTED and receipt.cause == OPERATOR:
                repeated(f'{spec.episode_id}: the attempt was discarded by the operator')
            else:
                return receipt

    def _settled_s(self) -> float:
        return time.monotonic() - self.parameters.settle_s

    async def _present(self, spec, parts: Collection[str]):
        try:
            await self._peers.present(parts, self.parameters.return_s)
        except LostError as error:
            raise GoneError(code_of(error.part), f'{spec.episode_id}: {error}') from error

    def _require_policy(self, spec, before: Mapping[str, int]):
        if 'policy' in parts_of(spec) and self._peers.lost_since(before):
            raise CollectError(Result.DRIVER_FAILED, (
                f'{spec.episode_id}: policy ended; started again it has no checkpoint'))

    async def _wait_for_start(self, spec):
        by_hand = self.parameters.operator_start and may_be_driven_by_hand(spec.plan)
        if not by_hand and not self.parameters.always_start:
            return
        deadline_s = self.parameters.start_deadline_s
        self._started = Future()
        self.get_logger().info(f'{spec.episode_id} waits to be started')
        try:
            await self.waiter.wait(self._started, deadline_s, CollectError(
                Result.TASK_FAILED,
                f'{spec.episode_id}: no call of start_episode within {deadline_s} s'))
        finally:
            self._started = None

    async def _run(self, spec, threshold: float,
                   result: CollectEpisodes.Result) -> RecordedEpisode:
        begun = False
        try:
            await self._grant(self._open, OpenEpisode.Request(spec=spec), result)
            # Not before: what is said of an earlier attempt until it is closed is of that one.
            receipt = Future()
            self._awaited[spec.episode_id] = receipt
            await self._grant(self._arm, SetDriver.Request(spec=spec, gate_threshold=threshold),
                              result)
            self._awaited[spec.episode_id] = receipt
            await self._grant(self._reset, ResetTask.Request(spec=spec), result)
            begun = True
            return await self._receipt(spec, receipt)
        except LostError as error:
            await self._give_up(spec, error.part, result)
            raise
        except CollectError as error:
            if begun or error.code == Result.CANCELED:
                await self._end_running(spec, error.code == Result.CANCELED)
            raise
        finally:
            self._awaited.pop(spec.episode_id, None)

    async def _grant(self, client, request, result: CollectEpisodes.Result):
        code = code_of(server_of(client))
        try:
            response = await self._ask(client, request, result)
        except LostError:
            raise
        except CallError as error:
            raise CollectError(code, f'{request.spec.episode_id}: {error}') from error
        if response.error_code:
            raise CollectError(code, f'{request.spec.episode_id}: {response.error_msg}')

    async def _give_up(self, spec, lost: str, result: CollectEpisodes.Result):
        """End an episode of which a node was lost, and keep what comes of it with the costs."""
        receipt = self._awaited[spec.episode_id] = Future()
        reason, due = f'{self._peers.name(lost)} ended', CallError('no receipt')
        if lost != 'simulator' and not await self._end_running(spec, reason=reason):
            return
        if lost == 'recorder':
            return
        # A task that is started again says that this episode is over.
        await self._present(spec, (lost,))
        try:
            result.episodes.append(await self.waiter.wait(receipt, GIVEN_UP_S, due))
        except CallError as error:
            if error is not due:
                raise

    async def _ask(self, client, request, result: CollectEpisodes.Result):
        patience_s = max(self.parameters.settle_s, WAY_HOME_S * self.parameters.always_start)
        until, busy = time.monotonic() + patience_s, False
        while True:
            response = await self.waiter.call(client, request, self.parameters.call_deadline_s)
            if response.error_code not in NOT_YET or time.monotonic() > until:
                return response
            if not busy and self._end.service_is_ready():
                busy = True
                # An earlier collector may have left it running.
                await self._give_up(request.spec, 'collector', result)
            await self.waiter.pause(RETRY_S)

    async def _receipt(self, spec, future: Future) -> RecordedEpisode:
        deadline_s = self.parameters.episode_deadline_s
        for part in ('recorder', 'supervisor', 'simulator'):
            self.waiter.guard(part, future)
        receipt = await self.waiter.wait(future, deadline_s, CollectError(
            Result.TASK_FAILED,
            f'{spec.episode_id}: no receipt within {deadline_s} s of its reset'))
        if receipt.error_code:
            raise CollectError(
                Result.RECORDER_FAILED, f'{spec.episode_id}: {receipt.error_msg}')
        return receipt

    async def _end_running(self, spec, canceled: bool = False,
                           reason: str = 'collecting ended') -> bool:
        """
        End the episode that is given up, so that the arm rests and the next can begin.

        :returns: whether it was running
        """
        deadline_s = self.parameters.call_deadline_s
        if canceled:
            self.waiter.go_on()
            deadline_s = min(deadline_s, CANCEL_CALL_S)
        request = EndEpisode.Request(
            episode_id=spec.episode_id, end=ABORTED, cause=OPERATOR, reason=reason)
        try:
            response = await self.waiter.call(self._end, request, deadline_s)
        except CallError as error:
            self.get_logger().error(str(error))
            return False
        return not response.error_code
