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
(``episodes/wire/keys.py``), and no callback waits for the disk: a thread writes. In a graph
composed in lockstep, where all wait for this callback, it writes itself: that is faster, and its
waiting costs nothing but time. Another thread finishes the episode. The receipt on ``recorded``
says that it is on disk, whole.
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path
import time

from il_ros.contract.contract import Contract
from il_ros.contract.episode_spec import ABORTED, EPISODE_ID, EpisodeSpec
from il_ros.episodes.discards import discard
from il_ros.episodes.output_file import QueuedFile, UnbufferedFile
from il_ros.episodes.receipts import CLOCK_JUMP, INCOMPLETE, Receipt
from il_ros.episodes.saving import Saver
from il_ros.episodes.watch import EpisodeWatch
from il_ros.episodes.wire import keys
from il_ros.episodes.wire.schema import recorded_schemas
from il_ros.episodes.writer import EpisodeWriter
from il_ros.errors import DecodeError, ImitationError, NoSuchEpisodeError, SilentStreamError
from il_ros.ros import diagnostics, qos
from il_ros.ros.conversion.checks import check_drive
from il_ros.ros.conversion.messages import receipt_to_message, spec_from_message
from il_ros.ros.listening import every, listen, listen_raw, listen_to_contract
from il_ros.ros.node import ManagedNode
from il_ros.ros.recording import recording
from il_ros.ros.recording.parameters import RecorderParameters, RUNS_FOLDER
from il_ros.ros.recording.parameters import RUNS_FOLDER_DESCRIPTION
from il_ros.ros.recording.recording import checks_of, Recording
from il_ros.ros.serving import serve
from il_ros.ros.streams import Streams
from il_ros.runs.run_kind import RunKeeper, RunKind
from il_ros.runs.shard import Shard
from il_ros_interfaces.msg import Drive, EpisodeStatus, Executed, Observation, RecordedEpisode
from il_ros_interfaces.srv import Discard, OpenEpisode

_KINDS = {recording.OBSERVATION: (Observation, keys.observation_key, qos.RECORD),
          recording.EXECUTED: (Executed, keys.executed_key, qos.RECORD),
          recording.EPISODE: (EpisodeStatus, keys.status_key, qos.RECORD_STATUS)}
LOOK_S = 0.1


class RecorderNode(ManagedNode):
    """Serves ``open_episode`` and ``discard``; publishes a receipt an episode."""

    def __init__(self, **kwargs):
        super().__init__('recorder', RecorderParameters, **kwargs)
        self.declare_parameter(
            RUNS_FOLDER, str(Path(self.parameters.runs).absolute()), RUNS_FOLDER_DESCRIPTION)
        self._streams = Streams(self, self.parameters.streams, self._on_stream)
        self._schemas = {**recorded_schemas(), **self._streams.schemas}
        self._contract: Contract | None = None
        self._recording: Recording | None = None
        self._shard: Shard | None = None
        self._kinds = RunKeeper()
        self._saver = Saver()
        self._recorded = self._dropped = 0
        self._silent = ''
        self._receipts = self.create_publisher(RecordedEpisode, 'recorded', qos.RECEIPTS)
        listen_to_contract(self, self._on_contract)
        listen(self, Drive, 'drive', self._on_drive, qos.LATCHED)
        serve(self, OpenEpisode, 'open_episode', self._on_open, OpenEpisode.Response.BAD_SPEC)
        serve(self, Discard, 'discard', self._on_discard, Discard.Response.NO_SUCH_EPISODE)
        every(self, LOOK_S, self._on_look)
        self._heard = {
            topic: listen_raw(self, kind, topic, partial(self._on_raw, topic, key_of), profile)
            for topic, (kind, key_of, profile) in _KINDS.items()}
        self.autostart()

    def deactivate(self):
        """Keep what there is of an episode, marked as incomplete; wait until it is saved."""
        if self._recording is not None and self._recording.begun:
            self._recording.reason = 'the recorder was stopped'
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
        check_drive(message)
        now = self._recording
        if now is not None and message.episode_id == now.spec.episode_id and not message.required:
            self._close_by(now.hear_threshold(message.threshold))

    def _on_raw(self, topic: str, key_of: Callable[[bytes], keys.Key], raw: bytes):
        now, key = self._recording, key_of(raw)
        if now is None:
            return
        try:
            flags = now.hear(topic, key, raw, time.monotonic_ns(), time.time_ns())
        except DecodeError:
            raise  # refused and said; the episode goes on
        except ImitationError as error:
            self._fail(error)
            return
        self._close_by(flags)

    def _on_stream(self, topic: str, raw: bytes, received_ns: int) -> bool | None:
        now = self._recording
        if now is None:
            return None
        try:
            return now.hear_stream(topic, raw, received_ns)
        except ImitationError as error:
            self._fail(error)
            return False

    def _on_look(self):
        self._saver.check()
        now = self._recording
        if now is None:
            return
        try:
            flags = now.look(time.monotonic_ns(), time.time_ns(), self.parameters.finish_s)
        except ImitationError as error:
            self._fail(error)
            return
        self._close_by(flags)

    def _close_by(self, flags: int | None):
        if flags is not None:
            self._close(flags)

    def _close(self, flags: int):
        self._streams.poll()
        now = self._recording
        if now is None:
            return  # what came last did not fit on the disk any more
        if flags & CLOCK_JUMP:
            self.problem = f'{now.spec.episode_id}: {now.reason}'
        try:
            self._name_silent_streams(now.spec, flags)
            now.writer.note_streams(self._streams.counts())
        except ImitationError as error:
            self._fail(error)
            return
        self._recording = None
        self._saver.save(now.writer, partial(self._on_saved, now.spec), now.discards, flags,
                         now.gate_threshold, now.reason)
        if flags & CLOCK_JUMP:
            self.diagnostics.publish()

    def _name_silent_streams(self, spec: EpisodeSpec, flags: int):
        """Say once, at the end of an episode, which streams brought nothing; or refuse that."""
        silent = self._streams.silent()
        if silent and self.parameters.require_streams and not flags & INCOMPLETE:
            raise SilentStreamError(silent)
        if silent and not self._silent:
            self.get_logger().warning(f'{spec.episode_id}: {silent}')
        self._silent = silent

    def _on_saved(self, spec: EpisodeSpec, outcome: Receipt | ImitationError):
        """Say in the saver's thread what became of an episode."""
        if isinstance(outcome, ImitationError):
            self._acknowledge_failure(spec, outcome)
            return
        self._recorded += 1
        self._dropped += outcome.dropped
        if outcome.error_msg and outcome.end != ABORTED:
            self.get_logger().warning(f'{spec.episode_id}: {outcome.error_msg}')
        self._receipts.publish(receipt_to_message(outcome))

    def _fail(self, error: ImitationError):
        failed, self._recording = self._recording, None
        assert failed is not None, 'an episode is open'
        failed.writer.abandon()
        self._acknowledge_failure(failed.spec, error)

    def _abandon(self, reason: str):
        if self._recording is not None:
            self._recording.writer.abandon()
            self.get_logger().warning(
                f'episode {self._recording.spec.episode_id} is not kept: {reason}')
            self._recording = None

    def _acknowledge_failure(self, spec: EpisodeSpec, error: ImitationError):
        self.report_problem(error)
        self.diagnostics.publish()
        self._receipts.publish(receipt_to_message(Receipt(
            spec=spec, error_code=error.code or OpenEpisode.Response.DISK_FULL,
            error_msg=str(error))))

    def _on_open(self, request, response):
        self._open(spec_from_message(request.spec))
        return response

    def _open(self, spec: EpisodeSpec):
        now = self._recording
        if now is not None:
            if spec == now.spec and not now.begun:
                return
            if now.begun:
                raise RecorderBusyError(
                    f'episode {now.spec.episode_id} is being recorded; end it first')
            self._abandon('it was opened and never ran')
        contract = self._require_ready()
        folder = Path(self.parameters.runs) / spec.run
        self._kinds.admit(folder, RunKind(spec.task, spec.options, contract))
        shard = self._take_shard(folder / 'episodes' / self.parameters.shard)
        self._recording = self._begin(spec, shard, contract)
        self._streams.begin()
        self.problem = ''

    def _require_ready(self) -> Contract:
        if self._saver.saving:
            raise RecorderBusyError(f'episode {self._saver.saving} is being saved')
        if self._contract is None or not self.active:
            raise RecorderBusyError('there is no contract yet, or the recorder is not active; '
                                    'is the observer running?')
        # A short episode is over before a reader that is found late has heard of it.
        unheard = [topic for topic, heard in self._heard.items()
                   if not heard.get_publisher_count()]
        if unheard:
            raise RecorderBusyError(f'no publisher on {", ".join(unheard)} yet; are simulator, '
                                    'observer and supervisor running?')
        if self.parameters.require_streams and (reason := self._streams.unheard()):
            raise RecorderBusyError(reason)
        return self._contract

    def _take_shard(self, folder: Path) -> Shard:
        if self._shard is not None and self._shard.folder != folder:
            self._shard.close()
            self._shard = None
        if self._shard is None:
            self._shard = Shard(folder)
        return self._shard

    def _begin(self, spec: EpisodeSpec, shard: Shard, contract: Contract) -> Recording:
        settings = self.parameters
        writer = EpisodeWriter(
            shard.folder, spec, contract, self._schemas, settings.min_free_mb << 20,
            QueuedFile if settings.write_behind else UnbufferedFile)
        watch = EpisodeWatch(recording.TOPICS, settings.clock_jump_s, contract.rate)
        return Recording(spec, writer, watch, checks_of(self._schemas, contract),
                         settings.queue_mb,
                         settings.stream_queue_mb if self._streams.schemas else 0)

    def _on_discard(self, request, response):
        self._discard(request.episode_id, request.first_step, request.last_step)
        return response

    def _discard(self, episode_id: str, first_step: int, last_step: int):
        now = self._recording
        if now is not None and episode_id == now.spec.episode_id:
            now.discard(first_step, last_step)
        elif self._saver.discard(episode_id, first_step, last_step):
            return
        elif self._shard is None or not EPISODE_ID.fullmatch(episode_id):
            raise NoSuchEpisodeError(f'this recorder has no episode {episode_id!r}')
        else:
            discard(self._shard.folder / f'{episode_id}.mcap', first_step, last_step)

    def report(self) -> tuple[bytes, str, dict]:
        """Return what is recorded, and what of it is missing or silent."""
        # Also called in the saver's thread, while an episode may be closed in this one.
        now, now_s, stale_s = self._recording, time.monotonic(), self.parameters.stale_s
        values = {'recorded': self._recorded, 'dropped': self._dropped,
                  'open': now.spec.episode_id if now is not None else ''}
        if now is not None:
            values.update(now.watch.values(now_s), backlog_bytes=now.writer.backlog,
                          **self._streams.values(now_s))
        trouble = now is not None and (now.watch.trouble(now_s, stale_s, now.ended)
                                       or self._streams.trouble(now_s, stale_s))
        if trouble and not self.problem:
            return diagnostics.WARN, trouble, values
        return self.state('idle' if now is None else 'recording', values)


class RecorderBusyError(ImitationError):
    """The recorder cannot open another episode now."""

    code = OpenEpisode.Response.BUSY
