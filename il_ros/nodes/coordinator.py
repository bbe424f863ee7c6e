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
from il_ros.loop.cells import CellPlan
from il_ros.loop.failures import BAD_GOAL
from il_ros.loop.run import Loop
from il_ros.ros.dagger.backend import RosBackend
from il_ros.ros.dagger.messages import feedback_of, goal_of, round_summaries
from il_ros.ros.node import ActionNode
from il_ros.ros.parameters import bounded, flag, text
from il_ros_interfaces.action import RunDagger

Result = RunDagger.Result


@dataclasses.dataclass(frozen=True)
class CoordinatorParameters:
    """Parameters of the coordinator node."""

    runs: str = text('runs', 'folder of the runs')
    call_deadline_s: float = bounded(20.0, 0.5, 600.0, 'deadline of each call [s]')
    replay: bool = flag(True, "replay two episodes in the simulator for the report's pictures")


class CoordinatorNode(ActionNode):
    """Serves ``run_dagger``."""

    def __init__(self, cells: CellPlan | None = None, **kwargs):
        """
        Build the node.

        :param cells: beside the graph's own arm; None: there are none
        """
        super().__init__('coordinator', CoordinatorParameters, RunDagger, 'run_dagger',
                         'another run is under way; wait for it or cancel it', **kwargs)
        self._backend = RosBackend(self, self.waiter, self.parameters.call_deadline_s,
                                   cells or CellPlan())

    def begin(self, goal):
        """Forget an earlier cancel, but not one of this goal."""
        self._backend.begin()
        if goal.is_cancel_requested:
            self._backend.cancel()

    def cancel(self):
        """Stop what is under way."""
        self._backend.cancel()

    def code_of(self, error: ImitationError | OSError) -> int:
        """Return the code of a run, whatever failed in it."""
        code = getattr(error, 'code', 0)
        return code if 800 <= code < 900 else BAD_GOAL

    async def work(self, goal, result: RunDagger.Result):
        """Run DAgger, or go on with a run."""
        folder = Path(self.parameters.runs) / goal.request.run
        loop = Loop(self._backend, folder, self.parameters.replay,
                    lambda progress: goal.publish_feedback(feedback_of(progress)),
                    self.get_logger().info)
        self._backend.note = loop.note
        try:
            await loop.run(goal_of(goal.request), goal.request.resume)
        finally:
            self._backend.end()
            self._backend.note = lambda *_: None
            if loop.state is not None:
                result.rounds = round_summaries(loop.state)
