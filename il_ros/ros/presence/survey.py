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

"""A look at the ROS graph for a few seconds: who is there, and what comes from the arm."""

from functools import partial
import math
import time
from typing import Any

from geometry_msgs.msg import PoseStamped
from il_ros.ros import qos
from il_ros.ros.commands.adapters import adapter_class, JOINT_STATE
from il_ros.ros.environment import WITHOUT_FILES
from il_ros.ros.listening import every, listen
from il_ros.ros.presence.graph_facts import End, GraphFacts, Joints, RobotFacts, Stream
from il_ros.ros.presence.occupancy import PARTS
from il_ros.ros.runtime import Runtime
from rcl_interfaces.srv import GetParameters
import rclpy
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy
from rclpy.topic_endpoint_info import TopicEndpointInfo
from sensor_msgs.msg import JointState
from std_msgs.msg import String

LOOK_S = 3.5
"""Without another node for so long all are found: each process announces itself every 3 s."""

LONGEST_LOOK_S = 12.0

POLL_S = 0.1
SIM_TIME = 'use_sim_time'
COMMAND = PARTS['supervisor'].resource
ARGUMENTS = ('il_ros', '--ros-args', '--log-level', 'error', WITHOUT_FILES)


def command_of(name: str, topic: str = '') -> tuple[str, str]:
    """
    Return topic and type of the commands to an arm.

    :param name: of the command adapter; '': joint positions by name
    :param topic: of the commands; '': the adapter's own
    :raises ControllerError: if the package of its messages is not installed
    """
    if name in ('', JOINT_STATE):
        return topic or COMMAND, 'sensor_msgs/msg/JointState'
    adapter = adapter_class(name)
    package = adapter.kind.__module__.partition('.')[0]
    return topic or adapter.topic, f'{package}/msg/{adapter.kind.__name__}'


def look(command: tuple[str, str] | None = None, seconds: float = LOOK_S) -> GraphFacts:
    """
    Look at the domain that the environment names, until no other node comes.

    :param command: topic and type of an arm's commands: its topics are listened to as well
    :param seconds: so long without another node
    :raises ImitationError: if ROS does not start here
    """
    with Runtime(ARGUMENTS, executor='single') as runtime:
        survey = runtime.add(Survey, command=command)
        patience = Patience(seconds, time.monotonic())

        def ask():
            survey.ask()
            if patience.is_over(len(survey.others()), time.monotonic()):
                runtime.request_stop()
        every(survey, POLL_S, ask)
        runtime.spin()
        return survey.facts()


class Patience:
    """
    Decides when nobody else is to be expected.

    :param quiet_s: so long without another node
    """

    def __init__(self, quiet_s: float, now_s: float):
        self._quiet_s = quiet_s
        self._latest_s = now_s + LONGEST_LOOK_S
        self._newest_s = now_s
        self._known = 0

    def is_over(self, found: int, now_s: float) -> bool:
        """Tell whether the look ends, with so many nodes found."""
        if found > self._known:
            self._known, self._newest_s = found, now_s
        return now_s >= min(self._newest_s + self._quiet_s, self._latest_s)


class Survey(Node):
    """
    A node that only listens and asks.

    :param context: on the domain that is looked at
    """

    def __init__(self, context: rclpy.Context, command: tuple[str, str] | None = None):
        super().__init__('il_ros_doctor', context=context, enable_rosout=False,
                         start_parameter_services=False)
        self._command = command
        self._answers: dict[str, Any] = {}
        self._arrivals: dict[str, list[tuple[float, float]]] = {}
        self._joints: Joints | None = None
        self._description: str | None = None
        if command:
            for topic, kind in (('joint_states', JointState), ('tool_pose', PoseStamped)):
                self._arrivals[topic] = []
                listen(self, kind, topic, partial(self._on_state, topic), qos.FOREIGN_SENSOR)
            listen(self, String, 'robot_description', self._on_description, qos.LATCHED)

    def _on_state(self, topic: str, message: Any):
        stamp = message.header.stamp
        self._arrivals[topic].append(
            (time.monotonic(), time.time() - stamp.sec - 1e-9 * stamp.nanosec))
        if isinstance(message, JointState):
            self._joints = Joints(tuple(message.name), tuple(message.position))

    def _on_description(self, message: String):
        self._description = message.data

    def ask(self):
        """Ask the nodes that are new whether they have ``use_sim_time``."""
        for name in self.others():
            if name not in self._answers:
                client = self.create_client(GetParameters, f'{name}/get_parameters')
                if client.service_is_ready():
                    self._answers[name] = client.call_async(GetParameters.Request(
                        names=[SIM_TIME]))
                else:
                    self.destroy_client(client)

    def others(self) -> list[str]:
        """Return the other nodes; those whose names begin with _ are hidden, as in ROS."""
        found = [(space, name) for name, space in self.get_node_names_and_namespaces()]
        found.remove((self.get_namespace(), self.get_name()))
        return sorted(f'{space.rstrip("/")}/{name}' for space, name in found
                      if not name.startswith('_'))

    def facts(self) -> GraphFacts:
        """Return what is known now."""
        nodes, in_sim_time, silent = self.others(), [], []
        for name in sorted(set(nodes)):
            answer = self._answers.get(name)
            if answer is None or not answer.done():
                silent.append(name)
            elif any(value.bool_value for value in answer.result().values):
                in_sim_time.append(name)
        return GraphFacts(self.context.get_domain_id(), tuple(nodes), tuple(in_sim_time),
                          tuple(silent), self._robot(*self._command) if self._command else None)

    def _robot(self, topic: str, kind: str) -> RobotFacts:
        streams = {name: Stream(*zip(*heard, strict=True)) if heard else Stream()
                   for name, heard in self._arrivals.items()}
        return RobotFacts(
            topic, kind, tuple(map(_end, self.get_publishers_info_by_topic(topic))),
            tuple(map(_end, self.get_subscriptions_info_by_topic(topic))),
            streams, self._joints, self._description)


def _end(info: TopicEndpointInfo) -> End:
    """Return an end of the topic of commands, as seen from the supervisor's."""
    asked = info.qos_profile
    # Zero: it says nothing of a lease.
    lease_s = 1e-9 * asked.liveliness_lease_duration.nanoseconds or math.inf
    mismatch = ''
    if asked.durability == DurabilityPolicy.TRANSIENT_LOCAL:
        mismatch = 'it asks for transient local durability'
    elif lease_s < 1e-9 * qos.COMMAND_LEASE.nanoseconds:
        mismatch = f'it asks for a liveliness lease of {lease_s:g} s'
    return End(f'{info.node_namespace.rstrip("/")}/{info.node_name}', info.topic_type, mismatch,
               lease_s)
