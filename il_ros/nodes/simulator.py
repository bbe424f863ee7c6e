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

import dataclasses
import itertools
import math
import time

from il_ros import plugins
from il_ros.contract.episode_spec import ABORTED, FAULT, RUNNING
from il_ros.errors import ImitationError
from il_ros.robots.command_limits import CommandLimits
from il_ros.robots.controllers import CONTROLLERS
from il_ros.ros import diagnostics, qos, runtime
from il_ros.ros.commands.adapters import JOINT_STATE, refuse_lockstep
from il_ros.ros.conversion.messages import NS, spec_from_message, to_ns, to_stamp
from il_ros.ros.conversion.pairing import Cadence
from il_ros.ros.conversion.robot_messages import CommandReader, StateMessages
from il_ros.ros.listening import every, listen
from il_ros.ros.node import ReportingNode
from il_ros.ros.parameters import bounded, choice, flag, text
from il_ros.ros.publishing import sending
from il_ros.ros.serving import serve
from il_ros.ros.stand_in.camera import Camera, CameraMode, mode_of
from il_ros.ros.stand_in.controller_input import ControllerInput
from il_ros.ros.supervision.joint_command import CommandInput
from il_ros.sim.realtime_commands import RealtimeCommands
from il_ros.sim.session import Session
from il_ros.sim.silence import Silence
from il_ros.sim.simulation import Simulation
from il_ros.tasks.contracts import contract_name, find_contract, robot_of
from il_ros_interfaces.msg import EpisodeStatus
from il_ros_interfaces.srv import EndEpisode, ResetTask
import numpy as np
from rosgraph_msgs.msg import Clock as ClockMessage
from sensor_msgs.msg import JointState
from std_msgs.msg import Bool


@dataclasses.dataclass(frozen=True)
class SimulatorParameters:
    """Parameters of the simulator node."""

    task: str = text('push', 'task, by its registered name')
    mode: str = choice('lockstep', ('lockstep', 'realtime'),
                       'lockstep: step when the command for this stamp arrives; realtime: at rate')
    rate_hz: float = bounded(
        0.0, 0.0, 200.0, "control rate [Hz]; 0: the contract's, or that of the task's own")
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
    controller: str = choice(
        'joint_state', (JOINT_STATE, *CONTROLLERS), 'realtime: the ros2_control controller that '
        'the arm stands in for; joint_state: it takes joint_command')
    controller_joints: str = text(
        '', "its joints in its order, by commas; empty: all, or the arm's for twist and pose")
    silence_s: float = bounded(
        10.0, 0.1, 3600.0, 'end an episode in which no command counted for so long; longer than '
        "the supervisor's silence_s [s]")
    absence_s: float = bounded(
        2.0, 0.1, 3600.0, 'end an episode when its supervisor has been gone for so long, or a '
        'second node publishes commands [s]')
    robot: str = text('', "robot: a name, module:Object or a robot file; empty: the contract's")
    frame_id: str = text('', "frame of every pose; empty: the robot's base")
    publish_clock: bool = flag(False, 'publish the state stamps on clock, for outside tools')
    executor: str = choice('events', runtime.EXECUTORS, 'executor of the process')


REPUBLISH_S = 0.5
"""How often a waiting simulator repeats its state: what came before discovery is lost."""


class StoppedError(ImitationError):
    """No episode begins while the emergency stop is pressed."""

    code = ResetTask.Response.BUSY


class SimulatorNode(ReportingNode):
    """Serves one simulated arm and one task."""

    def __init__(self, **kwargs):
        super().__init__('simulator', SimulatorParameters, **kwargs)
        given = self.parameters
        plugins.trust(given.task, given.contract, given.robot)
        contract = contract_name(given.contract or given.task, given.robot)
        self._realtime = self.parameters.mode == 'realtime'
        self._controlled = given.controller != JOINT_STATE
        refuse_lockstep('controller', given)
        self._rate_hz = given.rate_hz or find_contract(contract)[0].rate
        self._simulation = Simulation(
            given.task, rate_hz=self._rate_hz, physics_hz=given.physics_hz or None,
            gui=given.gui, robot=robot_of(contract))
        robot = self._simulation.robot
        self.session = Session(self._simulation, self._now_ns())
        self._messages = StateMessages(
            robot.joint_names, len(self.session.state.object_positions),
            given.frame_id or robot.base_frame)
        self._read_command = CommandReader(robot.joint_names)
        self._limits = CommandLimits(robot, self._simulation.dt_ns)
        self._orders = RealtimeCommands(self._limits, self.parameters.command_timeout_s)
        self._silence = Silence(self.parameters.silence_s, self.parameters.absence_s)
        self._published_at = -math.inf
        self._fresh = self._stopped = False
        self.refused_commands = 0
        self._resting_beats = itertools.count()
        self._cadence = Cadence(round(NS / self._rate_hz))
        self._create_outputs()
        self._create_inputs()
        self._restart_commands()
        self._cadence.takes(self.session.stamp_ns)
        self._publish()

    def _create_outputs(self):
        self._send_status = sending(
            self.create_publisher(EpisodeStatus, 'episode', qos.STATUS))
        messages = self._messages
        states = {'tool_pose': messages.tool_pose, 'goal_pose': messages.goal_pose}
        if messages.object_poses.poses:
            states['object_poses'] = messages.object_poses
        # The beat of realtime comes last: what belongs to it is then there, not a period old.
        states['joint_states'] = messages.joint_states
        self._outputs = [
            (sending(self.create_publisher(type(message), topic, qos.STREAM)), message)
            for topic, message in states.items()]
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
        if self._controlled:
            self._commands = ControllerInput(
                self, self._simulation.kinematics, self.parameters, self._silence.heard)
        else:
            self._commands = CommandInput(
                self, self._on_command, lambda: self.session.status.phase == RUNNING,
                self._hold_measured)
        listen(self, Bool, 'estopped', self._on_estopped, qos.LATCHED)
        serve(self, ResetTask, 'reset_task', self._on_reset, ResetTask.Response.BAD_SPEC)
        serve(self, EndEpisode, 'end_episode', self._on_end, EndEpisode.Response.NOT_RUNNING)
        if self._realtime:
            every(self, 1.0 / self._rate_hz, self._on_beat)
        else:
            every(self, REPUBLISH_S / 2.0, self._on_wait)

    def shut_down(self):
        """Close the physics client."""
        self._simulation.close()

    def _restart_commands(self):
        session, now = self.session, time.monotonic()
        self._orders.restart(session.state.joint_position, session.stamp_ns, now)
        self._silence.restart(now)
        if self._controlled:
            self._commands.restart(session)

    def _on_command(self, message: JointState):
        stamp_ns = to_ns(message.header.stamp)
        try:
            targets = self._read_command(message)
            if self._realtime:
                self._keep_command(stamp_ns, targets)
            elif self.session.is_due(stamp_ns):
                self._limits.take(stamp_ns, targets)
                self.session.step(targets)
                self._silence.heard()
                self._publish()
            else:
                self._accuse_contradiction(stamp_ns, targets)
        except ImitationError as error:
            self._refuse(error)

    def _keep_command(self, stamp_ns: int, targets: np.ndarray):
        running = self.session.status.phase == RUNNING
        if running and self._orders.take(stamp_ns, targets, time.monotonic()):
            self._silence.heard()
        else:
            self.session.stale_commands += 1
            self._accuse_contradiction(stamp_ns, targets)

    def _accuse_contradiction(self, stamp_ns: int, targets: np.ndarray):
        if self.session.status.phase == RUNNING and self._limits.contradicts(stamp_ns, targets):
            self._commands.accuse('joint_command has two different answers to one state')

    def _hold_measured(self):
        """Hold where the arm is: what it was sent last may be a stranger's target."""
        if self.session.status.phase == RUNNING:
            self._orders.hold(self.session.state.joint_position, self.session.stamp_ns)
        self.diagnostics.publish()

    def _refuse(self, error: ImitationError | str):
        self.refused_commands += 1
        self.report_problem(f'command refused: {error}', throttle_s=1.0)

    def _on_beat(self):
        now_ns = self._now_ns()
        if not self._cadence.takes(now_ns):
            return  # too soon after a late one
        self._end_abandoned()
        if self._fresh:
            self.session.beat(now_ns)
        elif self.session.status.phase == RUNNING:
            self._step_on_time(now_ns)
        else:
            self.session.rest(now_ns)
        self._fresh = False
        self._publish()

    def _step_on_time(self, now_ns: int):
        session = self.session
        try:
            if self._controlled:
                for reason in self._commands.step(session, now_ns):
                    self._refuse(reason)
            else:
                session.step(self._orders.next_targets(
                    session.state.joint_position, session.stamp_ns, time.monotonic()), now_ns)
        except ImitationError as error:
            # Whatever it was told, the arm keeps its beat.
            self._refuse(error)
            session.beat(now_ns)

    def _end_abandoned(self):
        """End an episode whose supervisor is gone: nobody else would."""
        status = self.session.status
        if status.phase != RUNNING:
            return
        reason = self._silence.look(time.monotonic(), self._commands.is_obeyed)
        if reason:
            self.report_problem(f'episode {status.episode_id} ends: {reason}')
            self.session.finish(
                status.episode_id, ABORTED, FAULT, False, reason, self._stamp_now())
            self._publish_changed()

    def _on_wait(self):
        self._end_abandoned()
        if time.monotonic() - self._published_at >= REPUBLISH_S:
            self._publish()

    def _publish(self):
        session = self.session
        self._messages.fill(session.stamp_ns, session.state, session.status)
        self._published_at = time.monotonic()
        if self._realtime and session.status.phase == RUNNING:
            self._orders.published(session.stamp_ns, self._published_at)
        if self._camera is not None:
            resting = self._realtime and session.status.phase != RUNNING
            self._camera.publish(
                session.stamp_ns, next(self._resting_beats) if resting else session.status.step)
        self._send_status(self._messages.episode)
        for send, message in self._outputs:
            send(message)
        if self._clock_publisher is not None:
            self._clock_publisher.publish(ClockMessage(clock=to_stamp(session.stamp_ns)))

    def _on_reset(self, request, response):
        try:
            self._refuse_while_stopped()
            self._commands.check()
            if self.session.reset(spec_from_message(request.spec), self._stamp_now()):
                self._restart_commands()
                self.problem = ''
                self._publish_changed()
        finally:
            response.stamp = to_stamp(self.session.stamp_ns)
        return response

    def _refuse_while_stopped(self):
        if self._stopped:
            raise StoppedError('the emergency stop is pressed; release it with estop_reset')

    def _on_estopped(self, message: Bool):
        self._stopped = message.data

    def _on_end(self, request, response):
        self.session.finish(
            request.episode_id, request.end, request.cause, request.success, request.reason,
            self._stamp_now())
        self._publish_changed()
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

    def report(self) -> tuple[bytes, str, dict]:
        """Return what the task is at, and the commands that did not count."""
        session = self.session
        values = {
            'phase': session.status.phase, 'episode': session.status.episode_id,
            'stale_commands': session.stale_commands,
            'refused_commands': self.refused_commands, 'stamp_s': session.stamp_ns / NS}
        latencies = self._orders.latencies
        if latencies:
            values['command_latency_samples'] = len(latencies)
            for percent in (50, 99):
                values[f'command_latency_p{percent}_ms'] = round(
                    1e3 * float(np.percentile(latencies, percent)), 3)
        if self._commands.two_writers:
            return self.state('', values, 'two writers on joint_command; holding')
        if self.problem:
            return diagnostics.WARN, self.problem, values
        return self.state(self.parameters.mode, values)
