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
The task's side of an episode: how it begins and ends, and its status and stamp meanwhile.

What a simulated task (``sim/session.py``) and a person beside a real arm (``operator_session.py``)
have in common. Who judges the states is theirs.
"""

import dataclasses

from il_ros.contract.episode_spec import ABORTED, ENDED, EpisodeSpec, FAULT, IDLE, NO_CAUSE
from il_ros.contract.episode_spec import NOT_ENDED, RUNNING, TERMINATED, TRUNCATED
from il_ros.errors import ImitationError

LONGEST_REASON = 500
"""Characters of the reason for an end that are kept: it is said again with every state."""

LONGEST_NAME = 64
"""Characters of an unknown episode's name that a refusal repeats."""


class TaskBusyError(ImitationError):
    """An episode is running, and has to end first; or the arm is not ready for one."""

    code = 201


class BadTaskSpecError(ImitationError):
    """A specification that this task cannot run, or an end that is none."""

    code = 200


class NotRunningError(ImitationError):
    """There is no running episode to end."""

    code = 203


class OtherEpisodeError(ImitationError):
    """Another episode is running than the one named."""

    code = 204


@dataclasses.dataclass(frozen=True)
class Status:
    """The task status at one stamp; the fields of ``EpisodeStatus.msg``."""

    episode_id: str = ''
    task: str = ''
    seed: int = 0
    step: int = 0
    horizon: int = 0
    phase: int = IDLE
    end: int = NOT_ENDED
    cause: int = 0
    success: bool = False
    goals_reached: int = 0
    reason: str = ''


class TaskProtocol:
    """
    The episode of a task.

    :ivar stamp_ns: of the newest state, ns
    """

    def __init__(self, start_ns: int):
        self.stamp_ns = start_ns
        self.status = Status()
        self._spec: EpisodeSpec | None = None

    def _stands_at_start(self, spec: EpisodeSpec) -> bool:
        """
        Tell whether this episode has begun and stands at step 0: it is asked for twice.

        :raises TaskBusyError: if an episode is running otherwise
        """
        if self.status.phase != RUNNING:
            return False
        if spec == self._spec and self.status.step == 0:
            return True
        raise TaskBusyError(
            f'episode {self.status.episode_id} is running; end it before {spec.episode_id}')

    def finish(self, episode_id: str, end: int, cause: int, success: bool, reason: str = ''):
        """
        End the running episode from outside: the state is published once more, as ended.

        :param reason: for people; what is longer than ``LONGEST_REASON`` is cut off
        :raises NotRunningError: if none is running
        :raises OtherEpisodeError: if another one is
        :raises BadTaskSpecError: if end or cause is no value of ``EpisodeStatus``
        """
        named = repr(episode_id[:LONGEST_NAME])
        if self.status.phase != RUNNING:
            raise NotRunningError(f'no episode is running; cannot end {named}')
        if episode_id != self.status.episode_id:
            raise OtherEpisodeError(f'episode {self.status.episode_id} is running, not {named}')
        if end not in (TERMINATED, TRUNCATED, ABORTED):
            raise BadTaskSpecError(f'end is {end}; expected {TERMINATED} (terminated), '
                                   f'{TRUNCATED} (truncated) or {ABORTED} (aborted)')
        if not NO_CAUSE <= cause <= FAULT:
            raise BadTaskSpecError(f'cause is {cause}; expected {NO_CAUSE} to {FAULT}')
        self.status = dataclasses.replace(
            self.status, step=self.status.step + 1, phase=ENDED, end=end, cause=cause,
            success=success, reason=reason[:LONGEST_REASON])
