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
The gripper's action: asked for a width when the supervisor wants another one.

Nodes of the control loop have no actions, so that this is a node of its own, in a slow thread. The
action has one of two types under one name; which one is seen from the server that is on air.
"""

import dataclasses

from il_ros.ros import qos
from il_ros.ros.commands.gripper import gripper_actions, gripper_goal, GripperJoint, WIDTH_TOPIC
from il_ros.ros.listening import every, listen
from il_ros.ros.node import ReportingNode
from il_ros.ros.parameters import bounded, text
from rclpy.action import ActionClient, get_action_names_and_types
from std_msgs.msg import Float64

LOOK_S = 0.25


@dataclasses.dataclass(frozen=True)
class GripperParameters:
    """Parameters of the gripper node."""

    action: str = text('gripper_controller/gripper_cmd', "the gripper's action")
    joint: str = text('gripper_joint', "joint of a ParallelGripperCommand's goal")
    open_width_m: float = bounded(0.08, 0.001, 1.0, 'width of the open gripper [m]')
    open_position: float = bounded(
        0.04, -10.0, 10.0, "the joint's position when it is open [rad or m]")
    closed_position: float = bounded(
        0.0, -10.0, 10.0, "the joint's position when it is closed [rad or m]")
    max_effort: float = bounded(40.0, 0.0, 1000.0, 'effort to grasp with [N or Nm]')


class GripperNode(ReportingNode):
    """Asks the gripper's action for the newest width."""

    is_slow = True

    def __init__(self, **kwargs):
        super().__init__('gripper', GripperParameters, **kwargs)
        given = self.parameters
        self._kinds = gripper_actions()
        self._joint = GripperJoint(given.joint, given.open_width_m, given.open_position,
                                   given.closed_position, given.max_effort)
        self._client: ActionClient | None = None
        self._kind = ''
        self._wanted: float | None = None
        self._asked: float | None = None
        self._counts = {'goals': 0, 'refused_goals': 0}
        listen(self, Float64, WIDTH_TOPIC, self._on_width, qos.LATCHED)
        every(self, LOOK_S, self._look)

    def _on_width(self, message: Float64):
        self._wanted = message.data
        self._ask()

    def _look(self):
        if self._client is not None and not self._client.server_is_ready():
            # Another server may come, and with the other type.
            self._client.destroy()
            self._client, self._kind, self._asked = None, '', None
        if self._client is None:
            self._find()
        self._ask()

    def _find(self):
        name = self.resolve_topic_name(self.parameters.action)
        on_air = dict(get_action_names_and_types(self)).get(name, [])
        kinds = [kind for kind in on_air if kind in self._kinds]
        if len(kinds) != 1:
            self.problem = (f'{name} is on air as {", ".join(sorted(on_air)) or "nothing"}; '
                            f'expected one of {", ".join(self._kinds)}')
            return
        self.problem, self._kind = '', kinds[0]
        self._client = ActionClient(self, self._kinds[self._kind], self.parameters.action)

    def _ask(self):
        client = self._client
        if (client is None or self._wanted in (None, self._asked)
                or not client.server_is_ready()):
            return
        self._asked = self._wanted
        self._counts['goals'] += 1
        goal = gripper_goal(self._kinds[self._kind], self._joint, self._wanted)
        client.send_goal_async(goal).add_done_callback(self._on_answered)

    def _on_answered(self, future):
        if not future.result().accepted:
            self._counts['refused_goals'] += 1
            self.report_problem('the gripper refused a goal', throttle_s=1.0)

    def report(self) -> tuple[bytes, str, dict]:
        """Return the action's type, and how many goals it was given."""
        return self.state(self._kind, {'action': self._kind, **self._counts})
