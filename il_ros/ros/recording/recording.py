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
One episode while it is recorded: its messages, when it is complete, why it ends early.

Who hears the topics hands the messages on as they came over the wire, with what ``wire`` reads of
them. The flags that come back say that the episode is to be closed, and how; None: it goes on.
"""

from collections.abc import Callable, Mapping

from il_ros.contract.contract import Contract
from il_ros.contract.episode_spec import ENDED, EpisodeSpec, IDLE
from il_ros.episodes.receipts import CLOCK_JUMP, DROPS, INCOMPLETE
from il_ros.episodes.watch import EpisodeWatch, seconds
from il_ros.episodes.wire import keys
from il_ros.episodes.wire.cdr import NS
from il_ros.episodes.wire.schema import RECORDED, Schema
from il_ros.episodes.writer import EpisodeWriter
from il_ros.errors import BadMessageError, StepRangeError
from il_ros.ros.recording.message_check import executed_rule, image_bytes, MessageCheck, MOST_BYTES
from il_ros.ros.recording.message_check import observation_rule, status_rule

OBSERVATION, EXECUTED, EPISODE = 'observation', 'executed', 'episode'
TOPICS = tuple(RECORDED)

_MOST_EARLY = 100
"""Statuses that are kept until the first state of the episode is known."""

WHOLE = 0
"""Flags of an episode that lacks nothing."""


Checks = Mapping[str, Callable[[bytes], None]]
"""By topic; each raises ``BadMessageError`` for what the episode's file must not have."""


def checks_of(schemas: Mapping[str, Schema], contract: Contract) -> Checks:
    """Return the checks of an episode under a contract."""
    pixels = image_bytes(contract)
    return {OBSERVATION: MessageCheck(schemas[OBSERVATION], observation_rule(contract),
                                      MOST_BYTES + pixels),
            EXECUTED: MessageCheck(schemas[EXECUTED], executed_rule(contract)),
            EPISODE: MessageCheck(schemas[EPISODE], status_rule)}


class Recording:
    """
    The open episode.

    :ivar reason: why it ended early, for people
    :ivar discards: first and last step of what an operator took back; ``(0, 0)``: all of it
    """

    def __init__(self, spec: EpisodeSpec, writer: EpisodeWriter, watch: EpisodeWatch,
                 checks: Checks, room_mb: int, stream_room_mb: int = 0):
        """
        Begin with nothing heard.

        :param watch: of ``TOPICS``
        :param room_mb: what may wait for a slow disk; more is dropped, and counted
        :param stream_room_mb: the same of streams beside it; 0: there are none
        """
        self.spec, self.writer, self.watch = spec, writer, watch
        self._checks = checks
        self.gate_threshold = -1.0
        self.reason = ''
        self.discards: list[tuple[int, int]] = []
        self._room_mb, self._stream_room_mb = room_mb, stream_room_mb
        self._ended_topics: set[str] = set()
        self._ended_step = self._last_ns = -1
        self._ended_at_ns = 0
        self._early: list[tuple[keys.Key, bytes, int, int]] = []

    @property
    def begun(self) -> bool:
        """Tell whether a state has been recorded."""
        return bool(self.writer.counts[OBSERVATION])

    @property
    def ended(self) -> bool:
        """Tell whether the task has said that the episode is over: nothing more is due."""
        return self._ended_step >= 0

    def hear(self, topic: str, key: keys.Key, raw: bytes, steady_ns: int,
             received_ns: int) -> int | None:
        """
        Take in a message of one of ``TOPICS``, of this episode or another.

        :param steady_ns: when it came, on the steady clock
        :param received_ns: the same, on the clock of the day
        :returns: flags to close the episode with, or None
        :raises BadMessageError: if it is refused: the episode's file could not be read with it
        :raises EpisodeWriteError: if the disk takes no more
        """
        if key.phase > ENDED:
            raise BadMessageError(f'phase is {key.phase}; expected 0, 1 or 2')
        if key.episode_id != self.spec.episode_id:
            return self._hear_stranger(topic, key)
        if topic == EPISODE and not self.begun and key.phase != ENDED and (
                self._is_of_earlier_attempt(topic, key)):
            # Or of this one, out of order: the first state tells.
            self._early.append((key, raw, steady_ns, received_ns))
            del self._early[:-_MOST_EARLY]
            return None
        self._checks[topic](raw)
        self._last_ns = max(self._last_ns, key.stamp_ns)
        if key.phase == ENDED:
            # In realtime the last state is said again at every beat, with a new stamp each time.
            if topic in self._ended_topics or self._is_of_earlier_attempt(topic, key):
                return None
            self._ended_topics.add(topic)
        jump_ns = self.watch.hear(topic, key, steady_ns)
        if jump_ns:
            # What comes now would be ordered by another time than what was recorded.
            self.reason = f'the clock jumped by {seconds(jump_ns)} at step {key.step} of {topic}'
            return CLOCK_JUMP
        if self._is_full() and key.phase != ENDED:
            self.watch.overflow(topic)
        else:
            self.writer.write(topic, raw, received_ns)
        if topic == EPISODE and key.phase == ENDED and not self.ended:
            self._ended_step, self._ended_at_ns = key.step, steady_ns
            self.reason = keys.status_reason(raw)
        if self._early and topic == EPISODE and key.step == 0:
            early, self._early = self._early, []
            for late, held, steady_ns, received_ns in early:
                if late.stamp_ns > key.stamp_ns:
                    self.hear(topic, late, held, steady_ns, received_ns)
        return self._whole()

    def _hear_stranger(self, topic: str, key: keys.Key) -> int | None:
        if topic == EPISODE and self._is_restarted(key):
            self.reason = 'the task was restarted'
            return INCOMPLETE  # this episode's end will never come
        return None

    def _is_restarted(self, key: keys.Key) -> bool:
        """Tell whether a status of another episode, or of none, comes after this one began."""
        if key.phase == IDLE and self.writer.counts[EPISODE]:
            return True  # also with stamps of before: lockstep may be ahead of the new clock
        return 0 <= self._last_ns < key.stamp_ns

    def _is_of_earlier_attempt(self, topic: str, key: keys.Key) -> bool:
        """Tell whether this is of a run under the same id, still said before the reset."""
        return key.step > 0 and not len(self.watch.topics[topic].steps)

    def hear_threshold(self, threshold: float) -> int | None:
        """
        Take in where an adapted threshold stands at the end: nobody is required any more.

        :returns: flags to close the episode with, or None
        """
        self.gate_threshold = threshold
        return self._whole()

    def hear_stream(self, topic: str, raw: bytes, received_ns: int) -> bool:
        """
        Take in a message of an additional topic; False: the disk is too slow, and it is dropped.

        :raises EpisodeWriteError: if the disk takes no more
        """
        if self.writer.backlog >> 20 >= self._stream_room_mb:
            return False
        self.writer.write(topic, raw, received_ns)
        return True

    def look(self, steady_ns: int, now_ns: int, finish_s: float) -> int | None:
        """
        Write what has been kept for long, and see whether the rest is still waited for.

        :param finish_s: how long the last messages of an ended episode are waited for
        :returns: flags to close the episode with, or None
        :raises EpisodeWriteError: if the disk takes no more
        """
        self.writer.keep_short(now_ns)
        late = self.ended and steady_ns - self._ended_at_ns > finish_s * NS
        return DROPS if late else None

    def discard(self, first_step: int, last_step: int):
        """
        Discard steps, once the episode is closed; ``(0, 0)``: all of it.

        :raises StepRangeError: if that is no range
        """
        if first_step > last_step:
            raise StepRangeError(f'{first_step} to {last_step} is no range of steps of '
                                 f'{self.spec.episode_id}')
        self.discards.append((first_step, last_step))

    def _is_full(self) -> bool:
        """Tell whether too much waits for the disk; streams leave room for the episode itself."""
        return self.writer.backlog >> 20 >= self._room_mb + self._stream_room_mb

    def _whole(self) -> int | None:
        threshold_is_due = self.spec.plan.target_rate > 0.0 and self.gate_threshold < 0.0
        whole = self.ended and not threshold_is_due and self.watch.has({
            OBSERVATION: self._ended_step + 1, EXECUTED: self._ended_step,
            EPISODE: self._ended_step + 1})
        return WHOLE if whole else None
