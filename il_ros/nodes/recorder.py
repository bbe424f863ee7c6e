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
The recorder: one crash-safe MCAP file an episode, as the messages went over the wire.

Raw subscriptions: a message is looked at just far enough to know where it belongs
(``bridge/wire.py``), and in real time no callback waits for the disk: a thread writes. In lockstep
the callback itself does, which is faster, and whose waiting costs nothing but time. Another thread
finishes the episode. The receipt on ``recorded`` says that it is on disk, whole.
"""

from functools import partial
from pathlib import Path
import time

from il_ros.bridge import wire
from il_ros.bridge.messages import receipt_to_message, spec_from_message
from il_ros.bridge.topic_watch import EpisodeWatch, seconds
from il_ros.data.contract import Contract
from il_ros.data.discards import discard
from il_ros.data.errors import NoSuchEpisodeError, StepRangeError
from il_ros.data.output_file import QueuedFile, UnbufferedFile
from il_ros.data.receipts import CLOCK_JUMP, DROPS, INCOMPLETE, Receipt
from il_ros.data.saving import Saver
from il_ros.data.schema import recorded_schemas
from il_ros.data.shard import Shard
from il_ros.data.spec import ENDED, EPISODE_ID, EpisodeSpec, IDLE
from il_ros.data.writer import EpisodeWriter
from il_ros.errors import ImitationError
from il_ros.nodes import diagnostics, qos, runtime
from il_ros.nodes.listening import listen_to_contract
from il_ros.nodes.managed import ManagedNode
from il_ros.nodes.recorder_parameters import RecorderParameters
from il_ros.nodes.streams import Streams
from il_ros_interfaces.msg import Drive, EpisodeStatus, Executed, Observation, RecordedEpisode
from il_ros_interfaces.srv import Discard, OpenEpisode
from rclpy.clock import Clock, ClockType

OBSERVATION, EXECUTED, EPISODE = 'observation', 'executed', 'episode'
_TOPICS = {OBSERVATION: (Observation, wire.observation_key),
           EXECUTED: (Executed, wire.executed_key),
           EPISODE: (EpisodeStatus, wire.status_key)}
WATCH_S = 0.1


class RecorderNode(ManagedNode):
    """Serves ``open_episode`` and ``discard``; publishes a receipt an episode."""

    def __init__(self, **kwargs):
        super().__init__('recorder', RecorderParameters, **kwargs)
        self._streams = Streams(self, self.parameters.streams, self._on_stream)
        self._schemas = {**recorded_schemas(), **self._streams.schemas}
        self._contract: Contract | None = None
        self._writer: EpisodeWriter | None = None
        self._spec: EpisodeSpec | None = None
        self._shard: Shard | None = None
        self._ended_step = self._last_ns = -1
        self._ended_at = 0.0
        self._ended_topics: set[str] = set()
        self._gate_threshold = -1.0
        self._discards: list[tuple[int, int]] = []
        self._reason = ''
        self._watch: EpisodeWatch | None = None
        self._saver = Saver()
        self._recorded = self._dropped = 0
        self._problem = ''
        self._receipts = self.create_publisher(RecordedEpisode, 'recorded', qos.RECEIPTS)
        listen_to_contract(self, self._on_contract)
        self.create_subscription(Drive, 'drive', self._on_drive, qos.LATCHED)
        self.create_service(OpenEpisode, 'open_episode', self._on_open)
        self.create_service(Discard, 'discard', self._on_discard)
        self.create_timer(WATCH_S, self._on_watch, clock=Clock(clock_type=ClockType.STEADY_TIME))
        self._subscribe()
        self._diagnostics = diagnostics.Diagnostics(self, self._report)
        self.autostart()

    def _subscribe(self):
        self._heard = {}
        for topic, (kind, key_of) in _TOPICS.items():
            profile = qos.RECORD_STATUS if topic == EPISODE else qos.RECORD
            self._heard[topic] = self.create_subscription(
                kind, topic, self._recording(topic, key_of), profile, raw=True)

    def deactivate(self):
        """Keep what there is of an episode, marked as incomplete; wait until it is saved."""
        if self._writer is not None and self._writer.counts[OBSERVATION]:
            self._reason = 'the recorder was stopped'
            self._close(INCOMPLETE)
        self._abandon('the recorder was stopped')
        self._saver.wait()

    def shut_down(self):
        """Finish the open episode and release the shard."""
        super().shut_down()
        self._saver.close()
        self._streams.close()
        if self._shard is not None:
            self._shard.close()

    def _on_contract(self, contract: Contract):
        self._contract = contract

    def _on_drive(self, message: Drive):
        """Take in where an adapted threshold stands at the end: nobody is required any more."""
        if (self._writer is not None and message.episode_id == self._spec.episode_id
                and not message.required):
            self._gate_threshold = message.threshold
            self._close_if_whole()

    def _recording(self, topic: str, key_of):
        def on_raw(raw: bytes):
            if self._writer is None:
                return
            key = key_of(raw)
            if key.episode_id == self._spec.episode_id:
                self._last_ns = max(self._last_ns, key.stamp_ns)
                self._record(topic, key, raw)
            elif topic == EPISODE and self._is_restarted(key):
                # This episode's end will never come.
                self._reason = 'the task was restarted'
                self._close(INCOMPLETE)
        return on_raw

    def _is_restarted(self, key: wire.Key) -> bool:
        """Tell whether a status of another episode, or of none, comes after this one began."""
        if key.phase == IDLE and self._writer.counts[EPISODE]:
            return True  # also with stamps of before: lockstep may be ahead of the new clock
        return 0 <= self._last_ns < key.stamp_ns

    def _record(self, topic: str, key: wire.Key, raw: bytes):
        if key.phase == ENDED:
            # In realtime the last state is said again at every beat, with a new stamp each time.
            if topic in self._ended_topics or self._is_of_earlier_attempt(topic, key):
                return
            self._ended_topics.add(topic)
        jump_ns = self._watch.hear(topic, key, time.monotonic_ns())
        if jump_ns:
            # What comes now would be ordered by another time than what was recorded.
            self._reason = f'the clock jumped by {seconds(jump_ns)} at step {key.step} of {topic}'
            self._problem = f'{self._spec.episode_id}: {self._reason}'
            self._close(CLOCK_JUMP)
            self._diagnostics.publish()
            return
        if self._is_full() and key.phase != ENDED:
            self._watch.overflow(topic)
        elif not self._write(topic, raw, time.time_ns()):
            return
        if topic == EPISODE and key.phase == ENDED and self._ended_step < 0:
            self._ended_step, self._ended_at = key.step, time.monotonic()
            self._reason = wire.status_reason(raw)
        self._close_if_whole()

    def _on_stream(self, topic: str, raw: bytes, received_ns: int) -> bool | None:
        if self._writer is None:
            return None
        return (self._writer.backlog >> 20 < self.parameters.stream_queue_mb
                and self._write(topic, raw, received_ns))

    def _is_full(self) -> bool:
        """Tell whether too much waits for the disk; streams leave room for the episode itself."""
        room_mb = self.parameters.queue_mb
        if self._streams.schemas:
            room_mb += self.parameters.stream_queue_mb
        return self._writer.backlog >> 20 >= room_mb

    def _write(self, topic: str, raw: bytes, received_ns: int) -> bool:
        try:
            self._writer.write(topic, raw, received_ns)
        except ImitationError as error:
            self._fail(error)
            return False
        return True

    def _is_of_earlier_attempt(self, topic: str, key: wire.Key) -> bool:
        """Tell whether this is the end of a run under the same id, still said before the reset."""
        return key.step > 0 and not self._writer.counts[topic]

    def _close_if_whole(self):
        if self._ended_step >= 0 and self._is_whole():
            self._close()

    def _is_whole(self) -> bool:
        if self._spec.plan.target_rate > 0.0 and self._gate_threshold < 0.0:
            return False
        return self._watch.has({OBSERVATION: self._ended_step + 1, EXECUTED: self._ended_step,
                                EPISODE: self._ended_step + 1})

    def _on_watch(self):
        self._saver.check()
        if self._writer is None:
            return
        try:
            self._writer.keep_short(time.time_ns())
        except ImitationError as error:
            self._fail(error)
            return
        if self._ended_step >= 0 and (
                time.monotonic() - self._ended_at > self.parameters.finish_s):
            self._close(DROPS)

    def _close(self, flags: int = 0):
        self._streams.poll()
        if self._writer is None:
            return  # what came last did not fit on the disk any more
        try:
            self._writer.note_streams(self._streams.counts())
        except ImitationError as error:
            self._fail(error)
            return
        writer, self._writer = self._writer, None
        self._saver.save(writer, partial(self._on_saved, self._spec), self._discards, flags,
                         self._gate_threshold, self._reason)

    def _on_saved(self, spec: EpisodeSpec, outcome: Receipt | ImitationError):
        """Say in the saver's thread what became of an episode."""
        if isinstance(outcome, ImitationError):
            self._acknowledge_failure(spec, outcome)
            return
        self._recorded += 1
        self._dropped += outcome.dropped
        self._receipts.publish(receipt_to_message(outcome))

    def _fail(self, error: ImitationError):
        self._writer.abandon()
        self._writer = None
        self._acknowledge_failure(self._spec, error)

    def _abandon(self, reason: str):
        if self._writer is not None:
            self._writer.abandon()
            self._writer = None
            self.get_logger().warning(f'episode {self._spec.episode_id} is not kept: {reason}')

    def _acknowledge_failure(self, spec: EpisodeSpec, error: ImitationError):
        self._problem = str(error)
        self.get_logger().error(self._problem)
        self._diagnostics.publish()
        self._receipts.publish(receipt_to_message(Receipt(
            spec=spec, error_code=error.code or OpenEpisode.Response.DISK_FULL,
            error_msg=str(error))))

    def _on_open(self, request, response):
        try:
            self._open(spec_from_message(request.spec))
        except ImitationError as error:
            response.error_code = error.code or response.BAD_SPEC
            response.error_msg = str(error)
        return response

    def _open(self, spec: EpisodeSpec):
        if self._writer is not None:
            if spec == self._spec:
                return
            if self._writer.counts[OBSERVATION]:
                raise RecorderBusyError(
                    f'episode {self._spec.episode_id} is being recorded; end it first')
            self._abandon('it was opened and never ran')
        if self._saver.saving:
            raise RecorderBusyError(f'episode {self._saver.saving} is being saved')
        if self._contract is None or not self.active:
            raise RecorderBusyError('there is no contract yet, or the recorder is not active; '
                                    'is the observer running?')
        # A short episode is over before a reader that is found late has heard of it.
        unheard = [topic for topic, heard in self._heard.items()
                   if not heard.get_publisher_count()]
        if unheard:
            raise RecorderBusyError(f'nobody is heard on {", ".join(unheard)} yet; are simulator, '
                                    'observer and supervisor running?')
        folder = Path(self.parameters.runs) / spec.run / 'episodes' / self.parameters.shard
        if self._shard is None or self._shard.folder != folder:
            if self._shard is not None:
                self._shard.close()
                self._shard = None
            self._shard = Shard(folder)
        self._writer = EpisodeWriter(
            folder, spec, self._contract, self._schemas, self.parameters.min_free_mb << 20,
            QueuedFile if self.parameters.mode == 'realtime' else UnbufferedFile)
        self._watch = EpisodeWatch(
            tuple(_TOPICS), self.parameters.clock_jump_s, self._contract.rate)
        self._spec, self._ended_step, self._last_ns, self._discards = spec, -1, -1, []
        self._ended_topics.clear()
        self._streams.begin()
        self._gate_threshold = -1.0
        self._reason = self._problem = ''

    def _on_discard(self, request, response):
        try:
            self._discard(request.episode_id, request.first_step, request.last_step)
        except ImitationError as error:
            response.error_code, response.error_msg = error.code, str(error)
        return response

    def _discard(self, episode_id: str, first_step: int, last_step: int):
        if self._writer is not None and episode_id == self._spec.episode_id:
            if first_step > last_step:
                raise StepRangeError(
                    f'{first_step} to {last_step} is no range of steps of {episode_id}')
            self._discards.append((first_step, last_step))
        elif self._saver.discard(episode_id, first_step, last_step):
            return
        elif self._shard is None or not EPISODE_ID.fullmatch(episode_id):
            raise NoSuchEpisodeError(f'this recorder has no episode {episode_id!r}')
        else:
            discard(self._shard.folder / f'{episode_id}.mcap', first_step, last_step)

    def _report(self):
        # Also called in the saver's thread, while an episode may be closed in this one.
        writer, now_s, stale_s = self._writer, time.monotonic(), self.parameters.stale_s
        values = {'recorded': self._recorded, 'dropped': self._dropped,
                  'open': self._spec.episode_id if writer is not None else ''}
        if writer is not None:
            values.update(self._watch.values(now_s), backlog_bytes=writer.backlog,
                          **self._streams.values(now_s))
        if self._problem:
            return diagnostics.ERROR, self._problem, values
        if writer is None:
            return diagnostics.OK, 'idle', values
        # After the end nothing more is due.
        trouble = (self._watch.trouble(now_s, stale_s, self._ended_step >= 0)
                   or self._streams.trouble(now_s, stale_s))
        return diagnostics.WARN if trouble else diagnostics.OK, trouble or 'recording', values


class RecorderBusyError(ImitationError):
    """The recorder cannot open another episode now."""

    code = OpenEpisode.Response.BUSY


def main(args=None) -> int:
    """Run the recorder until it is asked to stop."""
    return runtime.run(RecorderNode, args)
