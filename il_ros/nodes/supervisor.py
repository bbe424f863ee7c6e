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
The supervisor selects the driver, enforces the limits, and alone commands the arm.

It arms an episode (``set_driver``), waits at each observation for exactly the drivers that the
plan requires, lets the plan choose, and sends joint targets inside the limits. It says what it
sent on ``executed``, and never invents an action: a silent driver ends the episode.
"""

from functools import partial
import time

from il_ros import plugins
from il_ros.contract.contract import Contract
from il_ros.contract.episode_spec import ABORTED, DRIVER_SILENT, ENDED, EXPERT, FAULT, IDLE
from il_ros.contract.episode_spec import REFUSED_STALE, RUNNING, STOPPED, TERMINATED
from il_ros.driving.arbiter import Arbiter
from il_ros.driving.blending import blending_of
from il_ros.driving.driving import Driving
from il_ros.driving.rate_watch import RateWatch, TOLERANCE_DRIVING
from il_ros.errors import ImitationError
from il_ros.robots.actions.actuator import Actuator
from il_ros.robots.joint_watch import JointWatch
from il_ros.robots.kinematics import Kinematics
from il_ros.robots.model import find_robot
from il_ros.ros import qos
from il_ros.ros.conversion.assembly import JointReader
from il_ros.ros.conversion.checks import check_phase
from il_ros.ros.conversion.messages import spec_from_message, to_ns
from il_ros.ros.conversion.step_messages import drive_message, StepMessages
from il_ros.ros.listening import every, listen, listen_to_contract
from il_ros.ros.node import ManagedNode
from il_ros.ros.publishing import sending
from il_ros.ros.serving import serve
from il_ros.ros.supervision.answers import Answers
from il_ros.ros.supervision.command_output import CommandOutput
from il_ros.ros.supervision.ending import ACTION_TOPICS, driver_name, EpisodeEnd, silence
from il_ros.ros.supervision.estop import EmergencyStop
from il_ros.ros.supervision.going_home import GoingHome
from il_ros.ros.supervision.interventions import Interventions
from il_ros.ros.supervision.neighbours import other_writers, refuse_drivers
from il_ros.ros.supervision.parameters import SupervisorParameters, with_keep_out
from il_ros.ros.supervision.protection import Protection
from il_ros.ros.supervision.readiness import why_still, why_unfit
from il_ros.ros.supervision.speed_scale import SpeedScale
from il_ros_interfaces.msg import Action, Drive, Executed, Observation
from il_ros_interfaces.srv import SetDriver
import numpy as np
from sensor_msgs.msg import JointState

WATCH_S = 0.05


class SupervisorNode(ManagedNode):
    """Publishes commands, ``executed`` and ``drive``; serves ``set_driver``, e-stop."""

    def __init__(self, **kwargs):
        super().__init__('supervisor', SupervisorParameters, **kwargs)
        given = self.parameters
        self._realtime = given.mode == 'realtime'
        plugins.trust(given.robot)
        self._robot = robot = with_keep_out(find_robot(given.robot), given.keep_out)
        self._kinematics = Kinematics(robot)
        self._joints = JointReader(robot.joint_names, 'position')
        self._contract: Contract | None = None
        self._rate: RateWatch | None = None
        self._arbiter: Arbiter | None = None
        self._spec, self._ending = None, False
        self._observed_at = self._answered_at = self._measured_at = time.monotonic()
        self._messages = StepMessages(robot.joint_names)
        self._interventions = Interventions(self)
        self._speed_scale = SpeedScale(self)
        self._protection = Protection(self, robot, self.parameters, self._on_protection)
        self._create_outputs()
        self._create_inputs()
        self.autostart()

    def _create_outputs(self):
        self._commands = CommandOutput(self, self.parameters, self._kinematics)
        self._send_executed = sending(self.create_publisher(Executed, 'executed', qos.STREAM))
        self._drives = self.create_publisher(Drive, 'drive', qos.LATCHED)
        self._estop = EmergencyStop(self, self._hold_now, self.parameters.estop_file,
                                    self.parameters.estop_heartbeat_s)
        self._home = GoingHome(self, self._robot, self._kinematics, self._commands,
                               self._why_still, self._protection, self._speed_scale)

    def _create_inputs(self):
        listen_to_contract(self, self._on_contract)
        listen(self, JointState, 'joint_states', self._on_joints, qos.STREAM)
        listen(self, Observation, 'observation', self._on_observation, qos.STREAM, check_phase)
        for source, topic in ACTION_TOPICS.items():
            listen(self, Action, topic, partial(self._on_action, source), qos.STREAM)
        serve(self, SetDriver, 'set_driver', self._on_set_driver, SetDriver.Response.BAD_PLAN)
        self._end_episode = EpisodeEnd(self, self._on_end_answered)
        every(self, WATCH_S, self._on_watch)
        self._unseen = every(self, self.parameters.observation_timeout_s, self._on_unseen)

    def deactivate(self):
        """Hold the arm: send the last target again, and nothing after it."""
        self._hold_now()
        self._commands.rest()
        if self._arbiter is not None and self._arbiter.running:
            self._end(FAULT, 'the supervisor was deactivated')
        self._arbiter = None

    def _hold_now(self):
        if self._arbiter is not None and self._arbiter.waiting:
            self._act(STOPPED)

    def _on_protection(self, reason: str):
        self._hold_now()
        self._end(FAULT, reason, TERMINATED)

    def shut_down(self):
        """Hold the arm and close the kinematics."""
        self._ending = True  # a process that ends leaves the episode open, as a crash does
        super().shut_down()
        self._kinematics.close()

    def _on_contract(self, contract: Contract):
        if contract != self._contract:
            self._contract, self._rate = contract, RateWatch(contract.rate)
            self._home.set_contract(contract)

    def _on_joints(self, message: JointState):
        if self._arbiter is None and not self._home.listens:
            return
        try:
            stamp_ns, positions = to_ns(message.header.stamp), np.array(self._joints(message))
            self._robot.refuse_implausible(positions)
            if self._arbiter is not None:
                self._arbiter.measure(stamp_ns, positions)
            self._home.measure(stamp_ns, positions)
            if self._realtime:
                self._protection.check_efforts(message)
        except ImitationError as error:
            # The last good one stands, and no watch is refreshed.
            self.problem = f'joint_states refused: {error}'
            raise
        self._measured_at = time.monotonic()
        self._try_act()

    def _on_observation(self, message: Observation):
        if self._rate is not None and self._realtime:
            self._rate.hear(to_ns(message.header.stamp))
        arbiter = self._arbiter
        if arbiter is None:
            return
        stamp_ns = to_ns(message.header.stamp)
        if message.episode_id != arbiter.episode_id:
            arbiter.overtake(stamp_ns, message.phase == IDLE)
            return
        overdue = self._realtime or message.phase != RUNNING
        if overdue and arbiter.waiting and stamp_ns > arbiter.stamp_ns:
            self._interventions.counts['late_answers'] += 1
            self._act(self._hold_reason())
        first, phase = arbiter.stamp_ns < 0, arbiter.phase
        if arbiter.observe(stamp_ns, message.step, message.phase):
            self._observed_at = time.monotonic()
            self._unseen.reset()
            if first:
                self._answered_at = self._observed_at
            self._messages.executed.header = message.header
            for source, early in self._answers.begin_step():
                self._on_action(source, early)
            self._try_act()
            if arbiter.phase == ENDED != phase:
                self._home.after_episode(stamp_ns, self._actuator.motion)
                if self._spec.plan.target_rate > 0.0:
                    self._announce(arbiter, stamp_ns, is_end=True)
        elif stamp_ns == arbiter.stamp_ns and arbiter.acted and message.phase == RUNNING:
            self._publish_step()
        if arbiter.phase != RUNNING:
            self._home.rest()

    def _on_action(self, source: int, message: Action):
        arbiter = self._arbiter
        if arbiter is None:
            return
        self._answers.check(source, message)
        stamp_ns = to_ns(message.header.stamp)
        if stamp_ns > arbiter.stamp_ns:
            self._answers.keep_early(source, message)
            return
        if second := self._answers.second_driver(source, message):
            self._end(FAULT, second)
        values = np.frombuffer(message.values, np.float32)
        if arbiter.answer(source, stamp_ns, values, message.uncertainty, message.engaged):
            self._answers.accept(source, message)
            if arbiter.widened:
                self._announce(arbiter, stamp_ns)
            self._try_act()

    def _try_act(self):
        arbiter, reason = self._arbiter, self._hold_reason()
        # A stopped arm brakes at once in real time: no driver is waited for.
        stops = self._realtime and reason & STOPPED
        if arbiter and self.active and (arbiter.ready() or stops and arbiter.waiting):
            self._answered_at = time.monotonic()
            self._act(reason)

    def _hold_reason(self) -> int:
        """Return the bits that say why the arm only holds; 0: it need not."""
        if self._estop.pressed or self._protection.reason:
            return STOPPED
        unseen_s = time.monotonic() - self._measured_at if self._realtime else 0.0
        return REFUSED_STALE if unseen_s > self.parameters.observation_timeout_s else 0

    def _act(self, refusal: int):
        arbiter = self._arbiter
        assert arbiter is not None, 'an episode is armed'
        self._actuator.speed_scale = self._speed_scale.value
        try:
            step = arbiter.act(refusal)
        except ImitationError as error:
            arbiter.overtake(arbiter.stamp_ns, idle=True)
            self._end(FAULT, str(error))
            return
        if step is None:
            return
        if arbiter.fault:
            self._end(FAULT, arbiter.fault, TERMINATED)
            if not self._realtime:
                return
            self._protection.hold(arbiter.fault)
        if step.handed_over and self._spec.plan.gate:
            # Whoever was asked for this step has answered it: he is let go from the next one on.
            released = EXPERT not in arbiter.driving.required
            self._announce(arbiter, step.stamp_ns + released)
        self._messages.fill(step, self._answers.candidates)
        self._commands.take(step, arbiter.measured, self._messages.command)
        self._publish_step()
        self._interventions.add(step, arbiter.episode_id)
        if (in_a_row := self._interventions.unusable) == self.parameters.rejected_in_a_row:
            self._end(FAULT, f'{driver_name(self, step.choice.chosen)} answered {in_a_row} '
                             'times in a row with an action of the wrong width or not finite')

    def _publish_step(self):
        self._commands.publish()
        self._send_executed(self._messages.executed)

    def _announce(self, arbiter: Arbiter, stamp_ns: int, is_end: bool = False):
        """Say who must answer; at the end nobody, and where the adapted threshold stands."""
        self._drives.publish(drive_message(arbiter.episode_id, arbiter.driving, stamp_ns, is_end))

    def _on_set_driver(self, request, response):
        spec = spec_from_message(request.spec)
        response.error_msg = self._refusal(spec)
        response.error_code = SetDriver.Response.BUSY if response.error_msg else 0
        armed = self._arbiter is not None and self._arbiter.stamp_ns < 0 and spec == self._spec
        if not response.error_code and not armed:
            self._arm(spec, self._contract, request.gate_threshold)
        return response

    def _refusal(self, spec) -> str:
        arbiter = self._arbiter
        if arbiter is not None and arbiter.running:
            if self._ending:
                # No end was observed since it was asked for: the task knows whether it came.
                self._end_episode.ask(arbiter.episode_id, ABORTED, FAULT, 'another one is armed')
            return (f'episode {arbiter.episode_id} is running; it has to end before '
                    f'{spec.episode_id} is armed')
        reason = (why_still(self, self._estop, self._protection, self._commands.topic)
                  or why_unfit(self._contract, self._rate, self._robot) or self._home.refusal())
        self._arbiter = None if reason else arbiter  # what was armed does not begin any more
        return reason

    def _why_still(self) -> str:
        if self._arbiter is not None and self._arbiter.phase == RUNNING:
            return f'episode {self._arbiter.episode_id} is armed or runs'
        return why_still(self, self._estop, self._protection, self._commands.topic)

    def _arm(self, spec, contract: Contract, threshold: float):
        driving = Driving(spec.plan, spec.episode_id, contract, threshold)
        refuse_drivers(self, driving.required)
        self._commands.start(contract)
        self._actuator = Actuator(self._robot, contract, 1.0 / contract.rate, self._kinematics)
        self._spec, self._answers = spec, Answers(self, contract)
        given = self.parameters
        blending = blending_of(contract, driving.required, given.takeover_acceleration,
                               spec.plan.gate != '' and given.blends_gates)
        self._arbiter = Arbiter(
            spec.episode_id, driving, self._actuator, paired=not self._realtime, blending=blending,
            joints=JointWatch(self._robot, 1.0 / contract.rate) if self._realtime else None,
            tracking_limit_rad=given.tracking_limit_rad)
        self._ending, self._interventions.unusable, self.problem = False, 0, ''
        self._measured_at = time.monotonic()
        self._messages.executed.episode_id = spec.episode_id
        self._announce(self._arbiter, 0)

    def _on_watch(self):
        self._estop.check()
        arbiter = self._arbiter
        if arbiter is None or not arbiter.running:
            return self._home.rest()
        now = time.monotonic()
        # Lockstep stands still with its observation; realtime goes on and holds at each one.
        silent_s = now - (self._answered_at if self._realtime else self._observed_at)
        if self._realtime:
            self._watch_realtime(now)
        if others := other_writers(self, self._commands.topic):
            self._end(FAULT, others)
        if silent_s > self.parameters.silence_s and not self._ending:
            self._end(DRIVER_SILENT, silence(self, arbiter, self.parameters.silence_s))

    def _on_unseen(self):  # its timer begins anew with each observation
        if self._realtime and self._arbiter is not None and self._arbiter.running:
            unseen_s = time.monotonic() - self._observed_at
            self.report_problem(f'no observation for {unseen_s:.1f} s; holding', throttle_s=1.0)
            self._hold_now()
            self._commands.rest()

    def _watch_realtime(self, now: float):
        assert self._rate is not None, 'an episode is armed'
        if now - self._measured_at > (most_s := self.parameters.silence_s):
            self._end(FAULT, f'no usable joint_states for {most_s} s')
        if problem := self._rate.problem(TOLERANCE_DRIVING):
            self._end(FAULT, problem)
        self.problem = self.problem or self._rate.problem()

    def _end(self, cause: int, reason: str, end: int = ABORTED):
        """End the armed episode at the task, once; ``ABORTED``: it is run again."""
        if self._ending or self._arbiter is None:
            return
        self._ending = True
        self.report_problem(f'episode {self._arbiter.episode_id} ends: {reason}', throttle_s=1.0)
        self._end_episode.ask(self._arbiter.episode_id, end, cause, reason)

    def _on_end_answered(self, episode_id: str, is_unknown: bool):
        """Let go of an episode that the task does not run: its end was missed."""
        if is_unknown and self._arbiter is not None and episode_id == self._arbiter.episode_id:
            self._arbiter.overtake(self._arbiter.stamp_ns, idle=True)

    def report(self) -> tuple[bytes, str, dict]:
        """Return how many steps were driven, held and limited."""
        return self.state(self.parameters.mode, self._interventions.counts,
                          'emergency stop' if self._estop.pressed else self._protection.reason)
