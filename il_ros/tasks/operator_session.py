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
An episode on a real arm, which a person judges: steps by the arm's beats, and a time limit.

Pure: stamps are handed in. What is asked for between two beats is said at the next one, with its
stamp, so that each state has one status.
"""

import dataclasses

from il_ros.contract.episode_spec import ENDED, EpisodeSpec, RUNNING, TRUNCATED
from il_ros.tasks.protocol import BadTaskSpecError, Status, TaskProtocol


class OperatorSession(TaskProtocol):
    """
    The task's side without a simulation.

    :param task: that the person judges
    :param horizon: steps after which an episode that names no other limit is over
    """

    def __init__(self, task: str, horizon: int):
        super().__init__(start_ns=0)
        self._task, self._horizon = task, horizon
        self.unsaid = False
        """A begin or an end that no state has carried yet."""

    def reset(self, spec: EpisodeSpec) -> bool:
        """
        Begin an episode at the next beat.

        :returns: False if it already stands at step 0 and nothing was done
        :raises TaskBusyError: if an episode is running
        :raises BadTaskSpecError: if the task is another one, or asks for what no person can do
        """
        if self._stands_at_start(spec):
            return False
        if spec.task != self._task:
            raise BadTaskSpecError(f'task is {spec.task!r}; this arm is for {self._task!r}')
        if spec.continuing:
            raise BadTaskSpecError('continuing is true; on a real arm an episode ends with its '
                                   'success, so leave it out')
        if spec.options:
            raise BadTaskSpecError(f'options are {spec.options!r}; a real arm has none')
        self._spec, self.unsaid = spec, True
        self.status = Status(spec.episode_id, spec.task, spec.seed, 0,
                             spec.horizon or self._horizon, RUNNING)
        return True

    def finish(self, episode_id: str, end: int, cause: int, success: bool, reason: str = ''):
        """End the running episode at the next beat, as ``TaskProtocol`` does."""
        super().finish(episode_id, end, cause, success, reason)
        self.unsaid = True

    def beat(self, stamp_ns: int):
        """Take in that the arm has a new state."""
        self.stamp_ns = stamp_ns
        if self.status.phase == RUNNING and not self.unsaid:
            step = self.status.step + 1
            over = step >= self.status.horizon
            self.status = dataclasses.replace(
                self.status, step=step, phase=ENDED if over else RUNNING,
                end=TRUNCATED if over else self.status.end)
        self.unsaid = False
