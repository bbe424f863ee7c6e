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

"""The observer: standard topics in, one stamped ``Observation`` out, by the contract."""

import dataclasses
from functools import partial
import time

from geometry_msgs.msg import PoseArray, PoseStamped, TwistStamped, WrenchStamped
from il_ros import plugins
from il_ros.contract import contract_file
from il_ros.contract.contract import Contract, ContractError, IMAGE
from il_ros.contract.contract_file import from_joints, Source
from il_ros.episodes.watch import ClockWatch, seconds
from il_ros.ros import diagnostics, qos, runtime
from il_ros.ros.commands.adapters import COMMANDS, JOINT_STATE
from il_ros.ros.conversion.assembly import Extractor, ObservationError, ToolOfJoints
from il_ros.ros.conversion.checks import check_status
from il_ros.ros.conversion.images import ImageReader
from il_ros.ros.conversion.messages import contract_to_message, float32s, NS, to_ns, to_stamp
from il_ros.ros.conversion.pairing import AsOfPairing, ExactPairing, OccasionalPairing
from il_ros.ros.listening import listen
from il_ros.ros.node import ReportingNode
from il_ros.ros.parameters import bounded, choice, text
from il_ros.ros.publishing import sending
from il_ros.ros.refusals import refusals_of
from il_ros.ros.supervision.ending import EpisodeEnd
from il_ros.tasks.contracts import contract_name, find_contract, robot_of
from il_ros_interfaces.msg import Contract as ContractMessage, EpisodeStatus, Observation
from sensor_msgs.msg import CompressedImage, Image, JointState
from std_msgs.msg import Float64MultiArray

TYPES = {
    contract_file.JOINT_STATE: JointState, contract_file.POSE: PoseStamped,
    contract_file.POSES: PoseArray, contract_file.TWIST: TwistStamped,
    contract_file.WRENCH: WrenchStamped, contract_file.NUMBERS: Float64MultiArray,
    contract_file.RAW_IMAGE: Image, contract_file.COMPRESSED_IMAGE: CompressedImage}
LATE_S = 1.0


@dataclasses.dataclass(frozen=True)
class ObserverParameters:
    """Parameters of the observer node."""

    contract: str = text('push', 'contract file, or name of a task, with _image for images')
    robot: str = text('', "robot: a name, module:Object or a robot file; empty: the contract's")
    command: str = choice(
        'joint_state', COMMANDS, "what the supervisor's command is: the contract says it")
    pairing: str = choice('exact', ('exact', 'as_of'),
                          'exact: equal stamps (lockstep); as_of: newest at each beat (realtime)')
    rate_hz: float = bounded(0.0, 0.0, 200.0, "control rate [Hz]; 0: the contract file's")
    beat: str = text('joint_states', 'as_of: stream whose stamps set the rate of the observations')
    tolerance_s: float = bounded(0.1, 0.001, 5.0, 'how old another stream may be at a beat [s]')
    tool_pose_from: str = choice(
        'topic', ('topic', 'joints'),
        "topic: tool_pose, unless the contract file says otherwise; joints: the robot's forward "
        'kinematics of joint_states, where tool_pose has no publisher')
    clock_jump_s: float = bounded(
        1.0, 0.1, 60.0, 'as_of: by how much the stamps of the beat may contradict the steady '
                        'clock from one to the next; more ends the episode [s]')
    rejected_in_a_row: int = bounded(
        5, 1, 1000, 'as_of: unusable beats in a row that end the episode; with exact the first '
                    'one does, for the simulator waits')
    executor: str = choice('events', runtime.EXECUTORS, 'executor of the process')


class ObserverNode(ReportingNode):
    """Publishes the contract, latched, and one observation a control step."""

    def __init__(self, **kwargs):
        super().__init__('observer', ObserverParameters, **kwargs)
        plugins.trust(self.parameters.contract, self.parameters.robot)
        self._contract_name = contract_name(self.parameters.contract, self.parameters.robot)
        contract, sources = find_contract(self._contract_name)
        if self.parameters.rate_hz:
            contract = dataclasses.replace(contract, rate=self.parameters.rate_hz)
        if self.parameters.command != JOINT_STATE:
            contract = dataclasses.replace(contract, command=self.parameters.command)
        if self.parameters.tool_pose_from == 'joints':
            sources = from_joints(sources)
        self._kinematics = None
        self._extract = Extractor(contract, sources, self._tool(sources))
        self._images = _image_readers(contract, sources)
        self._kinds = {source.topic: source.kind for source in sources}
        self._new_pairing = partial(self._make_pairing, contract, sources)
        self._pairing = self._new_pairing()
        self._beat_clock = ClockWatch(round(self.parameters.clock_jump_s * NS))
        self._status = EpisodeStatus()
        self._message = Observation(contract_id=contract.id)
        self._message.header.frame_id = contract.action_frame_id
        self._last_ns = -1
        self._ended = ''
        self._end = EpisodeEnd(self)
        self._refusals = refusals_of(self)
        self._published = self._rejected = self._repeated = self._in_a_row = 0
        self._complete_at = time.monotonic()
        self._contract_publisher = self.create_publisher(ContractMessage, 'contract', qos.LATCHED)
        self._contract_publisher.publish(contract_to_message(contract))
        self._send = sending(self.create_publisher(Observation, 'observation', qos.STREAM))
        self._subscribe()

    def _tool(self, sources: tuple[Source, ...]) -> ToolOfJoints | None:
        if not any(source.kinematic for source in sources):
            return None
        # Imported here: where the pose is heard, this process needs no PyBullet.
        from il_ros.robots.kinematics import Kinematics
        robot = robot_of(self._contract_name)
        self._kinematics = Kinematics(robot)
        return ToolOfJoints(robot.joint_names[robot.arm], self._kinematics.forward,
                            robot.base_frame)

    def shut_down(self):
        """Close the kinematics, if there are any."""
        if self._kinematics is not None:
            self._kinematics.close()

    def _make_pairing(self, contract: Contract, sources: tuple[Source, ...]):
        topics = tuple(dict.fromkeys(('episode', *self._extract.topics, *self._image_topics())))
        every = {source.topic: source.every for source in sources if source.every > 1}
        unstamped = [t for t, kind in self._kinds.items() if kind == contract_file.NUMBERS]
        if self.parameters.pairing == 'as_of':
            # What has no stamp counts from the beat before it came.
            every |= dict.fromkeys(unstamped, 2)
            return AsOfPairing(topics, self.parameters.beat, round(NS / contract.rate),
                               round(self.parameters.tolerance_s * NS), every)
        if unstamped:
            raise ContractError(f'contract {contract.name}: {unstamped[0]} is '
                                f'{contract_file.NUMBERS}, which has no stamp; observe it with '
                                'pairing as_of, in realtime')
        if every:
            return OccasionalPairing(tuple(t for t in topics if t not in every), every)
        return ExactPairing(topics)

    def _image_topics(self) -> list[str]:
        return [topic for topic, _ in self._images]

    def _subscribe(self):
        sensor = qos.STREAM if self.parameters.pairing == 'exact' else qos.FOREIGN_SENSOR
        for topic, kind in self._kinds.items():
            listen(self, TYPES[kind], topic, partial(self._on_message, topic), sensor)
        listen(self, EpisodeStatus, 'episode', partial(self._on_message, 'episode'), qos.STATUS,
               check_status)

    def _on_message(self, topic: str, message):
        if topic == 'episode':
            self._status = message
        if topic == self.parameters.beat and self.parameters.pairing == 'as_of':
            self._watch_clock(message)
        complete = self._pairing.add(topic, message, time.monotonic_ns())
        if complete is not None:
            self._complete_at = time.monotonic()
            self._observe(*complete)

    def _watch_clock(self, message):
        """End the episode where the stamps jump, and forget what belongs to the time before."""
        jump_ns = self._beat_clock.jump_ns(to_ns(message.header.stamp), time.monotonic_ns())
        if jump_ns:
            dropped = self._pairing.dropped
            self._pairing = self._new_pairing()
            self._pairing.dropped = dropped
            self.report_problem(
                f'the clock of {self.parameters.beat} jumped by {seconds(jump_ns)}')
            self._end_episode(self._status, EpisodeStatus.CLOCK_JUMP, self.problem)

    def _observe(self, stamp_ns: int, messages: dict):
        message = self._message
        if stamp_ns == self._last_ns:
            self._repeated += 1
        else:
            try:
                message.values = float32s(self._extract(messages))
                if self._images:
                    message.images = [read(messages[topic]) for topic, read in self._images]
            except ObservationError as error:
                self._reject(messages['episode'], f'no observation: {error}')
                return
            self.problem, self._in_a_row = '', 0
            status = messages['episode']
            message.header.stamp = to_stamp(stamp_ns)
            message.step = status.step
            message.phase = status.phase
            message.episode_id = status.episode_id
            self._last_ns = stamp_ns
            self._published += 1
        self._send(message)

    def _reject(self, status: EpisodeStatus, reason: str):
        """Say why there is no observation; end an episode that nobody can see any more, once."""
        self._refusals.add('observation', reason)
        self.problem = reason
        self._rejected += 1
        self._in_a_row += 1
        if self.parameters.pairing == 'as_of' and (
                self._in_a_row < self.parameters.rejected_in_a_row):
            return
        self._end_episode(status, status.FAULT, reason)

    def _end_episode(self, status: EpisodeStatus, cause: int, reason: str):
        if status.phase == status.RUNNING and status.episode_id != self._ended:
            self._ended = status.episode_id
            self._end.ask(status.episode_id, status.ABORTED, cause, reason)

    def report(self) -> tuple[bytes, str, dict]:
        """Return how many observations were published, and what is missing for the next."""
        values = {'published': self._published, 'rejected': self._rejected,
                  'repeated': self._repeated, 'incomplete': self._pairing.dropped}
        missing = self._pairing.missing()
        if missing and time.monotonic() - self._complete_at > LATE_S:
            return diagnostics.WARN, f'late: {", ".join(missing)}', values
        return self.state('observing', values)


def _image_readers(contract: Contract,
                   sources: tuple[Source, ...]) -> list[tuple[str, ImageReader]]:
    return [(source.topic, ImageReader(feature, source))
            for feature, source in zip(contract.features, sources) if feature.kind == IMAGE]
