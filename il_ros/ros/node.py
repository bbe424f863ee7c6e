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
What the nodes of a graph derive from.

Lifecycle nodes start themselves, and say why when they cannot; a node with an action takes one
goal at a time.
"""

from collections.abc import Callable
from typing import Any

from il_ros.errors import ImitationError
from il_ros.ros.calls import Waiter
from il_ros.ros.diagnostics import Diagnostics, ERROR, OK
from il_ros.ros.parameters import declare
from il_ros.ros.runtime import StartError
from rclpy.action import ActionServer, CancelResponse
from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn
from rclpy.node import Node


class GraphNode(Node):
    """A node with its parameters in ``self.parameters``."""

    is_slow = False
    """It serves actions and awaits: its place is the slow thread."""

    def __init__(self, name: str, parameters: type, **kwargs):
        super().__init__(name, **kwargs)
        self.parameters: Any = declare(self, parameters)


class ReportingNode(GraphNode):
    """
    A node that publishes on ``/diagnostics`` what its ``report`` returns.

    :ivar problem: why it cannot do its work, for people; empty: it can
    """

    report: Callable[[], tuple[bytes, str, dict]]
    """Returns level, message and values."""

    def __init__(self, name: str, parameters: type, **kwargs):
        super().__init__(name, parameters, **kwargs)
        self.problem = ''
        self.diagnostics = Diagnostics(self, self.report)

    def report_problem(self, problem: object, throttle_s: float | None = None):
        """Show a problem, and log it; not again within ``throttle_s``."""
        self.problem = str(problem)
        if throttle_s is None:
            self.get_logger().error(self.problem)
        else:
            self.get_logger().error(self.problem, throttle_duration_sec=throttle_s)

    def state(self, summary: str, values: dict, problem: str = '') -> tuple[bytes, str, dict]:
        """
        Return a report.

        :param summary: what is said when there is no problem
        :param problem: what is said in place of the node's own
        """
        problem = problem or self.problem
        return (ERROR, problem, values) if problem else (OK, summary, values)


class ManagedNode(ReportingNode, LifecycleNode):
    """
    A lifecycle node.

    A subclass overrides ``configure``, ``activate`` and ``deactivate``. An ``ImitationError`` in
    them is logged (the lifecycle machine itself would swallow it) and fails the transition.
    """

    def __init__(self, name: str, parameters: type, **kwargs):
        super().__init__(name, parameters, **kwargs)
        self._failure = ''
        self.active = False

    def autostart(self):
        """
        Configure and activate if the parameter ``autostart`` says so; last line of ``__init__``.

        :raises StartError: if a transition failed, with its reason
        """
        if not self.parameters.autostart:
            return
        for trigger in (self.trigger_configure, self.trigger_activate):
            if trigger() != TransitionCallbackReturn.SUCCESS:
                sentence = f'{self.get_name()} does not start: {self._failure}'
                self.destroy_node()
                raise StartError(sentence)

    def configure(self):
        """Load what the node needs."""

    def activate(self):
        """Begin to answer."""

    def deactivate(self):
        """Stop safely; publishers are still live here."""

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Run ``configure`` under guard."""
        return self._guarded(self.configure)

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Run ``activate`` under guard."""
        result = super().on_activate(state)
        if result == TransitionCallbackReturn.SUCCESS:
            result = self._guarded(self.activate)
        self.active = result == TransitionCallbackReturn.SUCCESS
        return result

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Stop while the publishers are live, and only then deactivate."""
        self.active = False
        self._guarded(self.deactivate)
        return super().on_deactivate(state)

    def shut_down(self):
        """Leave the active state, if the node is in it: called before the node is destroyed."""
        if self.active:
            self.trigger_deactivate()

    def destroy_node(self):
        """Destroy the node, and the state machine that would keep its participant alive."""
        super().destroy_node()
        self._state_machine.destroy_when_not_in_use()

    def _guarded(self, step: Callable[[], None]) -> TransitionCallbackReturn:
        try:
            step()
        except ImitationError as error:
            self._failure = str(error)
            self.get_logger().error(self._failure)
            return TransitionCallbackReturn.FAILURE
        return TransitionCallbackReturn.SUCCESS


class ActionNode(GraphNode):
    """
    A node that serves one action; another goal meanwhile is refused.

    A subclass overrides ``work``, and what else it needs. An ``ImitationError`` or ``OSError`` in
    it aborts the goal with its sentence.

    :param action: the action's type
    :param busy: what a second goal is told
    """

    is_slow = True
    otherwise = 0
    """Error code of a failure that has none of its own."""

    def __init__(self, name: str, parameters: type, action: Any, topic: str, busy: str, **kwargs):
        super().__init__(name, parameters, **kwargs)
        self.waiter = Waiter(self)
        self._action, self._busy = action, busy
        self._running = None
        self._server = ActionServer(
            self, action, topic, self._execute, callback_group=self.waiter.group,
            cancel_callback=self._on_cancel)

    def new_result(self) -> Any:
        """Return an empty result, as a goal that fails has it."""
        return self._action.Result()

    def begin(self, goal):
        """Forget what was before a goal."""

    async def work(self, goal, result):
        """Do what a goal asks for, and fill its result."""
        raise NotImplementedError

    def cancel(self):
        """Stop the work that is under way."""

    def code_of(self, error: ImitationError | OSError) -> int:
        """Return the code of a failure in the action's result."""
        return getattr(error, 'code', 0) or self.otherwise

    def aborted(self, error: ImitationError | OSError):
        """Take note of a failure that is no cancel."""

    def _on_cancel(self, goal) -> CancelResponse:
        if goal is self._running:
            self.cancel()
        return CancelResponse.ACCEPT

    async def _execute(self, goal):
        result = self.new_result()
        if self._running is not None:
            result.error_code, result.error_msg = result.BUSY, self._busy
            goal.abort()
            return result
        self._running = goal
        try:
            self.begin(goal)
            await self.work(goal, result)
            goal.succeed()
        except (ImitationError, OSError) as error:
            result.error_code, result.error_msg = self.code_of(error), str(error)
            if result.error_code == result.CANCELED and goal.is_cancel_requested:
                goal.canceled()
            else:
                self.aborted(error)
                goal.abort()
        finally:
            self._running = None
        return result
