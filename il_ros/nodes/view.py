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

"""The live view of a graph in a terminal; it publishes nothing."""

import dataclasses
import sys
import time

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from il_ros.interactive.stage import PHASES
from il_ros.ros import qos, runtime
from il_ros.ros.listening import every, listen, listen_raw
from il_ros.ros.node import GraphNode
from il_ros.ros.parameters import bounded, choice
from il_ros.teleop.live_view import LiveView
from il_ros.teleop.screen import Screen
from il_ros_interfaces.action import RunDagger
from il_ros_interfaces.msg import Action, EpisodeStatus, Executed, Observation, RecordedEpisode
from sensor_msgs.msg import JointState, Joy

COUNTED = {'joint_states': (JointState, qos.STREAM), 'observation': (Observation, qos.STREAM),
           'policy/action': (Action, qos.STREAM), 'expert/action': (Action, qos.STREAM),
           'teleop/action': (Action, qos.STREAM), 'joy': (Joy, qos.FOREIGN_SENSOR)}
EXECUTED = 'executed'
ALWAYS = ('joint_states', 'observation')
NODE_PREFIX = 'il_ros: '


@dataclasses.dataclass(frozen=True)
class ViewParameters:
    """Parameters of the view."""

    period_s: float = bounded(0.25, 0.05, 10.0, 'time between two pictures [s]')
    executor: str = choice('events', runtime.EXECUTORS, 'executor of the process')


class ViewNode(GraphNode):
    """Draws who drives, rates, step, success and labels on the standard output."""

    def __init__(self, **kwargs):
        super().__init__('view', ViewParameters, **kwargs)
        self._view = LiveView((*COUNTED, EXECUTED), ALWAYS)
        self._screen = Screen(sys.stdout)
        for topic, (kind, profile) in COUNTED.items():
            self._count(topic, kind, profile)
        listen(self, Executed, EXECUTED, self._on_executed, qos.STREAM)
        listen(self, EpisodeStatus, 'episode', self._view.status, qos.STATUS)
        listen(self, RecordedEpisode, 'recorded', self._view.recorded, qos.RECEIPTS)
        listen(self, DiagnosticArray, '/diagnostics', self._on_diagnostics, qos.STREAM)
        listen(self, RunDagger.Impl.FeedbackMessage, 'run_dagger/_action/feedback',
               self._on_stage, qos.STREAM)
        every(self, self.parameters.period_s, self._draw)

    def _count(self, topic: str, kind: type, profile):
        def on_raw(_: bytes):
            self._view.hear(topic, time.monotonic())
        listen_raw(self, kind, topic, on_raw, profile)

    def _on_executed(self, message: Executed):
        self._view.hear(EXECUTED, time.monotonic())
        self._view.executed(message)

    def _on_diagnostics(self, array: DiagnosticArray):
        for status in array.status:
            if status.name.startswith(NODE_PREFIX) and (
                    status.hardware_id == self.get_namespace()):
                self._view.diagnostics(
                    status.name.removeprefix(NODE_PREFIX), status.level == DiagnosticStatus.OK,
                    status.message, {pair.key: pair.value for pair in status.values},
                    time.monotonic())

    def _on_stage(self, message):
        feedback = message.feedback
        self._view.stage(f'round {feedback.round}: {PHASES[feedback.stage]}, '
                         f'{100 * feedback.progress:.0f} %, {feedback.labels} labels in D')

    def _draw(self):
        self._screen.draw(self._view.lines(time.monotonic()))

    def shut_down(self):
        """Draw the last picture."""
        self._draw()
