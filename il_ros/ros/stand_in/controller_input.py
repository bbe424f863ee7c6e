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

"""Topics of a simulated arm that has controllers of its own, in the place of ``joint_command``."""

from collections.abc import Callable
import dataclasses
from functools import partial
from typing import Any

from il_ros.robots.kinematics import Kinematics
from il_ros.ros import qos
from il_ros.ros.commands.adapters import adapter_class, joint_list
from il_ros.ros.commands.gripper import GripperCommandsAdapter
from il_ros.ros.listening import listen
from il_ros.ros.stand_in.contents import CONTENTS, numbers
from il_ros.sim.controllers.arm import make_claims, StandInArm
from il_ros.sim.controllers.crisp import Pose
from il_ros.sim.session import Session
from rclpy.node import Node


class ControllerInput:
    """
    Subscriptions of the stand-in controllers, with the profile that ros2_control has.

    :param parameters: ``controller``, ``controller_joints`` and ``command_timeout_s`` of the
        simulator; joints that the controller leaves over have the gripper's
    :param on_command: called when a message was accepted
    """

    two_writers = False
    """Such a controller does not look who writes to it."""

    def __init__(self, node: Node, kinematics: Kinematics, parameters: Any,
                 on_command: Callable[[], None]):
        self._node, self._on_command = node, on_command
        name = parameters.controller
        claims = make_claims(name, kinematics.robot, kinematics,
                             joint_list(parameters.controller_joints),
                             parameters.command_timeout_s)
        self._arm = StandInArm(kinematics.robot, claims)
        sources = ((adapter_class(name), CONTENTS[name]),
                   (GripperCommandsAdapter, numbers))[:len(claims)]
        self._subscriptions = [
            listen(node, adapter.kind, adapter.topic, partial(self._receive, content, place),
                   qos.STREAM)
            for place, (adapter, content) in enumerate(sources)]

    @property
    def is_obeyed(self) -> bool:
        """Tell whether a writer is there."""
        return self._subscriptions[0].get_publisher_count() > 0

    def check(self):
        """Accept every writer."""

    def restart(self, session: Session):
        """Activate the controllers where the arm stands."""
        self._arm.restart(session.state.joint_position, session.stamp_ns)

    def step(self, session: Session, now_ns: int) -> list[str]:
        """
        Go on by one control step: what the controllers did in the period before this beat.

        :returns: why messages were ignored, as sentences
        """
        accepted = self._arm.accepted
        dt_ns = round(1e9 / session.simulation.physics_hz)
        times = iter(range(now_ns - session.simulation.dt_ns, now_ns + dt_ns, dt_ns))
        session.follow(lambda positions, velocities: self._arm.update(
            next(times), dt_ns, positions, velocities), now_ns)
        refusals, self._arm.refusals = self._arm.refusals, []
        if self._arm.accepted > accepted:
            self._on_command()
        return refusals

    def _receive(self, content_of: Callable[[Any], Any], place: int, message: Any):
        content = content_of(message)
        if isinstance(content, Pose):
            content = dataclasses.replace(
                content, publishers=self._subscriptions[0].get_publisher_count())
        self._arm.receive(place, content, self._node.get_clock().now().nanoseconds)
