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

"""What a person's commands mean for the episode that runs, or that ran last."""

import dataclasses

from il_ros.contract.episode_spec import ABORTED, RUNNING, TERMINATED
from il_ros.errors import ImitationError
from il_ros.teleop import mapping

START, END, MARK = 'start_episode', 'end_episode', 'discard'


class ControlError(ImitationError):
    """A command that makes no sense now; the sentence says why."""


@dataclasses.dataclass(frozen=True)
class Request:
    """One call of a service that follows from a command."""

    service: str
    said: str
    """What the person reads when it is done."""

    episode_id: str = ''
    end: int = 0
    success: bool = False
    first_step: int = 0
    last_step: int = 0


class EpisodeControl:
    """The episode as the person's device sees it, and the requests that commands turn into."""

    def __init__(self):
        self.episode_id = ''
        self._running = False
        self._engaged = False
        self._correction: tuple[int, int] | None = None

    def status(self, episode_id: str, phase: int) -> bool:
        """Take in the task status; return whether an episode, or an attempt, has begun."""
        before, self._running = self._running, phase == RUNNING
        if not self._running or (before and episode_id == self.episode_id):
            return False
        self.episode_id, self._engaged, self._correction = episode_id, False, None
        return True

    def answered(self, episode_id: str, step: int, engaged: bool):
        """Take in who was driving as of an observation."""
        if episode_id != self.episode_id:
            return
        if engaged:
            goes_on = self._correction if self._engaged else None
            self._correction = (goes_on[0] if goes_on else step, step)
        self._engaged = engaged

    def requests(self, command: str) -> tuple[Request, ...]:
        """
        Return the calls of a command, in order.

        :raises ControlError: if it makes no sense now
        """
        if command == mapping.START:
            if self._running:
                raise ControlError(f'{self.episode_id} is running already')
            return (Request(START, 'started'),)
        if not self.episode_id:
            raise ControlError(f'there was no episode yet; nothing to {_verb(command)}')
        if command == mapping.DISCARD:
            discard = Request(MARK, f'{self.episode_id} is discarded', self.episode_id)
            return (discard, self._end(mapping.FAILURE)) if self._running else (discard,)
        if command == mapping.DISCARD_CORRECTION:
            return (self._discard_correction(),)
        if not self._running:
            raise ControlError(f'{self.episode_id} has ended; nothing to {_verb(command)}')
        return (self._end(command),)

    def _end(self, command: str) -> Request:
        end = ABORTED if command == mapping.REDO else TERMINATED
        return Request(END, f'{self.episode_id}: {_verb(command)}', self.episode_id, end=end,
                       success=command == mapping.SUCCESS)

    def _discard_correction(self) -> Request:
        if self._correction is None:
            raise ControlError(f'there is no correction in {self.episode_id} to discard')
        first, last = self._correction
        self._correction = None
        # The service takes the range from 0 to 0 for the whole episode.
        last = max(last, 1)
        return Request(MARK, f'steps {first} to {last} of {self.episode_id} are discarded',
                       self.episode_id, first_step=first, last_step=last)


def _verb(command: str) -> str:
    return {mapping.SUCCESS: 'end as a success', mapping.FAILURE: 'end as a failure',
            mapping.REDO: 'do once more'}.get(command, 'discard')
