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

The loop itself is ``loop/run.py``; its back end here asks the nodes of the graph.
"""

import dataclasses
from pathlib import Path

from il_ros.errors import ImitationError
from il_ros.loop.failures import BAD_GOAL
from il_ros.loop.run import Loop
from il_ros.ros import runtime
from il_ros.ros.calls import Waiter
from il_ros.ros.dagger.backend import RosBackend
from il_ros.ros.dagger.messages import feedback_of, goal_of, round_summaries
from il_ros.ros.parameters import bounded, declare, flag, text
from il_ros_interfaces.action import RunDagger
from rclpy.action import ActionServer, CancelResponse
from rclpy.node import Node

Result = RunDagger.Result


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
        self._backend = RosBackend(self, self._waiter, self.parameters.call_deadline_s)
        self._running = None
        self._server = ActionServer(
            self, RunDagger, 'run_dagger', self._execute, callback_group=self._waiter.group,
            cancel_callback=self._on_cancel)

    def _on_cancel(self, goal):
        if goal is self._running:
            self._backend.cancel()
        return CancelResponse.ACCEPT

    async def _execute(self, handle):
        result = Result()
        if self._running is not None:
            result.error_code = Result.BUSY
            result.error_msg = 'another run is under way; wait for it or cancel it'
            handle.abort()
            return result
        self._running = handle
        self._backend.begin()
        if handle.is_cancel_requested:
            self._backend.cancel()
        try:
            await self._run(handle, result)
            handle.succeed()
        except (ImitationError, OSError) as error:
            code = getattr(error, 'code', 0)
            code = code if 800 <= code < 900 else BAD_GOAL
            result.error_code, result.error_msg = code, str(error)
            canceled = code == Result.CANCELED and handle.is_cancel_requested
            (handle.canceled if canceled else handle.abort)()
        finally:
            self._running = None
        return result

    async def _run(self, handle, result: Result):
        folder = Path(self.parameters.runs) / handle.request.run
        loop = Loop(self._backend, folder, self.parameters.replay,
                    lambda progress: handle.publish_feedback(feedback_of(progress)),
                    self.get_logger().info)
        try:
            await loop.run(goal_of(handle.request), handle.request.resume)
        finally:
            if loop.state is not None:
                result.rounds = round_summaries(loop.state)


def main(args=None) -> int:
    """Run the coordinator until it is asked to stop."""
    return runtime.run(CoordinatorNode, args, slow=True)
