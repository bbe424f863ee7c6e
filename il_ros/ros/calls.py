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
Waiting in slow nodes, always with a deadline.

Coroutines of rclpy have no timeout of their own: a client whose server was killed never
completes. One steady timer a node puts an error into every future that is overdue; it rests
until the first deadline, since each of its ticks costs the loop beside it a millisecond.
"""

from collections.abc import Awaitable, Callable
import threading
import time

from action_msgs.msg import GoalStatus
from il_ros.errors import ImitationError
from il_ros.ros.listening import every
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.node import Node
from rclpy.task import Future

READY_CHECK_S = 0.05
WATCH_S = 0.25
"""How often it is looked whether the server of a running action is still there."""

STOP_S = 0.5
"""How long the server of an action may take to cancel its goal, when all waits are stopped."""

GONE_S = 5.0
"""How long it may be away, e.g. to be started again; a killed one shows for 20 s before."""

SERVED_BY = {
    'open_episode': 'recorder', 'set_driver': 'supervisor', 'reset_task': 'simulator',
    'end_episode': 'simulator', 'load_policy': 'policy', 'label_observations': 'expert',
    'collect_episodes': 'collector', 'train_policy': 'trainer', 'run_dagger': 'coordinator'}
"""Which part of the graph serves a service or action, by its last name."""

OVER = (GoalStatus.STATUS_SUCCEEDED, GoalStatus.STATUS_CANCELED, GoalStatus.STATUS_ABORTED)

LOOK_S = 0.05
"""How often it is looked whether a thread is done."""

LEAST_NS = 1_000_000
"""A timer of no period at all would be refused."""


class CallError(ImitationError):
    """A service or action that is absent, or did not answer in time; the sentence names it."""


class LostError(CallError):
    """A node that was needed ended, or was started again; ``part`` is its part in the graph."""

    def __init__(self, part: str, message: str):
        super().__init__(message)
        self.part = part


class Waiter:
    """
    Deadlines for the futures of one node; ``group`` is for everything that awaits.

    ``stop`` ends every wait that is under way, and every later one until ``go_on``: a cancel
    takes effect wherever the work is.
    """

    def __init__(self, node: Node):
        self._node = node
        self.group = ReentrantCallbackGroup()
        self._watched: list[tuple[float, Future, ImitationError]] = []
        self._stoppable: list[Future] = []
        self._guarded: list[tuple[str, Future]] = []
        self.lost: Callable[[str], LostError | None] = lambda _: None
        """Tells whether whoever plays a part of the graph is lost now (``Peers``)."""
        self._stopped: ImitationError | None = None
        self._stopped_s = 0.0
        self._timer = every(node, READY_CHECK_S, self._check, self.group)
        self._timer.cancel()

    def stop(self, error: ImitationError):
        """Let every wait end with this error, now and until ``go_on``."""
        self._stopped, self._stopped_s = error, time.monotonic()
        for future in self._stoppable:
            if not future.done():
                future.set_exception(error)
        self._stoppable.clear()

    def go_on(self):
        """Let waits take their time again."""
        self._stopped = None

    def guard(self, part: str, future: Future):
        """End the wait for a future when the node that answers it is lost."""
        self._guarded = [entry for entry in self._guarded if not entry[1].done()]
        error = self.lost(part)
        if error is None:
            self._guarded.append((part, future))
        elif not future.done():
            future.set_exception(error)

    def lose(self, error: LostError):
        """Let every wait end that is guarded by the part that is lost."""
        for part, future in self._guarded:
            if part == error.part and not future.done():
                future.set_exception(error)

    def _check(self):
        now = time.monotonic()
        for deadline_s, future, error in self._watched:
            if deadline_s <= now and not future.done():
                future.set_exception(error)
        self._rest()

    def _rest(self):
        """Let the timer tick when the next deadline is due, or not at all."""
        self._watched = [entry for entry in self._watched if not entry[1].done()]
        self._stoppable = [future for future in self._stoppable if not future.done()]
        if not self._watched:
            self._timer.cancel()
            return
        left_s = min(entry[0] for entry in self._watched) - time.monotonic()
        self._timer.timer_period_ns = max(round(1e9 * left_s), LEAST_NS)
        self._timer.reset()

    async def wait(self, future: Future, deadline_s: float, error: ImitationError,
                   stoppable: bool = True):
        """
        Return the future's result.

        :param stoppable: whether ``stop`` ends this wait
        :raises ImitationError: ``error``, if it has none after ``deadline_s``; or what ``stop``
            was given
        """
        if not future.done():
            if stoppable:
                if self._stopped is not None:
                    raise self._stopped
                self._stoppable.append(future)
            self._watched.append((time.monotonic() + deadline_s, future, error))
            self._rest()
        return await future

    async def pause(self, seconds: float):
        """Let others run for a while."""
        await self._either(Future(), seconds, stoppable=True)

    async def _either(self, future: Future, seconds: float, stoppable: bool = False):
        """Wait for a future, but no longer than that."""
        tick = Future()
        future.add_done_callback(lambda _: tick.done() or tick.set_result(None))
        due = CallError('tick')
        try:
            await self.wait(tick, seconds, due, stoppable)
        except CallError as error:
            if error is not due:
                raise

    def beside(self, work: Callable[[Callable[[], None]], object]) -> Awaitable:
        """
        Run a long function in a thread from now on; its result is to be awaited.

        :param work: is given a function that it calls now and then: it raises what ``stop`` was
            given
        """
        outcome = Future()
        thread = threading.Thread(target=self._work, args=(work, outcome), daemon=True)
        thread.start()
        return self._outcome(thread, outcome)

    async def _outcome(self, thread: threading.Thread, outcome: Future):
        while thread.is_alive():
            await self._either(outcome, LOOK_S)
        return outcome.result()

    def _work(self, work: Callable[[Callable[[], None]], object], outcome: Future):
        def check():
            if self._stopped is not None:
                raise self._stopped
        try:
            outcome.set_result(work(check))
        except BaseException as error:  # noqa: B902 - raised again where it is awaited
            outcome.set_exception(error)

    async def ready(self, client, deadline_s: float):
        """
        Wait until a service or action server is there.

        :raises CallError: naming it
        """
        is_ready = getattr(client, 'service_is_ready', None) or client.server_is_ready
        until = time.monotonic() + deadline_s
        while not is_ready():
            if time.monotonic() > until:
                raise CallError(f'{name_of(client)} is not available after {deadline_s} s; is the '
                                'node that serves it running?')
            await self.pause(READY_CHECK_S)

    async def call(self, client, request, deadline_s: float):
        """
        Call a service and return its response.

        :raises CallError: if nobody serves it, or nobody answers in time
        """
        await self.ready(client, deadline_s)
        future = client.call_async(request)
        self.guard(server_of(client), future)
        try:
            return await self.wait(future, deadline_s, CallError(
                f'{name_of(client)} did not answer within {deadline_s} s'))
        except ImitationError:
            client.remove_pending_request(future)
            raise

    async def run_action(self, client, goal, deadline_s: float, on_feedback=None, on_start=None):
        """
        Send an action's goal and return ``(status, result)`` when it is done.

        :param deadline_s: until the server has accepted, s; the work itself may take longer
        :param on_start: is given the goal's handle, to cancel by
        :raises CallError: if there is no server, or it refuses or breaks down
        """
        await self.ready(client, deadline_s)
        handle = await self._accepted(
            client, client.send_goal_async(goal, feedback_callback=on_feedback), deadline_s,
            CallError(f'{name_of(client)} did not accept a goal within {deadline_s} s'))
        if not handle.accepted:
            raise CallError(f'{name_of(client)} refused the goal')
        if on_start is not None:
            on_start(handle)
        response = await self._result(client, handle)
        if response.status == GoalStatus.STATUS_ABORTED and not response.result.error_code:
            raise CallError(f'{name_of(client)} was aborted without an error message; see the '
                            'log of the node that serves it')
        return response.status, response.result

    async def _accepted(self, client, sent: Future, deadline_s: float, error: CallError):
        """Wait for the handle of a goal; one that comes too late is cancelled."""
        relay = Future()
        sent.add_done_callback(lambda done: relay.done() or relay.set_result(done.result()))
        self.guard(server_of(client), relay)
        try:
            return await self.wait(relay, deadline_s, error)
        except ImitationError:
            sent.add_done_callback(lambda done: done.result().cancel_goal_async())
            raise

    async def _result(self, client, handle):
        """
        Wait for a result as long as the server is there; work may take its time.

        A goal that is said to be over, and whose result does not come, is asked for it again.
        """
        lost = Future()
        self.guard(server_of(client), lost)
        try:
            return await self._result_unless(client, handle, lost)
        except LostError:
            handle.cancel_goal_async()  # should it be there nevertheless
            raise
        finally:
            lost.done() or lost.set_result(None)

    async def _result_unless(self, client, handle, lost: Future):
        gone_since, future = None, handle.get_result_async()
        while not future.done():
            if lost.done():
                raise lost.exception()
            over = handle.status in OVER
            await self._either(future, WATCH_S)
            if future.done():
                break
            if over:
                future = handle.get_result_async()
            if self._stopped is not None and time.monotonic() - self._stopped_s > STOP_S:
                raise self._stopped
            if client.server_is_ready():
                gone_since = None
            elif gone_since is None:
                gone_since = time.monotonic()
            elif time.monotonic() - gone_since > GONE_S:
                raise CallError(f'{name_of(client)} is gone; the node that serves it ended')
        return future.result()


def server_of(client) -> str:
    """Return the part of the graph that serves a client; empty: it is not known."""
    return SERVED_BY.get(name_of(client).rpartition('/')[2], '')


def name_of(client) -> str:
    """Return the name of a client's service or action."""
    return str(getattr(client, 'srv_name', '') or getattr(client, '_action_name', 'the action'))
