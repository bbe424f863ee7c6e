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
The simulated arm and its task: state out, joint commands in, in lockstep or in real time.

It is the arm's driver (``joint_states``, ``joint_command``, images) and the task's server
(``reset_task``, ``end_episode``, ``episode``); nothing else knows that it is simulated.
"""

from collections import deque
import dataclasses
import itertools
import math
import time

from geometry_msgs.msg import PoseArray, PoseStamped
from il_ros.bridge.messages import NS, spec_from_message, to_ns, to_stamp
from il_ros.bridge.pairing import Cadence
from il_ros.bridge.robot_messages import CommandReader, StateMessages
from il_ros.data.spec import RUNNING
from il_ros.errors import ImitationError
from il_ros.nodes import diagnostics, qos, runtime
from il_ros.nodes.camera import Camera, CameraMode, mode_of
from il_ros.nodes.parameters import bounded, choice, declare, flag, text
from il_ros.nodes.writers import CommandInput
from il_ros.sim.session import Session
from il_ros.sim.simulation import Simulation
from il_ros_interfaces.msg import EpisodeStatus
from il_ros_interfaces.srv import EndEpisode, ResetTask
import numpy as np
from rclpy.clock import Clock, ClockType
from rclpy.node import Node
from rosgraph_msgs.msg import Clock as ClockMessage
from sensor_msgs.msg import JointState

REPUBLISH_S = 0.5
"""How often a waiting simulator repeats its state: what came before discovery is lost."""

LATENCY_WINDOW = 3000
"""Samples of the latency published -> commanded: 60 s at 50 Hz."""


@dataclasses.dataclass(frozen=True)
class SimulatorParameters:
    """Parameters of the simulator node."""

    task: str = text('push', 'task, by its registered name')
    mode: str = choice('lockstep', ('lockstep', 'realtime'),
                       'lockstep: step when the command for this stamp arrives; realtime: at rate')
    rate_hz: float = bounded(20.0, 1.0, 200.0, 'control rate [Hz]')
    physics_hz: float = bounded(
        0.0, 0.0, 2000.0, 'physics rate [Hz], a whole multiple of the control rate; 0: about 240')
    gui: bool = flag(False, 'open the window of PyBullet')
    contract: str = text(
        '', 'contract whose images the camera takes, in their size; empty: no contract')
    camera: bool = flag(False, 'publish camera/image_raw and camera/camera_info also where no '
                               'contract wants them')
    camera_width: int = bounded(96, 16, 1920, 'width of the image without a contract [pixels]')
    camera_height: int = bounded(96, 16, 1080, 'height of the image without a contract [pixels]')
    camera_every: int = bounded(
        1, 1, 1000, 'an image every so many control steps, without a contract')
    command_timeout_s: float = bounded(
        0.5, 0.05, 5.0, 'realtime: hold when no command came for so long [s]')
    frame_id: str = text('panda_link0', 'frame of every pose')
    publish_clock: bool = flag(False, 'publish the state stamps on clock, for outside tools')
    executor: str = choice('events', runtime.EXECUTORS, 'executor of the process')


class SimulatorNode(Node):
    """Serves one simulated arm and one task."""

    def __init__(self, **kwargs):
        super().__init__('simulator', **kwargs)
        self.parameters = declare(self, SimulatorParameters)
        self._realtime = self.parameters.mode == 'realtime'
        self._simulation = Simulation(
            self.parameters.task, rate_hz=self.parameters.rate_hz,
            physics_hz=self.parameters.physics_hz or None, gui=self.parameters.gui)
        robot = self._simulation.robot
        self.session = Session(self._simulation, self._now_ns())
        self._messages = StateMessages(
            robot.joint_names, len(self.session.state.object_positions), self.parameters.frame_id)
        self._read_command = CommandReader(robot.joint_names)
        self._targets = np.array(self.session.state.joint_position)
        self._command_at = self._published_at = -math.inf
        self._command_ns = 0
        self._fresh = False
        self._resting_beats = itertools.count()
        self._cadence = Cadence(round(NS / self.parameters.rate_hz))
        self._latencies: deque[float] = deque(maxlen=LATENCY_WINDOW)
        self._unanswered: dict[int, float] = {}
        """When the states that no command has answered yet were published, by stamp."""
        self._create_outputs()
        self._create_inputs()
        self._diagnostics = diagnostics.Diagnostics(self, self._report)
        self._cadence.takes(self.session.stamp_ns)
        self._publish()

    def _create_outputs(self):
        self._episode = self.create_publisher(EpisodeStatus, 'episode', qos.STATUS)
        self._outputs = [
            (self.create_publisher(PoseStamped, 'tool_pose', qos.STREAM),
             self._messages.tool_pose),
            (self.create_publisher(PoseStamped, 'goal_pose', qos.STREAM),
             self._messages.goal_pose)]
        if self._messages.object_poses.poses:
            self._outputs.append((self.create_publisher(PoseArray, 'object_poses', qos.STREAM),
                                  self._messages.object_poses))
        # The beat of realtime comes last: what belongs to it is then there, not a period old.
        self._outputs.append((self.create_publisher(JointState, 'joint_states', qos.STREAM),
                              self._messages.joint_states))
        mode = self._camera_mode()
        self._camera = Camera(self, mode, self._simulation.camera_image) if mode else None
        self._clock_publisher = None
        if self.parameters.publish_clock:
            self._clock_publisher = self.create_publisher(ClockMessage, 'clock', qos.STREAM)

    def _camera_mode(self) -> CameraMode | None:
        given = self.parameters
        mode = mode_of(given.contract, self._simulation.task) if given.contract else None
        if mode is None and given.camera:
            return CameraMode(given.camera_width, given.camera_height, given.camera_every)
        return mode

    def _create_inputs(self):
        self._commands = CommandInput(self, self._on_command)
        self.create_service(ResetTask, 'reset_task', self._on_reset)
        self.create_service(EndEpisode, 'end_episode', self._on_end)
        steady = Clock(clock_type=ClockType.STEADY_TIME)
        if self._realtime:
            self.create_timer(1.0 / self.parameters.rate_hz, self._on_beat, clock=steady)
        else:
            self.create_timer(REPUBLISH_S / 2.0, self._on_wait, clock=steady)

    def shut_down(self):
        """Close the physics client."""
        self._simulation.close()

    def _on_command(self, message: JointState):
        stamp_ns = to_ns(message.header.stamp)
        try:
            targets = self._read_command(message)
            if self._realtime:
                self._keep_command(stamp_ns, targets)
            elif self.session.is_due(stamp_ns):
                self.session.step(targets)
                self._publish()
        except ImitationError as error:
            self.get_logger().error(f'command refused: {error}', throttle_duration_sec=1.0)

    def _keep_command(self, stamp_ns: int, targets: np.ndarray):
        now = time.monotonic()
        for earlier_ns in [sent_ns for sent_ns in self._unanswered if sent_ns <= stamp_ns]:
            published_at = self._unanswered.pop(earlier_ns)
            if earlier_ns == stamp_ns:
                self._latencies.append(now - published_at)
        if stamp_ns < self._command_ns:
            self.session.stale_commands += 1
            return
        self._targets, self._command_at, self._command_ns = targets, now, stamp_ns

    def _on_beat(self):
        now_ns = self._now_ns()
        if not self._cadence.takes(now_ns):
            return  # too soon after a late one
        if self.session.status.phase == RUNNING and not self._fresh:
            self._step_on_time(now_ns)
        else:
            self.session.beat(now_ns)
        self._fresh = False
        self._publish()

    def _step_on_time(self, now_ns: int):
        if time.monotonic() - self._command_at > self.parameters.command_timeout_s:
            # No fresh command: hold where the arm is, instead of running on to an old target.
            self._targets = np.array(self.session.state.joint_position)
            self._command_at = math.inf
        self.session.step(self._targets, now_ns)

    def _on_wait(self):
        if time.monotonic() - self._published_at >= REPUBLISH_S:
            self._publish()

    def _publish(self):
        session = self.session
        self._messages.fill(session.stamp_ns, session.state, session.status)
        self._published_at = time.monotonic()
        if self._realtime and session.status.phase == RUNNING:
            self._unanswered[session.stamp_ns] = self._published_at
        if self._camera is not None:
            resting = self._realtime and session.status.phase != RUNNING
            self._camera.publish(
                session.stamp_ns, next(self._resting_beats) if resting else session.status.step)
        self._episode.publish(self._messages.episode)
        for publisher, message in self._outputs:
            publisher.publish(message)
        if self._clock_publisher is not None:
            self._clock_publisher.publish(ClockMessage(clock=to_stamp(session.stamp_ns)))

    def _on_reset(self, request, response):
        try:
            self._commands.check()
            if self.session.reset(spec_from_message(request.spec), self._stamp_now()):
                self._targets = np.array(self.session.state.joint_position)
                self._command_at = time.monotonic()
                self._publish_changed()
        except ImitationError as error:
            response.error_code, response.error_msg = _task_code(error), str(error)
        response.stamp = to_stamp(self.session.stamp_ns)
        return response

    def _on_end(self, request, response):
        try:
            self.session.finish(
                request.episode_id, request.end, request.cause, request.success, request.reason,
                self._stamp_now())
            self._publish_changed()
        except ImitationError as error:
            response.error_code, response.error_msg = error.code, str(error)
        return response

    def _publish_changed(self):
        # In realtime at the next beat: a state between two beats would be taken for an extra one.
        if self._realtime:
            self._fresh = True
        else:
            self._publish()

    def _now_ns(self) -> int:
        return self.get_clock().now().nanoseconds

    def _stamp_now(self) -> int | None:
        return self._now_ns() if self._realtime else None

    def _report(self):
        session = self.session
        values = {
            'phase': session.status.phase, 'episode': session.status.episode_id,
            'stale_commands': session.stale_commands,
            'refused_commands': session.refused_commands, 'stamp_s': session.stamp_ns / NS}
        if self._latencies:
            values['command_latency_samples'] = len(self._latencies)
            for percent in (50, 99):
                values[f'command_latency_p{percent}_ms'] = round(
                    1e3 * float(np.percentile(self._latencies, percent)), 3)
        if self._commands.two_writers:
            return diagnostics.ERROR, 'two writers on joint_command; holding', values
        return diagnostics.OK, self.parameters.mode, values


def _task_code(error: ImitationError) -> int:
    """Return an error code of the task's range for an error of any room."""
    return error.code if 200 <= error.code < 300 else ResetTask.Response.BAD_SPEC


def main(args=None) -> int:
    """Run the simulator until it is asked to stop."""
    return runtime.run(SimulatorNode, args)
