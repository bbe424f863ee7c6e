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
(``bridge/wire.py``). The receipt on ``recorded`` says that an episode is on disk, whole.
"""

import dataclasses
from pathlib import Path
import time

from il_ros.bridge import wire
from il_ros.bridge.messages import receipt_to_message, spec_from_message
from il_ros.data.contract import Contract
from il_ros.data.discards import discard
from il_ros.data.errors import NoSuchEpisodeError, StepRangeError
from il_ros.data.receipts import DROPS, INCOMPLETE, Receipt
from il_ros.data.schema import recorded_schemas
from il_ros.data.shard import Shard
from il_ros.data.spec import ENDED, EPISODE_ID, EpisodeSpec, IDLE
from il_ros.data.writer import EpisodeWriter
from il_ros.errors import ImitationError
from il_ros.nodes import diagnostics, qos, runtime
from il_ros.nodes.listening import listen_to_contract
from il_ros.nodes.managed import ManagedNode
from il_ros.nodes.parameters import bounded, choice, flag, text
from il_ros_interfaces.msg import Drive, EpisodeStatus, Executed, Observation, RecordedEpisode
from il_ros_interfaces.srv import Discard, OpenEpisode
from rclpy.clock import Clock, ClockType

OBSERVATION, EXECUTED, EPISODE = 'observation', 'executed', 'episode'
_TOPICS = {OBSERVATION: (Observation, wire.observation_key),
           EXECUTED: (Executed, wire.executed_key),
           EPISODE: (EpisodeStatus, wire.status_key)}
WATCH_S = 0.1


@dataclasses.dataclass(frozen=True)
class RecorderParameters:
    """Parameters of the recorder node."""

    autostart: bool = flag(True, 'configure and activate at start')
    runs: str = text('runs', 'folder of the runs; an episode goes to RUN/episodes/SHARD')
    shard: str = text('main', "this recorder's own part of a run; one recorder each")
    finish_s: float = bounded(
        1.0, 0.1, 60.0, 'how long the last messages of an ended episode are waited for [s]')
    min_free_mb: int = bounded(64, 0, 1_000_000, 'no episode is begun with less room [MiB]')
    executor: str = choice('events', runtime.EXECUTORS, 'executor of the process')


class RecorderNode(ManagedNode):
    """Serves ``open_episode`` and ``discard``; publishes a receipt an episode."""

    def __init__(self, **kwargs):
        super().__init__('recorder', RecorderParameters, **kwargs)
        self._schemas = recorded_schemas()
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
        for topic, (kind, key_of) in _TOPICS.items():
            profile = qos.RECORD_STATUS if topic == EPISODE else qos.RECORD
            self.create_subscription(
                kind, topic, self._recording(topic, key_of), profile, raw=True)

    def deactivate(self):
        """Leave no half episode under its real name."""
        self._abandon('the recorder was stopped')

    def shut_down(self):
        """Abandon the open episode and release the shard."""
        super().shut_down()
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
        try:
            self._writer.write(topic, raw, time.time_ns())
        except ImitationError as error:
            self._fail(error)
            return
        if topic == EPISODE and key.phase == ENDED and self._ended_step < 0:
            self._ended_step, self._ended_at = key.step, time.monotonic()
            self._reason = wire.status_reason(raw)
        self._close_if_whole()

    def _is_of_earlier_attempt(self, topic: str, key: wire.Key) -> bool:
        """Tell whether this is the end of a run under the same id, still said before the reset."""
        return key.step > 0 and not self._writer.counts[topic]

    def _close_if_whole(self):
        if self._ended_step >= 0 and self._is_whole():
            self._close()

    def _is_whole(self) -> bool:
        counts = self._writer.counts
        if self._spec.plan.target_rate > 0.0 and self._gate_threshold < 0.0:
            return False
        return (counts[OBSERVATION] > self._ended_step and counts[EXECUTED] >= self._ended_step
                and counts[EPISODE] > self._ended_step)

    def _on_watch(self):
        if self._writer is not None and self._ended_step >= 0 and (
                time.monotonic() - self._ended_at > self.parameters.finish_s):
            self._close(DROPS)

    def _close(self, flags: int = 0):
        writer, self._writer = self._writer, None
        try:
            receipt = writer.close(flags, self._gate_threshold, self._reason)
            for first_step, last_step in self._discards:
                if first_step < receipt.steps or last_step == 0:
                    last_step = min(last_step, max(receipt.steps - 1, 0))
                    receipt = discard(writer.path, first_step, last_step)
        except ImitationError as error:
            self._acknowledge_failure(error)
            return
        self._recorded += 1
        self._dropped += receipt.dropped
        self._receipts.publish(receipt_to_message(receipt))

    def _fail(self, error: ImitationError):
        self._writer.abandon()
        self._writer = None
        self._acknowledge_failure(error)

    def _abandon(self, reason: str):
        if self._writer is not None:
            self._writer.abandon()
            self._writer = None
            self.get_logger().warning(f'episode {self._spec.episode_id} is not kept: {reason}')

    def _acknowledge_failure(self, error: ImitationError):
        self._problem = str(error)
        self.get_logger().error(self._problem)
        self._receipts.publish(receipt_to_message(Receipt(
            spec=self._spec, error_code=error.code or OpenEpisode.Response.DISK_FULL,
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
        if self._contract is None or not self.active:
            raise RecorderBusyError('there is no contract yet, or the recorder is not active; '
                                    'is the observer running?')
        folder = Path(self.parameters.runs) / spec.run / 'episodes' / self.parameters.shard
        if self._shard is None or self._shard.folder != folder:
            if self._shard is not None:
                self._shard.close()
                self._shard = None
            self._shard = Shard(folder)
        self._writer = EpisodeWriter(
            folder, spec, self._contract, self._schemas, self.parameters.min_free_mb << 20)
        self._spec, self._ended_step, self._last_ns, self._discards = spec, -1, -1, []
        self._ended_topics.clear()
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
        elif self._shard is None or not EPISODE_ID.fullmatch(episode_id):
            raise NoSuchEpisodeError(f'this recorder has no episode {episode_id!r}')
        else:
            discard(self._shard.folder / f'{episode_id}.mcap', first_step, last_step)

    def _report(self):
        values = {'recorded': self._recorded, 'dropped': self._dropped,
                  'open': self._spec.episode_id if self._writer is not None else ''}
        if self._problem:
            return diagnostics.ERROR, self._problem, values
        return diagnostics.OK, 'recording' if self._writer is not None else 'idle', values


class RecorderBusyError(ImitationError):
    """The recorder cannot open another episode now."""

    code = OpenEpisode.Response.BUSY


def main(args=None) -> int:
    """Run the recorder until it is asked to stop."""
    return runtime.run(RecorderNode, args)
