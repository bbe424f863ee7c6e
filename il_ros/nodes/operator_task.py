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
The task's side on a real arm: a person puts the objects back, and judges the episodes.

It serves what the simulator serves (``reset_task``, ``end_episode``, ``episode``). Its steps are
the beats of ``joint_states``, thinned out to the contract's rate; the observer takes ``episode``
for its beat, so that each state has one status. The commands of ``teleop`` and the services
``episode_success``, ``episode_failure``, ``episode_lost`` and ``episode_redo`` end an episode.
"""

import dataclasses
from functools import partial
import math
import time

from il_ros import plugins
from il_ros.contract.episode_spec import ABORTED, CLOCK_JUMP, FAULT, LOST, NO_CAUSE
from il_ros.contract.episode_spec import OPERATOR, RUNNING, TERMINATED
from il_ros.episodes.watch import ClockWatch, seconds
from il_ros.errors import ImitationError, UnknownTaskError
from il_ros.ros import qos, runtime
from il_ros.ros.conversion.messages import NS, spec_from_message, to_ns, to_stamp
from il_ros.ros.conversion.pairing import Cadence
from il_ros.ros.conversion.robot_messages import fill_status
from il_ros.ros.listening import every, listen
from il_ros.ros.node import ReportingNode
from il_ros.ros.parameters import bounded, choice, ParameterError, text
from il_ros.ros.publishing import sending
from il_ros.ros.serving import serve
from il_ros.sim.silence import Silence
from il_ros.tasks.contracts import contract_name, find_contract
from il_ros.tasks.operator_session import OperatorSession
from il_ros.tasks.protocol import TaskBusyError
from il_ros.tasks.registry import task_class
from il_ros_interfaces.msg import EpisodeStatus, Executed
from il_ros_interfaces.srv import EndEpisode, ResetTask
from sensor_msgs.msg import JointState
from std_msgs.msg import Bool
from std_srvs.srv import Trigger

WATCH_S = 0.1
BEATLESS_S = 0.5
"""An end is said without a state where none came for so long: the arm's driver is gone."""

JUDGEMENTS = {
    'episode_success': (TERMINATED, OPERATOR, True), 'episode_lost': (TERMINATED, LOST, False),
    'episode_failure': (TERMINATED, OPERATOR, False), 'episode_redo': (ABORTED, OPERATOR, False)}
"""Services of a person without a device: end, cause and success."""


@dataclasses.dataclass(frozen=True)
class OperatorTaskParameters:
    """Parameters of the operator_task node."""

    task: str = text('push', 'task, as the commands name it')
    contract: str = text('', "contract file, or name of a task; empty: the task's")
    robot: str = text('', "robot: a name, module:Object or a robot file; empty: the contract's")
    rate_hz: float = bounded(0.0, 0.0, 200.0, "control rate [Hz]; 0: the contract's")
    horizon: int = bounded(
        0, 0, 1_000_000, 'time limit of an episode that names no other [control steps]; 0: that '
        'of the registered task')
    silence_s: float = bounded(
        3.0, 0.1, 60.0, 'end an episode in which nothing came on executed for so long; longer '
        "than the supervisor's silence_s [s]")
    clock_jump_s: float = bounded(
        1.0, 0.1, 60.0, 'by how much the stamps of joint_states may contradict the steady clock '
                        'from one to the next; more ends the episode [s]')
    executor: str = choice('events', runtime.EXECUTORS, 'executor of the process')


class OperatorTaskNode(ReportingNode):
    """Serves one task on a real arm."""

    part = 'simulator'
    """Whose part in the graph it plays: one of the two can be there."""

    def __init__(self, **kwargs):
        super().__init__('operator_task', OperatorTaskParameters, **kwargs)
        given = self.parameters
        plugins.trust(given.task, given.contract, given.robot)
        self._rate_hz = given.rate_hz or find_contract(
            contract_name(given.contract or given.task, given.robot))[0].rate
        self.session = OperatorSession(given.task, given.horizon or _horizon_of(given.task))
        self._silence = Silence(given.silence_s, math.inf, 'executed')
        self._jumps = ClockWatch(round(given.clock_jump_s * NS))
        self._cadence = Cadence(round(NS / self._rate_hz))
        self._beat_at = -math.inf
        self._stopped = False
        self._message = EpisodeStatus()
        self._send = sending(self.create_publisher(EpisodeStatus, 'episode', qos.STATUS))
        listen(self, JointState, 'joint_states', self._on_joints, qos.FOREIGN_SENSOR)
        listen(self, Executed, 'executed', lambda _: self._silence.heard(), qos.STREAM)
        listen(self, Bool, 'estopped', self._on_estopped, qos.LATCHED)
        serve(self, ResetTask, 'reset_task', self._on_reset, ResetTask.Response.BAD_SPEC)
        serve(self, EndEpisode, 'end_episode', self._on_end, EndEpisode.Response.NOT_RUNNING)
        for name, judgement in JUDGEMENTS.items():
            self.create_service(Trigger, name, partial(self._on_judgement, judgement))
        every(self, WATCH_S, self._on_watch)

    def _on_joints(self, message: JointState):
        stamp_ns, running = to_ns(message.header.stamp), self.session.status.phase == RUNNING
        jump_ns = self._jumps.jump_ns(stamp_ns, time.monotonic_ns())
        if jump_ns:
            self._cadence = Cadence(round(NS / self._rate_hz))
            self.report_problem(f'the clock of joint_states jumped by {seconds(jump_ns)}')
        if not self._cadence.takes(stamp_ns):
            return
        if jump_ns and running:
            self._finish(ABORTED, CLOCK_JUMP, False, self.problem)
        self._beat_at = time.monotonic()
        self.session.beat(stamp_ns)
        self._publish()
        if running and self.session.status.phase != RUNNING:
            self._say_end()

    def _publish(self):
        self._message.header.stamp = to_stamp(self.session.stamp_ns)
        fill_status(self._message, self.session.status)
        self._send(self._message)

    def _on_watch(self):
        session = self.session
        if session.status.phase == RUNNING:
            reason = self._silence.look(time.monotonic(), True)
            if reason:
                self._finish(ABORTED, FAULT, False, reason)
        elif session.unsaid and self._beatless_s() > BEATLESS_S:
            session.beat(session.stamp_ns + 1)
            self._publish()

    def _beatless_s(self) -> float:
        return time.monotonic() - self._beat_at

    def _on_estopped(self, message: Bool):
        self._stopped = message.data

    def _on_reset(self, request, response):
        try:
            if self._stopped:
                raise TaskBusyError(
                    'the emergency stop is pressed; release it with estop_reset')
            if self._beatless_s() > BEATLESS_S:
                raise TaskBusyError(
                    f'no joint_states for {BEATLESS_S} s; is the driver of the arm running?')
            if self.session.reset(spec_from_message(request.spec)):
                self._silence.restart(time.monotonic())
                self.problem = ''
                status = self.session.status
                self.get_logger().info(f'{status.episode_id} begins; it is over after '
                                       f'{status.horizon / self._rate_hz:.0f} s at most')
        finally:
            response.stamp = to_stamp(self.session.stamp_ns)
        return response

    def _on_end(self, request, response):
        self.session.finish(
            request.episode_id, request.end, request.cause, request.success, request.reason)
        self._say_end()
        return response

    def _on_judgement(self, judgement: tuple[int, int, bool], _request, response):
        try:
            self._finish(*judgement, '')
        except ImitationError as error:
            response.message = str(error)
        else:
            response.success, response.message = True, self._ended()
        return response

    def _finish(self, end: int, cause: int, success: bool, reason: str):
        self.session.finish(self.session.status.episode_id, end, cause, success, reason)
        self._say_end()

    def _ended(self) -> str:
        status = self.session.status
        judged = 'a success' if status.success else 'no success'
        return f'{status.episode_id} ended after {status.step} steps, {judged}'

    def _say_end(self):
        status = self.session.status
        reason = f', {status.reason}' if status.cause not in (NO_CAUSE, OPERATOR) else ''
        self.get_logger().info(f'{self._ended()}{reason}; put the objects back, then start the '
                               'next episode')

    def report(self) -> tuple[bytes, str, dict]:
        """Return what the task is at, and whether the arm says where it is."""
        status, beatless_s = self.session.status, self._beatless_s()
        values = {'phase': status.phase, 'episode': status.episode_id, 'step': status.step,
                  'horizon': status.horizon, 'stamp_s': self.session.stamp_ns / NS}
        silent = f'no joint_states for {BEATLESS_S} s' if beatless_s > BEATLESS_S else ''
        return self.state('an episode runs' if status.phase == RUNNING else 'waiting for a person',
                          values, silent)


def _horizon_of(task: str) -> int:
    """
    Return the time limit of a registered task, in steps.

    :raises ParameterError: if the task is not registered
    """
    try:
        return task_class(task).horizon
    except UnknownTaskError as error:
        raise ParameterError(f'operator_task.horizon is 0, for a registered task, and {error}; '
                             'set horizon') from error
