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
A person as a driver: gamepad or keyboard in, actions and commands for episodes out.

Each observation that asks for the person is answered with the newest input, and carries its stamp.
``Action.engaged`` says whether the dead-man's button is held; without it there are no values, and
the supervisor holds the arm or lets the policy drive.
"""

import dataclasses
import sys
import time

from il_ros.contract.contract import Contract
from il_ros.contract.episode_spec import HOLD, TELEOP
from il_ros.errors import ImitationError
from il_ros.ros import qos, runtime
from il_ros.ros.conversion.checks import check_values
from il_ros.ros.driver import Driver
from il_ros.ros.listening import every, listen
from il_ros.ros.node import ReportingNode
from il_ros.ros.operator_control import Operator
from il_ros.ros.parameters import bounded, choice, flag, ParameterError, text
from il_ros.ros.refusals import refusals_of
from il_ros.teleop.joystick import Joystick
from il_ros.teleop.keyboard import help_of, Keyboard
from il_ros.teleop.mapping import GRIPPER, load_joy_mapping, load_key_mapping
from il_ros.teleop.steering import Steering
from il_ros.teleop.terminal import RawTerminal
from il_ros_interfaces.msg import Executed, Observation
import numpy as np
from sensor_msgs.msg import Joy

JOY, KEYBOARD = 'joy', 'keyboard'
DEVICES = (JOY, KEYBOARD)
POLL_S = 0.02
DEFAULT_MAPPINGS = {JOY: 'xbox', KEYBOARD: 'keyboard'}


@dataclasses.dataclass(frozen=True)
class TeleopParameters:
    """Parameters of the teleop node."""

    device: str = choice('joy', DEVICES, 'joy: the topic joy; keyboard: keys of a terminal')
    mode: str = choice('realtime', ('lockstep', 'realtime'),
                       'realtime: as persons are; lockstep only with scripted')
    scripted: bool = flag(False, 'no person but a script drives, which lockstep can wait for')
    mapping: str = text('', 'mapping file, or the name of one in config/teleop; empty: xbox or '
                            'keyboard')
    joy_timeout_s: float = bounded(
        0.25, 0.02, 5.0, 'a gamepad silent for so long has let go [s]')
    terminal: str = text('', 'terminal of the keyboard, e.g. /dev/tty; empty: standard input')
    executor: str = choice('events', runtime.EXECUTORS, 'executor of the process')

    def __post_init__(self):
        if self.mode == 'lockstep' and not self.scripted:
            raise ParameterError(
                'teleop.mode is lockstep, where time stops for a person and then runs off; '
                'expected realtime (or scripted: true, for a script that drives)')


class TeleopNode(ReportingNode):
    """Publishes ``teleop/action``; a client of ``start_episode``, ``end_episode``, ``discard``."""

    def __init__(self, **kwargs):
        super().__init__('teleop', TeleopParameters, **kwargs)
        self._steering: Steering | None = None
        self._engaged = False
        self._terminal: RawTerminal | None = None
        name = self.parameters.mapping or DEFAULT_MAPPINGS[self.parameters.device]
        if self.parameters.device == JOY:
            self._device = Joystick(load_joy_mapping(name), self.parameters.joy_timeout_s)
            self._gripper = GRIPPER in self._device.mapping.commands
            listen(self, Joy, 'joy', self._on_joy, qos.FOREIGN_SENSOR)
        else:
            self._device = Keyboard(load_key_mapping(name))
            self._gripper = GRIPPER in self._device.mapping.commands
            self._terminal = RawTerminal(self.parameters.terminal)
            print(help_of(self._device.mapping), file=sys.stderr, flush=True)
            every(self, POLL_S, self._poll)
        self._operator = Operator(self, self._on_episode, self.diagnostics.publish)
        listen(self, Executed, 'executed', self._on_executed, qos.STREAM)
        self._driver = Driver(self, TELEOP, 'teleop/action', self._act, self._on_contract,
                              realtime=self.parameters.mode == 'realtime')

    def shut_down(self):
        """Put the terminal back as it was."""
        if self._terminal is not None:
            self._terminal.close()

    def _on_contract(self, contract: Contract):
        mapping = self._device.mapping
        try:
            self._steering = Steering(
                contract, mapping.axes, self._gripper, mapping.speed, mapping.name)
            self.problem = ''
        except ImitationError as error:
            self._steering = None
            self.report_problem(error)

    def _on_episode(self):
        if self._steering is not None:
            self._steering.restart()

    def _on_executed(self, message: Executed):
        if self._steering is not None and message.driver not in (HOLD, TELEOP):
            check_values(message.values, len(self._driver.contract.actions))
            self._steering.follow(message.values)

    def _on_joy(self, message: Joy):
        self._obey(self._device.hear(message.axes, message.buttons, time.monotonic()))
        if self._device.problem:
            refusals_of(self).add('joy', self._device.problem)

    def _poll(self):
        if self._terminal is None:
            return
        typed = self._terminal.read()
        if typed is None:
            self._device.release()
            self.problem = 'the terminal is gone; nobody drives'
        elif typed:
            self._obey(self._device.hear(typed, time.monotonic()))

    def _obey(self, commands: list[str]):
        for command in commands:
            if self._steering is None or not self._steering.change(command):
                self._operator.obey(command)

    def _act(self, observation: Observation, _: np.ndarray) -> np.ndarray | None:
        self._poll()
        now_s = time.monotonic()
        self._engaged = self._steering is not None and self._device.engaged(now_s)
        self._driver.answer.engaged = self._engaged
        self._operator.control.answered(observation.episode_id, observation.step, self._engaged)
        if self._steering is None or not self._engaged:
            return None
        return self._steering.action(self._device.deflections(now_s))

    def report(self) -> tuple[bytes, str, dict]:
        """Return whether a person drives, and with what."""
        speed = self._steering.speed if self._steering is not None else 0.0
        values = {'device': self.parameters.device, 'engaged': self._engaged,
                  'speed': f'{speed:.2f}', 'answered': self._driver.answered,
                  'said': self._operator.said}
        state = 'a person drives' if self._engaged else 'idle, no person engaged'
        return self.state(state, values, self.problem or self._device.problem)
