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
The task's side of the lockstep protocol: which command counts, and what time it is.

Time is integer nanoseconds and never goes back: a reset starts one period after the last stamp.
The rules are numbered in ``docs/architecture.md`` (lockstep).
"""

import dataclasses

from il_ros.contract.episode_spec import ENDED, EpisodeSpec, NOT_ENDED, RUNNING
from il_ros.errors import ImitationError
from il_ros.sim.simulation import Simulation, State
from il_ros.sim.world import Drive
from il_ros.tasks.protocol import BadTaskSpecError, Status, TaskProtocol
import numpy as np


class Session(TaskProtocol):
    """
    One simulation under the protocol.

    :param start_ns: the first stamp, ns
    """

    def __init__(self, simulation: Simulation, start_ns: int):
        super().__init__(start_ns)
        self.simulation = simulation
        self.state: State = simulation.reset(seed=0)
        self.stale_commands = 0

    def reset(self, spec: EpisodeSpec, stamp_ns: int | None = None) -> bool:
        """
        Start an episode.

        :param stamp_ns: the first state's stamp (realtime); one period on by default (lockstep)
        :returns: False if it already stands at step 0 and nothing was done
        :raises TaskBusyError: if an episode is running
        :raises BadTaskSpecError: if the task is another one or does not know the options
        """
        if self._stands_at_start(spec):
            return False
        if spec.task != self.simulation.task.name:
            raise BadTaskSpecError(
                f'task is {spec.task!r}; this simulator runs {self.simulation.task.name!r}')
        try:
            state = self.simulation.reset(
                seed=spec.seed, horizon=spec.horizon, continuing=spec.continuing,
                options=spec.options)
        except ImitationError as error:
            raise BadTaskSpecError(str(error)) from error
        self._spec = spec
        self.stamp_ns = self._next_ns(stamp_ns)
        self._take(state)
        return True

    def is_due(self, stamp_ns: int) -> bool:
        """Tell whether a command with this stamp counts now; count it as stale if not."""
        if self.status.phase == RUNNING and stamp_ns == self.stamp_ns:
            return True
        self.stale_commands += 1
        return False

    def step(self, targets: np.ndarray, stamp_ns: int | None = None):
        """
        Advance one control period towards joint targets, shape ``(9,)``, float64.

        :param stamp_ns: the new state's stamp (realtime); one period on by default (lockstep)
        :raises ImitationError: if the targets are refused; the state is then as it was
        """
        state = self.simulation.step(targets)
        self.stamp_ns = self._next_ns(stamp_ns)
        self._take(state)

    def follow(self, drive: Drive, stamp_ns: int):
        """
        Advance one control period with an arm that has a controller of its own (realtime).

        :param drive: is asked for joint targets before each physics step
        """
        state = self.simulation.follow(drive)
        self.stamp_ns = self._next_ns(stamp_ns)
        self._take(state)

    def beat(self, stamp_ns: int):
        """Give the present state a new stamp (realtime)."""
        self.stamp_ns = self._next_ns(stamp_ns)

    def rest(self, stamp_ns: int):
        """Give the state a new stamp, outside an episode (realtime): the arm stands still."""
        self.beat(stamp_ns)
        if self.state.joint_velocity.any():
            self.state = dataclasses.replace(
                self.state, joint_velocity=np.zeros_like(self.state.joint_velocity))

    def finish(self, episode_id: str, end: int, cause: int, success: bool, reason: str = '',
               stamp_ns: int | None = None):
        """End the running episode from outside, as ``TaskProtocol`` does, at a new stamp."""
        super().finish(episode_id, end, cause, success, reason)
        self.stamp_ns = self._next_ns(stamp_ns)

    def _next_ns(self, stamp_ns: int | None) -> int:
        if stamp_ns is None:
            return self.stamp_ns + self.simulation.dt_ns
        return max(stamp_ns, self.stamp_ns + 1)

    def _take(self, state: State):
        self.state = state
        spec = self._spec
        assert spec is not None, 'no episode was reset'
        phase = RUNNING if state.end == NOT_ENDED else ENDED
        self.status = Status(
            spec.episode_id, spec.task, spec.seed, state.step, state.horizon, phase,
            state.end, state.cause, state.success, state.goals_reached)
